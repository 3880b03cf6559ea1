/** Every reader of the product, each on the road that a verb takes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { openModel as openInMemory } from "../../src/browser.ts";
import { train } from "../../src/index.ts";
import { HutError } from "../../src/errors/hut-error.ts";
import { differences } from "../../src/ir/compare.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import type { ModelProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { inspectModel } from "../../src/runtime/inspect-model.ts";
import { loadableModel } from "../../src/runtime/loadable-model.ts";
import { deployable } from "../../src/runtime/adapted-modules.ts";
import { patternValues, targetTest } from "../../src/runtime/adapter/target-modules.ts";
import { parsePeftConfig } from "../../src/runtime/adapter/peft-config.ts";
import { readSafetensors, toFloat32 } from "../../src/runtime/adapter/safetensors.ts";
import { readCheckpoint } from "../../src/runtime/checkpoint/read-checkpoint.ts";
import { collate } from "../../src/runtime/data/collate.ts";
import { configJson } from "../../src/runtime/model-folder/config-json.ts";
import { tokenizerSettings } from "../../src/runtime/model-folder/tokenizer-config.ts";
import { findLogits } from "../../src/runtime/model-outputs.ts";
import { companions, openTokenizerFiles } from "../../src/runtime/node/base-files.ts";
import { openFileSource, readTextFile } from "../../src/runtime/node/file-source.ts";
import { isFile } from "../../src/runtime/node/folder.ts";
import { loadExamples } from "../../src/runtime/node/load-examples.ts";
import { labelsOfConfig, openConfig, problemOfConfig } from "../../src/runtime/node/model-config.ts";
import { readParameters } from "../../src/runtime/node/onnx-adapter-file.ts";
import { graftLoss } from "../../src/passes/graft-loss.ts";
import { normalizeForTraining } from "../../src/passes/normalize-for-training.ts";
import { openModel, type OpenedModel } from "../../src/runtime/node/open-model.ts";
import { RunFolder } from "../../src/runtime/node/run-folder.ts";
import { runFacts } from "../../src/runtime/node/run-facts.ts";
import { openTokenizer } from "../../src/runtime/node/open-tokenizer.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { besideCheckpoint, readState } from "../../src/runtime/node/verbs/open-trained.ts";
import { prepare, type Prepared } from "../../src/runtime/prepare.ts";
import { Random } from "../../src/runtime/random.ts";
import { joined, serialized } from "../../src/runtime/serialized.ts";
import { checkSlots, takeSlots } from "../../src/runtime/swap/slots.ts";
import { SWAPPABLE_KEY } from "../../src/runtime/swap/swappable-info.ts";
import { savesHeadBy, taskNamed, taskOfLogits } from "../../src/runtime/tasks/registry.ts";
import { ortTrainingGraphs, trainingGraph } from "../../src/runtime/training-graphs.ts";
import type { OnnxRuntime } from "../../src/runtime/session.ts";
import { mutateWords } from "./flat-words.ts";
import { drawn, PATTERNS } from "./hostile-values.ts";
import { mutateJson } from "./mutate-json.ts";
import { anyModel, nodeTestBytes } from "./onnx-trees.ts";
import { bytesOfText, chance, pick, textOfBytes, withFile, type Files, type Reader } from "./reader.ts";
import { TSV, type Seeds } from "./seeds.ts";
import { TOKENIZER } from "./small-model.ts";
import { anyJsonLines, anyTable } from "./tables.ts";

/** Texts that a tokenizer is tried on. */
const TEXTS = [["a good word"], ["Ünïcödé ΣΑΣ 你好 \u0000\u200b", "a second text"], [`${"a ".repeat(20)}${"b".repeat(30)}!`]];

/** A tokenizer with regular expressions of its own. */
const SPLITTING = bytesOfText(JSON.stringify({
  ...TOKENIZER, normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { Regex: " {2,}" }, content: " " }] },
  pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex: "'s|\\p{N}{1,3}| ?\\p{L}+|\\s+(?!\\S)|\\s+" }, behavior: "Isolated", invert: false }, { type: "Digits", individual_digits: true }] },
}));

/** Parquet by several writers and codecs. */
const PARQUET = ["hub", "pandas", "pages-2", "delta"].map((name) => new Uint8Array(readFileSync(new URL(`../../fixtures/parquet/${name}.parquet`, import.meta.url))));

