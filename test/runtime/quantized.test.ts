import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, evaluate, fold, HutError, inspect, train, verify } from "../../src/index.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { loadModel } from "../../src/ir/load.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import type { Feed } from "../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { GraphSession } from "../../src/runtime/session.ts";
import { quantizeModel, type Form } from "../passes/quantize.ts";
import { assertClose, openFixture } from "../passes/workbench.ts";

const CASE = "fixtures/cases/bert";
const DATA = join(CASE, "batch.jsonl");

/** The forms in which an encoder's weights are stored, and what `inspect` calls their type. */
const FORMS: readonly { readonly name: string; readonly dtype: string; readonly form: Form }[] = [
  { name: "int8 with a scale a column", dtype: "int8", form: { dataType: DataType.INT8, axis: 1 } },
  { name: "uint8 with zero points", dtype: "uint8", form: { dataType: DataType.UINT8, zeroPoints: true } },
  { name: "int4 in blocks", dtype: "int4", form: { dataType: DataType.INT4, axis: 0, blockSize: 16 } },
  { name: "MatMulNBits of 4 bits", dtype: "uint4", form: { dataType: DataType.UINT4, blockSize: 16, zeroPoints: true, fused: true } },
  { name: "MatMulNBits of 8 bits", dtype: "uint8", form: { dataType: DataType.UINT8, blockSize: 16, fused: true } },
];

