import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ACCURACY, Counts, CROSS_ENTROPY, MEAN_LOSS, PERPLEXITY, type Classified, type Metric } from "../../src/runtime/metrics.ts";

const logits = Float32Array.from([1, 2, 0, 5, 5, 1, -1, 0, 3]);
/** A metric of one batch. */
const of = (metric: Metric<Classified>) => (values: Float32Array, dims: readonly number[], wanted: BigInt64Array): number => {
  const count = metric.start();
  count.add({ logits: values, dims, labels: wanted, indices: Array.from(wanted, (_, i) => i) });
  return count.result();
};
const [accuracy, meanCrossEntropy] = [of(ACCURACY), of(CROSS_ENTROPY)];
const labels = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);

describe("accuracy", () => {
  it("counts rows whose largest logit is the label's, -100 left out, the first of equals taken", () => {
    assert.equal(accuracy(logits, [3, 3], labels(1, 0, 0)), 2 / 3);
    assert.equal(accuracy(logits, [3, 3], labels(1, 1, 2)), 2 / 3);
    assert.equal(accuracy(logits, [3, 3], labels(1, -100, -100)), 1);
  });

  it("takes a row with NaN as wrong, and has no answer where nothing counts", () => {
    assert.equal(accuracy(Float32Array.from([1, NaN]), [1, 2], labels(0)), 0);
    assert.equal(accuracy(logits, [3, 3], labels(-100, -100, -100)), NaN);
  });
});

describe("meanCrossEntropy", () => {
  it("is PyTorch's", () => {
    // torch.nn.functional.cross_entropy(torch.tensor([[1,2,0],[5,5,1],[-1,0,3]]).double(), torch.tensor([1,-100,0]))
    assert.ok(Math.abs(meanCrossEntropy(logits, [3, 3], labels(1, -100, 0)) - 2.236744934100905) < 1e-12);
  });

  it("overflows nowhere, and has no answer where nothing counts", () => {
    assert.equal(meanCrossEntropy(Float32Array.from([1000, 0]), [1, 2], labels(1)), 1000);
    assert.equal(meanCrossEntropy(logits, [3, 3], labels(-100, -100, -100)), NaN);
  });
});

describe("classification metrics", () => {
  it("are loss and accuracy", () => {
    const counts = new Counts([CROSS_ENTROPY, ACCURACY]);
    counts.add({ logits, dims: [3, 3], labels: labels(1, 0, 2), indices: [0, 1, 2] });
    assert.deepEqual(counts.result(), { eval_loss: meanCrossEntropy(logits, [3, 3], labels(1, 0, 2)), eval_accuracy: 1 });
  });

  it("are the same in one batch and in several", () => {
    const [whole, parts] = [new Counts([CROSS_ENTROPY, ACCURACY]), new Counts([CROSS_ENTROPY, ACCURACY])];
    whole.add({ logits, dims: [3, 3], labels: labels(1, 1, 2), indices: [0, 1, 2] });
    parts.add({ logits: logits.subarray(0, 3), dims: [1, 3], labels: labels(1), indices: [0] });
    parts.add({ logits: logits.subarray(3), dims: [2, 3], labels: labels(1, 2), indices: [1, 2] });
    assert.deepEqual(parts.result(), whole.result());
  });

  it("of texts: the mean loss over all labels, and e to it", () => {
    const counts = new Counts([MEAN_LOSS, PERPLEXITY]);
    counts.add({ loss: 6, count: 3 });
    counts.add({ loss: 2, count: 1 });
    assert.deepEqual(counts.result(), { eval_loss: 2, eval_perplexity: Math.exp(2) });
  });

  it("refuse logits that don't fit the labels", () => {
    for (const dims of [[3, 3, 1], [9], [2, 3], [3, 2]]) assert.throws(() => accuracy(logits, dims, labels(0, 0, 0)),
      { code: "LOGITS_DO_NOT_FIT" }, dims.join());
    assert.throws(() => meanCrossEntropy(logits, [3, 3], labels(0, 3, 0)),
      { code: "LABEL_BEYOND_LOGITS", message: /^Record 2 has the label 3, but the model gives 3 logits a record/ });
  });
});
