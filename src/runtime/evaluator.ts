/** Runs a graph over a data set: its metrics, counted batch by batch, or every record's outputs in file order. */
import type { Graph } from "../ir/graph.ts";
import { elementCount } from "../ir/sizes.ts";
import { interrupted } from "../errors/runtime.ts";
import { planBatches, restoreOrder } from "./data/batches.ts";
import { collate, type Batch, type Feed, type Padding } from "./data/collate.ts";
import type { Example } from "./data/examples.ts";
import type { InputSpec } from "./data/field.ts";
import type { CommonOptions } from "./options.ts";
import type { NamedClass } from "./results.ts";
import type { GraphSession } from "./session.ts";
import { classNames } from "./tasks/problem.ts";
import type { Evaluation } from "./tasks/task.ts";

export interface EvaluateRun extends CommonOptions {
  readonly session: GraphSession;
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  readonly batchSize: number;
  /** The classes' names in order, where they are known. */
  readonly id2label?: readonly string[] | undefined;
  /** Fed with every batch: theta, for eval.onnx. */
  readonly extra?: ReadonlyMap<string, Feed>;
}

/** One record's part of an output: its dimensions without the batch, and its values. */
export interface Row {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number | bigint>;
}

/** What was measured: metrics named `eval_<metric>`, and each class's own figures. */
export interface Measured {
  readonly metrics: Record<string, number>;
  readonly classes: readonly NamedClass[];
}

/** The metrics of a graph that `evaluation` was attached to, named `eval_<metric>`. */
export async function measure(run: EvaluateRun, evaluation: Evaluation): Promise<Record<string, number>> {
  return (await measureAll(run, evaluation)).metrics;
}

/** Its metrics, and the figures of each class by its name. */
export async function measureAll(run: EvaluateRun, evaluation: Evaluation): Promise<Measured> {
  const meter = evaluation.start(run.id2label);
  await eachBatch(run, evaluation.outputs.map((v) => v.name), (made, batch) => { meter.add(made, batch); });
  const figures = meter.classes?.() ?? [];
  const names = classNames(figures.length, run.id2label);
  return { metrics: meter.result(), classes: figures.map((each, i) => ({ label: each.label ?? names[i] ?? "", ...each })) };
}

/** Returns each record's rows of the outputs, in file order. Outputs of which `perToken` says so have the record's own length, padding cut off. */
export async function collectRows(run: EvaluateRun, outputs: readonly string[], perToken: ReadonlySet<string>): Promise<ReadonlyMap<string, Row>[]> {
  const plan: (readonly number[])[] = [];
  const results: ReadonlyMap<string, Row>[][] = [];
  await eachBatch(run, outputs, (made, { indices, size, paddedTokens }) => {
    plan.push(indices);
    results.push(indices.map((index, row) => new Map([...made].map(([name, feed]) => {
      const whole = rowOf(feed, row);
      const length = run.examples[index]?.length;
      return [name, perToken.has(name) && whole.dims[0] === paddedTokens / size && length !== undefined ? cut(whole, length) : whole];
    }))));
  });
  return restoreOrder(plan, results);
}

/** The outputs with one entry for each token: their second axis is free. */
export function perTokenOutputs(graph: Graph): ReadonlySet<string> {
  return new Set(graph.outputs.filter((v) => v.shape !== undefined && v.shape.length >= 2 && typeof v.shape[1] !== "number").map((v) => v.name));
}

/** Runs all examples, longest first. */
async function eachBatch(run: EvaluateRun, outputs: readonly string[], take: (made: ReadonlyMap<string, Feed>, batch: Batch) => void): Promise<void> {
  const { examples, inputs, padding, batchSize } = run;
  const plan = planBatches(examples.map((e) => e.length), { batchSize, shuffle: false, seed: 0, epoch: 0, byLength: true });
  for (const [done, indices] of plan.entries()) {
    if (run.signal?.aborted === true) throw interrupted();
    const batch = collate(examples, indices, inputs, padding);
    const feeds = new Map([...batch.feeds, ["labels", batch.labels] as const, ...(run.extra ?? [])].filter(([name]) => run.session.inputNames.includes(name)));
    take(await run.session.run(feeds, outputs), batch);
    run.onProgress?.({ phase: "evaluating", done: done + 1, total: plan.length, unit: "batches" });
  }
}

function rowOf({ dims, data }: Feed, row: number): Row {
  const own = dims.slice(1);
  const size = elementCount(own);
  return { dims: own, values: (data as Float32Array).subarray(row * size, (row + 1) * size) };
}

/** The first `length` entries of the row's first axis. */
function cut({ dims, values }: Row, length: number): Row {
  const stride = elementCount(dims.slice(1));
  return { dims: [length, ...dims.slice(1)], values: (values as Float32Array).subarray(0, length * stride) };
}
