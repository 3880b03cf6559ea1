import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as native from "onnxruntime-node";
import { openModel, type AdaptedModel, type MemoryTrainOptions, type ModelFiles } from "../../../src/browser.ts";
import { adapt, fold, HutError, inspect, predict, train, type TrainOptions } from "../../../src/index.ts";
import type { OnnxRuntime } from "../../../src/runtime/session.ts";
import { WASM } from "../wasm-runtime.ts";

const DEMO = "fixtures/demo";
const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
const text = (path: string): string => readFileSync(path, "utf8");
const demo: ModelFiles = { model: bytes(join(DEMO, "model.onnx")), tokenizer: text(join(DEMO, "tokenizer.json")), tokenizerConfig: text(join(DEMO, "tokenizer_config.json")) };
const HEAD = { head: "mean", numLabels: 2 } as const;
/** Three steps on a few sentences. */
const SHORT = { batchSize: 16, maxSteps: 3, seed: 5 } as const satisfies MemoryTrainOptions & Partial<TrainOptions>;
const sentences = text(join(DEMO, "train.tsv")).split("\n").slice(0, 65).join("\n");
const few = { name: "train.tsv", content: sentences };

describe("a model in memory", function () {
  this.timeout(120_000);
  let folder = "";
  before(() => { folder = mkdtempSync(join(tmpdir(), "hut-memory-")); });
  after(() => { rmSync(folder, { recursive: true }); });

  it("is inspected as a file is", async () => {
    const onFile = await inspect(DEMO);
    assert.deepEqual({ ...openModel(native, demo).inspect(), seconds: 0 }, { ...onFile, model: "model.onnx", seconds: 0 });
  });

  const trainedBy = async (runtime: OnnxRuntime): Promise<{ adapted: AdaptedModel; losses: number[] }> => {
    const adapted = openModel(runtime, demo).adapt({ ...HEAD, seed: SHORT.seed });
    const losses: number[] = [];
    const result = await adapted.train(few, { ...SHORT, threads: 1, onProgress: ({ phase, figures }) => { if (phase === "training") losses.push(figures?.["loss"] ?? NaN); } });
    assert.equal(result.steps, 3);
    assert.deepEqual([result.firstLoss, result.lastLoss], [losses[0], losses[2]]);
    return { adapted, losses };
  };

  it("gathers micro-batches on onnxruntime-web: the losses of the large batch", async () => {
    const losses: number[] = [];
    await using adapted = openModel(WASM, demo).adapt({ ...HEAD, seed: SHORT.seed });
    await adapted.train(few, { ...SHORT, batchSize: 4, gradAccumulationSteps: 4, threads: 1, onProgress: ({ figures }) => { losses.push(figures?.["loss"] ?? NaN); } });
    const large = (await trainedBy(native)).losses;
    assert.ok(losses.length === 3 && losses.every((loss, i) => Math.abs(loss - (large[i] ?? NaN)) < 1e-5), `${losses.join()} for ${large.join()}`);
  });

  describe("trained on onnxruntime-node", () => {
    let adapted: AdaptedModel;
    let losses: number[];
    const run = (): string => join(folder, "run");
    before(async () => {
      writeFileSync(join(folder, "train.tsv"), sentences);
      await train(DEMO, { ...HEAD, ...SHORT, train: join(folder, "train.tsv"), output: run(), threads: 1 });
      ({ adapted, losses } = await trainedBy(native));
    });
    after(async () => { await adapted[Symbol.asyncDispose](); });

    it("takes the steps of the verb", () => {
      assert.deepEqual(losses, text(join(run(), "metrics.jsonl")).trim().split("\n").map((line) => (JSON.parse(line) as { loss: number }).loss));
    });

    it("gives the files of the verb's adapter", () => {
      const files = adapted.adapterFiles();
      assert.deepEqual([...files.keys()].sort(), ["README.md", "adapter_config.json", "adapter_model.safetensors", "hut.json"]);
      for (const [name, content] of files) assert.deepEqual(Buffer.from(content), readFileSync(join(run(), "adapter", name)), name);
    });

    it("folds to the verb's merged.onnx", async () => {
      await fold(DEMO, { adapter: join(run(), "adapter"), output: join(folder, "merged.onnx") });
      assert.ok(Buffer.from(await adapted.fold()).equals(readFileSync(join(folder, "merged.onnx"))));
    });

    const beside = { config: text(join(DEMO, "config.json")), specialTokensMap: text(join(DEMO, "special_tokens_map.json")) };
    const folders: readonly { readonly what: string; readonly files: ModelFiles; readonly known: readonly string[] }[] = [
      { what: "with all that stands beside the base", files: { ...demo, ...beside }, known: ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json"] },
      { what: "with its tokenizer.json alone", files: { model: demo.model, tokenizer: demo.tokenizer }, known: ["tokenizer.json"] },
      { what: "with nothing", files: { model: demo.model }, known: [] },
    ];
    for (const [i, { what, files, known }] of folders.entries()) {
      it(`gives the files of the verb's model folder, ${what}`, async () => {
        const base = join(folder, `base-${String(i)}`);
        const output = join(folder, `of-base-${String(i)}`, "mine");
        for (const file of ["model.onnx", ...known]) cpSync(join(DEMO, file), join(base, file));
        // In no run folder, of which a model in memory has none.
        cpSync(join(run(), "adapter"), join(folder, "alone"), { recursive: true });
        const notices: string[] = [];
        const told: string[] = [];
        await fold(base, { adapter: join(folder, "alone"), output, onNotice: (note) => notices.push(note) });

        const other = openModel(native, files).adapt({ ...HEAD, seed: SHORT.seed });
        const isTrained = files.tokenizer !== undefined;
        if (isTrained) await other.train(few, { ...SHORT, threads: 1 });
        const made = await other.modelFolder({ name: "mine", onNotice: (note) => told.push(note) });
        assert.deepEqual(told, notices);
        assert.deepEqual([...made.keys()].sort(), readdirSync(output, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/")).filter((file) => file !== "onnx").sort());
        for (const [name, content] of made) if (name !== "onnx/model.onnx" || isTrained) assert.ok(Buffer.from(content).equals(readFileSync(join(output, name))), name);
      });
    }

    it("predicts the verb's logits, a sentence or many", async () => {
      await predict(DEMO, { adapter: join(run(), "adapter"), data: join(folder, "train.tsv"), output: join(folder, "p.jsonl") });
      const wanted = text(join(folder, "p.jsonl")).trim().split("\n").map((line) => JSON.parse(line) as { logits: number[]; label: string; score: number });
      const got = await adapted.predict(few);
      assert.equal(got.length, 64);
      got.forEach(({ logits, dims, label, score }, i) => {
        assert.deepEqual(dims, [2]);
        assert.equal(label, wanted[i]?.label);
        assert.ok(Math.abs((score ?? NaN) - (wanted[i]?.score ?? NaN)) < 1e-5);
        logits.forEach((v, c) => { assert.ok(Math.abs(v - (wanted[i]?.logits[c] ?? NaN)) < 1e-5); });
      });
      const [one] = await adapted.predict([{ text: sentences.split("\n")[1]?.split("\t")[0] ?? "" }]);
      one?.logits.forEach((v, c) => { assert.ok(Math.abs(v - (wanted[0]?.logits[c] ?? NaN)) < 1e-5); });
    });

    it("measures as training does", async () => {
      const metrics = await adapted.evaluate(few);
      assert.ok((metrics["eval_loss"] ?? NaN) > 0 && (metrics["eval_accuracy"] ?? NaN) >= 0.4);
    });

    it("trains the same on onnxruntime-web, whose sessions share the base's bytes", async () => {
      const { adapted: other, losses: same } = await trainedBy(WASM);
      same.forEach((loss, i) => { assert.ok(Math.abs(loss - (losses[i] ?? NaN)) < 1e-4, String(i)); });
      const merged = await other.fold();
      await other[Symbol.asyncDispose]();
      assert.equal(merged.length, readFileSync(join(folder, "merged.onnx")).length);
    });
  });

  it("goes on from where it was, and stops between two steps where it is told to", async () => {
    const adapted = openModel(native, demo).adapt(HEAD);
    const before = adapted.theta;
    const stop = new AbortController();
    const first = await adapted.train(few, { ...SHORT, maxSteps: 50, signal: stop.signal, onProgress: ({ done }) => { if (done === 2) stop.abort(); } });
    assert.deepEqual([first.steps, first.interrupted], [2, true]);
    const between = adapted.theta;
    assert.notDeepEqual(between, before);
    await adapted.train(few, { ...SHORT, maxSteps: 1, lrScheduler: "constant" });
    assert.notDeepEqual(adapted.theta, between);
    assert.equal(adapted.trainableParams, 37_634);
  });

  it("learns a language model's tokens from records", async () => {
    const records = text("fixtures/cases/gpt2/batch.jsonl").trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const adapted = openModel(native, { model: bytes("fixtures/cases/gpt2/model.ts.onnx") }).adapt({ task: "text-generation", targetModules: ["q", "v"] });
    const { firstLoss, lastLoss } = await adapted.train(records, { batchSize: 4, maxSteps: 5, lr: 1e-2, lrScheduler: "constant" });
    assert.ok((lastLoss ?? NaN) < (firstLoss ?? NaN));
    const [row] = await adapted.predict(records.slice(1, 2));
    assert.equal(row?.logits.length, (row?.dims[0] ?? NaN) * (row?.dims[1] ?? NaN));
    await adapted[Symbol.asyncDispose]();
  });

  it("reads weights that lie in other files, and says which one is missing", async () => {
    const output = join(folder, "adapted.onnx");
    await adapt(DEMO, { ...HEAD, output });
    const files = { model: bytes(output), externalData: { "adapted.onnx_data": bytes(`${output}_data`) } };
    const { weights, parameters } = openModel(WASM, files).inspect();
    assert.ok(weights.length >= 18 && parameters > 9_461_760);
    assert.throws(() => openModel(WASM, { model: files.model }).inspect(), (error: unknown) => error instanceof HutError && error.code === "FILE_MISSING");
  });

  const wrong: readonly { readonly what: string; readonly code: string; readonly act: () => unknown }[] = [
    { what: "no logits and no head", code: "NO_LOGITS", act: () => openModel(native, demo).adapt() },
    { what: "no weight of that name", code: "NO_WEIGHT_MATCHES", act: () => openModel(native, demo).adapt({ ...HEAD, targetModules: ["nothing"] }) },
    { what: "a label that isn't there", code: "DATA_COLUMN_MISSING", act: () => openModel(native, demo).adapt(HEAD).train({ name: "a.csv", content: "text\nhello\n" }) },
    { what: "a label out of range", code: "LABEL_OUT_OF_RANGE", act: () => openModel(native, demo).adapt(HEAD).train({ name: "a.csv", content: "text,label\nhello,7\n" }) },
    { what: "text without a tokenizer", code: "TOKENIZER_MISSING", act: () => openModel(native, { model: demo.model }).adapt(HEAD).predict([{ text: "hello" }]) },
    { what: "a tokenizer that is no JSON", code: "JSON_BROKEN", act: () => openModel(native, { ...demo, tokenizer: "{" }) },
    { what: "no records", code: "DATA_EMPTY", act: () => openModel(native, demo).adapt(HEAD).predict([]) },
  ];
  for (const { what, code, act } of wrong) {
    it(`refuses ${what}: ${code}`, async () => {
      await assert.rejects(async () => { await act(); }, (error: unknown) => error instanceof HutError && (assert.equal(error.code, code), true));
    });
  }
});
