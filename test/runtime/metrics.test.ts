/** Metrics against scikit-learn and SciPy on outputs of trained models (fixtures/metrics), and what they do at the edges. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { Counts, CROSS_ENTROPY, MEAN_LOSS, ONE_CLASS, PERPLEXITY, type Classified, type Metric } from "../../src/runtime/metrics.ts";
import { ranks } from "../../src/runtime/correlations.ts";
import { greaterIsBetter } from "../../src/runtime/metric-names.ts";
import type { ClassFigures } from "../../src/runtime/class-counts.ts";
import type { ProblemName } from "../../src/runtime/options.ts";
import { PROBLEMS, type LogitsAndLabels } from "../../src/runtime/tasks/problem.ts";

interface Case {
  readonly problem: ProblemName;
  readonly logits: readonly (readonly number[])[];
  readonly labels: readonly (number | readonly number[])[];
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly classes: readonly ClassFigures[];
}

const read = (name: string): unknown => JSON.parse(readFileSync(`fixtures/metrics/${name}.json`, "utf8"));

/** The metrics of a case, its records in batches of `size`. */
function measured({ problem, logits, labels }: Case, size: number): Counts<LogitsAndLabels> {
  const counts = PROBLEMS.find((p) => p.name === problem)?.count();
  assert.ok(counts !== undefined);
  for (let at = 0; at < logits.length; at += size) {
    const rows = logits.slice(at, at + size);
    const flat = labels.slice(at, at + size).flat();
    counts.add({
      logits: Float32Array.from(rows.flat()), dims: [rows.length, rows[0]?.length ?? 0], indices: rows.map((_, i) => at + i),
      labels: (problem === "single" ? BigInt64Array.from(flat, BigInt) : Float32Array.from(flat)) as LogitsAndLabels["labels"],
    });
  }
  return counts;
}

function agrees(name: string, found: Counts<LogitsAndLabels>, { metrics, classes }: Case): void {
  const figures = found.result();
  assert.deepEqual(Object.keys(figures), Object.keys(metrics).map((key) => `eval_${key}`), name);
  for (const [key, wanted] of Object.entries(metrics)) {
    const got = figures[`eval_${key}`] ?? 0;
    assert.ok(wanted === null ? Number.isNaN(got) : Math.abs(got - wanted) < 1e-9, `${name}, ${key}: ${String(got)}, not ${String(wanted)}`);
  }
  const own = found.classes();
  assert.equal(own.length, classes.length, name);
  for (const [i, wanted] of classes.entries()) {
    for (const key of ["precision", "recall", "f1", "support"] as const) assert.ok(Math.abs((own[i]?.[key] ?? NaN) - wanted[key]) < 1e-9, `${name}, class ${String(i)}, ${key}`);
  }
}

describe("metrics are scikit-learn's and SciPy's", () => {
  for (const name of ["sst2", "price", "slots", "rating"]) {
    it(`on what a model said of ${name}, in one batch and in many`, () => {
      const wanted = read(name) as Case;
      for (const size of [wanted.logits.length, 32, 1]) agrees(name, measured(wanted, size), wanted);
    });
  }

  for (const [name, wanted] of Object.entries(read("edge") as Readonly<Record<string, Case>>)) it(name, () => { agrees(name, measured(wanted, 2), wanted); });
});

const logits = Float32Array.from([1, 2, 0, 5, 5, 1, -1, 0, 3]);
/** A figure of one batch. */
const of = (metric: Metric<Classified>, name: "accuracy" | "loss" | "f1" | "f1_macro" | "matthews_correlation") => (values: Float32Array, dims: readonly number[], wanted: BigInt64Array): number | undefined => {
  const count = metric.start();
  count.add({ logits: values, dims, labels: wanted, indices: Array.from(wanted, (_, i) => i) });
  return count.result()[name];
};
const [accuracy, meanCrossEntropy] = [of(ONE_CLASS, "accuracy"), of(CROSS_ENTROPY, "loss")];
const labels = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);