/** The files that a model folder has beside the model. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

/** All readers, on these seeds. */
export function readersOf(seeds: Seeds): readonly Reader[] {
  const base = (extra: Iterable<readonly [string, Uint8Array]> = [], names: readonly string[] = [...seeds.base.keys()]): Files => new Map([...[...seeds.base].filter(([name]) => names.includes(name)), ...extra]);
  const small = openedSmall(seeds);
  const only = (name: string, all: readonly Uint8Array[]): Files[] => all.map((bytes) => new Map([[name, bytes]]));
  const nodeTests = Array.from({ length: 200 }, (_, i) => nodeTestBytes(new Random(1, i)));
  const models = only("model.onnx", [...seeds.models, ...seeds.models, ...nodeTests]).map((files) => new Map([...files, ["data.bin", new Uint8Array(64)] as const]));
  const artifacts = new Map([...seeds.artifacts]);
  const inModel = (random: Random, all: readonly Files[]): Files => withFile(pick(random, all), "model.onnx", anyModel(random, seeds.models));
  return [
    { name: "model", weight: 8, seeds: models, mutated: ["model.onnx"], structured: inModel, read: (folder) => { readModel(join(folder, "model.onnx")); } },
    { name: "model-in-memory", weight: 5, seeds: only("model.onnx", [...seeds.models, ...nodeTests]), structured: inModel, read: readInMemory },
    { name: "swappable", weight: 6, seeds: only("model.onnx", [seeds.swappable]), structured: (random) => new Map([["model.onnx", withMetadata(seeds.swappable, random)]]), read: (folder) => { readSwappable(folder, small); } },
    { name: "safetensors", weight: 14, seeds: only("a.safetensors", seeds.safetensors), structured: inHeader, read: readTensors },
    { name: "adapter-folder", weight: 10, seeds: seeds.adapters, mutated: ["adapter_config.json", "hut.json", "adapter_model.safetensors"], structured: inJson(["adapter_config.json", "hut.json"]), read: (folder) => { readAdapter(folder, small); } },
    { name: "peft-patterns", weight: 14, seeds: seeds.adapters.map((files) => new Map([...files].filter(([name]) => name === "adapter_config.json"))), structured: inPatterns, read: readPatterns },
    { name: "tokenizer", weight: 10, seeds: [base([], [...TOKENIZER_FILES, "model.onnx"]), ...[seeds.roberta, SPLITTING].map((bytes) => withFile(base([], [...TOKENIZER_FILES, "model.onnx"]), "tokenizer.json", bytes))], mutated: TOKENIZER_FILES, structured: inJson(TOKENIZER_FILES), read: (folder) => { readTokenizer(folder, small); } },
    { name: "config", weight: 10, seeds: [base([], ["model.onnx", "config.json", "modules.json", "1_Pooling/config.json"])], mutated: ["config.json", "modules.json"], structured: inJson(["config.json", "modules.json"]), read: readConfig },
    { name: "manifest", weight: 12, seeds: [artifacts], mutated: ["manifest.json"], structured: inJson(["manifest.json"]), read: (folder) => { readTheta(folder, small); } },
    { name: "theta", weight: 3, seeds: [artifacts], mutated: ["theta.bin"], read: (folder) => { readTheta(folder, small); } },
    { name: "checkpoint", weight: 14, seeds: [...seeds.checkpoints, artifacts.get("checkpoint") ?? new Uint8Array()].map((bytes) => new Map([...[...artifacts].filter(([name]) => name.startsWith("adapter")), ["checkpoint", bytes], ["checkpoint.data", new Uint8Array(512)]])), mutated: ["checkpoint", "checkpoint.data"], structured: inWords("checkpoint"), read: (folder) => { readTrained(folder, small); } },
    { name: "onnx-adapter", weight: 14, seeds: only("a.onnx_adapter", seeds.onnxAdapters), structured: inWords("a.onnx_adapter"), read: (folder) => { readOnnxAdapter(folder, small); } },
    { name: "run-folder", weight: 5, seeds: [base([...prefixed("run", seeds.run), ["train.tsv", bytesOfText(TSV)]], ["model.onnx", "tokenizer.json", "config.json"])],
      mutated: ["run/run.json", "run/metrics.jsonl", "run/all_results.json", "run/checkpoint-2/trainer_state.json", "run/checkpoint-2/state.safetensors"], structured: inJson(["run/run.json", "run/run.json", "run/all_results.json", "run/checkpoint-2/trainer_state.json"]), writes: true, read: readRun },
    ...["tsv", "csv", "jsonl"].map((ending): Reader => ({
      name: `data-${ending}`, weight: 7, seeds: [dataSeed(ending), ...(ending === "jsonl" ? [bytesOfText('{"input_ids":[2,5,3],"attention_mask":[1,1,1],"label":1}\n{"input_ids":[2,3],"attention_mask":[1,1],"label":0}\n')] : [])]
        .map((bytes) => base([[`data.${ending}`, bytes]], ["model.onnx", "tokenizer.json", "tokenizer_config.json"])), mutated: [`data.${ending}`],
      structured: (random, all) => withFile(pick(random, all), `data.${ending}`, ending === "jsonl" ? anyJsonLines(random) : anyTable(ending === "csv" ? "," : "\t", random)),
      read: (folder) => { readData(folder, `data.${ending}`, small); },
    })),
    { name: "data-parquet", weight: 7, seeds: PARQUET.map((bytes) => base([["data.parquet", bytes]], ["model.onnx", "tokenizer.json", "tokenizer_config.json"])), mutated: ["data.parquet"], structured: inWords("data.parquet"), read: (folder) => { readData(folder, "data.parquet", small); } },
  ];
}

