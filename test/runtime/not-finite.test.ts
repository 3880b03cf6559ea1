/** A training that can't go on stops with the last good state, and says where numbers ended. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HutError, train, type TrainOptions } from "../../src/index.ts";
import type { BadTensor } from "../../src/errors/training.ts";
import { loadCheckpoint } from "../../src/runtime/node/checkpoint-folder.ts";

const BERT = "fixtures/cases/bert";

describe("LOSS_NOT_FINITE", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-nan-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  async function failure(model: string, options: Partial<TrainOptions>): Promise<{ error: HutError; tensor: BadTensor }> {
    const settings = { train: "fixtures/training/bert.jsonl", batchSize: 8, maxSteps: 4, threads: 1, lrScheduler: "constant", shuffle: false, ...options, output: at("run") } as const;
    const error = await train(model, settings).then(() => assert.fail("it trained"), (thrown: unknown) => thrown);
    assert.ok(error instanceof HutError && error.code === "LOSS_NOT_FINITE", String(error));
    return { error, tensor: error.details["tensor"] as BadTensor };
  }

  for (const [exporter, gradAccumulationSteps] of [["ts", 3], ["dynamo", 1]] as const) {
    it(`a rate far too high, ${exporter} export, ${String(gradAccumulationSteps)} × 8: the first weight that overflows, not the masks' infinities`, async () => {
      const { error, tensor } = await failure(join(BERT, `model.${exporter}.onnx`), { lr: 1e30, gradAccumulationSteps, adapter: join(BERT, "adapter") });
      assert.deepEqual([error.details["step"], error.details["what"], tensor.part, tensor.op], [2, "loss", "forward", "Gemm"]);
      assert.match(tensor.module ?? "", /^bert\.encoder\.layer\.0\.attention\.self\.(?:query|value)$/);
      assert.match(error.message, /^The loss is NaN at step 2: the first tensor that holds NaN, or infinities of both signs, is ".*" \[64, 64\] of the forward pass, which Gemm ".*" computes in "bert\.encoder\.layer\.0\.attention\.self\.(?:query|value)"\. Training stopped with the last good state saved\. Try a smaller --lr/);
    });
  }

  it("keeps the state of the last good step", async () => {
    const model = join(BERT, "model.dynamo.onnx");
    await failure(model, { lr: 1e30, adapter: join(BERT, "adapter") });
    assert.deepEqual(readdirSync(at("run")).sort(), ["checkpoint-1", "metrics.jsonl", "run.json", "runs"]);
    assert.equal(readFileSync(at("run", "metrics.jsonl"), "utf8").trim().split("\n").length, 1);
    const { theta } = loadCheckpoint(at("run", "checkpoint-1"), 2178, 4).state;
    assert.ok(theta.every(Number.isFinite) && theta.some((v) => Math.abs(v) > 1e29));
  });

  it("what is trained overflows while loss and gradient are sound: at that step, not at the next", async () => {
    const { error, tensor } = await failure(join(BERT, "model.dynamo.onnx"), { lr: 3e38 });
    assert.deepEqual([error.details["step"], error.details["what"], tensor.part], [1, "parameters", "update"]);
    assert.match(error.message, /^What is trained would hold (?:-?Infinity|NaN), the loss and the gradient still numbers, at step 1: .* of AdamW's update/);
    assert.ok(!readdirSync(at("run")).includes("metrics.jsonl") || readFileSync(at("run", "metrics.jsonl"), "utf8") === "");
  });

  it("the gradient overflows while the loss is sound", async () => {
    const { error, tensor } = await failure(join(BERT, "model.dynamo.onnx"), { lr: 1e24, lrGroups: ["a=0", "b=0"], adapter: join(BERT, "adapter") });
    assert.deepEqual([error.details["step"], error.details["what"]], [2, "gradient"]);
    assert.match(error.message, /^The gradient's norm is Infinity, the loss still a number, at step 2: /);
    assert.ok(["update", "gradient"].includes(tensor.part), tensor.part);
  });

  it("an infinity in the data: the input and the lines that hold it", async () => {
    const rows = readFileSync("fixtures/cases/vit/batch.jsonl", "utf8").trim().split("\n").map((line) => JSON.parse(line) as { pixel_values: number[][][] });
    const third = rows[2];
    assert.ok(third?.pixel_values[0]?.[0] !== undefined);
    third.pixel_values[0][0][3] = 1e39;
    writeFileSync(at("images.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { error, tensor } = await failure("fixtures/cases/vit/model.dynamo.onnx", { task: "image-classification", train: at("images.jsonl"), batchSize: 2 });
    assert.deepEqual([error.details["step"], tensor.part, tensor.tensor, tensor.lines], [2, "data", "pixel_values", [3]]);
    assert.match(error.message, /"pixel_values" of the data holds infinity, in line 3 of the data file\. .* Mend these records\.$/);
  });
});
