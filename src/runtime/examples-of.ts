/** Records → examples for a model: text tokenized, everything checked against the graph before anything runs. */
import { isFloating } from "../ir/data-type.ts";
import { dimKey } from "../ir/dim.ts";
import type { Graph } from "../ir/graph.ts";
import type { Padding } from "./data/collate.ts";
import { withColumns } from "./data/columns.ts";
import { reportNotes, type DataReport } from "./data/data-report.ts";
import { glueFile } from "./data/glue.ts";
import { toExamples, type Example } from "./data/examples.ts";
import type { Texts } from "./data/overlap.ts";
import type { InputSpec } from "./data/field.ts";
import type { DataFile } from "./data/records.ts";
import type { TextTokenizer } from "./data/tokenizer.ts";
import { findLogits } from "./model-outputs.ts";
import { DEFAULTS, type CommonOptions, type DataOptions } from "./options.ts";
import { inputSpecs, vocabularySize } from "./task-inputs.ts";
import type { Task } from "./tasks/task.ts";

/** Examples and what is needed to make batches of them. */
export interface LoadedExamples {
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  /** Names of the classes, where the data or the options give them. */
  readonly id2label: readonly string[] | undefined;
  /** What was cut, empty or left out. */
  readonly report: DataReport;
  /** Tells which records have the text of another file's. */
  readonly texts: Texts;
}

/** What examples are made for. */
export interface ExamplesOptions extends Pick<DataOptions, "maxSeqLength" | "glue" | "textColumn" | "labelColumn" | "maskPrompt">, Pick<CommonOptions, "onNotice"> {
  readonly task: Task;
  /** The model's own graph, as loaded: its inputs are what data must feed. */
  readonly graph: Graph;
  readonly labels: "required" | "none";
  /** Whether the labels are to be learnt from. */
  readonly learns?: boolean | undefined;
  readonly numLabels: number | undefined;
  readonly id2label?: readonly string[] | undefined;
  /** Where no length is given, texts are cut where the model ends, as pipelines do, and not where training cuts them. */
  readonly wholeTexts?: boolean | undefined;
  /** Whether examples shall have their texts. */
  readonly keepsTexts?: boolean | undefined;
}

/** Makes examples of a data file's records; what was cut, empty or left out is noticed. Throws HutError: a missing column, a label out of range, a tokenizer of another model. */
export function examplesOf(file: DataFile, tokenizer: TextTokenizer | undefined, options: ExamplesOptions): LoadedExamples {
  const { graph } = options;
  const inputs = inputSpecs(graph);
  const labelledRow = labelledInput(graph, inputs);
  const isWhole = options.maxSeqLength === undefined && options.wholeTexts === true;
  const maxLength = isWhole ? longestText(graph, tokenizer?.maxLength) : Math.min(options.maxSeqLength ?? DEFAULTS.maxSeqLength, longestSequence(graph));
  const labelled = options.labels === "required";
  const named = withColumns(file, options, labelled);
  const { data, id2label: known } = options.glue === undefined ? { data: named, id2label: options.id2label } : glueFile(named, options.glue, options.id2label, labelled);
  if (options.learns === true && tokenizer?.padIsEos === true) options.onNotice?.("the tokenizer has no pad token: rows are filled up with the one that ends texts");
  const { examples, id2label, report, texts } = toExamples(data, {
    inputs, tokenizer, labels: options.labels, learns: options.learns, maskPrompt: options.maskPrompt, labelled: labelledRow, task: options.task.data, maxLength, vocabulary: vocabularySize(graph), keepsTexts: options.keepsTexts,
    ...(options.numLabels === undefined ? {} : { numLabels: options.numLabels }), ...(known === undefined ? {} : { id2label: known }),
  });
  for (const note of reportNotes(report)) options.onNotice?.(note);
  return { examples, inputs, report, texts, padding: { input_ids: tokenizer?.padId ?? 0, labelled: labelledRow, labels: options.task.data.labelKind }, id2label };
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
