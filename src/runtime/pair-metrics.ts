/** Metrics of embeddings: whether each anchor finds what belongs to it among the candidates of its batch, and how cosines go with scores. */
import { Pearson, spearman } from "./correlations.ts";
import { CROSS_ENTROPY, ONE_CLASS, type Count } from "./metrics.ts";
import { SCALE } from "../passes/attach-contrastive.ts";

/** Embeddings of N records, R rows of length 1 each, and the records' labels: 1 where the first two rows belong together. */
export interface Embedded {
  readonly embeddings: Float32Array;
  /** [N·R, d]. */
  readonly dims: readonly number[];
  /** [N], from 0 to 1. */
  readonly labels: Float32Array;
  readonly indices: readonly number[];
}

/**
 * Begins to count. Loss, accuracy and mean reciprocal rank are over the anchors that count, each against the candidates of its own batch, so that another batch
 * size gives other figures; a batch of one candidate has nothing to tell apart and is left out. The correlations are there where scores differ.
 */
export function countPairs(): Count<Embedded> {
  const [loss, accuracy] = [CROSS_ENTROPY.start(), ONE_CLASS.start()];
  const ranks = { sum: 0, anchors: 0 };
  const pearson = new Pearson();
  const [cosines, scores]: [number[], number[]] = [[], []];
  return {
    add({ embeddings, dims, labels, indices }) {
      const [rows = 0, width = 0] = dims;
      const perRecord = rows / labels.length;
      const candidates = perRecord - 1;
      const row = (i: number): Float32Array => embeddings.subarray(i * width, (i + 1) * width);
      const all = labels.length * candidates;
      const cosine = (record: number, candidate: number): number => dot(row(record * perRecord), row(Math.floor(candidate / candidates) * perRecord + 1 + (candidate % candidates)));
      for (const [record, label] of labels.entries()) {
        const own = record * candidates;
        const similarities = Float32Array.from({ length: all }, (_, i) => SCALE * cosine(record, i));
        const right = (similarities[own] ?? NaN) / SCALE;
        if (label >= 0) {
          pearson.add(right, label);
          cosines.push(right);
          scores.push(label);
        }
        if (label < 1 || all < 2) continue;
        const batch = { logits: similarities, dims: [1, all], labels: BigInt64Array.of(BigInt(own)), indices: [indices[record] ?? record] };
        loss.add(batch);
        accuracy.add(batch);
        ranks.anchors += 1;
        ranks.sum += 1 / (1 + similarities.filter((s, i) => i !== own && !(s < (similarities[own] ?? NaN))).length);
      }
    },
    result: () => ({
      loss: loss.result().loss ?? NaN, accuracy: accuracy.result().accuracy ?? NaN, mrr: ranks.sum / ranks.anchors,
      ...(scores.some((score) => score !== scores[0]) ? { pearson: pearson.result(), spearmanr: spearman(cosines, scores) } : {}),
    }),
  };
}

/** Of vectors of length 1, their cosine. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (const [i, x] of a.entries()) sum += x * (b[i] ?? NaN);
  return sum;
}