/** The small model, for readers of what belongs to it. */
interface Small {
  readonly load: () => Model;
  readonly prepared: Prepared;
  readonly swappable: Uint8Array;
}

function openedSmall(seeds: Seeds): Small {
  const { load } = loadableModel(memorySource("model.onnx", seeds.base.get("model.onnx") ?? new Uint8Array()));
  return { load, prepared: prepare(load(), { rank: 2, saveHead: true }), swappable: seeds.swappable };
}

/** inspect, then what adapt and artifacts make of it: each refuses for itself. */
function readModel(path: string): void {
  using opened = openModel(path);
  const { weights } = inspectModel(opened, opened.path);
  const targetModules = weights.length === 0 ? ["q"] : [weights[0]?.modulePath ?? weights[0]?.name ?? "q"];
  const model = opened.loadInlined();
  const logits = findLogits(model.graph);
  const options = { targetModules, rank: 1, saveHead: savesHeadBy(model.graph, logits) };
  const task = taskOfLogits(model.graph, logits, null) ?? taskNamed();
  const fresh = (): Prepared => prepare(opened.load(), options);
  stages([
    () => { serialized(opened.load()); },
    () => { copyAsRead(opened); },
    () => { serialized(deployable(prepare(opened.loadInlined(), { ...options, targetModules: ["all-linear"] }))); },
    () => { serialized(deployable(prepare(opened.loadInlined(), { ...options, head: "mean", numLabels: 2 }))); },
    () => { for (const kind of ["step", "eval"] as const) serialized(trainingGraph(kind, task, fresh)); },
    () => { graftOntoItself(opened); },
    () => { ortTrainingGraphs(task, fresh, { optimizer: "adamw", weightDecay: 0, maxGradNorm: 1, frozenInputs: true }); },
  ]);
}

/** Copies of what nobody changed say what the encoder says. */
function copyAsRead(opened: OpenedModel): void {
  const proto = modelToProto(opened.load());
  const written = (copies: boolean): ModelProto => decodeModel(memorySource("saved", joined(encodeModel(proto, { copies }).chunks.map(readBytes))));
  const [difference] = differences(written(false), written(true));
  if (difference !== undefined) throw new TypeError(`a copy differs: ${difference}`);
}

/** A loss of one's own is read as any model; here every input is one that the model has, so that the whole of it is grafted. */
function graftOntoItself(opened: OpenedModel): void {
  const [model, loss] = [opened.load(), opened.loadInlined()];
  normalizeForTraining(loss);
  const [logits, first] = [model.graph.inputs[0], loss.graph.inputs[0]];
  if (logits === undefined || first === undefined) return;
  first.name = "logits";
  for (const output of loss.graph.outputs.slice(0, 1)) output.name = "loss";
  serialized(model);
  graftLoss(model, { loss, file: "loss.onnx", logits, labels: logits.dataType });
  serialized(model);
}

/** Runs each; a refusal of one doesn't keep the others from running. The first is thrown at the end where all refused. */
function stages(all: readonly (() => void)[]): void {
  const refused: HutError[] = [];
  for (const stage of all) {
    try {
      stage();
    } catch (error) {
      if (!(error instanceof HutError)) throw error;
      refused.push(error);
    }
  }
  if (refused[0] !== undefined && refused.length === all.length) throw refused[0];
}

/** Reading and choosing run no graph. */
const NO_RUNTIME = {} as OnnxRuntime;

