/** Modules trained whole: which of their tensors are, and what becomes of those in the adapter's folder and the merged model. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fold, verify } from "../../src/index.ts";
import type { Value } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { toAdapterFolder } from "../../src/runtime/adapter/to-folder.ts";
import type { AdapterTensor } from "../../src/runtime/adapter/peft-tensors.ts";
import { writeAdapterFolder } from "../../src/runtime/node/peft-folder.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { initialTheta, prepare, type Prepared, type PrepareOptions } from "../../src/runtime/prepare.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { BATCH, failure, openFixture, workbench } from "../passes/workbench.ts";

const D = 8;
const NO_BASE = { name: null, taskType: null };
const whole = (model: Model, options: Partial<PrepareOptions> = {}): Prepared =>
  prepare(model, { saveHead: true, ...(options.adapter === undefined ? { targetModules: ["proj"], rank: 2 } : {}), ...options });
const namesOf = (trained: readonly { readonly name: string }[]): string[] => trained.map((t) => t.name).sort();

/** x · proj → a norm → a head of a BatchNorm and a product. Norm and BatchNorm start at ones and zeros, each stored once. */
function batchNormed({ bias = true } = {}): Model {
  const { model, op, input, weight, output } = workbench(17);
  const constant = (name: string, value: number): Value => op.named(model.graph.addInitializer("t", Tensor.floats([D], new Float32Array(D).fill(value))), name);
  const [ones, zeros] = [constant("body.norm.weight", 1), constant("body.norm.bias", 0)];
  const also = (name: string, value: Value): Value => op.named(op.Identity(value), name);
  const [normed] = op.LayerNormalization(op.MatMul(input("x", [BATCH, D]), weight("body.proj.weight", [D, D])), ones, zeros);
  assert.ok(normed !== undefined);
  const [y] = op.BatchNormalization(normed, also("head.bn.weight", ones), also("head.bn.bias", zeros),
    also("head.bn.running_mean", zeros), also("head.bn.running_var", ones));
  assert.ok(y !== undefined);
  output(op.Gemm(y, weight("head.out.weight", [D, 3]), bias ? weight("head.out.bias", [3]) : undefined), "logits");
  return model;
}

