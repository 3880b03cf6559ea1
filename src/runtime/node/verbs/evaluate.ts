/** `evaluate` and `predict`: a model, with or without an adapter, over a data file. */
import { noLogitsToEvaluate } from "../../../errors/runtime.ts";
import { collectRows, measureAll, perTokenOutputs, type EvaluateRun, type Row } from "../../evaluator.ts";
import { withGlue } from "../../data/glue.ts";
import type { Example } from "../../data/examples.ts";
import type { LoadedExamples } from "../../examples-of.ts";
import { DEFAULTS, type EvaluateOptions, type PredictOptions } from "../../options.ts";
import type { EvaluateResult, PredictResult } from "../../results.ts";
import { findLogits } from "../../model-outputs.ts";
import { dot } from "../../pair-metrics.ts";
import type { OpenedAdapter } from "../../prepare.ts";
import type { Value } from "../../../ir/graph.ts";
import type { GraphSession, OnnxRuntime } from "../../session.ts";
import { requireTaskLogits } from "../../tasks/registry.ts";
import type { Answer, Task, WordAnswers } from "../../tasks/task.ts";
import { requireWritable, writeFileAtomic } from "../atomic-write.ts";
import { inputFiles, refuseInputsAsOutputs } from "../input-files.ts";
import { loadExamples, type LoadOptions } from "../load-examples.ts";
import { labelsOfConfig } from "../model-config.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { deployed, sessionOf } from "./deployed.ts";
import { openTrained } from "./open-trained.ts";
import { taskOf } from "./task-of.ts";

/** The task's metrics over a labelled file. */
export async function evaluate(path: string, given: EvaluateOptions, runtime?: OnnxRuntime): Promise<EvaluateResult> {
  const started = performance.now();
  const options = withGlue(given);
  using opened = openModel(path);
  const trained = openTrained(opened, options);
  const task = taskOf(opened, options, trained);
  const model = deployed(opened, options, trained, task);
  const found = findLogits(model.graph, options.outputName);
  if (found === undefined && task.findOutput === undefined) throw noLogitsToEvaluate(model.graph.outputs.map((v) => v.name));
  const logits = requireTaskLogits(task, model.graph, found);
  const classes = logits.shape?.at(-1);
  const data = load(opened, options, trained, task, "required", typeof classes === "number" ? classes : undefined);
  const evaluation = task.attachEvaluation(model, logits);
  model.graph.outputs.splice(0, Infinity, ...evaluation.outputs);
  await using session = await sessionOf(opened, model, options, runtime);
  const measured = await measureAll(runOf(session, data, options), evaluation);
  return { examples: data.examples.length, ...measured, seconds: (performance.now() - started) / 1000 };
}

/**
 * One JSON record a line: the logits under their output's name, or every output where the graph has no logits; and what the task answers by them, for a
 * classifier `label` and `score`. A name that the graph has for an output stays the graph's.
 */