function readInMemory(folder: string): void {
  const model = openInMemory(NO_RUNTIME, { model: bytesAt(folder, "model.onnx"), externalData: { "data.bin": new Uint8Array(64) } });
  const { weights } = model.inspect();
  model.adapt({ targetModules: [weights[0]?.modulePath ?? "q"], rank: 1 });
}

function readSwappable(folder: string, { prepared }: Small): void {
  using source = openFileSource(join(folder, "model.onnx"));
  const slots = takeSlots(loadModel(source), source.name);
  const parameters = new Map(prepared.trainables.map((t) => [t.name, { shape: t.shape, data: t.start }]));
  checkSlots(slots, slots.ofParameters(parameters, "the adapter"), "the adapter");
}

function readTensors(folder: string): void {
  using source = openFileSource(join(folder, "a.safetensors"));
  for (const [name, tensor] of readSafetensors(source)) toFloat32(tensor, source.name, name);
}

function readAdapter(folder: string, { load, swappable }: Small): void {
  const adapter = openAdapter(folder);
  if (adapter === undefined) return;
  stages([
    () => { prepare(load(), { adapter, saveHead: true }); },
    () => { const slots = takeSlots(loadModel(memorySource("swappable", swappable)), "swappable"); checkSlots(slots, slots.ofFolder(adapter.contents, folder), folder); },
  ]);
}

