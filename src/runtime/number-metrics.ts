/** Metrics of labels that are numbers of the logits' own shape: those of several classes at once, and those of regression. */
import { logitsDoNotFit } from "../errors/data.ts";
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

/** The mean over labels y from 0 to 1 of −y·ln σ(x) − (1 − y)·ln(1 − σ(x)), in float64. */
export const BINARY_CROSS_ENTROPY: Metric<Numbers> = meanOver("loss", isGiven, (x, y) => Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x))));

/** The mean of (x − y)², in float64. */
export const SQUARED_ERROR: Metric<Numbers> = meanOver("loss", (label) => !Number.isNaN(label), (x, y) => (x - y) ** 2);

/** The share of records all of whose labels are right, a class counting as predicted where its logit is above 0. Records without a label are left out. */
export const EXACT_MATCH: Metric<Numbers> = {
  name: "accuracy",
  start() {
    let right = 0;
    let records = 0;
    return {
      add(batch) {
        const [, classes = 0] = batch.dims;
        const wrong = new Map<number, boolean>();
        eachNumber(batch, isGiven, (x, y, i) => {
          const record = Math.floor(i / classes);
          wrong.set(record, wrong.get(record) === true || isPredicted(x) !== isSet(y));
        });
        records += wrong.size;
        right += [...wrong.values()].filter((w) => !w).length;
      },
      result: () => right / records,
    };
  },
};

/** F1 over all labels of all classes together: 2·tp / (2·tp + fp + fn). */
export const MICRO_F1: Metric<Numbers> = {
  name: "f1",
  start() {
    let hits = 0;
    let misses = 0;
    return {
      add(batch) {
        eachNumber(batch, isGiven, (x, y) => {
          if (isPredicted(x) && isSet(y)) hits += 1;
          else if (isPredicted(x) !== isSet(y)) misses += 1;
        });
      },
      result: () => (2 * hits) / (2 * hits + misses),
    };
  },
};

/** Pearson's correlation of predictions and labels; NaN where either is constant. By Welford's running means, so that large offsets cost no digits. */
export const PEARSON: Metric<Numbers> = {
  name: "pearson",
  start() {
    const s = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
    return {
      add(batch) {
        eachNumber(batch, (label) => !Number.isNaN(label), (x, y) => {
          s.n += 1;
          const [dx, dy] = [x - s.x, y - s.y];
          s.x += dx / s.n;
          s.y += dy / s.n;
          s.xx += dx * (x - s.x);
          s.yy += dy * (y - s.y);
          s.xy += dx * (y - s.y);
        });
      },
      result: () => s.xy / Math.sqrt(s.xx * s.yy),
    };
  },
};

const isPredicted = (logit: number): boolean => logit > 0;
const isSet = (label: number): boolean => label > 0.5;

function meanOver(name: string, counts: (label: number) => boolean, of: (x: number, y: number) => number): Metric<Numbers> {
  return mean(name, (batch, take) => { eachNumber(batch, counts, (x, y) => { take(of(x, y)); }); });
}

/** Calls `visit` for each pair of logit and label that counts. Throws where shapes don't agree. */
function eachNumber({ logits, labels, dims }: Numbers, counts: (label: number) => boolean, visit: (x: number, y: number, index: number) => void): void {
  if (dims.length !== 2 || logits.length !== labels.length) throw logitsDoNotFit(dims, logits.length, labels.length);
  for (const [i, y] of labels.entries()) if (counts(y)) visit(logits[i] ?? NaN, y, i);
}
