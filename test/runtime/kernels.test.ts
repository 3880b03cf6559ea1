import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, fold, inspect, train, verify } from "../../src/index.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { loadModel } from "../../src/ir/load.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { findWeights, type WeightSite } from "../../src/passes/weights/find-weights.ts";
import { readSafetensors } from "../../src/runtime/adapter/safetensors.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { openFixture } from "../passes/workbench.ts";

/** The weights of a model on disk. */
function openWeights(file: string): WeightSite[] {
  return findWeights(loadModel(memorySource(file, readFileSync(file))).graph);
}

const CASE = "fixtures/cases/vit";
const DATA = join(CASE, "batch.jsonl");

for (const exporter of ["ts", "dynamo"]) {
  describe(`the patch convolution of ViT, ${exporter} export`, function () {
    this.timeout(120_000);
    let folder = "";
    const at = (file: string): string => join(folder, file);
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "hut-kernels-"));
      copyFileSync(join(CASE, `model.${exporter}.onnx`), at("model.onnx"));
    });
    after(() => { rmSync(folder, { recursive: true }); });

    it("is a weight [c·kh·kw, n], which all-linear leaves out, as PEFT does", async () => {
      const { weights, withoutGradient } = await inspect(at("model.onnx"));
      const [kernel, ...others] = weights.filter((w) => w.op === "Conv");
      assert.ok(kernel !== undefined && others.length === 0);
      assert.match(kernel.modulePath ?? "", /patch_embeddings\.projection$/);
      assert.deepEqual([kernel.role, kernel.stored, kernel.dtype], [null, "nk", "float"]);
      assert.deepEqual(withoutGradient, []);
      const { adapted } = await adapt(at("model.onnx"), { targetModules: ["all-linear"], output: at("all.onnx"), dryRun: true });
      assert.ok(adapted.length >= 12 && !adapted.some((m) => m.modulePath === kernel.modulePath));
    });

    it("is adapted, trained, folded and verified, its adapter in PEFT's shapes for a Conv2d", async () => {
      const trained = await train(at("model.onnx"), { task: "image-classification", train: DATA, output: at("run"), targetModules: ["projection"], rank: 2, batchSize: 4, maxSteps: 3, lr: 0.02 });
      assert.ok(Number(trained.lastLoss) < Number(trained.firstLoss), "the loss falls");
      const file = join(trained.adapter, "adapter_model.safetensors");
      const shapes = Object.fromEntries([...readSafetensors(memorySource(file, readFileSync(file)))].map(([name, { shape }]) => [name.split(".").slice(-2).join("."), shape]));
      const [kernel] = (await inspect(at("model.onnx"))).weights.filter((w) => w.op === "Conv");
      const [k, n] = kernel?.shape ?? [];
      const a = shapes["projection.hira_A"] ?? [];
      assert.deepEqual([a.length, a[0], a.slice(1).reduce((x, y) => x * y, 1)], [4, 2, k]);
      assert.deepEqual(shapes["projection.hira_B"], [n, 2, 1, 1]);
      assert.deepEqual([...openAdapter(trained.adapter)?.contents.modules.keys() ?? []], [kernel?.modulePath]);

      await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx") });
      const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
      assert.deepEqual(checked.problems, []);
      assert.ok(checked.ok);

      // PEFT's own words for a Conv2d: W + W ⊙ Σᵣ B[n, r, 0, 0] · A[r, c, y, x].
      const kernelOf = (model: string): ArrayLike<number> => openWeights(model).find((w) => w.op === "Conv")?.tensor.toNumbers() ?? [];
      const [base, merged] = [kernelOf(at("model.onnx")), kernelOf(at("merged.onnx"))];
      const module = [...openAdapter(trained.adapter)?.contents.modules.values() ?? []][0];
      const [hiraA, hiraB] = [module?.get("hira_A")?.data ?? [], module?.get("hira_B")?.data ?? []];
      const [size, channels] = [k ?? 0, n ?? 0];
      for (let i = 0; i < channels; i += 1) {
        for (let j = 0; j < size; j += 1) {
          const delta = [0, 1].reduce((sum, r) => sum + (hiraB[i * 2 + r] ?? NaN) * (hiraA[r * size + j] ?? NaN), 0);
          const w = base[i * size + j] ?? NaN;
          assert.ok(Math.abs((merged[i * size + j] ?? NaN) - w * (1 + delta)) < 1e-6, `kernel ${String(i)}, ${String(j)}`);
        }
      }
    });

    it("is trained whole where it is named", async () => {
      const trained = await train(at("model.onnx"), { task: "image-classification", train: DATA, output: at("whole"), targetModules: ["q"], modulesToSave: ["projection"], batchSize: 4, maxSteps: 3, lr: 0.01 });
      await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx") });
      const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
      assert.deepEqual(checked.problems, []);
      assert.ok(checked.ok);
    });
  });
}

describe("a convolution of int8, a scale a channel", function () {
  this.timeout(120_000);

  it("is adapted, trained, folded and verified, as floats and rounded again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-kernels-"));
    const at = (file: string): string => join(folder, file);
    try {
      const model = openFixture("cases/vit/model.ts.onnx");
      const site = findWeights(model.graph).find((s) => s.op === "Conv");
      const [point] = site?.points ?? [];
      assert.ok(site !== undefined && point !== undefined);
      const values = site.tensor.toNumbers() ?? new Float32Array();
      const scales = Float32Array.from({ length: site.n }, (_, i) => Math.max(...values.subarray(i * site.k, (i + 1) * site.k).map(Math.abs)) / 127);
      const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "quantize", before: point.uses[0]?.node });
      const q = Float64Array.from(values, (v, i) => Math.round(v / (scales[Math.floor(i / site.k)] ?? 1)));
      const decoded = op.DequantizeLinear(op.constant("q", Tensor.fromIntegers(DataType.INT8, site.dims, q)), op.constant("scale", Tensor.floats([site.n], scales)), undefined, { axis: 0 });
      for (const { node, index } of [...point.uses]) node.setInput(index, decoded);
      model.graph.initializers.delete(site.constant);
      writeFileSync(at("model.onnx"), serialized(model));

      const trained = await train(at("model.onnx"), { task: "image-classification", train: DATA, output: at("run"), targetModules: ["projection"], rank: 2, batchSize: 4, maxSteps: 3, lr: 0.02 });
      for (const requantize of [false, true]) {
        const folded = await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx"), requantize });
        assert.equal((requantize ? folded.requantized : folded.floated).length, 1);
        const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
        assert.deepEqual(checked.problems, []);
        assert.ok(checked.ok);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
