/** Small sound files of every kind, made by the verbs from the smallest model, and some of others from fixtures/. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { adapt, artifacts } from "../../src/index.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { readBytes } from "../../src/ir/source.ts";
import { parameterCount } from "../../src/passes/build-step.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { RunFolder } from "../../src/runtime/node/run-folder.ts";
import { initialTheta, prepare } from "../../src/runtime/prepare.ts";
import { joined } from "../../src/runtime/serialized.ts";
import { NOTHING_YET } from "../../src/runtime/run-control.ts";
import { initialState } from "../../src/runtime/trainer.ts";
import { everything } from "../ir/everything.ts";
import { bytesOfText, type Files } from "./reader.ts";
import { smallModelBytes, TOKENIZER, TOKENIZER_CONFIG } from "./small-model.ts";

/** The seeds by what they are. */
export interface Seeds {
  /** A model's folder: model.onnx, tokenizer and config files, modules.json. */
  readonly base: Files;
  /** The small model that was adapted, with adapter inputs, with everything that a file may hold, Olive's. */
  readonly models: readonly Uint8Array[];
  /** adapter_config.json, adapter_model.safetensors, hut.json, README.md; PEFT's own without hut.json, HiRA and LoRA. */
  readonly adapters: readonly Files[];
  /** What `artifacts` writes, both formats: manifest.json, theta.bin, checkpoint, adapter/. */
  readonly artifacts: Files;
  /** The same with a checkpoint whose numbers lie in its second file, and with AdamW's moments. */
  readonly checkpoints: readonly Uint8Array[];
  readonly onnxAdapters: readonly Uint8Array[];
  readonly swappable: Uint8Array;
  /** run.json, metrics.jsonl, checkpoint-2/, train.tsv, beside the model. */
  readonly run: Files;
  readonly safetensors: readonly Uint8Array[];
  /** A byte-level tokenizer.json. */
  readonly roberta: Uint8Array;
}

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(join(FIXTURES, name)));
const json = (value: unknown): Uint8Array => bytesOfText(JSON.stringify(value));

/** Records for the small model. */
export const TSV = "sentence\tlabel\na good word\t1\na bad word .\t0\nlong words\t1\n";

/** What a stranger's config.json says. */
const CONFIG = { model_type: "bert", id2label: { 0: "bad", 1: "good" }, label2id: { bad: 0, good: 1 }, problem_type: "single_label_classification", "transformers.js_config": { dtype: "fp32" }, architectures: ["BertForSequenceClassification"] };
const MODULES = [{ idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" }, { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" }];

/** Makes them in a folder of their own, which is gone afterwards. */
export async function makeSeeds(): Promise<Seeds> {
  const folder = mkdtempSync(join(tmpdir(), "hut-seeds-"));
  const at = (...names: string[]): string => join(folder, ...names);
  try {
    const base: Files = new Map([
      ["model.onnx", smallModelBytes()], ["tokenizer.json", json(TOKENIZER)], ["tokenizer_config.json", json(TOKENIZER_CONFIG)], ["special_tokens_map.json", json({ pad_token: "[PAD]", cls_token: { content: "[CLS]" } })],
      ["config.json", json(CONFIG)], ["modules.json", json(MODULES)], ["1_Pooling/config.json", json({ pooling_mode_mean_tokens: true })],
    ]);
    for (const [name, bytes] of base) write(at(name), bytes);
    const model = at("model.onnx");
    await artifacts(model, { output: at("artifacts"), format: ["step", "ort-training"], rank: 2, embed: true });
    await adapt(model, { output: at("adapted.onnx"), saveAdapter: at("start"), rank: 2, embed: true });
    await adapt(model, { output: at("swappable.onnx"), saveAdapter: at("start.onnx_adapter"), swappable: true, rank: 2, embed: true });
    return {
      base, swappable: read(at("swappable.onnx")),
      models: [read(model), read(at("adapted.onnx")), read(at("swappable.onnx")), joined(encodeModel(everything()).chunks.map(readBytes)), fixture("onnx-adapter/olive.onnx")],
      adapters: [filesOf(at("start")), folderOf("cases/bert/adapter"), folderOf("cases/llama/adapter")],
      artifacts: new Map([...filesOf(at("artifacts"))].filter(([name]) => !name.endsWith(".onnx"))),
      checkpoints: ["checkpoint", "checkpoint-sgd", "checkpoint-with-moments", "checkpoint-external"].map((name) => fixture(`ort-training/${name}`)),
      onnxAdapters: [read(at("start.onnx_adapter")), fixture("onnx-adapter/olive.onnx_adapter"), fixture("onnx-adapter/half.onnx_adapter")],
      run: runFolder(model, at("run")), safetensors: [read(at("start", "adapter_model.safetensors")), fixture("cases/vit/adapter/adapter_model.safetensors")], roberta: fixture("tokenizer/roberta-tokenizer.json"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run as `train` leaves it when it is interrupted after two steps. Paths in it are beside the folder that is read. */
function runFolder(model: string, folder: string): Files {
  using opened = openModel(model);
  const { trainables } = prepare(opened.load(), { saveHead: true, rank: 2, targetModules: ["q", "v"] });
  const run = new RunFolder(folder);
  mkdirSync(folder);
  run.begin({ settings: { task: "text-classification", train: "train.tsv", batchSize: 2, maxSeqLength: 16, epochs: 2, lr: 1e-3, weightDecay: 0, maxGradNorm: 1, lrScheduler: "linear", warmupRatio: 0.06, shuffle: true, seed: 0, method: "hut", rank: 2, targetModules: ["q", "v"] },
    versions: { node: "20" } });
  run.log.append({ step: 1, epoch: 0.5, loss: 0.7, grad_norm: 1, learning_rate: 1e-3 });
  run.log.append({ step: 2, epoch: 1, loss: 0.6, grad_norm: 1, learning_rate: 5e-4 });
  run.log.append({ step: 2, epoch: 1, eval_loss: 0.6, eval_accuracy: 0.5 });
  run.writeResults({ eval_loss: 0.6, eval_accuracy: 0.5, train_runtime: 1, steps: 2 });
  run.saveCheckpoint({ ...initialState(initialTheta(trainables).subarray(0, parameterCount(trainables))), step: 2 }, NOTHING_YET, 1);
  return filesOf(folder);
}

/** An adapter of fixtures/, its tensors left small. */
function folderOf(name: string): Files {
  return new Map([...filesOf(join(FIXTURES, name))].filter(([file]) => file.startsWith("adapter_")));
}

function filesOf(folder: string): Files {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map((entry) => join(entry.parentPath, entry.name)).sort().map((file) => [relative(folder, file), read(file)]));
}

function read(file: string): Uint8Array {
  return new Uint8Array(readFileSync(file));
}

function write(file: string, bytes: Uint8Array): void {
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
