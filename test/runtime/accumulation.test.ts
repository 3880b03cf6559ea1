/** Micro-batches against the large batch that they are cut from. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TrainOptions } from "../../src/index.ts";
import { Random } from "../../src/runtime/random.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { closeTo } from "./close-to.ts";

const MODEL = "fixtures/cases/bert/model.dynamo.onnx";
const WEIGHTS = "adapter_model.safetensors";

interface Trained { readonly records: Record<string, number>[]; readonly weights: Buffer; readonly file: string }

describe("--grad-accumulation-steps", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  /** 75 records of 2 to 24 tokens: two steps of 32 in an epoch, and one of 11. */
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-accumulation-"));
    const random = new Random(11);
    const rows = Array.from({ length: 75 }, () => {
      const ids = Array.from({ length: 2 + random.below(23) }, () => 1 + random.below(399));
      return { input_ids: ids, attention_mask: ids.map(() => 1), label: Number((ids[0] ?? 0) > 250) };
    });
    writeFileSync(at("train.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  async function trained(name: string, options: Partial<TrainOptions>): Promise<Trained> {
    const { adapter } = await train(MODEL, { train: at("train.jsonl"), maxSteps: 10, saveSteps: 10, threads: 1, adapter: "fixtures/cases/bert/adapter", ...options, output: at(name) });
    const records = readFileSync(at(name, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number>);
    return { records, weights: readFileSync(join(adapter, WEIGHTS)), file: join(adapter, WEIGHTS) };
  }

  const cases: readonly (readonly [string, Partial<TrainOptions>])[] = [
    ["shuffled and sorted by length", {}],
    ["in the order of the file", { shuffle: false }],
    ["with class weights below 1 and smoothing", { classWeights: [0.004, 0.02], labelSmoothing: 0.1, weightDecay: 0.1, lrGroups: ["b=4x"] }],
    ["with dropout: its masks go by a record's place in the step", { adapterDropout: 0.2, headDropout: 0.3 }],
  ];
  for (const [what, options] of cases) {
    it(`4 × 8 is 1 × 32, ${what}`, async () => {
      const large = await trained("large", { ...options, batchSize: 32, overwrite: true });
      const small = await trained("small", { ...options, batchSize: 8, gradAccumulationSteps: 4, overwrite: true });
      for (const key of ["step", "epoch", "learning_rate"]) assert.deepEqual(small.records.map((r) => r[key]), large.records.map((r) => r[key]), key);
      closeTo(small.records.map((r) => r["loss"] ?? NaN), large.records.map((r) => r["loss"] ?? NaN), 1e-6, "loss");
      const ours = tensorsOf(small.file);
      for (const [name, values] of tensorsOf(large.file)) closeTo(ours.get(name) ?? [], values, 1e-5, name);
      assert.ok(!small.weights.equals(large.weights), "nothing was cut");
    });
  }

  it("goes on from a checkpoint to the same bytes", async () => {
    const options = { batchSize: 4, gradAccumulationSteps: 2, maxSteps: 6, adapterDropout: 0.1, headDropout: 0.1 };
    const whole = await trained("whole", options);
    const stop = new AbortController();
    const cut = { ...options, train: at("train.jsonl"), threads: 1, adapter: "fixtures/cases/bert/adapter", output: at("cut") };
    await train(MODEL, { ...cut, signal: stop.signal, onProgress: ({ done }) => { if (done === 2) stop.abort(); } });
    await assert.rejects(train(MODEL, { output: at("cut"), resume: true, gradAccumulationSteps: 4 }), { code: "RESUME_CONTRADICTS" });
    const resumed = await train(MODEL, { output: at("cut"), resume: true, threads: 1 });
    assert.equal(resumed.steps, 6);
    assert.ok(readFileSync(join(resumed.adapter, WEIGHTS)).equals(whole.weights));
    assert.equal(readFileSync(at("cut", "metrics.jsonl"), "utf8"), readFileSync(at("whole", "metrics.jsonl"), "utf8"));
  });

  it("counts steps of the optimizer: three in an epoch of 75 records", async () => {
    const { steps } = await train(MODEL, { train: at("train.jsonl"), output: at("dry"), batchSize: 8, gradAccumulationSteps: 4, epochs: 2, dryRun: true });
    assert.equal(steps, 6);
  });
});
