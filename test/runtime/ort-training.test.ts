import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, evaluate, fold, HutError, predict, verify, type ArtifactsOptions, type Manifest, type TaskName } from "../../src/index.ts";
import { DataType } from "../../src/ir/data-type.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { bytesOf } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { toAdapterFolder } from "../../src/runtime/adapter/to-folder.ts";
import { readCheckpoint } from "../../src/runtime/checkpoint/read-checkpoint.ts";
import { writeCheckpoint } from "../../src/runtime/checkpoint/write-checkpoint.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { prepare } from "../../src/runtime/prepare.ts";
import { flattened, tensorsOf } from "./adapter-numbers.ts";
import { closeTo } from "./close-to.ts";
import { feedsOf, openTrainingSession, trainSteps, WEB_RATE } from "./official-runtime.ts";

type Nested = number | readonly Nested[];
interface Expected { readonly kind: string; readonly losses: number[]; readonly logits_trained: Nested }

const CASES = "fixtures/cases";
const BERT = join(CASES, "bert");
const STEPS = 5;
const RATE = 1e-2;
const TASKS: Readonly<Record<string, TaskName>> = { cls: "text-classification", lm: "text-generation" };
const expectedOf = (family: string): Expected => JSON.parse(readFileSync(join(CASES, family, "expected.json"), "utf8")) as Expected;

/** Logits of the rows that `predict` writes: one of each record, or one of each token that is no padding. */
function closeToLogits(actual: Nested | undefined, expected: Nested, tolerance: number): void {
  if (!Array.isArray(expected)) { closeTo([Number(actual)], [Number(expected)], tolerance, "logits"); return; }
  assert.ok(Array.isArray(actual) && actual.length > 0);
  (actual as Nested[]).forEach((row, i) => { closeToLogits(row, (expected as Nested[])[i] ?? NaN, tolerance); });
}

const loaded = (file: string): Model => {
  const model = loadModel(memorySource(file, new Uint8Array(readFileSync(file))));
  inferGraph(model.graph, model.opsets);
  return model;
};

/** Parameters as the runtime holds them, by PEFT's names and in its layout. */
function peftNumbers(model: string, adapter: string, parameters: Float32Array): Map<string, Float32Array> {
  using opened = openModel(model);
  const prepared = prepare(opened.load(), { adapter: openAdapter(adapter), saveHead: true });
  return flattened(toAdapterFolder(prepared, parameters, { name: null, taskType: null }));
}

