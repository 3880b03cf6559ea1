/** What a run does between two steps. */
import assert from "node:assert/strict";
import { bestMetricOf, NOTHING_YET, RunControl } from "../../src/runtime/run-control.ts";

describe("a run's control", () => {
  const steps = (n: number, when: (step: number) => boolean): number[] => Array.from({ length: n }, (_, i) => i + 1).filter(when);
  const accuracy = { metric: "eval_accuracy", greaterIsBetter: true };

  it("evaluates and saves once an epoch and after the last step, or every so many steps", () => {
    const byEpoch = new RunControl({ perEpoch: 4, totalSteps: 10 });
    assert.deepEqual(steps(10, (step) => byEpoch.evaluatesAt(step)), [4, 8, 10]);
    const bySteps = new RunControl({ perEpoch: 4, totalSteps: 10, evalSteps: 3, saveSteps: 5 });
    assert.deepEqual(steps(10, (step) => bySteps.evaluatesAt(step)), [3, 6, 9, 10]);
    assert.deepEqual(steps(10, (step) => bySteps.savesAt(step)), [5, 10]);
    assert.ok(!bySteps.evaluatesAt(0));
    bySteps.take(3, {});
    assert.ok(!bySteps.evaluatesAt(3), "not twice after the same step");
  });

  it("knows the best evaluation, and ends after so many without a better one", () => {
    const control = new RunControl({ perEpoch: 1, totalSteps: 9, bestBy: accuracy, patience: 2 });
    assert.deepEqual([0.5, 0.7, 0.7].map((value, i) => control.take(i + 1, { eval_accuracy: value })), [true, true, false], "the same again is no better");
    assert.ok(!control.isOver);
    control.take(4, { eval_accuracy: NaN });
    assert.ok(control.isOver);
    assert.deepEqual(control.remembered, { best: { step: 2, value: 0.7 }, since: 2, at: 4 });
    assert.ok(new RunControl({ perEpoch: 1, totalSteps: 9, bestBy: accuracy, patience: 2 }, control.remembered).isOver, "a checkpoint says so too");
  });

  it("remembers nothing but the step where no best is asked for", () => {
    const control = new RunControl({ perEpoch: 1, totalSteps: 9 });
    assert.ok(!control.take(1, { eval_loss: 1 }));
    assert.deepEqual(control.remembered, { ...NOTHING_YET, at: 1 });
  });

  it("finds a figure by its name with eval_ or without", () => {
    const known = ["eval_loss", "eval_f1"];
    assert.deepEqual([bestMetricOf("f1", known), bestMetricOf("eval_loss", known)], ["eval_f1", "eval_loss"]);
    assert.throws(() => bestMetricOf("accuracy", known), { code: "BEST_METRIC_UNKNOWN" });
  });
});
