/** What an evaluation reports of a model's outputs and the labels. */

import { labelBeyondLogits, logitsDoNotFit } from "../errors/data.ts";
import { IGNORED_LABEL } from "./data/class-labels.ts";

/** Logits of N records for C classes, row by row, and N labels; -100 is left out. */
export interface Classified {
  readonly logits: Float32Array;
  /** [N, C]. */
  readonly dims: readonly number[];
  readonly labels: BigInt64Array;
}

/** One number an evaluation reports. */
export interface Metric<Needs> {
  /** As `eval_<name>` in logs. */
  readonly name: string;
  /** What must be collected for it. */
  readonly needs: readonly (keyof Needs & string)[];
  /** The number; NaN where every label is left out. */
  compute(from: Needs): number;
}

/** The share of records whose largest logit (the first, of equal ones) is the label's. NaN where every label is -100; a row with NaN is wrong. */
export function accuracy(logits: Float32Array, dims: readonly number[], labels: BigInt64Array): number {
  let right = 0;
  const counted = eachLabelled(logits, dims, labels, (row, label) => {
    if (argmax(row) === label) right++;
  });
  return right / counted;
}

/** The mean of −log softmax(logits)[label], in float64. NaN where every label is -100. */
export function meanCrossEntropy(logits: Float32Array, dims: readonly number[], labels: BigInt64Array): number {
  let sum = 0;
  const counted = eachLabelled(logits, dims, labels, (row, label) => {
    sum += logSumExp(row) - (row[label] ?? NaN);
  });
  return sum / counted;
}

/** What text-classification reports, in this order. */
export const CLASSIFICATION_METRICS: readonly Metric<Classified>[] = [
  { name: "loss", needs: ["logits", "labels"], compute: ({ logits, dims, labels }) => meanCrossEntropy(logits, dims, labels) },
  { name: "accuracy", needs: ["logits", "labels"], compute: ({ logits, dims, labels }) => accuracy(logits, dims, labels) },
];

/** Calls `visit` for every row [C] whose label counts; gives their number. Throws where shapes and labels don't agree. */
function eachLabelled(logits: Float32Array, dims: readonly number[], labels: BigInt64Array, visit: (row: Float32Array, label: number) => void): number {
  const [rows = 0, classes = 0] = dims;
  if (dims.length !== 2 || rows !== labels.length || logits.length !== rows * classes) throw logitsDoNotFit(dims, logits.length, labels.length);
  let counted = 0;
  for (const [i, wide] of labels.entries()) {
    const label = Number(wide);
    if (label === IGNORED_LABEL) continue;
    if (label < 0 || label >= classes) throw labelBeyondLogits(i, label, classes);
    visit(logits.subarray(i * classes, (i + 1) * classes), label);
    counted++;
  }
  return counted;
}

/** The place of the largest value, the first of equal ones; -1 where a NaN makes it meaningless. */
function argmax(row: Float32Array): number {
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
