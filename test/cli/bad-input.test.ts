/** The real verbs on wrong input: one clear sentence, the right exit code, nothing half-written. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/run-cli.ts";
import { withoutTimes } from "../runtime/node/run-log.ts";
import * as verbs from "../../src/index.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { nodeProto, stringStringEntryProto, tensorProto } from "../../src/ir/proto/generated/schema.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { Captured } from "./run.ts";

const BERT = "fixtures/cases/bert";
const DEMO = "fixtures/demo";

interface Ended { readonly code: number; readonly out: string; readonly err: string }

async function hut(words: readonly string[], signals: EventEmitter = new EventEmitter()): Promise<Ended> {
  const [stdout, stderr] = [new Captured(), new Captured()];
  const code = await runCli(words, { verbs, stdout, stderr, signals, version: "test", exit: () => undefined });
  return { code, out: stdout.text, err: stderr.text };
}

describe("wrong input to the real verbs", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-bad-"));
    copyFileSync(join(BERT, "model.ts.onnx"), at("model.onnx"));
    copyFileSync(join(BERT, "batch.jsonl"), at("batch.jsonl"));
  });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  /** Runs, and checks that it ends with one sentence, as text and as --json, that matches, and that the folder's files stay as they are. */
  async function refuses(words: readonly string[], exitCode: number, code: string, sentence: RegExp): Promise<void> {
    const before = listing(folder);
    const plain = await hut(words);
    assert.match(plain.err, sentence);
    assert.equal(plain.err.trim().split("\n").filter((l) => !l.startsWith("note:")).length, 1, `one line: ${plain.err}`);
    assert.doesNotMatch(plain.err, /\n\s+at /, "no stack trace");
    assert.equal(plain.code, exitCode, plain.err);
    const json = await hut([...words, "--json"]);
    assert.equal(json.code, exitCode);
    const { error } = JSON.parse(json.out) as { error: { code: string; message: string } };
    assert.equal(error.code, code);
    assert.deepEqual(listing(folder), before, "no file was written or changed");
  }

  const train = (model: string, ...more: string[]): string[] => ["train", at(model), "--train", at("batch.jsonl"), "-o", at("run"), ...more];

  it("not an ONNX file", async () => {
    writeFileSync(at("page.onnx"), "<!DOCTYPE html><html><body>Not found</body></html>");
    await refuses(["inspect", at("page.onnx")], 1, "NOT_AN_ONNX_FILE", /is not an ONNX model: it looks like/);
    await refuses(["adapt", at("page.onnx"), "-o", at("a.onnx")], 1, "NOT_AN_ONNX_FILE", /is not an ONNX model/);
    writeFileSync(at("empty.onnx"), "");
    await refuses(["inspect", at("empty.onnx")], 1, "NOT_AN_ONNX_FILE", /is not an ONNX model/);
  });

  it("a truncated one", async () => {
    const whole = readFileSync(at("model.onnx"));
    writeFileSync(at("cut.onnx"), whole.subarray(0, whole.length / 2));
    await refuses(["adapt", at("cut.onnx"), "-o", at("a.onnx")], 1, "TRUNCATED_MODEL", /is cut short/);
  });

  it("a missing external file, and one that leads out of the folder", async () => {
    const external = (location: string): Uint8Array => {
      const model = decodeModel(memorySource("m", new Uint8Array(readFileSync(at("model.onnx")))));
      const [first, ...others] = model.graph?.initializer ?? [];
      assert.ok(first !== undefined && model.graph !== undefined);
      const entry = (key: string, value: string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value });
      model.graph.initializer = [tensorProto({ name: first.name, dims: first.dims, dataType: first.dataType, dataLocation: 1, externalData: [entry("location", location)] }), ...others];
      return Buffer.concat(encodeModel(model).chunks.map(readBytes));
    };
    writeFileSync(at("external.onnx"), external("weights.bin"));
    await refuses(["inspect", at("external.onnx")], 1, "EXTERNAL_DATA_MISSING", /keeps weights in "weights\.bin", and there is no file/);
    writeFileSync(at("escape.onnx"), external("../secret"));
    await refuses(["inspect", at("escape.onnx")], 1, "UNSAFE_EXTERNAL_LOCATION", /must be a file in the model's folder/);
  });

  it("no weight matches --target-modules: the nearest names are shown", async () => {
    await refuses(["adapt", at("model.onnx"), "-o", at("a.onnx"), "--target-modules", "q,quary"], 1, "NO_WEIGHT_MATCHES", /No weight matches "quary".*nearest names are .*"query"/);
  });

  it("a rank of 0, and over min(k, n)", async () => {
    await refuses(["adapt", at("model.onnx"), "-o", at("a.onnx"), "--rank", "0"], 2, "NUMBER_WRONG", /--rank must be a whole number of at least 1/);
    await refuses(["adapt", at("model.onnx"), "-o", at("a.onnx"), "--rank", "65"], 1, "RANK_OUT_OF_RANGE", /rank 65 doesn't fit .*\[64, 64\].*from 1 to 64/);
  });

  it("labels outside the range", async () => {
    const lines = readFileSync(at("batch.jsonl"), "utf8").trim().split("\n");
    writeFileSync(at("batch.jsonl"), [...lines.slice(0, 2), (lines[2] ?? "").replace(/"label": \d/, '"label": 7')].join("\n"));
    await refuses(train("model.onnx"), 1, "LABEL_OUT_OF_RANGE", /batch\.jsonl.*line 3.*7/);
  });

  it("an empty data file, and one with a header alone", async () => {
    writeFileSync(at("batch.jsonl"), "");
    await refuses(train("model.onnx"), 1, "DATA_EMPTY", /batch\.jsonl.*empty/i);
    cpSync(DEMO, at("demo"), { recursive: true });
    writeFileSync(at("train.tsv"), "sentence\tlabel\n");
    await refuses(["train", at("demo"), "--head", "mean", "--num-labels", "2", "--train", at("train.tsv"), "-o", at("run")], 1, "DATA_NO_ROWS", /train\.tsv/);
  });

  it("a missing column: the columns there are named", async () => {
    writeFileSync(at("batch.jsonl"), '{"input_ids": [1, 2], "attention_mask": [1, 1], "sentiment": 1}\n');
    await refuses(train("model.onnx"), 1, "DATA_COLUMN_MISSING", /"input_ids", "attention_mask" and "sentiment"/);
  });

  it("an adapter of another base model: other shapes, other values, other modules", async () => {
    await refuses(["fold", DEMO, "--adapter", join(BERT, "adapter"), "-o", at("m.onnx")], 1, "ADAPTER_SHAPE_MISMATCH", /is for another base model/);
    await refuses(["fold", at("model.onnx"), "--adapter", "fixtures/cases/roberta/adapter", "-o", at("m.onnx")], 1, "ADAPTER_MODULE_MISSING", /trained on another base model/);
    const made = await hut(["adapt", at("model.onnx"), "-o", at("a.onnx"), "--save-adapter", at("adapter")]);
    assert.equal(made.code, 0, made.err);
    const model = decodeModel(memorySource("m", new Uint8Array(readFileSync(at("model.onnx")))));
    const weight = model.graph?.initializer.find((t) => t.name === "onnx::MatMul_376");
    assert.ok(weight?.rawData !== undefined);
    weight.rawData = readBytes(weight.rawData).map((b, i) => (i % 4 === 3 ? b ^ 1 : b));
    writeFileSync(at("other.onnx"), Buffer.concat(encodeModel(model).chunks.map(readBytes)));
    await refuses(["fold", at("other.onnx"), "--adapter", at("adapter"), "-o", at("m.onnx")], 1, "ADAPTER_BASE_MISMATCH", /was trained on other weights.*--force/);
    assert.equal((await hut(["fold", at("other.onnx"), "--adapter", at("adapter"), "-o", at("m.onnx"), "--force"])).code, 0);
  });

  it("an operator without a gradient on the path: named, and inspect shows it beforehand", async () => {
    const model = decodeModel(memorySource("m", new Uint8Array(readFileSync(at("model.onnx")))));
    assert.ok(model.graph !== undefined);
    const tanh = model.graph.node.find((n) => n.opType === "Tanh");
    assert.ok(tanh !== undefined);
    model.graph.node = model.graph.node.map((n) => (n === tanh ? nodeProto({ ...n, opType: "Det", name: "the_culprit" }) : n));
    writeFileSync(at("det.onnx"), Buffer.concat(encodeModel(model).chunks.map(readBytes)));
    await refuses(train("det.onnx"), 1, "NO_GRADIENT", /No gradient rule for Det, node "the_culprit".*MatMul/);
    const { code, out } = await hut(["inspect", at("det.onnx"), "--json"]);
    assert.equal(code, 0);
    const { withoutGradient } = JSON.parse(out) as { withoutGradient: { node: string; op: string; path: string[] }[] };
    assert.deepEqual(withoutGradient.map(({ node, op }) => [node, op]), [["the_culprit", "Det"]]);
    assert.ok((withoutGradient[0]?.path.length ?? 0) > 2);
  });

  it("an output path that can't be written", async () => {
    await refuses(["adapt", at("model.onnx"), "-o", at("missing", "a.onnx")], 1, "OUTPUT_FOLDER_MISSING", /there is no folder/);
    mkdirSync(at("taken.onnx"));
    await refuses(["adapt", at("model.onnx"), "-o", at("taken.onnx")], 1, "OUTPUT_IN_THE_WAY", /can't be written: it is a folder/);
    writeFileSync(at("file"), "");
    await refuses(train("model.onnx", "--max-steps", "1").map((w) => (w === at("run") ? at("file", "run") : w)), 1, "FOLDER_UNMAKABLE", /can't be made/);
  });

  it("an output that is an input, also through a link", async () => {
    await refuses(["adapt", at("model.onnx"), "-o", at("model.onnx")], 2, "OUTPUT_IS_INPUT", /is the input/);
    symlinkSync(at("model.onnx"), at("link.onnx"));
    await refuses(["fold", at("model.onnx"), "--adapter", join(BERT, "adapter"), "-o", at("link.onnx")], 2, "OUTPUT_IS_INPUT", /under another name/);
  });

  it("no logits and no --head", async () => {
    await refuses(["train", DEMO, "--train", join(DEMO, "train.tsv"), "-o", at("run")], 1, "NO_LOGITS", /outputs are last_hidden_state.*--head mean --num-labels N/);
    await refuses(["train", DEMO, "--head", "mean", "--train", join(DEMO, "train.tsv"), "-o", at("run")], 2, "NUM_LABELS_MISSING", /--num-labels/);
  });

  it("a tokenizer whose ids the embedding doesn't have", async () => {
    writeFileSync(at("batch.jsonl"), '{"input_ids": [1, 4000], "attention_mask": [1, 1], "label": 1}\n');
    await refuses(train("model.onnx"), 1, "TOKEN_BEYOND_VOCABULARY", /token id 4000.*400 rows/);
  });

  it("Ctrl-C in mid-training leaves a checkpoint; --resume ends with the bytes of an undisturbed run", async () => {
    cpSync(DEMO, at("demo"), { recursive: true });
    const words = (run: string): string[] => ["train", at("demo"), "--head", "mean", "--num-labels", "2", "--train", at("demo", "train.tsv"), "-o", at(run), "--max-steps", "14", "--batch-size", "8", "--threads", "1", "--quiet"];
    assert.equal((await hut(words("whole"))).code, 0);

    const signals = new EventEmitter();
    const watch = setInterval(() => { if (existsSync(at("broken", "metrics.jsonl")) && readFileSync(at("broken", "metrics.jsonl"), "utf8").split("\n").length > 4) signals.emit("SIGINT"); }, 1);
    const stopped = await hut(words("broken"), signals);
    clearInterval(watch);
    assert.equal(stopped.code, 130);
    assert.ok(!existsSync(at("broken", "adapter")), "no adapter of a run that isn't done");
    const [checkpoint, ...others] = readdirSync(at("broken")).filter((n) => n.startsWith("checkpoint-"));
    assert.equal(others.length, 0);
    assert.ok(checkpoint !== undefined && Number(checkpoint.split("-")[1]) < 14, checkpoint);

    const again = await hut(["train", at("demo"), "-o", at("broken"), "--resume", "--lr", "1", "--quiet"]);
    assert.equal(again.code, 2, "a flag that contradicts the run");
    const resumed = await hut(["train", at("demo"), "-o", at("broken"), "--resume", "--threads", "1", "--quiet"]);
    assert.equal(resumed.code, 0, resumed.err);
    for (const name of ["adapter/adapter_model.safetensors", "adapter/adapter_config.json", "adapter/hut.json"]) {
      assert.ok(readFileSync(at("whole", name)).equals(readFileSync(at("broken", name))), name);
    }
    const log = (run: string): string[] => withoutTimes(readFileSync(at(run, "metrics.jsonl"), "utf8"));
    assert.deepEqual(log("broken"), log("whole"));
    const refused = await hut(words("whole"));
    assert.equal(refused.code, 2);
    assert.match(refused.err, /holds a run already.*--resume.*--overwrite/);
  });
});

/** Every file below a folder with its size and time. */
function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${String(size)} ${String(mtimeMs)}`;
  }).filter((line) => !/^run\b/.test(line));
}