describe("modules trained whole", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-whole-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  /** What PEFT would have written: no hut.json, and these tensors beside those that a graph of ours has. */
  function peftAdapter(model: Model, tensors: Readonly<Record<string, number>>): string {
    const prepared = whole(model, { modulesToSave: ["head"] });
    const { hut, ...peft } = toAdapterFolder(prepared, initialTheta(prepared.trainables), NO_BASE);
    assert.deepEqual(Object.keys(hut?.saved ?? {}).sort(), namesOf(prepared.saved));
    const added = Object.entries(tensors).map(([name, value]): [string, AdapterTensor] => {
      const size = name === "head.out.bias" ? 3 : D;
      return [name, { shape: [size], data: new Float32Array(size).fill(value) }];
    });
    writeAdapterFolder(at("adapter"), { ...peft, saved: new Map([...peft.saved, ...added]) });
    return at("adapter");
  }

  it("bring all that is trained under their path, and the head all of a module that is the head's alone", () => {
    const all = ["head.bn.bias", "head.bn.weight", "head.out.bias", "head.out.weight"];
    assert.deepEqual(namesOf(whole(batchNormed()).saved), all);
    assert.deepEqual(namesOf(whole(batchNormed(), { modulesToSave: ["head", "bn"] }).saved), all);
    assert.deepEqual(namesOf(whole(batchNormed(), { modulesToSave: ["bn"] }).saved), ["head.bn.bias", "head.bn.weight"]);
    assert.deepEqual(namesOf(whole(batchNormed(), { modulesToSave: ["norm"] }).saved), ["body.norm.bias", "body.norm.weight"]);
    assert.throws(() => whole(batchNormed(), { modulesToSave: ["nrm"] }), failure("MODULE_UNKNOWN", /"nrm"/));
  });

  it("are in real exports what PEFT trains under the same names", () => {
    for (const exporter of ["ts", "dynamo"]) {
      const modernbert = (): Model => openFixture(`families/modernbert/model.${exporter}.onnx`);
      const named = whole(modernbert(), { targetModules: ["Wqkv"], modulesToSave: ["head", "classifier"] });
      assert.deepEqual(namesOf(named.saved), ["classifier.bias", "classifier.weight", "head.dense.weight", "head.norm.weight"]);
      assert.deepEqual(namesOf(whole(modernbert(), { targetModules: ["Wqkv"] }).saved), ["classifier.bias", "classifier.weight"]);
      // Embeddings and norms of the encoder share its prefix and are not the head's.
      assert.deepEqual(namesOf(whole(openFixture(`cases/bert/model.${exporter}.onnx`), { targetModules: ["query"] }).saved), ["classifier.bias", "classifier.weight"]);
    }
  });

  it("tell a folder where each tensor stands, under PyTorch's name and in its shape", () => {
    const prepared = whole(batchNormed());
    const { saved, hut, modulesToSave } = toAdapterFolder(prepared, initialTheta(prepared.trainables), NO_BASE);
    assert.deepEqual(modulesToSave, ["head"]);
    assert.deepEqual(saved.get("head.bn.weight")?.shape, [D]);
    assert.deepEqual(hut?.saved["head.bn.weight"], { initializer: "body.norm.weight", shape: [D], stored: null });
  });

  it("have a BatchNorm's mean and variance as the adapter has them, in no theta and in every folder", async () => {
    writeFileSync(at("model.onnx"), serialized(batchNormed()));
    const adapter = peftAdapter(batchNormed(), { "head.bn.running_mean": 0.5, "head.bn.running_var": 4 });
    const prepared = whole(batchNormed(), { adapter: openAdapter(adapter) });
    const statistics = ["head.bn.running_mean", "head.bn.running_var"];
    assert.deepEqual(namesOf(prepared.statistics), statistics);
    assert.ok(!prepared.trainables.some((t) => statistics.includes(t.name)));
    const again = toAdapterFolder(prepared, initialTheta(prepared.trainables), NO_BASE);
    assert.deepEqual(statistics.map((name) => again.saved.get(name)?.data[0]), [0.5, 4]);
    await fold(at("model.onnx"), { adapter, output: at("merged.onnx") });
    const { graph } = loadModel(memorySource("merged", readFileSync(at("merged.onnx"))));
    const [bn] = graph.nodes.filter((n) => n.opType === "BatchNormalization");
    assert.deepEqual(bn?.inputs.slice(1).map((v) => v?.initializer?.toNumbers()?.[0]), [1, 0, 0.5, 4]);
    const [norm] = graph.nodes.filter((n) => n.opType === "LayerNormalization");
    assert.deepEqual(norm?.inputs.slice(1).map((v) => v?.initializer?.toNumbers()?.[0]), [1, 0], "the body's norm keeps its ones and zeros");
    assert.deepEqual((await verify(at("model.onnx"), { adapter, merged: at("merged.onnx") })).problems, []);
  });

  it("get a bias that the adapter trained and the export left out, trained, saved and folded in", async () => {
    const base = (): Model => batchNormed({ bias: false });
    writeFileSync(at("model.onnx"), serialized(base()));
    const adapter = peftAdapter(base(), { "head.out.bias": 0.25 });
    const prepared = whole(base(), { adapter: openAdapter(adapter) });
    const trained = prepared.trainables.find((t) => t.name === "head.out.bias");
    assert.deepEqual([...trained?.start ?? []], [0.25, 0.25, 0.25]);
    assert.ok(prepared.notes.some((note) => /"head\.out" has no bias in the graph/.test(note)));
    assert.equal(toAdapterFolder(prepared, initialTheta(prepared.trainables), NO_BASE).hut?.saved["head.out.bias"]?.initializer, null);
    await fold(at("model.onnx"), { adapter, output: at("merged.onnx") });
    const names = (file: string): string[] => [...loadModel(memorySource(file, readFileSync(at(file)))).graph.initializers].map((v) => v.name);
    assert.ok(names("merged.onnx").includes("head.out.bias") && !names("model.onnx").includes("head.out.bias"));
    assert.deepEqual((await verify(at("model.onnx"), { adapter, merged: at("merged.onnx") })).problems, []);
  });

  it("name the tensor of an adapter that the graph has nothing of", () => {
    const adapter = peftAdapter(batchNormed(), { "head.extra.gamma": 1 });
    assert.throws(() => whole(batchNormed(), { adapter: openAdapter(adapter) }), failure("MODULE_UNKNOWN", /"head\.extra\.gamma"/));
  });
});
