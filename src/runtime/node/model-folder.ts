/** A folded model as a folder in Hugging Face's layout: config, tokenizer files and a model card beside `onnx/model.onnx`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { dataTypeName, DataType } from "../../ir/data-type.ts";
import { everyNode } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";
import { parameterCount } from "../../passes/build-step.ts";
import { arePresented } from "../../passes/present-logits.ts";
import { configJson } from "../model-folder/config-json.ts";
import { isOurCard, modelCard } from "../model-folder/model-card.ts";
import { specialTokens, tokenizerConfig } from "../model-folder/tokenizer-config.ts";
import { statedLength } from "../data/tokenizer.ts";
import type { OpenedAdapter, Prepared } from "../prepare.ts";
import { inputSpecs, vocabularySize } from "../task-inputs.ts";
import { classNames, type Problem } from "../tasks/problem-type.ts";
import { taskNamed, taskOf } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { ensureFolder } from "./folder.ts";
import { longestSequence, longestText } from "./load-examples.ts";
import { companionFile, labelsOfConfig, openConfig, problemOfConfig } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";
import { runFacts } from "./run-facts.ts";
import { readJson } from "./tokenizer-files.ts";

/** The graph's place in the folder. */
export const GRAPH_FILE = join("onnx", "model.onnx");

/** Files that travel with a model as they are. */
const COMPANIONS = [
  "tokenizer.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
  "chat_template.jinja", "generation_config.json", "preprocessor_config.json", "processor_config.json",
];
/** What makes an embedding model's folder one of sentence-transformers, beside the folders that modules.json names. */
const EMBEDDING_COMPANIONS = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"];
const CARD = "README.md";

/** What a folder is made of. */
export interface FoldedParts {
  readonly output: string;
  readonly opened: OpenedModel;
  readonly prepared: Prepared;
  readonly trained: OpenedAdapter;
  /** The adapter's own folder; undefined where a checkpoint gave the numbers, which its run folder knows nothing of. */
  readonly adapter: string | undefined;
}

/** A model folder, read and put together, and not yet written. */
export interface ModelFolder {
  /** What doesn't go without saying. */
  readonly notes: readonly string[];
  /** Writes everything but the graph, whose files are given; config.json comes last. Returns the bytes written. */
  write(graphFiles: readonly string[]): number;
}

/** Reads what the base and the run folder have to give. Throws JSON_BROKEN. */
export function modelFolder({ output, opened, prepared, trained, adapter }: FoldedParts): ModelFolder {
  const { graph } = prepared.model;
  const { hut, taskType, baseModel, targetModules, modulesToSave } = trained.contents;
  const { logits } = prepared;
  const task = taskOf(graph, logits, taskType);
  const classes = task?.answer === undefined ? undefined : logits?.shape?.at(-1);
  const problem = problemOfConfig(opened.path);
  const labels = typeof classes === "number" ? classNames(classes, hut?.id2label ?? labelsOfConfig(opened.path)) : undefined;
  const config = openConfig(opened.path);
  const copied = new Map([...companions(opened.path, COMPANIONS), ...(logits === undefined ? embeddingFiles(opened.path) : [])]);
  const positions = longestSequence(graph);
  const known = { vocab_size: vocabularySize(graph), ...(Number.isFinite(positions) ? { max_position_embeddings: positions } : {}) };
  // What decodes its own weight is one kernel however sessions are made.
  const decodes = everyNode(graph).some((node) => { const definition = definitionOf(node); return definition?.decodes !== undefined && definition.weight === undefined; });
  const isEmbedder = copied.has("modules.json");
  // Without logits it is an encoder that is read as such.
  const { standInType } = logits === undefined ? taskNamed() : task ?? {};
  const card = {
    name: basename(resolve(output)), tag: task?.name ?? (isEmbedder ? "sentence-similarity" : "feature-extraction"),
    library: isEmbedder ? "sentence-transformers" as const : "transformers.js" as const,
    base: [baseModel, config?.["_name_or_path"]].find(isHubName), labels, problem, pooling: prepared.head?.pooling,
    method: {
      name: prepared.method.name, rank: prepared.rank, alpha: prepared.alpha, whole: modulesToSave, trained: parameterCount(prepared.trainables),
      targets: (hut?.roles ?? []).length > 0 ? (hut?.roles ?? []).join(", ") : typeof targetModules === "string" ? targetModules : targetModules.join(", "),
    },
    run: adapter === undefined ? undefined : runFacts(adapter),
    decodes,
  };
  const cardThere = join(output, CARD);
  const keepsCard = existsSync(cardThere) && !isOurCard(readFileSync(cardThere, "utf8"));
  const made = tokenizerFiles(opened.path, prepared);
  return {
    notes: [
      ...(typeof config?.["model_type"] === "string" ? [] : [typeNote(standInType)]),
      ...(task?.data.texts.length !== 0 && !copied.has("tokenizer.json") ? ["there is no tokenizer.json beside the base or in the folder above: put one into the folder, or nothing there reads text"] : []),
      ...(task?.data.texts.length === 0 && !copied.has("preprocessor_config.json") ? ["there is no preprocessor_config.json beside the base: put one into the folder, or nothing there reads images"] : []),
      ...presentationNotes(prepared, task, problem),
      ...(decodes ? ["the base stores integers behind DequantizeLinear, where ONNX Runtime rounds activations to 8 bits unless a session option forbids it: the model card says which"] : []),
      ...(keepsCard ? [`${cardThere} was there, is not onnx-hut's, and stays as it is`] : []),
    ],
    write(graphFiles) {
      let bytes = 0;
      const write = (name: string, content: Uint8Array | string): void => {
        ensureFolder(dirname(join(output, name)));
        bytes += writeFileAtomic(join(output, name), [typeof content === "string" ? new TextEncoder().encode(content) : content]);
      };
      for (const [name, file] of copied) write(name, readFileSync(file));
      for (const [name, value] of made) write(name, json(value));
      const files = [...graphFiles.map((file) => relative(output, file).replaceAll("\\", "/")), ...copied.keys(), ...made.keys(), "config.json"];
      if (!keepsCard) write(CARD, modelCard({ ...card, files: files.sort() }));
      write("config.json", json(configJson(config, {
        labels, problem, standInType, known, hasNewHead: prepared.head !== undefined, graph: { file: basename(GRAPH_FILE), dataFiles: graphFiles.length - 1 },
      })));
      return bytes;
    },
  };
}

