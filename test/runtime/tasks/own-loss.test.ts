/** A loss of one's own, grafted into the training graph: losses, gradients and what follows from them as PyTorch and PEFT have them (fixtures/losses). */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, evaluate, predict, train } from "../../../src/index.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import type { Model } from "../../../src/ir/model.ts";
import { serialized } from "../../../src/runtime/serialized.ts";
import { openFixture } from "../../passes/workbench.ts";
import { closeTo } from "../close-to.ts";
import { feedsOf, openTrainingSession, trainSteps } from "../official-runtime.ts";

const FOLDER = "fixtures/losses";
const [model, data, adapter] = ["model.onnx", "batch.jsonl", "adapter"].map((name) => join(FOLDER, name)) as [string, string, string];
const expected = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as { lr: number; weight_decay: number; runs: Record<string, { losses: number[]; logits: number[][] }> };
const lines = <T>(file: string): T[] => readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as T);

describe("--loss", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-loss-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });
  const settings = { adapter, batchSize: 5, maxSteps: 5, lr: expected.lr, weightDecay: expected.weight_decay, maxGradNorm: 0, lrScheduler: "constant" as const, warmupRatio: 0, shuffle: false };

  for (const [name, wanted] of Object.entries(expected.runs)) {
    it(`${name}: trains to PyTorch's losses and logits`, async () => {
      const loss = join(FOLDER, `${name}.onnx`);
      const run = await train(model, { ...settings, train: data, dev: data, loss, output: at("run") });
      closeTo(lines<Record<string, number>>(at("run", "metrics.jsonl")).flatMap((r) => r["loss"] ?? []), wanted.losses.slice(0, 5), 1e-5, "losses");
      closeTo([run.metrics["eval_loss"] ?? NaN], wanted.losses.slice(5), 1e-5, "eval_loss");
      const { metrics } = await evaluate(model, { data, adapter: at("run", "adapter"), loss, ...(name === "nested" ? {} : { batchSize: 2 }) });
      closeTo([metrics["eval_loss"] ?? NaN], wanted.losses.slice(5), 1e-5, "eval_loss of evaluate");
      assert.deepEqual(Object.keys(metrics), ["eval_loss", "eval_accuracy", "eval_f1_macro", "eval_f1_micro", "eval_matthews_correlation"]);
      await predict(model, { data, adapter: at("run", "adapter"), output: at("p.jsonl") });
      closeTo(lines<{ logits: number[] }>(at("p.jsonl")).flatMap((r) => r.logits), wanted.logits.flat(), 1e-4, "logits");
    });
  }

  it("the official training runtime has PyTorch's losses from our artifacts", async () => {
    await artifacts(model, { loss: join(FOLDER, "focal.ts.onnx"), format: ["ort-training"], adapter, weightDecay: expected.weight_decay, output: folder, embed: true });
    const session = await openTrainingSession(folder, expected.lr);
    closeTo(await trainSteps(session, feedsOf(session, data), 5), expected.runs["focal.ts"]?.losses ?? [], 1e-4, "losses");
  });

  it("a run knows its loss again, and isn't resumed with another", async () => {
    cpSync(join(FOLDER, "focal.ts.onnx"), at("loss.onnx"));
    const stop = new AbortController();
    await train(model, { ...settings, train: data, loss: at("loss.onnx"), output: at("run"), signal: stop.signal, onProgress: ({ done }) => { if (done === 2) stop.abort(); } });
    const run = await train(model, { output: at("run"), resume: true });
    closeTo([run.lastLoss ?? NaN], expected.runs["focal.ts"]?.losses.slice(4, 5) ?? [], 1e-5, "lastLoss");
    cpSync(join(FOLDER, "by-length.onnx"), at("loss.onnx"));
    await assert.rejects(train(model, { output: at("run"), resume: true }), { code: "RESUME_DATA_CHANGED" });
  });

  it("says what doesn't fit, in a dry run too", async () => {
    const refuses = async (change: (loss: Model) => void, code: string, message: RegExp, from = "focal.ts.onnx"): Promise<void> => {
      const loss = openFixture(`losses/${from}`);
      change(loss);
      writeFileSync(at("loss.onnx"), serialized(loss));
      await assert.rejects(train(model, { train: data, loss: at("loss.onnx"), output: at("run"), dryRun: true }), { code, message });
    };
    const input = (loss: Model, name: string) => {
      const found = loss.graph.inputs.find((v) => v.name === name);
      assert.ok(found !== undefined);
      found.declared = undefined;
      return found;
    };
    await refuses((loss) => { input(loss, "logits").name = "scores"; }, "LOSS_WITHOUT_LOGITS", /its inputs are "scores" and "labels"/);
    await refuses((loss) => { input(loss, "labels").name = "truth"; }, "LOSS_INPUT_UNKNOWN", /reads "truth", which the model doesn't give\. It may read "logits", "labels", "input_ids", "attention_mask" and "token_type_ids"/);
    await refuses((loss) => { input(loss, "labels").facts = { dataType: DataType.INT32, shape: [undefined] }; }, "LOSS_INPUT_WRONG", /takes "labels" as int32 .*, and here it is int64 \[batch\]/);
    await refuses((loss) => { input(loss, "logits").facts = { dataType: DataType.FLOAT, shape: [undefined, 2] }; }, "LOSS_INPUT_WRONG", /takes "logits" as float \[\?, 2\], and here it is float \[batch, 3\]/);
    await refuses((loss) => { input(loss, "logits").facts = { dataType: DataType.FLOAT, shape: [4, 3] }; }, "LOSS_INPUT_WRONG", /sizes of batch and sequence left free/);
    await refuses((loss) => { for (const v of loss.graph.outputs) v.name = "cost"; }, "LOSS_OUTPUTS_WRONG", /has the outputs "cost"/);
    await refuses((loss) => { loss.graph.outputs.splice(1); }, "LOSS_OUTPUTS_WRONG", /has the outputs "loss_sum"/, "by-length.onnx");
    writeFileSync(at("loss.onnx"), "no graph");
    await assert.rejects(train(model, { train: data, loss: at("loss.onnx"), output: at("run") }), (error: { code?: string }) => error.code !== undefined);
    await assert.rejects(train("fixtures/feature-extraction", { task: "feature-extraction", train: "fixtures/feature-extraction/pairs.jsonl", loss: join(FOLDER, "focal.ts.onnx"), output: at("run") }), { code: "LOSS_OF_OTHER_TASK", exitCode: 2 });
    await assert.rejects(train(model, { train: data, loss: at("none.onnx"), output: at("run") }), { code: "FILE_MISSING" });
  });
});
