/** What an evaluation reports, counted batch by batch: sums are kept, never a data set's outputs. */

import { labelBeyondLogits, logitsDoNotFit } from "../errors/data.ts";
import { ClassCounts, type ClassFigures } from "./class-counts.ts";
import { IGNORED_LABEL } from "./data/task-data.ts";
import type { Figures, MetricName } from "./metric-names.ts";

/** Logits of N records for C classes, row by row, and N labels; -100 is left out. */
export interface Classified {
  readonly logits: Float32Array;
  /** [N, C]. */
  readonly dims: readonly number[];
  readonly labels: BigInt64Array;
  /** Which records these are, by their place in the file. */
  readonly indices: readonly number[];
}

/** A loss summed over a batch, and how many labels it is over. */
export interface Summed {
  readonly loss: number;
  readonly count: number;
}

/** What an evaluation reports of batches of one kind: one number, or several that are counted together. */
export interface Metric<Batch> {
  /** Begins to count; `classes` are as many as there are logits, where that is known before the first batch. */
  start(classes?: number): Count<Batch>;
}

/** A metric being counted. */
export interface Count<Batch> {
  add(batch: Batch): void;
  /** The figures so far; NaN where every label is left out. */
  result(): Figures;
  /** Those of each class, where it counts them. */
  classes?(): readonly ClassFigures[];
}

/** The mean of −log softmax(logits)[label], in float64. */
export const CROSS_ENTROPY: Metric<Classified> = meanOver("loss", (row, label) => logSumExp(row) - (row[label] ?? NaN));

/**
 * Of records of one class each, by the largest logit (the first, of equal ones; a row with NaN is wrong): of two classes also the figures of class 1, of more
 * the averages of F1.
 */
export const ONE_CLASS: Metric<Classified> = {
  start(classes = 0) {
    const counts = new ClassCounts();
    const seen = { right: 0, records: 0, classes };
    return {
      add(batch) {
        seen.classes = batch.dims[1] ?? 0;
        eachLabelled(batch, (row, label) => {
          const best = argmax(row);
          // Where there is no answer it is one more class, which no record is of.
          const said = best < 0 ? seen.classes : best;
          counts.add(said, true, said === label);
          if (said !== label) counts.add(label, false, true);
          seen.right += said === label ? 1 : 0;
          seen.records += 1;
        });
      },
      result() {
        const accuracy = seen.right / seen.records;
        const figures = seen.records === 0 ? undefined : counts.of(1);
        const averages = seen.classes === 2
          ? { f1: figures?.f1 ?? NaN, precision: figures?.precision ?? NaN, recall: figures?.recall ?? NaN }
          : { f1_macro: counts.macroOfSeen(seen.classes), f1_micro: seen.records === 0 ? NaN : counts.micro().f1 };
        return { accuracy, ...averages, matthews_correlation: counts.matthews() };
      },
      classes: () => counts.each(seen.classes),
    };
  },
};

/** The mean of a loss that the graph summed. */
export const MEAN_LOSS: Metric<Summed> = quotient("loss", (mean) => mean);

/** e to the mean loss: among how many tokens the model wavers. */
export const PERPLEXITY: Metric<Summed> = quotient("perplexity", Math.exp);

/** A set of metrics being counted together. */
export class Counts<Batch> {
  readonly #counts: readonly Count<Batch>[];

  constructor(metrics: readonly Metric<Batch>[], classes?: number) {
    this.#counts = metrics.map((metric) => metric.start(classes));
  }

  add(batch: Batch): void {
    for (const count of this.#counts) count.add(batch);
  }

  /** By name, as `eval_<metric>`. */
  result(): Record<string, number> {
    return Object.fromEntries(this.#counts.flatMap((count) => Object.entries(count.result()).map(([name, value]) => [`eval_${name}`, value])));
  }

  /** Each class's own figures; none where nothing counts by classes. */
  classes(): readonly ClassFigures[] {
    return this.#counts.flatMap((count) => count.classes?.() ?? []);
  }
}

/** The mean of a number that each record with a label has. */
function meanOver(name: MetricName, of: (row: Float32Array, label: number) => number): Metric<Classified> {
  return mean(name, (batch, take) => { eachLabelled(batch, (row, label) => { take(of(row, label)); }); });
}

/** The mean of all numbers that `visit` gives to `take`; NaN where there are none. */
export function mean<Batch>(name: MetricName, visit: (batch: Batch, take: (value: number) => void) => void): Metric<Batch> {
  return {
    start() {
      let sum = 0;
      let counted = 0;
      return {
        add(batch) {
          visit(batch, (value) => {
            sum += value;
            counted += 1;
          });
        },
        result: () => ({ [name]: sum / counted }),
      };
    },
  };
}

function quotient(name: MetricName, of: (mean: number) => number): Metric<Summed> {
  return {
    start() {
      const sum = { loss: 0, count: 0 };
      return {
        add({ loss, count }) {
          sum.loss += loss;
          sum.count += count;
        },
        result: () => ({ [name]: of(sum.loss / sum.count) }),
      };
    },
  };
}

/** Calls `visit` for every row [C] whose label counts. Throws where shapes and labels don't agree. */
function eachLabelled({ logits, dims, labels, indices }: Classified, visit: (row: Float32Array, label: number) => void): void {
  const [rows = 0, classes = 0] = dims;
  if (dims.length !== 2 || rows !== labels.length || logits.length !== rows * classes) throw logitsDoNotFit(dims, logits.length, labels.length);
  for (const [i, wide] of labels.entries()) {
    const label = Number(wide);
    if (label === IGNORED_LABEL) continue;
    if (label < 0 || label >= classes) throw labelBeyondLogits(indices[i] ?? i, label, classes);
    visit(logits.subarray(i * classes, (i + 1) * classes), label);
  }
}

/** The place of the largest value, the first of equal ones; -1 where a NaN makes it meaningless. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (const [i, value] of row.entries()) {
    if (Number.isNaN(value)) return -1;
    if (value > (row[best] ?? -Infinity)) best = i;
  }
  return best;
}

/** log Σ exp, shifted by the largest value so that nothing overflows. */
function logSumExp(row: Float32Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
