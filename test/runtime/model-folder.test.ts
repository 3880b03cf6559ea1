/** The folder that fold writes: transformers.js opens it as it is, and answers what predict answers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env, pipeline } from "@huggingface/transformers";
import { adapt, fold, predict, train, verify } from "../../src/index.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { ByteRange, type Source } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";

const DEMO = "fixtures/demo";
const TOKENIZER = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json"];
/** Class names that JSON, YAML and Markdown each have to escape. */
const NAMES = ["it's \"bad\": | no\u2028", "好き <b>"] as const;

interface Answer { readonly label: string; readonly score: number }
type Classify = (texts: readonly string[], options?: object) => Promise<Answer[]>;

describe("a model folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "onnx-hut-folder-"));
  const at = (...names: string[]): string => join(folder, ...names);
  const sentences = readFileSync(`${DEMO}/dev.tsv`, "utf8").split("\n").slice(1, 5).map((line) => line.split("\t")[0] ?? "");
  const data = at("data.jsonl");
  let adapter = "";
  let merged: readonly Answer[] = [];

  before(async () => {
    env.allowRemoteModels = false;
    // Where another test has loaded onnxruntime-web too, it would fetch that one's files, which it doesn't use in Node.
    env.useWasmCache = false;
    const long = Array.from({ length: 150 }, () => "good").join(" ");
    const records = [...sentences, long].map((text, i) => ({ text, label: NAMES[i % 2] }));
    writeFileSync(data, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
    const options = { head: "mean", numLabels: 2, train: data, dev: data, maxSteps: 3, batchSize: 4, output: at("run"), targetModules: ["q"] } as const;
    adapter = (await train(DEMO, options)).adapter;
  });
  after(() => { rmSync(folder, { recursive: true, force: true }); });

  /** Copies of the demo's tokenizer files, and a model. */
  const base = (name: string, model: Uint8Array, files: readonly string[] = TOKENIZER): string => {
    mkdirSync(at(name));
    for (const file of files) copyFileSync(join(DEMO, file), at(name, file));
    writeFileSync(at(name, "model.onnx"), model);
    return at(name);
  };
  const config = (name: string): Record<string, unknown> => JSON.parse(readFileSync(at(name, "config.json"), "utf8")) as Record<string, unknown>;

  /** predict's label and score of every sentence, held against the pipeline's. */
  const expectSameAnswers = async (name: string): Promise<Answer[]> => {
    await predict(at(name), { data, output: at("predictions.jsonl") });
    const ours = readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Answer);
    const texts = readFileSync(data, "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);
    const classify = await pipeline("text-classification", at(name)) as unknown as Classify & { dispose(): Promise<void> };
    const theirs = await classify(texts);
    await classify.dispose();
    assert.deepEqual(ours.map((a) => a.label), theirs.map((a) => a.label));
    ours.forEach((a, i) => { assert.ok(Math.abs(a.score - (theirs[i]?.score ?? NaN)) <= 1e-5, `${String(a.score)} is not ${String(theirs[i]?.score)}`); });
    return ours;
  };

  /** What the program on a folder's card prints. */
  const runCard = (name: string): string => {
    writeFileSync(at("try.mjs"), /```js\n([\s\S]*?)```/.exec(readFileSync(at(name, "README.md"), "utf8"))?.[1] ?? "");
    return execFileSync(process.execPath, ["try.mjs"], { cwd: folder, encoding: "utf8" });
  };

  it("is opened by transformers.js, with predict's labels and scores", async () => {
    await fold(DEMO, { adapter, output: at("merged") });
    merged = await expectSameAnswers("merged");
    assert.ok(merged.every(({ label }) => (NAMES as readonly string[]).includes(label)));
    assert.deepEqual(config("merged")["id2label"], Object.fromEntries(NAMES.entries()));
    assert.equal(config("merged")["problem_type"], "single_label_classification");
    assert.deepEqual(config("merged")["transformers.js_config"], { dtype: "fp32" });
    assert.equal((await verify(DEMO, { adapter, merged: at("merged") })).ok, true);
  });

  for (const [problemName, type] of [["multi-label", "multi_label_classification"], ["regression", "regression"]] as const) {
    it(`has the problem type of its adapter: ${type}`, async () => {
      cpSync(adapter, at(`adapter-${type}`), { recursive: true });
      const hut = at(`adapter-${type}`, "hut.json");
      writeFileSync(hut, readFileSync(hut, "utf8").replace('"problem": "single"', `"problem": "${problemName}"`));
      const configured = base(type, readFileSync(`${DEMO}/model.onnx`));
      const given = JSON.parse(readFileSync(`${DEMO}/config.json`, "utf8")) as object;
      writeFileSync(join(configured, "config.json"), JSON.stringify({ ...given, problem_type: "single_label_classification", "transformers.js_config": { dtype: "q8", kv_cache_dtype: "fp16" } }));
      await fold(configured, { adapter: at(`adapter-${type}`), output: at(`from-${type}`) });
      const { id2label, label2id, problem_type: problem, architectures, "transformers.js_config": ours } = config(`from-${type}`);
      assert.deepEqual({ id2label, label2id, problem, architectures, ours }, {
        id2label: Object.fromEntries(NAMES.entries()), label2id: Object.fromEntries([...NAMES.entries()].map(([i, name]) => [name, i])), problem: type,
        architectures: undefined, ours: { dtype: "fp32", kv_cache_dtype: "fp16" },
      });
      if (type !== "regression") await expectSameAnswers(`from-${type}`);
    });
  }

  it("has a card that a YAML reader reads and whose program runs", () => {
    const card = readFileSync(at("merged", "README.md"), "utf8");
    const yaml = createRequire(import.meta.url)("js-yaml") as { load(text: string): unknown };
    const front = yaml.load(card.split("---\n")[1] ?? "") as Record<string, unknown>;
    const results = JSON.parse(readFileSync(at("run", "all_results.json"), "utf8")) as Record<string, number>;
    assert.equal(front["library_name"], "transformers.js");
    assert.equal(front["pipeline_tag"], "text-classification");
    assert.equal(front["base_model"], "nreimers/MiniLM-L6-H384-uncased");
    assert.deepEqual(front["model-index"], [{ name: "merged", results: [{
      task: { type: "text-classification" }, dataset: { name: "data.jsonl", type: "data.jsonl" },
      metrics: ["loss", "accuracy", "f1", "precision", "recall", "matthews_correlation"].map((type) => ({ type, value: results[`eval_${type}`] })),
    }] }]);
    symlinkSync(resolve("node_modules"), at("node_modules"), "junction");
    assert.match(runCard("merged"), /label: .*score: 0\.\d+/s);
  });

  it("of a regression has a card whose program gives the number that predict gives", async () => {
    writeFileSync(at("one.jsonl"), `${JSON.stringify({ text: "I would see it again tomorrow." })}\n`);
    await predict(at("from-regression"), { data: at("one.jsonl"), output: at("predictions.jsonl") });
    const { logits, score } = JSON.parse(readFileSync(at("predictions.jsonl"), "utf8")) as { logits: number[]; score: number };
    const [printed = []] = JSON.parse(runCard("from-regression")) as number[][];
    printed.forEach((x, i) => { assert.ok(Math.abs(x - (logits[i] ?? NaN)) < 1e-5); });
    assert.equal(score, Math.max(...logits));
  });

  it("of an embedding model is one of sentence-transformers", async () => {
    const encoder = base("encoder", readFileSync(`${DEMO}/model.onnx`));
    mkdirSync(join(encoder, "1_Pooling"));
    const modules = [{ idx: 0, path: "" }, { idx: 1, path: "1_Pooling" }, { idx: 2, path: "../run" }];
    writeFileSync(join(encoder, "modules.json"), JSON.stringify(modules));
    writeFileSync(join(encoder, "1_Pooling", "config.json"), "{}");
    // A link out of the base's folder would carry away what it leads to.
    writeFileSync(at("secret"), "secret");
    symlinkSync(at("secret"), join(encoder, "vocab.txt"));
    symlinkSync(join(encoder, "config.json"), join(encoder, "1_Pooling", "linked.json"));
    await adapt(encoder, { output: join(encoder, "adapted.onnx"), saveAdapter: at("no-head") });
    await fold(encoder, { adapter: at("no-head"), output: at("from-encoder") });
    assert.deepEqual(readdirSync(at("from-encoder")).sort(), ["1_Pooling", "README.md", "config.json", "modules.json", "onnx", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"]);
    assert.deepEqual(readdirSync(at("from-encoder", "1_Pooling")).sort(), ["config.json", "linked.json"]);
    assert.equal("id2label" in config("from-encoder"), false);
    assert.deepEqual(config("from-encoder")["architectures"], ["BertModel"]);
    assert.match(readFileSync(at("from-encoder", "README.md"), "utf8"), /^library_name: sentence-transformers\npipeline_tag: sentence-similarity\n/m);
    // With a head it embeds nothing any more.
    await fold(encoder, { adapter, output: at("classifier") });
    assert.equal(existsSync(at("classifier", "modules.json")), false);
  });

  it("needs no configuration beside the base", async () => {
    const bare = base("bare", readFileSync(`${DEMO}/model.onnx`), ["tokenizer.json"]);
    const notices: string[] = [];
    await fold(bare, { adapter, output: at("from-bare"), onNotice: (n) => notices.push(n) });
    assert.match(notices.join("\n"), /no config\.json with a model_type/);
    await expectSameAnswers("from-bare");
    const tokenizer = JSON.parse(readFileSync(at("from-bare", "tokenizer_config.json"), "utf8")) as unknown;
    assert.deepEqual(tokenizer, { tokenizer_class: "PreTrainedTokenizerFast", model_input_names: ["input_ids", "attention_mask", "token_type_ids"], unk_token: "[UNK]", cls_token: "[CLS]", sep_token: "[SEP]",
      pad_token: "[PAD]", mask_token: "[MASK]", model_max_length: 512 });
    assert.deepEqual(JSON.parse(readFileSync(at("from-bare", "special_tokens_map.json"), "utf8")), { unk_token: "[UNK]", cls_token: "[CLS]", sep_token: "[SEP]", pad_token: "[PAD]", mask_token: "[MASK]" });
  });

  it("keeps external data in the one file that transformers.js looks for, however many the base has", async () => {
    using demo = openModel(DEMO);
    const model = demo.load();
    const parts: Uint8Array[][] = [[], []];
    const sources = ["a", "b"].map((name): Source => ({ name, size: 0, read: () => new Uint8Array() }));
    findWeights(model.graph).forEach(({ constant, tensor }, i) => {
      const [part, source] = [parts[i % 2], sources[i % 2]];
      if (part === undefined || source === undefined) return;
      const offset = part.reduce((sum, bytes) => sum + bytes.length, 0);
      constant.initializer = new Tensor(tensor.dataType, tensor.dims, new ByteRange(source, offset, tensor.bytes().length));
      part.push(tensor.bytes());
    });
    const apart = base("apart", serialized(model, { reference: (range) => (sources.includes(range.source) ? { location: `${range.source.name}.bin`, offset: range.offset } : undefined) }));
    parts.forEach((part, i) => { writeFileSync(join(apart, `${["a", "b"][i] ?? ""}.bin`), Buffer.concat(part)); });
    await fold(apart, { adapter, output: at("from-apart") });
    assert.deepEqual(config("from-apart")["transformers.js_config"], { dtype: "fp32", use_external_data_format: { "model.onnx": 1 } });
    assert.ok(existsSync(at("from-apart", "onnx", "model.onnx_data")));
    assert.deepEqual(await expectSameAnswers("from-apart"), merged);
    assert.equal((await verify(apart, { adapter, merged: at("from-apart") })).ok, true);
  });

  it("calls the logits `logits`, in float32, whatever the base does, and verify knows", async () => {
    using classifier = openModel(at("merged"));
    const model = classifier.load();
    const [logits] = model.graph.outputs.filter((v) => v.name === "logits");
    assert.ok(logits !== undefined);
    const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test" });
    const half = op.named(op.Cast(logits, { to: DataType.FLOAT16 }), "383");
    model.graph.outputs.splice(0, Infinity, half);
    const other = base("other", serialized(model));
    const { adapter: own } = await train(other, { train: data, maxSteps: 1, batchSize: 2, output: at("other-run"), targetModules: ["v"] });
    await fold(other, { adapter: own, output: at("from-other") });
    await expectSameAnswers("from-other");
    using result = openModel(at("from-other"));
    assert.deepEqual(result.load().graph.outputs.map((v) => [v.name, v.dataType]), [["logits", DataType.FLOAT]]);
    const checked = await verify(other, { adapter: own, merged: at("from-other") });
    assert.deepEqual(checked.problems, []);
    // A file alone keeps the base's outputs.
    await fold(other, { adapter: own, output: at("other.onnx") });
    using alone = openModel(at("other.onnx"));
    assert.deepEqual(alone.load().graph.outputs.map((v) => v.name), ["383"]);
  });

  it("leaves a card alone that is not ours, and refuses a folder that holds an input", async () => {
    mkdirSync(at("kept"));
    writeFileSync(at("kept", "README.md"), "mine");
    await fold(DEMO, { adapter, output: at("kept") });
    assert.equal(readFileSync(at("kept", "README.md"), "utf8"), "mine");
    await assert.rejects(fold(at("bare"), { adapter, output: at("bare") }), { code: "OUTPUT_HOLDS_INPUT" });
    await assert.rejects(fold(DEMO, { adapter, output: at("run") }), { code: "OUTPUT_HOLDS_INPUT" });
  });
});
