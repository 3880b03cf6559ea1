import assert from "node:assert/strict";
import { groupRuns, spreadOf } from "../../../src/runtime/report/group-runs.ts";
import { confusionOf, shownRecords, worstOf, type Prediction } from "../../../src/runtime/report/predictions.ts";
import type { ReportedRun } from "../../../src/runtime/report/report-data.ts";
import { thinCurve } from "../../../src/runtime/report/thin-curve.ts";
import { madeRun } from "./made-up.ts";

const made = (seed: number, settings: Record<string, unknown>, more: Partial<ReportedRun> = {}): ReportedRun => {
  const run = madeRun("hut", 8, seed);
  return { ...run, settings: { ...run.settings, ...settings, seed }, ...more };
};
const same = { modelBytes: 19, hashes: undefined };
const groupsOf = (...runs: ReportedRun[]): string[] => groupRuns(runs, runs.map(() => same)).map(({ name, runs: members }) => `${name}: ${members.join(" ")}`);

describe("runs of a report, taken together", () => {
  it("has the spread that statistics have", () => {
    // statistics.stdev of Python: 1.2909944487358056.
    const { mean, deviation, ...rest } = spreadOf([1, 2, 3, 4]);
    assert.deepEqual({ mean, ...rest }, { mean: 2.5, n: 4, min: 1, max: 4 });
    assert.ok(Math.abs((deviation ?? NaN) - 1.2909944487358056) < 1e-15);
    assert.deepEqual(spreadOf([0.7]), { n: 1, mean: 0.7, deviation: null, min: 0.7, max: 0.7 });
    assert.equal(spreadOf([5, 5, 5]).deviation, 0);
  });

  it("puts runs together that differ in the seed, and in what doesn't change what is learnt", () => {
    assert.deepEqual(groupsOf(made(0, {}), made(1, {}), made(2, { saveSteps: 5 })), ["hut r8: 0 1 2"]);
  });

  it("tells others apart by what differs", () => {
    assert.deepEqual(groupsOf(made(0, {}), made(0, { lr: 0.01 }), made(1, {}), made(1, { lr: 0.01, batchSize: 8 })), ["hut r8, lr 0.005, batchSize 32: 0 2", "hut r8, lr 0.01, batchSize 32: 1", "hut r8, lr 0.01, batchSize 8: 3"]);
    assert.deepEqual(groupsOf(madeRun("hut", 4, 0), madeRun("lora", 4, 0), madeRun("head", null, 0)), ["hut r4: 0", "lora r4: 1", "head: 2"]);
    const elsewhere = groupRuns([made(0, {}), made(1, {})], [same, { ...same, modelBytes: 20 }]);
    assert.deepEqual(elsewhere.map(({ name }) => name), ["hut r8 (runs/hut-8-0)", "hut r8 (runs/hut-8-1)"]);
  });

  it("goes by what is in the data files, wherever they lie", () => {
    const [here, there] = [made(0, { train: "a/train.tsv" }), made(1, { train: "b/train.tsv" })];
    const origin = (hash: string): { modelBytes: number; hashes: Record<string, string> } => ({ modelBytes: 19, hashes: { train: hash, dev: "d" } });
    assert.equal(groupRuns([here, there], [origin("x"), origin("x")]).length, 1);
    assert.equal(groupRuns([here, there], [origin("x"), origin("y")]).length, 2);
    assert.equal(groupRuns([here, there], [same, same]).length, 2);
  });

  it("leaves a run that isn't done by itself", () => {
    assert.deepEqual(groupsOf(made(0, {}), made(1, {}, { finished: false })), ["hut r8: 0", "hut r8, unfinished: 1"]);
  });

  it("has a figure's spread only where all its runs have the figure", () => {
    const runs = [made(0, {}, { metrics: { eval_accuracy: 0.8, eval_f1: 0.7 } }), made(1, {}, { metrics: { eval_accuracy: 0.9, eval_f1: null } })];
    const [group] = groupRuns(runs, [same, same]);
    assert.deepEqual(Object.keys(group?.metrics ?? {}), ["eval_accuracy"]);
    assert.equal(group?.metrics["eval_accuracy"]?.mean.toFixed(12), "0.850000000000");
  });
});

describe("a classifier's mistakes", () => {
  const predictions = [{ line: 2, logits: [2, 0], label: 0 }, { line: 3, logits: [3, 0], label: 1 }, { line: 4, logits: [0, 1], label: 1 }, { line: 5, logits: [1, 0], label: -100 }, { line: 6, logits: [800, -800], label: 1 }]
    .map((each) => ({ ...each, texts: [`text ${String(each.line)}`] }));

  it("are counted by class; records without one are left out", () => {
    assert.deepEqual(confusionOf(predictions, ["no", "yes"], "d.tsv"), { file: "d.tsv", labels: ["no", "yes"], counts: [[1, 0], [2, 1]] });
  });

  it("come worst first, with a finite loss", () => {
    const worst = worstOf(predictions, ["no", "yes"], 2);
    assert.deepEqual(worst.map(({ line, texts, label, prediction }) => [line, texts, label, prediction]), [[6, ["text 6"], "yes", "no"], [3, ["text 3"], "yes", "no"]]);
    assert.equal(worst[0]?.loss, 1600);
    assert.ok(Math.abs((worst[1]?.loss ?? NaN) - (3 + Math.log1p(Math.exp(-3)))) < 1e-12);
  });
});

describe("records to look into", () => {
  it("are the surest and the most wrong, by turns", () => {
    const of = (...margins: number[]): Prediction[] => margins.map((margin, i) => ({ line: i, texts: [], logits: [margin, 0], label: 0 }));
    assert.deepEqual(shownRecords(of(1, -3, 5, 0, 2), 4), [2, 1, 4, 3]);
    assert.deepEqual(shownRecords(of(1, -3), 8), [0, 1]);
    assert.deepEqual(shownRecords([...of(1), { line: 9, texts: [], logits: [1, 0], label: -100 }], 2), [0]);
  });
});

describe("a run's curve", () => {
  it("keeps every step of a short run", () => {
    assert.deepEqual(thinCurve([{ step: 1, loss: 2, learning_rate: 0.1 }, { step: 2, loss: 1, grad_norm: 3, learning_rate: 0 }, { step: 2, eval_loss: 1 }]),
      [{ step: 1, loss: 2, gradNorm: null, learningRate: 0.1 }, { step: 2, loss: 1, gradNorm: 3, learningRate: 0 }]);
  });

  it("has means of stretches of a long one", () => {
    const curve = thinCurve(Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, loss: i })));
    assert.equal(curve.length, 200);
    assert.deepEqual([curve[0]?.step, curve[0]?.loss, curve.at(-1)?.step, curve.at(-1)?.loss], [5, 2, 1000, 997]);
  });
});