/** What the folder's config.json says of the model's type where the base says nothing. */
function typeNote(standInType: string | undefined): string {
  const why = "the base has no config.json with a model_type, by which transformers.js and optimum choose a class";
  return standInType === undefined ? `${why}, and a decoder needs its own: put it into the folder's` : `${why}: the folder's says "${standInType}", which runs any encoder`;
}

/** Of these names, the files that lie beside a model or in the folder above. */
function companions(modelPath: string, names: readonly string[]): [name: string, file: string][] {
  return names.flatMap((name) => {
    const file = companionFile(modelPath, name);
    return file === undefined ? [] : [[name, file]];
  });
}

/** The files of sentence-transformers, and of the folders that its modules.json names. */
function embeddingFiles(modelPath: string): [name: string, file: string][] {
  const [modules] = companions(modelPath, ["modules.json"]);
  if (modules === undefined) return [];
  const listed = readJson(modules[1]);
  const paths = (Array.isArray(listed) ? listed : []).map((m: unknown) => (typeof m === "object" && m !== null && "path" in m ? m.path : undefined));
  const folders = paths.filter((path): path is string => typeof path === "string" && /^[\w.-]+$/.test(path) && !/^\.+$/.test(path));
  const inside = folders.flatMap((folder): [string, string][] => {
    const there = join(dirname(modules[1]), folder);
    const files = existsSync(there) ? readdirSync(there, { withFileTypes: true }).filter((entry) => entry.isFile()) : [];
    return files.map(({ name }) => [`${folder}/${name}`, join(there, name)]);
  });
  return [...companions(modelPath, EMBEDDING_COMPANIONS), ...inside];
}

/** tokenizer_config.json, and where the base had none special_tokens_map.json too. */
function tokenizerFiles(modelPath: string, { model: { graph } }: Prepared): Map<string, unknown> {
  const value = (name: string): unknown => { const file = companionFile(modelPath, name); return file === undefined ? undefined : readJson(file); };
  const [tokenizer, given, special] = [value("tokenizer.json"), value("tokenizer_config.json"), value("special_tokens_map.json")];
  if (tokenizer === undefined) return new Map();
  const base = typeof given === "object" && given !== null ? (given as Record<string, unknown>) : undefined;
  const longest = longestText(graph, base === undefined ? undefined : statedLength(base));
  const config = tokenizerConfig(base, { tokenizer, special, longest, inputs: graph.inputs.map((v) => v.name) });
  return new Map<string, unknown>([["tokenizer_config.json", config], ...(base === undefined && special === undefined ? [["special_tokens_map.json", specialTokens(tokenizer)] as const] : [])]);
}

/** What a pipeline of transformers.js makes of this graph otherwise than one would think. */
function presentationNotes({ model: { graph }, logits }: Prepared, task: Task | undefined, problem: Problem): string[] {
  const unfed = task?.fed === undefined ? [] : inputSpecs(graph).filter(({ name }) => task.fed?.includes(name) !== true).map((spec) => spec.name);
  const narrow = inputSpecs(graph).filter(({ name, dtype }) => task?.data.texts.length !== 0 && task?.fed?.includes(name) === true && dtype !== DataType.INT64);
  return [
    ...(logits === undefined || arePresented(logits) ? [] : [`the output ${JSON.stringify(logits.name)} is called "logits" in the folder's graph and is float32, as transformers.js needs it`]),
    ...(unfed.length === 0 ? [] : [`transformers.js feeds ${task?.fed?.join(", ") ?? ""} alone; this graph also needs ${unfed.join(", ")}`]),
    ...(narrow.length === 0 ? [] : [`transformers.js feeds int64; this graph takes ${narrow.map(({ name, dtype }) => `${name} as ${dataTypeName(dtype)}`).join(", ")}`]),
    ...(problem === "regression" && task?.answer !== undefined ? ["the pipeline of transformers.js gives 1 for any regression; the model card reads the number itself"] : []),
  ];
}

function isHubName(name: unknown): name is string {
  return typeof name === "string" && /^[\w.-]+\/[\w.-]+$/.test(name) && !/^\.+\//.test(name) && !existsSync(name);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