for (const { name, dtype, form } of FORMS) {
  describe(`a model of weights in ${name}`, function () {
    this.timeout(120_000);
    let folder = "";
    /** The head is a Gemm, which nothing fuses. */
    const count = form.fused === true ? 12 : 14;
    const changed = form.fused === true ? 6 : 7;
    const at = (file: string): string => join(folder, file);
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "hut-quantized-"));
      const model = openFixture("cases/bert/model.ts.onnx");
      assert.equal(quantizeModel(model, form), count);
      writeFileSync(at("model.onnx"), serialized(model));
    });
    after(() => { rmSync(folder, { recursive: true }); });

    it("shows its weights with roles and paths, the type being that of the integers", async () => {
      const { weights, withoutGradient, parameters } = await inspect(at("model.onnx"));
      const plain = await inspect(join(CASE, "model.ts.onnx"));
      assert.deepEqual(weights.filter((w) => w.dtype === dtype).map((w) => [w.role, w.modulePath, w.shape]), plain.weights.filter((w) => w.op === "MatMul" || form.fused !== true).map((w) => [w.role, w.modulePath, w.shape]));
      assert.deepEqual(withoutGradient, []);
      assert.ok(parameters >= plain.parameters, "integers count as numbers of the model");
    });

    it("is adapted as it is: at the start nothing changes", async () => {
      await adapt(at("model.onnx"), { output: at("adapted.onnx") });
      const [before, after] = [await evaluate(at("model.onnx"), { data: DATA }), await evaluate(at("adapted.onnx"), { data: DATA })];
      assert.ok(Math.abs((before.metrics["eval_loss"] ?? NaN) - (after.metrics["eval_loss"] ?? NaN)) < 1e-5);
    });

    it("trains, and folds to floats that compute what the adapted model does", async () => {
      const trained = await train(at("model.onnx"), { train: DATA, output: at("run"), batchSize: 4, maxSteps: 3, lr: 0.05, targetModules: ["q", "v", "up"] });
      assert.ok(trained.steps === 3 && Number(trained.lastLoss) < Number(trained.firstLoss));
      const folded = await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx") });
      assert.deepEqual(folded.requantized, []);
      assert.deepEqual(folded.floated.map((f) => [f.from, f.to]), Array.from({ length: changed }, () => [dtype, "float"]), "q, v and up of two layers, and the head");
      const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
      assert.deepEqual(checked.problems, []);
      assert.ok(checked.ok && checked.tolerance === 1e-4, String(checked.maxAbsDiff));
      const after = await inspect(at("merged.onnx"));
      assert.deepEqual(after.weights.filter((w) => w.dtype === dtype).length, count - changed, "the others are as they were");
      assert.deepEqual(after.weights.map((w) => w.modulePath).sort(), (await inspect(at("model.onnx"))).weights.map((w) => w.modulePath).sort());
    });

    it("is rounded again with requantize, and says what that costs", async () => {
      const adapter = at("run/adapter");
      const folded = await fold(at("model.onnx"), { adapter, output: at("rounded.onnx"), requantize: true });
      assert.deepEqual(folded.floated, []);
      assert.equal(folded.requantized.length, changed);
      const bound = dtype.endsWith("4") ? 0.2 : 0.02;
      for (const { relativeError, maxAbsError } of folded.requantized) assert.ok(relativeError > 0 && relativeError < bound && maxAbsError > 0, String(relativeError));
      const after = await inspect(at("rounded.onnx"));
      assert.deepEqual(after.weights.map((w) => [w.name, w.dtype]), (await inspect(at("model.onnx"))).weights.map((w) => [w.name, w.dtype]));
      const checked = await verify(at("model.onnx"), { adapter, merged: at("rounded.onnx") });
      assert.deepEqual(checked.problems, []);
      assert.ok(checked.ok && checked.tolerance === null && checked.maxAbsDiff > 0);
      const bytes = readFileSync(at("rounded.onnx"));
      const place = bytes.length - 3000;
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      writeFileSync(at("damaged.onnx"), bytes);
      const damaged = await verify(at("model.onnx"), { adapter, merged: at("damaged.onnx") }).catch((error: unknown) => {
        assert.ok(error instanceof HutError);
        return { ok: false };
      });
      assert.equal(damaged.ok, false);
    });

    it("trains a module whole, as floats or rounded again", async () => {
      const trained = await train(at("model.onnx"), { train: DATA, output: at("whole"), batchSize: 4, maxSteps: 2, lr: 0.01, targetModules: ["q"], modulesToSave: ["layer.1.output.dense"] });
      for (const requantize of [false, true]) {
        const folded = await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx"), requantize });
        assert.ok((requantize ? folded.requantized : folded.floated).some((m) => m.modulePath.endsWith("layer.1.output.dense")));
        const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
        assert.deepEqual(checked.problems, []);
      }
    });

    it("runs exactly: nothing that the runtime's optimizer puts together rounds activations", async () => {
      const ort = await defaultRuntime();
      const model = loadModel(memorySource("model", readFileSync(at("model.onnx"))));
      const feed = (name: string): Feed => ({ dataType: DataType.INT64, dims: [4, 16], data: BigInt64Array.from({ length: 64 }, (_, i) => (name === "input_ids" ? BigInt(3 + i) : name === "attention_mask" ? 1n : 0n)) });
      const feeds = new Map(model.graph.inputs.map((v) => [v.name, feed(v.name)]));
      const results: Float32Array[] = [];
      for (const optimize of [false, true]) {
        await using session = await GraphSession.create(ort, model, { name: "test", optimize });
        results.push((await session.run(feeds)).get("logits")?.data as Float32Array);
      }
      assertClose(results[1] ?? [], results[0] ?? [1], 1e-5, "logits");
    });

    it("is known by an adapter of its float base, and its adapter by the float base", async () => {
      const base = join(CASE, "model.ts.onnx");
      await adapt(base, { output: at("float.onnx"), saveAdapter: at("of-floats"), embed: true });
      await fold(at("model.onnx"), { adapter: at("of-floats"), output: at("a.onnx") });
      await fold(base, { adapter: at("run/adapter"), output: at("b.onnx") });
      // The same shapes and paths with other values.
      const other = openFixture("cases/bert/model.ts.onnx");
      for (const { constant, tensor } of findWeights(other.graph)) constant.initializer = Tensor.floats(tensor.dims, (tensor.toNumbers() ?? new Float32Array()).map((v) => -v));
      quantizeModel(other, form);
      writeFileSync(at("other.onnx"), serialized(other));
      await assert.rejects(fold(at("other.onnx"), { adapter: at("of-floats"), output: at("c.onnx") }), (error) => error instanceof HutError && error.code === "ADAPTER_BASE_MISMATCH");
    });
  });
}
