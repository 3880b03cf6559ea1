import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { adapt, artifacts, evaluate, fold, predict, readManifest, train, verify, type Manifest, type TrainOptions } from "../../src/index.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { closeTo } from "./close-to.ts";

const BERT = "fixtures/cases/bert";
const SAVED = "fixtures/ort-training/checkpoint-with-moments";
const MODEL = join(BERT, "model.ts.onnx");
const DATA = join(BERT, "batch.jsonl");
const expected = JSON.parse(readFileSync(join(BERT, "expected.json"), "utf8")) as { losses: number[]; logits_trained: number[][] };

/** Five steps as expected.json has them. */
const SETTINGS = { batchSize: 4, lr: 0.01, weightDecay: 0.01, maxGradNorm: 0, lrScheduler: "constant", warmupRatio: 0, shuffle: false } as const;

describe("what was trained elsewhere", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-elsewhere-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  /** Trains step.onnx in a loop of its own and saves theta beside the manifest. */
  async function trainTheta(): Promise<string> {
    await artifacts(MODEL, { adapter: join(BERT, "adapter"), output: at("artifacts") });
    const manifest = readManifest(readFileSync(at("artifacts", "manifest.json"), "utf8"));
    const step = await InferenceSession.create(at("artifacts", "step.onnx"));
    const records = readFileSync(DATA, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number[]> & { label: number });
    const rows = (name: string): Tensor => new Tensor("int64", BigInt64Array.from(records.flatMap((r) => r[name] ?? []), BigInt), [records.length, records[0]?.[name]?.length ?? 0]);
    const batch = { input_ids: rows("input_ids"), attention_mask: rows("attention_mask"), token_type_ids: rows("token_type_ids"), labels: new Tensor("int64", BigInt64Array.from(records, (r) => BigInt(r.label)), [records.length]) };
    const size = manifest.trainableParams;
    const scalar = (value: number): Tensor => new Tensor("float32", Float32Array.of(value), []);
    const bytes = readFileSync(at("artifacts", manifest.thetaFile ?? ""));
    let state: Tensor[] = [new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)), new Float32Array(size), new Float32Array(size)].map((data) => new Tensor("float32", data, [size]));
    for (let i = 1; i <= 5; i += 1) {
      const [theta, m, v] = state;
      const out = await step.run({ ...batch, theta: theta as Tensor, adam_m: m as Tensor, adam_v: v as Tensor, lr: scalar(0.01), weight_decay: scalar(0.01), max_grad_norm: scalar(0), step: new Tensor("int64", [BigInt(i)], []) });
      state = ["theta_next", "adam_m_next", "adam_v_next"].map((name) => out[name] as Tensor);
    }
    await step.release();
    const file = at("artifacts", "trained.bin");
    const { buffer, byteOffset, byteLength } = state[0]?.data as Float32Array;
    writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
    return file;
  }

  it("a theta that a loop on step.onnx saved is evaluated, folded, verified, predicted with and written as an adapter", async () => {
    const checkpoint = await trainTheta();
    const { metrics } = await evaluate(MODEL, { data: DATA, checkpoint });
    closeTo([metrics["eval_loss"] ?? NaN], expected.losses.slice(5), 1e-4, "eval_loss");
    await fold(MODEL, { checkpoint, output: at("merged.onnx") });
    assert.deepEqual((await verify(MODEL, { checkpoint, merged: at("merged.onnx"), data: DATA })).problems, []);
    await predict(MODEL, { checkpoint, data: DATA, output: at("predictions.jsonl") });
    const logits = readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: number[] }).logits);
    closeTo(logits.flat(), expected.logits_trained.flat(), 1e-4, "logits");
    await adapt(MODEL, { checkpoint, output: at("adapted.onnx"), saveAdapter: at("adapter") });
    const [ours, theirs] = [tensorsOf(at("adapter", "adapter_model.safetensors")), tensorsOf(join(BERT, "adapter-trained/adapter_model.safetensors"))];
    for (const [name, want] of theirs) closeTo(ours.get(name) ?? [], want, 1e-3, name);
  });

  it("train --resume goes on from the official runtime's checkpoint, as if it had made the steps itself", async () => {
    const adapter = join(BERT, "adapter");
    const losses = async (output: string, options: Partial<TrainOptions>): Promise<Record<string, number>[]> => {
      await train(MODEL, { ...SETTINGS, train: DATA, output: at(output), maxSteps: 8, ...options });
      return readFileSync(at(output, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number>);
    };
    const whole = await losses("whole", { adapter });
    const notices: string[] = [];
    const rest = await losses("rest", { adapter, resume: SAVED, onNotice: (notice) => notices.push(notice) });
    assert.deepEqual([rest.map((r) => r["step"]), notices], [[6, 7, 8], []]);
    closeTo(rest.map((r) => r["loss"] ?? NaN), whole.slice(5).map((r) => r["loss"] ?? NaN), 1e-5, "losses");
    const [ours, theirs] = ["rest", "whole"].map((run) => tensorsOf(at(run, "adapter", "adapter_model.safetensors")));
    for (const [name, want] of theirs ?? []) closeTo(ours?.get(name) ?? [], want, 1e-4, name);

    const plain = await losses("plain", { adapter, resume: "fixtures/ort-training/checkpoint", maxSteps: 1, onNotice: (notice) => notices.push(notice) });
    assert.deepEqual(plain.map((r) => r["step"]), [1]);
    closeTo(plain.map((r) => r["loss"] ?? NaN), expected.losses.slice(5), 1e-4, "the loss after five steps");
    assert.match(notices[0] ?? "", /holds no optimizer state: training goes on from its numbers, with moments and steps at 0/);
    await assert.rejects(losses("none", { adapter, resume: SAVED, maxSteps: 5 }), { code: "CHECKPOINT_PAST_END", exitCode: 2, message: /has 5 steps behind it, and the whole training is 5 long/ });
  });

  it("a theta that stands elsewhere needs the adapter named, and nothing else", async () => {
    const checkpoint = await trainTheta();
    cpSync(checkpoint, at("theta.bin"));
    const there = await evaluate(MODEL, { data: DATA, checkpoint });
    const here = await evaluate(MODEL, { data: DATA, checkpoint: at("theta.bin"), adapter: at("artifacts", "adapter") });
    assert.deepEqual(here.metrics, there.metrics);
    await assert.rejects(evaluate(MODEL, { data: DATA, checkpoint: at("theta.bin") }), { code: "ORT_CHECKPOINT_ALONE", message: /Put the file beside the manifest\.json that artifacts wrote/ });
  });

  it("a checkpoint with the state of an optimizer that has no moments is taken, and resumed without them", async () => {
    const [adapter, checkpoint] = [join(BERT, "adapter"), "fixtures/ort-training/checkpoint-sgd"];
    const { metrics } = await evaluate(MODEL, { data: DATA, adapter, checkpoint });
    assert.ok((metrics["eval_loss"] ?? NaN) < (expected.losses[0] ?? NaN));
    const notices: string[] = [];
    const { steps, firstLoss } = await train(MODEL, { ...SETTINGS, train: DATA, adapter, resume: checkpoint, maxSteps: 1, output: at("run"), onNotice: (notice) => notices.push(notice) });
    assert.equal(steps, 1);
    closeTo([firstLoss ?? NaN], [metrics["eval_loss"] ?? NaN], 1e-5, "loss");
    assert.match(notices[0] ?? "", /holds no optimizer state/);
    await assert.rejects(train(MODEL, { ...SETTINGS, train: DATA, resume: at("nowhere"), output: at("new") }), { code: "NO_CHECKPOINT", message: /nowhere" holds no checkpoint/ });
  });

  it("a batch without a label that counts has loss 0 and changes nothing", async () => {
    const records = readFileSync(DATA, "utf8").trim().split("\n").map((line) => `${JSON.stringify({ ...JSON.parse(line) as object, label: -100 })}\n`);
    const real = readFileSync(DATA, "utf8");
    writeFileSync(at("data.jsonl"), `${records.join("")}${real}`);
    const { firstLoss } = await train(MODEL, { ...SETTINGS, weightDecay: 0, train: at("data.jsonl"), adapter: join(BERT, "adapter"), maxSteps: 2, output: at("run") });
    assert.equal(firstLoss, 0);
    const losses = readFileSync(at("run", "metrics.jsonl"), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { loss: number }).loss);
    closeTo(losses.slice(1), expected.losses.slice(0, 1), 1e-5, "the loss at the start");
  });

  it("flags that choose otherwise than the adapter are errors", async () => {
    const refuses = (options: Partial<TrainOptions>, message: RegExp): Promise<void> => assert.rejects(
      adapt(MODEL, { adapter: join(BERT, "adapter"), output: at("adapted.onnx"), ...options }), { code: "ADAPTER_FLAG_CONTRADICTS", exitCode: 2, message });
    await refuses({ targetModules: ["up"] }, /--target-modules up contradicts/);
    await refuses({ alpha: 99 }, /--alpha 99 contradicts/);
    await refuses({ modulesToSave: ["pooler"] }, /--modules-to-save pooler contradicts .* which has classifier/);
    await adapt(MODEL, { adapter: join(BERT, "adapter"), targetModules: ["q", "v"], modulesToSave: ["classifier"], output: at("adapted.onnx") });
  });

  it("a run that began with one is resumed as any other", async () => {
    const options = { ...SETTINGS, train: DATA, adapter: join(BERT, "adapter"), maxSteps: 9, output: at("run") };
    const stop = new AbortController();
    const first = await train(MODEL, { ...options, resume: SAVED, signal: stop.signal, onProgress: ({ phase, done }) => { if (phase === "training" && done === 7) stop.abort(); } });
    assert.deepEqual([first.steps, first.interrupted], [7, true]);
    const { steps } = await train(MODEL, { output: at("run"), resume: true });
    assert.equal(steps, 9);
  });

  describe("a manifest edited by hand", () => {
    const edits: readonly { readonly what: string; readonly edit: (manifest: Manifest) => unknown; readonly code: string; readonly message: RegExp }[] = [
      { what: "another version", edit: (m) => ({ ...m, formatVersion: 2 }), code: "FIELD_WRONG", message: /"formatVersion"/ },
      { what: "an unknown key", edit: (m) => ({ ...m, ranks: 4 }), code: "FIELD_UNKNOWN", message: /ranks/ },
      { what: "no layout", edit: (m) => ({ ...m, layout: undefined }), code: "FIELD_WRONG", message: /layout/ },
      { what: "an entry of another type", edit: (m) => ({ ...m, layout: m.layout.map((t) => ({ ...t, offset: String(t.offset) })) }), code: "FIELD_WRONG", message: /layout\[0\]\.offset/ },
      { what: "a gap", edit: (m) => ({ ...m, layout: m.layout.map((t, i) => ({ ...t, offset: t.offset + (i > 2 ? 1 : 0) })) }), code: "MANIFEST_CONTRADICTS", message: /begins at \d+ in its layout, and the tensor before it ends at \d+/ },
      { what: "a shape of another size", edit: (m) => ({ ...m, layout: m.layout.map((t, i) => (i === 0 ? { ...t, shape: [1, 2, 3] } : t)) }), code: "MANIFEST_CONTRADICTS", message: /its shape \[1, 2, 3\] holds 6 numbers/ },
      { what: "another P", edit: (m) => ({ ...m, trainableParams: m.trainableParams + 1 }), code: "MANIFEST_CONTRADICTS", message: /its layout ends at/ },
      { what: "a tensor twice", edit: (m) => ({ ...m, layout: [...m.layout, m.layout[0]] }), code: "MANIFEST_CONTRADICTS", message: /twice/ },
      { what: "a tensor of another name", edit: (m) => ({ ...m, layout: m.layout.map((t, i) => (i === 1 ? { ...t, name: "other" } : t)) }), code: "MANIFEST_OF_OTHER_MODEL", message: /its "other" is \[4, 64\], where they train "[^"]*hut_B" \[4, 64\]/ },
      { what: "two tensors exchanged", edit: (m) => ({ ...m, layout: swapped(m.layout) }), code: "MANIFEST_OF_OTHER_MODEL", message: /where they train/ },
      { what: "an adapter elsewhere", edit: (m) => ({ ...m, adapter: "../adapter" }), code: "FIELD_WRONG", message: /"adapter" .*the name of a file beside it/ },
      { what: "an adapter that isn't there", edit: (m) => ({ ...m, adapter: "none" }), code: "ORT_CHECKPOINT_ALONE", message: /none/ },
      { what: "a graph elsewhere", edit: (m) => ({ ...m, graphs: { step: { ...m.graphs["step"], file: "/tmp/step.onnx" } } }), code: "FIELD_WRONG", message: /graphs\.step\.file/ },
      { what: "an optimizer that isn't known", edit: (m) => ({ ...m, optimizer: { ...m.optimizer, name: "lion" } }), code: "FIELD_WRONG", message: /optimizer\.name/ },
      { what: "a text cut short", edit: (m) => JSON.stringify(m).slice(0, 500), code: "JSON_BROKEN", message: /manifest\.json/ },
    ];
    /** The second and the third entry change places, offsets mended. */
    const swapped = (layout: Manifest["layout"]): unknown[] => {
      let offset = 0;
      return layout.map((t, i) => (i === 1 ? layout[2] ?? t : i === 2 ? layout[1] ?? t : t)).map((t) => ({ ...t, offset: (offset += t.length) - t.length }));
    };
    let whole = "";
    before(async () => {
      whole = mkdtempSync(join(tmpdir(), "hut-manifest-"));
      await artifacts(MODEL, { format: ["step", "ort-training"], adapter: join(BERT, "adapter"), output: whole });
    });
    after(() => { rmSync(whole, { recursive: true }); });

    for (const { what, edit, code, message } of edits) {
      it(`${what}: ${code}`, async () => {
        cpSync(whole, folder, { recursive: true });
        const edited = edit(readManifest(readFileSync(at("manifest.json"), "utf8")));
        writeFileSync(at("manifest.json"), typeof edited === "string" ? edited : JSON.stringify(edited));
        for (const file of ["theta.bin", "checkpoint"]) await assert.rejects(fold(MODEL, { checkpoint: at(file), output: at("merged.onnx") }), { code, message }, file);
      });
    }

    it("a theta of another length, or with a NaN, is refused", async () => {
      cpSync(whole, folder, { recursive: true });
      const theta = readFileSync(at("theta.bin"));
      const refuses = (bytes: Uint8Array, code: string, message: RegExp): Promise<void> => {
        writeFileSync(at("theta.bin"), bytes);
        return assert.rejects(fold(MODEL, { checkpoint: at("theta.bin"), output: at("merged.onnx") }), { code, message });
      };
      await refuses(theta.subarray(4), "THETA_LENGTH_WRONG", /has \d+ bytes, and the \d+ float32 numbers that this adapter trains take \d+/);
      await refuses(Buffer.concat([theta, Buffer.alloc(4)]), "THETA_LENGTH_WRONG", /no theta either/);
      theta.writeFloatLE(NaN, theta.length - 4);
      await refuses(theta, "TENSOR_NOT_FINITE", /"classifier\.bias" .* holds NaN at element 1/);
    });
  });
});