export async function predict(path: string, given: PredictOptions, runtime?: OnnxRuntime): Promise<PredictResult> {
  const started = performance.now();
  const options = withGlue(given);
  using opened = openModel(path);
  refuseInputsAsOutputs([options.output], inputFiles(opened, options));
  requireWritable(options.output);
  const trained = openTrained(opened, options);
  const task = taskOf(opened, options, trained);
  const model = deployed(opened, options, trained, task);
  const logits = findLogits(model.graph, options.outputName);
  const embedding = task.attachEmbedding?.(model, requireTaskLogits(task, model.graph, logits));
  if (embedding !== undefined) model.graph.outputs.splice(0, Infinity, embedding);
  const outputs = embedding !== undefined ? [embedding.name] : logits === undefined ? model.graph.outputs.map((v) => v.name) : [logits.name];
  const data = load(opened, { ...options, wholeTexts: true }, trained, task, "none", undefined);
  if (options.dryRun === true) return { examples: data.examples.length, output: options.output, seconds: (performance.now() - started) / 1000 };
  // What has one entry for each token is written without the padding.
  const perToken = perTokenOutputs(model.graph);
  await using session = await sessionOf(opened, model, options, runtime);
  // Texts that are rows of their own are predicted one by one.
  const rowed = { ...data, examples: data.examples.flatMap((example): Example[] => example.rows?.map((row) => ({ ...example, ...row, rows: [row] })) ?? [example]) };
  const rows = await collectRows(runOf(session, rowed, options), outputs, perToken);
  const answer = logits === undefined ? undefined : answerBy(logits, opened, task, trained);
  const encoder = new TextEncoder();
  if (embedding !== undefined) {
    const perRecord = rows.length / data.examples.length;
    const vectors = rows.map((row) => row.get(embedding.name)?.values as Float32Array);
    const records = data.examples.map((_, i) => embeddingsRecord(vectors.slice(i * perRecord, (i + 1) * perRecord)));
    writeFileAtomic(options.output, records.map((record) => encoder.encode(`${JSON.stringify(record)}\n`)));
    return { examples: records.length, output: options.output, seconds: (performance.now() - started) / 1000 };
  }
  writeFileAtomic(options.output, rows.map((row, i) => {
    const named = Object.fromEntries([...row].map(([name, r]) => [name, nested(r)]));
    return encoder.encode(`${JSON.stringify({ ...named, ...answer?.(row, data.examples[i]), ...named })}\n`);
  }));
  return { examples: rows.length, output: options.output, seconds: (performance.now() - started) / 1000 };
}

/** Of one text its embedding, of several the cosines of the first with the others. */
function embeddingsRecord([first = new Float32Array(), ...others]: readonly Float32Array[]): Record<string, unknown> {
  if (others.length === 0) return { sentence_embedding: Array.from(first) };
  const cosines = others.map((other) => dot(first, other));
  return { score: cosines.length === 1 ? cosines[0] : cosines };
}

type AnswerOf = (row: ReadonlyMap<string, Row>, example: Example | undefined) => Answer | WordAnswers | undefined;

/** What the task answers of a row; undefined where it has no such answer, or the logits are another task's. */
function answerBy(logits: Value, opened: OpenedModel, task: Task, trained: OpenedAdapter | undefined): AnswerOf | undefined {
  if ((task.answer === undefined && task.answerWords === undefined) || logits.shape?.length !== task.logits.length) return undefined;
  const names = trained?.contents.hut?.id2label ?? labelsOfConfig(opened.path);
  return (row, example) => {
    const { values, dims } = row.get(logits.name) ?? {};
    if (values === undefined) return undefined;
    const numbers = Array.from(values, Number);
    return task.answer?.(numbers, names) ?? task.answerWords?.(numbers, dims?.at(-1) ?? 0, example?.words, names);
  };
}

/** The examples of `data`, for the model. */
export function load(opened: OpenedModel, options: EvaluateOptions & Pick<LoadOptions, "wholeTexts" | "keepsTexts">, trained: OpenedAdapter | undefined, task: Task, labels: "required" | "none", numLabels: number | undefined): LoadedExamples {
  return loadExamples({ ...options, task, file: options.data, modelPath: opened.path, graph: opened.loadInlined().graph, labels, numLabels, id2label: labelNames(opened, trained, numLabels) });
}

/** A run of a session over them. */
export function runOf(session: GraphSession, data: LoadedExamples, { batchSize, signal, onProgress }: EvaluateOptions): EvaluateRun {
  return { ...data, session, batchSize: batchSize ?? DEFAULTS.batchSize, signal, onProgress };
}

/** The classes' names: the adapter's, else the model's config's, where their number fits. */
export function labelNames(opened: OpenedModel, trained: OpenedAdapter | undefined, numLabels: number | undefined): readonly string[] | undefined {
  const known = trained?.contents.hut?.id2label ?? labelsOfConfig(opened.path);
  return known?.length === numLabels ? known : undefined;
}

/** A row's values as nested lists of its dimensions. */
function nested({ dims, values }: Row): unknown {
  const build = (depth: number, from: number, size: number): unknown => {
    const count = dims[depth];
    if (count === undefined) return Number(values[from]);
    const step = size / count;
    return Array.from({ length: count }, (_, i) => build(depth + 1, from + i * step, step));
  };
  return build(0, 0, values.length);
}