const PATHS = ["model.layers.0.self_attn.q_proj", "base_model.model.bert.encoder.layer.11.attention.self.query", "a".repeat(200), `${"a.".repeat(100)}q`, "classifier", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"];

function readPatterns(folder: string): void {
  const { config, rule } = parsePeftConfig(readTextFile(join(folder, "adapter_config.json"), 2 ** 24), "adapter_config.json");
  const isTarget = targetTest(rule);
  const rankOf = patternValues(config.rankPattern, config.rank);
  for (const path of PATHS) rankOf(isTarget(path) ? path : `${path}.x`);
}

function readTokenizer(folder: string, { load }: Small): void {
  const model = join(folder, "model.onnx");
  const tokenizer = openTokenizer(model);
  stages([
    () => { for (const texts of TEXTS) tokenizer?.encode(texts, Math.min(tokenizer.maxLength ?? 16, 16)); },
    () => { JSON.stringify([...tokenizerSettings(openTokenizerFiles(model), load().graph, taskNamed())]); },
  ]);
}

function readConfig(folder: string): void {
  const model = join(folder, "model.onnx");
  stages([
    () => { const problem = problemOfConfig(model) ?? "single"; JSON.stringify(configJson(openConfig(model), { labels: labelsOfConfig(model), problem, hasNewHead: false, graph: { file: "model.onnx", dataFiles: 1 }, standInType: "bert", known: {} })); },
    () => { companions(model, true); },
  ]);
}

function readTheta(folder: string, { prepared }: Small): void {
  const file = join(folder, "theta.bin");
  const { adapter, manifest } = besideCheckpoint(file, undefined);
  readState(file, prepared, adapter, manifest);
}

function readTrained(folder: string, { prepared }: Small): void {
  const file = join(folder, "checkpoint");
  using external = isFile(`${file}.data`) ? openFileSource(`${file}.data`) : undefined;
  const { trainable, frozen, optimizer } = readCheckpoint(bytesAt(folder, "checkpoint"), file, external);
  for (const { data } of [...trainable, ...frozen, ...[...optimizer?.moments.values() ?? []].flatMap((own) => [...own.values()])]) readBytes(data);
  const { adapter, manifest } = besideCheckpoint(file, undefined);
  readState(file, prepared, adapter, manifest);
}

function readOnnxAdapter(folder: string, { load, swappable }: Small): void {
  const file = join(folder, "a.onnx_adapter");
  const parameters = readParameters(file);
  stages([
    () => { const slots = takeSlots(loadModel(memorySource("swappable", swappable)), "swappable"); checkSlots(slots, slots.ofParameters(parameters, file), file); },
    () => { prepare(load(), { adapter: openAdapter(file), saveHead: true }); },
  ]);
}

async function readRun(folder: string): Promise<void> {
  const output = join(folder, "run");
  const run = new RunFolder(output);
  runFacts(join(output, "adapter"));
  run.log.losses();
  run.log.evaluationAt(2);
  run.readResults();
  // Files that the settings name are looked for where the process stands.
  const before = process.cwd();
  process.chdir(folder);
  try {
    await train(join(folder, "model.onnx"), { output, resume: true, dryRun: true });
  } finally {
    process.chdir(before);
    run.log.truncate(1, true);
  }
}

function readData(folder: string, file: string, { load }: Small): void {
  const graph = load().graph;
  const path = join(folder, file);
  const { examples, inputs, padding } = loadExamples({ task: taskNamed(), file: path, modelPath: join(folder, "model.onnx"), graph, labels: "required", numLabels: 2 });
  collate(examples, examples.slice(0, 4).map((_, i) => i), inputs, padding);
  loadExamples({ task: taskNamed(), file: path, modelPath: join(folder, "model.onnx"), graph, labels: "none", numLabels: 2 });
}

function dataSeed(ending: string): Uint8Array {
  if (ending === "tsv") return bytesOfText(TSV);
  const rows = TSV.trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
  if (ending === "csv") return bytesOfText(`sentence,label\n${rows.map(([text = "", label = ""]) => `"${text}",${label}\n`).join("")}`);
  return bytesOfText(`${rows.map(([sentence, label]) => JSON.stringify({ sentence, label: Number(label) })).join("\n")}\n`);
}

/** One of these files changed as JSON, at times another one too. */
function inJson(names: readonly string[]): (random: Random, seeds: readonly Files[]) => Files {
  return (random, seeds) => {
    const files = pick(random, seeds);
    const chosen = random.shuffle(names.filter((name) => files.has(name))).slice(0, chance(random, 0.85) ? 1 : 2);
    return new Map([...files, ...chosen.map((name) => [name, mutateJson(textOfBytes(files.get(name)), random)] as const)]);
  };
}

/** The header changed as JSON, its length told right, mostly. */
function inHeader(random: Random, seeds: readonly Files[]): Files {
  const bytes = pick(random, seeds).get("a.safetensors") ?? new Uint8Array();
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = mutateJson(textOfBytes(bytes.subarray(8, 8 + length)), random);
  const made = new Uint8Array(8 + header.length + bytes.length - 8 - length);
  new DataView(made.buffer).setBigUint64(0, chance(random, 0.95) ? BigInt(header.length) : pick(random, [0n, 1n, 2n ** 64n - 1n, 2n ** 63n, BigInt(made.length)]), true);
  made.set(header, 8);
  made.set(bytes.subarray(8 + length), 8 + header.length);
  return new Map([["a.safetensors", made]]);
}

function inWords(name: string): (random: Random, seeds: readonly Files[]) => Files {
  return (random, seeds) => {
    const files = pick(random, seeds);
    return withFile(files, name, mutateWords(files.get(name) ?? new Uint8Array(), random));
  };
}

const PATTERN = fc.oneof(fc.constantFrom(...PATTERNS), fc.array(fc.constantFrom("a", "b", "q", "_proj", ".", "\\.", "*", "+", "?", "(", ")", "|", "[", "]", "^", "$", "{1,3}", "{", "}", "\\d", "\\w", "(?:", "(?=", "[^.]", "-", "é", "{100000}", "(?i)"), { maxLength: 14 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }));

/** Patterns where a configuration may have them. */
function inPatterns(random: Random, seeds: readonly Files[]): Files {
  const files = pick(random, seeds);
  const config = JSON.parse(textOfBytes(files.get("adapter_config.json"))) as Record<string, unknown>;
  const pattern = (): string => drawn(PATTERN, random);
  const table = (): Record<string, number> => Object.fromEntries(Array.from({ length: random.below(3) }, () => [pattern(), random.below(5)]));
  const made = { ...config, target_modules: chance(random, 0.7) ? pattern() : [pattern(), "q"], rank_pattern: table(), ...(chance(random, 0.3) ? { exclude_modules: pattern() } : {}), ...(chance(random, 0.2) ? { layers_to_transform: [0], layers_pattern: pattern() } : {}) };
  return withFile(files, "adapter_config.json", bytesOfText(JSON.stringify(made)));
}

/** The swappable graph, what its metadata say of its inputs changed as JSON. */
function withMetadata(bytes: Uint8Array, random: Random): Uint8Array {
  const model = loadModel(memorySource("swappable", bytes));
  model.metadata.set(SWAPPABLE_KEY, textOfBytes(mutateJson(model.metadata.get(SWAPPABLE_KEY) ?? "{}", random)));
  return serialized(model);
}

function prefixed(folder: string, files: Files): [string, Uint8Array][] {
  return [...files].map(([name, bytes]) => [`${folder}/${name}`, bytes]);
}

function bytesAt(folder: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)));
}
