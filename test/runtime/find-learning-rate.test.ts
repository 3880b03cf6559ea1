/** The rates of a sweep, and the one that is suggested. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { train } from "../../src/index.ts";
import { suggestedRate, type SweptRate } from "../../src/runtime/find-learning-rate.ts";
import { learningRate } from "../../src/runtime/schedule.ts";

const BERT = "fixtures/cases/bert";

describe("the learning rate finder", () => {
  const swept = (losses: readonly number[]): SweptRate[] => losses.map((loss, i) => ({ learning_rate: 10 ** (i - 6), loss, smoothed: loss }));

  it("suggests where the loss falls fastest, or a tenth of where it is least if that is smaller", () => {
    const suggested = (losses: readonly number[]): string | undefined => suggestedRate(swept(losses))?.toExponential(3);
    assert.equal(suggested([1, 1, 0.5, 0.1, 0.09, 0.08, 0.07, 3]), "1.000e-4");
    assert.equal(suggested([1, 1, 1, 0.9, 0.2, 3]), "1.000e-3");
  });

  it("suggests nothing where the loss only rises", () => {
    assert.equal(suggestedRate(swept([1, 2, 3, 4])), null);
    assert.equal(suggestedRate([]), null);
  });

  it("sweeps by a constant factor over seven powers of ten", () => {
    const rates = Array.from({ length: 100 }, (_, step) => learningRate({ kind: "sweep", lr: 10, totalSteps: 100, warmupSteps: 0 }, step));
    assert.ok(Math.abs((rates[0] ?? 0) / 1e-6 - 1) < 1e-9 && rates[99] === 10);
    for (let i = 2; i < 100; i += 1) assert.ok(Math.abs((rates[i] ?? 0) / (rates[i - 1] ?? 0) / ((rates[1] ?? 0) / (rates[0] ?? 0)) - 1) < 1e-9);
  });

  it("runs on a model, stops where the loss blows up, and writes nothing", async () => {
    const { found, steps } = await train(join(BERT, "model.ts.onnx"), { train: join(BERT, "batch.jsonl"), batchSize: 2, threads: 1, findLr: true, output: "never-made" });
    assert.ok(found !== null && found.rates.length > 50 && found.suggested !== null && found.suggested > 1e-5 && found.suggested < 1);
    assert.equal(steps, 0);
    assert.ok(!existsSync("never-made"));
  });
});
