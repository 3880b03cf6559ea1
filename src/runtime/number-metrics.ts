/** Metrics of labels that are numbers of the logits' own shape: those of several classes at once, and those of regression. */
import { logitsDoNotFit } from "../errors/data.ts";
import { ClassCounts } from "./class-counts.ts";
import { Pearson, spearman } from "./correlations.ts";
import type { MetricName } from "./metric-names.ts";
import { mean, type Metric } from "./metrics.ts";

/** Logits of N records for C classes, row by row, and as many labels. */
export interface Numbers {
  readonly logits: Float32Array;
  readonly labels: Float32Array;
  /** [N, C], of both. */
  readonly dims: readonly number[];
}

/** Whether a label of several classes counts: -100 leaves it out. */
const isGiven = (label: number): boolean => label >= 0;
/** Whether a label of a regression counts: NaN leaves it out. */
const isNumber = (label: number): boolean => !Number.isNaN(label);

/** The mean over labels y from 0 to 1 of −y·ln σ(x) − (1 − y)·ln(1 − σ(x)), in float64. */
export const BINARY_CROSS_ENTROPY: Metric<Numbers> = meanOver("loss", isGiven, (x, y) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x))));

/** The mean of (x − y)², in float64: the loss, and the metric of that name, which stays the same whatever the loss. */
export const SQUARED_ERROR_LOSS: Metric<Numbers> = meanOver("loss", isNumber, (x, y) => (x - y) ** 2);
export const SQUARED_ERROR: Metric<Numbers> = meanOver("mse", isNumber, (x, y) => (x - y) ** 2);

/**
 * Of records of any number of classes, a class counting as said where its logit is above 0: accuracy is the share of records all of whose labels are right, F1
 * is that over all labels of all classes together, and the mean of the classes'. What isn't given is left out.
 */
export const SEVERAL_CLASSES: Metric<Numbers> = {
  start() {
    const counts = new ClassCounts();
    const seen = { right: 0, records: 0, classes: 0 };
    return {
      add(batch) {
        const [, classes = 0] = batch.dims;
        seen.classes = classes;
        const wrong = new Map<number, boolean>();
        eachNumber(batch, isGiven, (x, y, i) => {
          const record = Math.floor(i / classes);
          wrong.set(record, wrong.get(record) === true || isPredicted(x) !== isSet(y));
          counts.add(i % classes, isPredicted(x), isSet(y));
        });
        seen.records += wrong.size;
        seen.right += [...wrong.values()].filter((w) => !w).length;
      },
      result: () => ({
        accuracy: seen.right / seen.records, f1_micro: seen.records === 0 ? NaN : counts.micro().f1,
        f1_macro: seen.records === 0 ? NaN : counts.macro(Array.from({ length: seen.classes }, (_, cls) => cls)),
      }),
      classes: () => counts.each(seen.classes),
    };
  },
};

/** Correlations of predictions and labels; NaN where either is constant. */
export const CORRELATIONS: Metric<Numbers> = {
  start() {
    const pearson = new Pearson();
    const [xs, ys]: [number[], number[]] = [[], []];
    return {
      add(batch) {
        eachNumber(batch, isNumber, (x, y) => {
          pearson.add(x, y);
          xs.push(x);
          ys.push(y);
        });
      },
      result: () => ({ pearson: pearson.result(), spearmanr: spearman(xs, ys) }),
    };
  },
};

const isPredicted = (logit: number): boolean => logit > 0;
const isSet = (label: number): boolean => label > 0.5;

function meanOver(name: MetricName, counts: (label: number) => boolean, of: (x: number, y: number) => number): Metric<Numbers> {
  return mean(name, (batch, take) => { eachNumber(batch, counts, (x, y) => { take(of(x, y)); }); });
}

/** Calls `visit` for each pair of logit and label that counts. Throws where shapes don't agree. */
function eachNumber({ logits, labels, dims }: Numbers, counts: (label: number) => boolean, visit: (x: number, y: number, index: number) => void): void {
  if (dims.length !== 2 || logits.length !== labels.length) throw logitsDoNotFit(dims, logits.length, labels.length);
  for (const [i, y] of labels.entries()) if (counts(y)) visit(logits[i] ?? NaN, y, i);
}