describe("accuracy", () => {
  it("counts rows whose largest logit is the label's, -100 left out, the first of equals taken", () => {
    assert.equal(accuracy(logits, [3, 3], labels(1, 0, 0)), 2 / 3);
    assert.equal(accuracy(logits, [3, 3], labels(1, 1, 2)), 2 / 3);
    assert.equal(accuracy(logits, [3, 3], labels(1, -100, -100)), 1);
  });

  it("takes a row with NaN as wrong, and has no answer where nothing counts", () => {
    assert.equal(accuracy(Float32Array.from([1, NaN]), [1, 2], labels(0)), 0);
    // sklearn.metrics.f1_score([0, 1], [-1, 1], labels=[1], average="micro"), matthews_corrcoef([0, 1, 1], [-1, 1, 1])
    assert.equal(of(ONE_CLASS, "f1")(Float32Array.from([1, NaN, 0, 1]), [2, 2], labels(0, 1)), 1);
    assert.equal(of(ONE_CLASS, "matthews_correlation")(Float32Array.from([1, NaN, 0, 1, 0, 1]), [3, 2], labels(0, 1, 1)), 0.5);
    for (const name of ["accuracy", "f1_macro", "matthews_correlation"] as const) assert.equal(of(ONE_CLASS, name)(logits, [3, 3], labels(-100, -100, -100)), NaN, name);
    assert.equal(of(ONE_CLASS, "f1")(Float32Array.from([1, 2]), [1, 2], labels(-100)), NaN);
  });
});

describe("meanCrossEntropy", () => {
  it("is PyTorch's", () => {
    // torch.nn.functional.cross_entropy(torch.tensor([[1,2,0],[5,5,1],[-1,0,3]]).double(), torch.tensor([1,-100,0]))
    assert.ok(Math.abs((meanCrossEntropy(logits, [3, 3], labels(1, -100, 0)) ?? NaN) - 2.236744934100905) < 1e-12);
  });

  it("overflows nowhere, and has no answer where nothing counts", () => {
    assert.equal(meanCrossEntropy(Float32Array.from([1000, 0]), [1, 2], labels(1)), 1000);
    assert.equal(meanCrossEntropy(logits, [3, 3], labels(-100, -100, -100)), NaN);
  });
});

describe("metrics", () => {
  it("of texts: the mean loss over all labels, and e to it", () => {
    const counts = new Counts([MEAN_LOSS, PERPLEXITY]);
    counts.add({ loss: 6, count: 3 });
    counts.add({ loss: 2, count: 1 });
    assert.deepEqual(counts.result(), { eval_loss: 2, eval_perplexity: Math.exp(2) });
    assert.deepEqual(counts.classes(), []);
  });

  it("refuse logits that don't fit the labels", () => {
    for (const dims of [[3, 3, 1], [9], [2, 3], [3, 2]]) assert.throws(() => accuracy(logits, dims, labels(0, 0, 0)),
      { code: "LOGITS_DO_NOT_FIT" }, dims.join());
    assert.throws(() => meanCrossEntropy(logits, [3, 3], labels(0, 3, 0)),
      { code: "LABEL_BEYOND_LOGITS", message: /^Record 2 has the label 3, but the model gives 3 logits a record/ });
  });

  it("rank equal numbers by the mean of their places, and none beside a NaN", () => {
    assert.deepEqual(ranks([2, 1, 2, 3, 2]), [3, 1, 3, 5, 3]);
    assert.deepEqual(ranks([1, NaN]), [NaN, NaN]);
    assert.deepEqual(ranks([-0, 0]), [1.5, 1.5]);
  });

  it("are better one way, also those that others named", () => {
    for (const name of ["eval_accuracy", "f1", "eval_spearmanr", "eval_rougeL", "toString"]) assert.equal(greaterIsBetter(name), true, name);
    for (const name of ["eval_loss", "loss", "eval_perplexity", "mse", "eval_my_loss"]) assert.equal(greaterIsBetter(name), false, name);
  });
});
