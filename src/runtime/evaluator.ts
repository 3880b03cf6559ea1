/** Runs a graph over a data set and collects one output, in file order. */
import { interrupted } from "../errors/runtime.ts";
import { planBatches, restoreOrder } from "./data/batches.ts";
import { collate, type Feed, type Padding } from "./data/collate.ts";
import type { Example } from "./data/examples.ts";
import type { InputSpec } from "./data/field.ts";
import { CLASSIFICATION_METRICS, type Classified } from "./metrics.ts";
import type { CommonOptions } from "./options.ts";
import type { GraphSession } from "./session.ts";

export interface EvaluateRun extends CommonOptions {
  readonly session: GraphSession;
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  readonly batchSize: number;
  readonly outputs: readonly string[];
  /** Fed with every batch: theta, for eval.onnx. */
  readonly extra?: ReadonlyMap<string, Feed>;
}

/** One record's part of an output: its dimensions without the batch, and its values. */
export interface Row {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number | bigint>;
}

/** Runs all examples, longest first. Returns each record's rows of the outputs, in file order. */
export async function evaluateExamples(run: EvaluateRun): Promise<ReadonlyMap<string, Row>[]> {
  const { examples, inputs, padding, batchSize, outputs } = run;
  const plan = planBatches(examples.map((e) => e.length), { batchSize, shuffle: false, seed: 0, epoch: 0, byLength: true });
  const results: ReadonlyMap<string, Row>[][] = [];
  for (const [done, indices] of plan.entries()) {
    if (run.signal?.aborted === true) throw interrupted();
    const batch = collate(examples, indices, inputs, padding);
    const feeds = new Map([...batch.feeds, ...(run.extra ?? [])].filter(([name]) => run.session.inputNames.includes(name)));
    const made = await run.session.run(feeds, outputs);
    results.push(indices.map((_, row) => new Map([...made].map(([name, feed]) => [name, rowOf(feed, row)]))));
    run.onProgress?.({ phase: "evaluating", done: done + 1, total: plan.length, unit: "batches" });
  }
  return restoreOrder(plan, results);
}

function rowOf({ dims, data }: Feed, row: number): Row {
  const own = dims.slice(1);
  const size = own.reduce((a, b) => a * b, 1);
  return { dims: own, values: (data as ArrayLike<number> & { subarray(a: number, b: number): ArrayLike<number> }).subarray(row * size, (row + 1) * size) };
}

/** The classification metrics of collected logits, named `eval_<metric>`. */
export function classificationMetrics(rows: readonly ReadonlyMap<string, Row>[], output: string, examples: readonly Example[]): Record<string, number> {
  const first = rows[0]?.get(output);
  const classes = first?.dims[0] ?? 0;
  const logits = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => { logits.set(row.get(output)?.values as ArrayLike<number>, i * classes); });
  const classified: Classified = { logits, dims: [rows.length, classes], labels: BigInt64Array.from(examples, (e) => BigInt(e.label ?? -100)) };
  return Object.fromEntries(CLASSIFICATION_METRICS.map((m) => [`eval_${m.name}`, m.compute(classified)]));
}