describe("artifacts --format ort-training", function () {
  this.timeout(120_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-ort-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  /** Writes a case's artifacts to `folder`, weights inside: the web build reads no other file. */
  const write = async (family: string, exporter: string, options: Partial<ArtifactsOptions> = {}): Promise<void> => {
    const task = TASKS[expectedOf(family).kind];
    await artifacts(join(CASES, family, `model.${exporter}.onnx`), {
      format: ["ort-training"], adapter: join(CASES, family, "adapter"), task, weightDecay: 0.01, output: folder, embed: true, ...options,
    });
  };
  const manifest = (): Manifest => JSON.parse(readFileSync(at("manifest.json"), "utf8")) as Manifest;
  /** A checkpoint of the parameters that a session holds: the web build can't save one. */
  const save = (name: string, parameters: Float32Array): string => {
    const trainable = manifest().layout.map(({ name: tensor, shape, offset, length }) =>
      ({ name: tensor, shape, dataType: DataType.FLOAT, data: bytesOf(parameters.slice(offset, offset + length)) }));
    writeFileSync(at(name), writeCheckpoint({ trainable, frozen: [] }, RATE).file);
    return at(name);
  };
  const logitsOf = async (model: string, family: string): Promise<Nested> => {
    await predict(model, { task: TASKS[expectedOf(family).kind], data: join(CASES, family, "batch.jsonl"), output: at("predictions.jsonl"), batchSize: 4 });
    return readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: Nested }).logits);
  };

  for (const family of ["bert", "gpt2", "llama"]) {
    for (const exporter of ["ts", "dynamo"]) {
      it(`${family}, ${exporter} export: the official runtime trains to PyTorch's losses and PEFT's adapter, and its checkpoint folds`, async () => {
        const [model, batch] = [join(CASES, family, `model.${exporter}.onnx`), join(CASES, family, "batch.jsonl")];
        const expected = expectedOf(family);
        await write(family, exporter);
        const session = await openTrainingSession(folder, RATE);
        const losses = await trainSteps(session, feedsOf(session, batch), STEPS);
        closeTo(losses, expected.losses, 1e-4, "losses");
        const parameters = Float32Array.from((await session.getContiguousParameters(true)).data);
        const ours = peftNumbers(model, join(CASES, family, "adapter"), parameters);
        const theirs = tensorsOf(join(CASES, family, "adapter-trained/adapter_model.safetensors"));
        assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
        for (const [name, want] of theirs) closeTo(ours.get(name) ?? [], want, 1e-3, name);

        const checkpoint = save("trained", parameters);
        await fold(model, { checkpoint, output: at("merged.onnx") });
        closeToLogits(await logitsOf(at("merged.onnx"), family), expected.logits_trained, 1e-4);
        const { metrics } = await evaluate(model, { task: TASKS[expected.kind], data: batch, checkpoint, adapter: join(CASES, family, "adapter") });
        closeTo([metrics["eval_loss"] ?? NaN], [expected.losses[STEPS] ?? NaN], 1e-4, "eval_loss");
        writeFileSync(at("theta-trained.bin"), bytesOf(parameters));
        assert.deepEqual((await evaluate(model, { task: TASKS[expected.kind], data: batch, checkpoint: at("theta-trained.bin") })).metrics, metrics);
      });
    }
  }

  it("the three graphs are as ONNX Runtime's training API reads them", async () => {
    await write("bert", "dynamo", { lr: RATE });
    assert.deepEqual(readdirSync(folder).sort(), ["adapter", "checkpoint", "eval_model.onnx", "manifest.json", "optimizer_model.onnx", "training_model.onnx"]);
    const [training, evaluation, optimizer] = [loaded(at("training_model.onnx")), loaded(at("eval_model.onnx")), loaded(at("optimizer_model.onnx"))];
    const names = manifest().layout.map((t) => t.name);
    const batch = ["input_ids", "attention_mask", "token_type_ids", "labels"];
    const inputsOf = ({ graph }: { graph: Graph }): string[] => graph.inputs.map((v) => v.name);
    assert.deepEqual(inputsOf(training), [...batch, ...names, ...names.map((n) => `${n}_grad.accumulation.buffer`), "lazy_reset_grad"]);
    assert.deepEqual(training.graph.outputs.map((v) => v.name), ["loss", ...names.map((n) => `${n}_grad.accumulation.out`)]);
    assert.deepEqual(inputsOf(evaluation), [...batch, ...names]);
    assert.deepEqual(evaluation.graph.outputs.map((v) => [v.name, v.shape]), [["loss", []]]);
    const contrib = training.graph.nodes.filter((n) => n.domain !== "");
    assert.deepEqual([...new Set(contrib.map((n) => `${n.domain}::${n.opType}`))], ["com.microsoft::InPlaceAccumulatorV2"]);
    assert.equal(contrib.length, names.length);
    assert.deepEqual([[...training.opsets], training.irVersion, [...evaluation.opsets]], [[["", 20], ["com.microsoft", 1]], 10, [["", 20]]]);

    assert.deepEqual(inputsOf(optimizer), ["learning_rate", "step", "params", "gradients", "first_order_moments", "second_order_moments"]);
    const [node, ...others] = optimizer.graph.nodes;
    assert.deepEqual([node?.domain, node?.opType, others.length], ["com.microsoft", "AdamWOptimizer", 0]);
    const constants = Object.fromEntries([...node?.attributes ?? []].map(([name, a]) => [name, Number(Number(a.value).toPrecision(6))]));
    assert.deepEqual(constants, { alpha: 0.9, beta: 0.999, epsilon: 1e-8, weight_decay: 0.01, adam_mode: 0, correct_bias: 1 });

    const { trainable, frozen } = readCheckpoint(new Uint8Array(readFileSync(at("checkpoint"))), "checkpoint");
    assert.deepEqual([trainable.map((t) => t.name), frozen], [names, []]);
    const { graphs, ortTraining, thetaFile } = manifest();
    assert.deepEqual(Object.keys(graphs), ["training_model", "eval_model", "optimizer_model"]);
    assert.deepEqual(graphs["optimizer_model"]?.inputs[2], { name: "params", dtype: "sequence(float)", shape: [] });
    assert.deepEqual([ortTraining, thetaFile], [{ checkpoint: "checkpoint", maxGradNorm: 0, frozenInCheckpoint: false }, undefined]);
  });

  it("frozen weights may be inputs, which the checkpoint holds", async () => {
    await write("bert", "ts", { frozenInCheckpoint: true });
    const { frozen } = readCheckpoint(new Uint8Array(readFileSync(at("checkpoint"))), "checkpoint");
    const { graph } = loaded(at("training_model.onnx"));
    assert.ok(frozen.length > 20);
    const inputs = new Set(graph.inputs.map((v) => v.name));
    assert.deepEqual(frozen.filter((t) => !inputs.has(t.name)), []);
    assert.ok([...graph.initializers].every((v) => (v.initializer?.byteLength ?? 0) < 4096), "no weight is left in the graph");
    const session = await openTrainingSession(folder, RATE);
    closeTo(await trainSteps(session, feedsOf(session, join(BERT, "batch.jsonl")), STEPS), expectedOf("bert").losses, 1e-4, "losses");
  });

  it("--optimizer sgd subtracts PyTorch's gradient, and --max-grad-norm clips it", async () => {
    const gradients = tensorsOf(join(BERT, "gradients.safetensors"));
    const starts = tensorsOf(join(BERT, "adapter/adapter_model.safetensors"));
    const norm = Math.sqrt([...gradients.values()].reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0));
    for (const maxGradNorm of [0, 0.5]) {
      await write("bert", "ts", { optimizer: "sgd", weightDecay: 0, maxGradNorm });
      const session = await openTrainingSession(folder);
      await trainSteps(session, feedsOf(session, join(BERT, "batch.jsonl")), 1);
      const ours = peftNumbers(join(BERT, "model.ts.onnx"), join(BERT, "adapter"), Float32Array.from((await session.getContiguousParameters(true)).data));
      const factor = maxGradNorm === 0 ? 1 : Math.min(1, maxGradNorm / (norm + 1e-6));
      for (const [name, g] of gradients) closeTo(ours.get(name) ?? [], (starts.get(name) ?? new Float32Array()).map((v, i) => v - WEB_RATE * factor * (g[i] ?? NaN)), 1e-6, name);
    }
  });

  it("both formats stand in one folder and share the copied weights", async () => {
    const result = await artifacts(join(BERT, "model.ts.onnx"), { format: ["step", "ort-training"], output: folder });
    assert.deepEqual(result.files.map((f) => f.slice(folder.length + 1)), ["base.onnx_data", "step.onnx", "grad.onnx", "apply.onnx", "eval.onnx", "training_model.onnx", "eval_model.onnx",
      "optimizer_model.onnx", "theta.bin", "checkpoint", "adapter", "manifest.json"]);
    const { trainable } = readCheckpoint(new Uint8Array(readFileSync(at("checkpoint"))), "checkpoint");
    assert.deepEqual(Buffer.concat(trainable.map((t) => readBytes(t.data))), readFileSync(at("theta.bin")));
  });

  it("a newer opset is lowered where nothing changed its meaning", async () => {
    const model = loaded(join(BERT, "model.ts.onnx"));
    assert.ok(raiseOpset(model, 24));
    model.irVersion = 12;
    writeFileSync(at("newer.onnx"), Buffer.concat(encodeModel(modelToProto(model)).chunks.map(readBytes)));
    await artifacts(at("newer.onnx"), { format: ["ort-training"], adapter: join(BERT, "adapter"), output: folder, embed: true, weightDecay: 0.01 });
    const training = loaded(at("training_model.onnx"));
    assert.deepEqual([training.opset, training.irVersion], [21, 10]);
    const session = await openTrainingSession(folder, RATE);
    closeTo(await trainSteps(session, feedsOf(session, join(BERT, "batch.jsonl")), STEPS), expectedOf("bert").losses, 1e-4, "losses");
  });

  it("refuses what one of the formats would pass over", async () => {
    const refuses = (options: Partial<ArtifactsOptions>, message: RegExp): Promise<void> => assert.rejects(artifacts(join(BERT, "model.ts.onnx"), { output: folder, ...options }),
      (error) => error instanceof HutError && error.code === "FORMAT_LACKS" && error.exitCode === 2 && message.test(error.message));
    await refuses({ optimizer: "sgd" }, /^--optimizer sgd has no meaning for --format step\./);
    await refuses({ optimizer: "sgd", format: ["ort-training"], weightDecay: 0.1 }, /SGDOptimizerV2 has no decay/);
    await refuses({ frozenInCheckpoint: true }, /^--frozen-in-checkpoint has no meaning for --format step\./);
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe("a checkpoint that the official Python runtime saved", () => {
  const SAVED = "fixtures/ort-training";
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-ort-py-"));
    copyFileSync(join(BERT, "model.ts.onnx"), join(folder, "model.onnx"));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("was trained to PyTorch's losses", () => {
    closeTo(JSON.parse(readFileSync(join(SAVED, "losses.json"), "utf8")) as number[], expectedOf("bert").losses, 1e-5, "losses");
  });

  for (const name of ["checkpoint", "checkpoint-with-moments"]) {
    it(`${name} folds to PyTorch's logits, and verify knows it`, async () => {
      const [model, merged, output] = [join(folder, "model.onnx"), join(folder, "merged.onnx"), join(folder, "predictions.jsonl")];
      const trained = { adapter: join(BERT, "adapter"), checkpoint: join(SAVED, name) };
      await fold(model, { ...trained, output: merged });
      await predict(merged, { data: join(BERT, "batch.jsonl"), output, batchSize: 4 });
      closeToLogits(readFileSync(output, "utf8").trim().split("\n").map((l) => (JSON.parse(l) as { logits: Nested }).logits), expectedOf("bert").logits_trained, 1e-4);
      assert.deepEqual((await verify(model, { ...trained, merged })).problems, []);
      assert.equal((await verify(model, { adapter: trained.adapter, merged })).ok, false, "the start of training is another adapter");
    });
  }
});
