import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { accuracy, CLASSIFICATION_METRICS, meanCrossEntropy } from "../../src/runtime/metrics.ts";

const logits = Float32Array.from([1, 2, 0, 5, 5, 1, -1, 0, 3]);
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
    const from = { logits, dims: [3, 3], labels: labels(1, 0, 2) };
    const report = CLASSIFICATION_METRICS.map(({ name, compute }) => [name, compute(from)]);
    assert.deepEqual(report, [["loss", meanCrossEntropy(logits, [3, 3], from.labels)], ["accuracy", 1]]);
  });

  it("refuse logits that don't fit the labels", () => {
    for (const dims of [[3, 3, 1], [9], [2, 3], [3, 2]]) assert.throws(() => accuracy(logits, dims, labels(0, 0, 0)),
      { code: "LOGITS_DO_NOT_FIT" }, dims.join());
    assert.throws(() => meanCrossEntropy(logits, [3, 3], labels(0, 3, 0)),
      { code: "LABEL_BEYOND_LOGITS", message: /^Record 2 has the label 3, but the model gives 3 logits a record/ });
  });
});
