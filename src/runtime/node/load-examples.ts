/** A data file → examples for a model: records read, text tokenized, everything checked against the graph before anything runs. */
import { tokenIdBeyondVocabulary } from "../../errors/runtime.ts";
import { isFloating } from "../../ir/data-type.ts";
import { dimKey } from "../../ir/dim.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Padding } from "../data/collate.ts";
import { toExamples, type Example } from "../data/examples.ts";
import type { InputSpec } from "../data/field.ts";
import { DEFAULTS, type DataOptions } from "../options.ts";
import { findLogits } from "../model-outputs.ts";
import { inputSpecs, vocabularySize } from "../task-inputs.ts";
import { taskNamed } from "../tasks/registry.ts";
import { readRecords } from "./data-file.ts";
import { openTokenizer } from "./tokenizer-files.ts";

/** Examples and what is needed to make batches of them. */
export interface LoadedExamples {
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  /** Names of the classes, where the data or the options give them. */
  readonly id2label: readonly string[] | undefined;
}

export interface LoadOptions extends DataOptions {
  readonly file: string;
  readonly modelPath: string;
  /** The model's own graph, as loaded: its inputs are what data must feed. */
  readonly graph: Graph;
  readonly labels: "required" | "none";
  readonly numLabels: number | undefined;
  readonly id2label?: readonly string[] | undefined;
  /** Where no length is given, texts are cut where the model ends, as pipelines do, and not where training cuts them. */
  readonly wholeTexts?: boolean | undefined;
}

/** Reads a file for a model. Throws HutError: a missing column, a label out of range, a tokenizer of another model. */
export function loadExamples(options: LoadOptions): LoadedExamples {
  const { graph, modelPath, file } = options;
  const data = readRecords(file);
  const tokenizer = openTokenizer(modelPath, options.tokenizer);
  const inputs = inputSpecs(graph);
  const labelled = labelledInput(graph, inputs);
  const isWhole = options.maxSeqLength === undefined && options.wholeTexts === true;
  const maxLength = isWhole ? longestText(graph, tokenizer?.maxLength) : Math.min(options.maxSeqLength ?? DEFAULTS.maxSeqLength, longestSequence(graph));
  const { examples, id2label, maxTokenId } = toExamples(data, {
    inputs, tokenizer, labels: options.labels, labelled, task: taskNamed(options.task).data, maxLength,
    ...(options.numLabels === undefined ? {} : { numLabels: options.numLabels }), ...(options.id2label === undefined ? {} : { id2label: options.id2label }),
  });
  const vocabulary = vocabularySize(graph);
  if (vocabulary !== undefined && maxTokenId >= vocabulary) throw tokenIdBeyondVocabulary(file, maxTokenId, vocabulary);
  return { examples, inputs, padding: { input_ids: tokenizer?.padId ?? 0, labelled }, id2label };
}

/** The row of tokens that the logits are for: the ids that have the logits' free length. A decoder behind an encoder has ids of its own. */
function labelledInput(graph: Graph, inputs: readonly InputSpec[]): string | undefined {
  const length = findLogits(graph)?.shape?.[1];
  const rows = inputs.filter(({ name, dtype, shape }) => name.endsWith("input_ids") && !isFloating(dtype) && shape.length === 2);
  const fitting = length === undefined ? [] : rows.filter(({ shape }) => shape[1] === (typeof length === "number" ? length : dimKey(length)));
  return fitting.length === 1 ? fitting[0]?.name : rows.at(-1)?.name;
}

/** Rows of a table of positions that are none: some models keep up to two for padding, and tables are otherwise multiples of this. */
const POSITIONS_STEP = 8;

/**
 * Most tokens that a deployed model is given of a text: what its tokenizer says, and no more than its table of positions has; where neither tells, as many
 * as training takes.
 */
export function longestText(graph: Graph, stated: number | undefined): number {
  const positions = longestSequence(graph);
  if (stated !== undefined && stated <= positions) return stated;
  return Number.isFinite(positions) ? Math.max(positions - (positions % POSITIONS_STEP), POSITIONS_STEP) : DEFAULTS.maxSeqLength;
}

/** How many positions the model has: the first axis of a table whose name says so; no bound where none does. */
export function longestSequence(graph: Graph): number {
  const table = [...graph.initializers].find((v) => /position_embeddings?\.weight$|\bwpe\.weight$/.test(v.name));
  const rows = table?.initializer?.dims[0];
  return rows === undefined || rows < 4 ? Infinity : rows;
}
