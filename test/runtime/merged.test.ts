import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, artifacts, demo, fold, HutError, predict, verify } from "../../src/index.ts";
import { differences, sameBytes } from "../../src/ir/compare.ts";
import { loadModel } from "../../src/ir/load.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, type Bytes } from "../../src/ir/source.ts";
import type { Model } from "../../src/ir/model.ts";
import { Random } from "../../src/runtime/random.ts";

const DEMO = "fixtures/demo";
const PEFT = "fixtures/peft-hira-demo";

const loaded = (bytes: Uint8Array): Model => loadModel(memorySource("model", bytes));

describe("the merged model", function () {
  this.timeout(120_000);
  let folder = "";
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-merged-"));
    for (const name of ["model.onnx", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]) copyFileSync(join(DEMO, name), at(name));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("of a PEFT-trained HiRA adapter has PyTorch's logits", async () => {
    const expected = JSON.parse(readFileSync(join(PEFT, "expected.json"), "utf8")) as { logits: number[][] };
    await fold(at("model.onnx"), { adapter: PEFT, head: "mean", output: at("merged.onnx") });
    const logitsOf = async (model: string, adapter?: string): Promise<number[][]> => {
      await predict(at(model), { data: join(PEFT, "batch.jsonl"), output: at("predictions.jsonl"), ...(adapter === undefined ? {} : { adapter, head: "mean" }) });
      return readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((l) => (JSON.parse(l) as { logits: number[] }).logits);
    };
    const furthest = (rows: number[][]): number => Math.max(...rows.flatMap((row, i) => row.map((v, j) => Math.abs(v - (expected.logits[i]?.[j] ?? NaN)))));
    assert.ok(furthest(await logitsOf("model.onnx", PEFT)) <= 1e-5, "adapted, in float32");
    // The merged weights are rounded to the float16 they are stored in.
    assert.ok(furthest(await logitsOf("merged.onnx")) <= 1e-3, "merged, stored in float16");
  });

  it("a PEFT folder with a classifier needs to be told how it pools", async () => {
    await assert.rejects(fold(at("model.onnx"), { adapter: PEFT, output: at("none.onnx") }), (error) => error instanceof HutError && error.code === "ADAPTER_HEAD_MISSING");
  });

  it("is the base byte for byte outside the chosen weights and the head", () => {
    const bytesOf = (model: Model): Map<string, Bytes | undefined> => new Map([...model.graph.initializers].map((v) => [v.name, v.initializer?.data]));
    const [base, merged] = [bytesOf(loaded(readFileSync(at("model.onnx")))), bytesOf(loaded(readFileSync(at("merged.onnx"))))];
    const changed = [...base].filter(([name, bytes]) => !sameBytes(bytes ?? new Uint8Array(), merged.get(name) ?? new Uint8Array(1))).map(([name]) => name);
    assert.equal(changed.length, 6, "q and v of three layers");
    const added = [...merged.keys()].filter((name) => !base.has(name) && !name.startsWith("attach-head/"));
    assert.deepEqual(added, ["classifier.weight", "classifier.bias"]);
  });

  it("fails verify when one byte is changed anywhere", async () => {
    const good = new Uint8Array(readFileSync(at("merged.onnx")));
    const options = { adapter: PEFT, head: "mean", merged: at("damaged.onnx") } as const;
    writeFileSync(at("damaged.onnx"), good);
    const whole = await verify(at("model.onnx"), options);
    assert.deepEqual(whole.problems, []);
    const random = new Random(7);
    for (let i = 0; i < 3; i += 1) {
      const bad = good.slice();
      const place = random.below(bad.length);
      bad[place] = (bad[place] ?? 0) ^ (1 << random.below(8));
      writeFileSync(at("damaged.onnx"), bad);
      const result = await verify(at("model.onnx"), options).catch((error: unknown) => {
        assert.ok(error instanceof HutError);
        return { ok: false };
      });
      assert.equal(result.ok, false, `byte ${String(place)}`);
    }
  });

  it("shows any changed byte of a small model", async () => {
    const base = "fixtures/cases/bert/model.dynamo.onnx";
    await fold(base, { adapter: "fixtures/cases/bert/adapter", output: at("small.onnx") });
    const good = new Uint8Array(readFileSync(at("small.onnx")));
    const reference = modelToProto(loaded(good));
    const random = new Random(1);
    for (let i = 0; i < 400; i += 1) {
      const bad = good.slice();
      const place = random.below(bad.length);
      bad[place] = (bad[place] ?? 0) ^ (1 << random.below(8));
      let seen: boolean;
      try {
        seen = differences(reference, modelToProto(loaded(bad))).length > 0;
      } catch (error) {
        assert.ok(error instanceof HutError, String(error));
        seen = true;
      }
      assert.ok(seen, `byte ${String(place)} changed unseen`);
    }
  });

  it("adapted.onnx and step.onnx refer to the base and stay small", async () => {
    await adapt(at("model.onnx"), { head: "mean", numLabels: 2, output: at("adapted.onnx") });
    await artifacts(at("model.onnx"), { head: "mean", numLabels: 2, output: folder });
    for (const name of ["adapted.onnx", "step.onnx", "grad.onnx", "apply.onnx", "eval.onnx"]) assert.ok(statSync(at(name)).size < 1_000_000, name);
  });
});

describe("the demo", function () {
  this.timeout(300_000);

  it("learns: dev accuracy of at least 0.79, and a merged model that verifies", async () => {
    const result = await demo();
    assert.ok(result.before.eval_accuracy < 0.6);
    assert.ok(result.after.eval_accuracy >= 0.79, String(result.after.eval_accuracy));
    assert.ok(result.verify.ok);
    assert.equal(result.trainableParams, 37_634);
  });
});
