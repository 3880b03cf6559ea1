/** What is made for a folded model's folder in Hugging Face's layout: settings of the tokenizer, model card and config.json, which go beside the base's own files. */
import { dataTypeName, DataType } from "../../ir/data-type.ts";
import type { Graph } from "../../ir/graph.ts";
import { everyNode } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";
import { parameterCount } from "../../passes/build-step.ts";
import { arePresented } from "../../passes/present-logits.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import type { TokenizerFiles } from "../data/tokenizer.ts";
import { longestSequence } from "../examples-of.ts";
import { DEFAULTS, type ProblemName } from "../options.ts";
import type { Prepared } from "../prepare.ts";
import { inputSpecs, vocabularySize } from "../task-inputs.ts";
import { classNames } from "../tasks/problem.ts";
import { takesText, taskNamed, taskOfLogits } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import { configJson, labelsIn, problemIn, type Json } from "./config-json.ts";
import { modelCard, type ModelCard, type RunFacts } from "./model-card.ts";
import { tokenizerSettings } from "./tokenizer-config.ts";

/** Paths in the folder, as its readers write them. */
export const GRAPH_FILE = "onnx/model.onnx";
export const CARD_FILE = "README.md";

/** What a folder is made of. */
export interface FoldedParts {
  /** The folder's name. */
  readonly name: string;
  readonly base: {
    /** Its functions written out. */
    readonly graph: Graph;
    readonly config: Json | undefined;
    readonly tokenizer: TokenizerFiles | undefined;
    /** Names of its files that go along as they are. */
    readonly copied: ReadonlySet<string>;
    /** Whether a name is a path, and so none on the hub. */
    readonly isPath: (name: string) => boolean;
  };
  readonly prepared: Prepared;
  readonly adapter: AdapterFolder;
  readonly run: RunFacts | undefined;
}

/** What is made for a folder. */
export interface MadeFiles {
  /** What doesn't go without saying. */
  readonly notes: readonly string[];
  /** The texts by name, in the order to write them in: config.json comes last. Takes the names of the graph's files, which the card lists. */
  readonly beside: (graphFiles: readonly string[]) => ReadonlyMap<string, string>;
}

/** Makes them. Reads and writes no file. */
export function madeFiles(parts: FoldedParts): MadeFiles {
  const { base: { graph, config, tokenizer, copied }, prepared, adapter } = parts;
  const problem = adapter.hut?.problem ?? problemIn(config) ?? DEFAULTS.problem;
  const task = taskOfLogits(graph, prepared.logits, adapter.taskType, problem);
  const settings = tokenizerSettings(tokenizer, graph, task);
  const card = cardOf(parts, task, problem);
  // Without logits it is an encoder that is read as such.
  const { standInType } = prepared.logits === undefined ? taskNamed() : task ?? {};
  const positions = longestSequence(graph);
  const known = { vocab_size: vocabularySize(graph), ...(Number.isFinite(positions) ? { max_position_embeddings: positions } : {}) };
  return {
    notes: [...(typeof config?.["model_type"] === "string" ? [] : [typeNote(standInType)]), ...missingNotes(task, copied), ...presentationNotes(prepared, graph, task, card)],
    beside: (graphFiles) => new Map([
      ...[...settings].map(([name, value]): [string, string] => [name, jsonText(value)]),
      [CARD_FILE, modelCard({ ...card, files: [...graphFiles, ...copied, ...settings.keys(), "config.json"].sort() })],
      ["config.json", jsonText(configJson(config, {
        ...card, standInType, known, hasNewHead: prepared.head !== undefined, graph: { file: GRAPH_FILE.slice(GRAPH_FILE.lastIndexOf("/") + 1), dataFiles: graphFiles.length - 1 },
      }))],
    ]),
  };
}

/** A value as the folder's files write it. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** What the card tells, but for the files. */
function cardOf({ name, base: { graph, config, copied, isPath }, prepared, adapter, run }: FoldedParts, task: Task | undefined, problem: ProblemName): Omit<ModelCard, "files"> {
  const { hut, baseModel, targetModules, modulesToSave } = adapter;
  const { method, rank, alpha, trainables, logits, head } = prepared;
  const isEmbedder = copied.has("modules.json");
  const classes = task?.answer === undefined && task?.answerWords === undefined ? undefined : logits?.shape?.at(-1);
  const chosen = hut !== undefined && hut.roles.length > 0 ? hut.roles : targetModules;
  return {
    name, tag: task?.name ?? (isEmbedder ? "sentence-similarity" : "feature-extraction"),
    library: isEmbedder ? "sentence-transformers" : "transformers.js",
    base: [baseModel, config?.["_name_or_path"]].find((named): named is string => isHubName(named) && !isPath(named)),
    labels: typeof classes === "number" ? classNames(classes, hut?.id2label ?? labelsIn(config)) : undefined,
    problem: task?.answerWords === undefined ? problem : undefined, pooling: head?.pooling,
    method: { name: method.name, ...(method.takes.includes("rank") ? { rank } : {}), ...(method.takes.includes("alpha") ? { alpha } : {}), whole: modulesToSave, trained: parameterCount(trainables), targets: typeof chosen === "string" ? chosen : chosen.join(", ") },
    run,
    // What decodes its own weight is one kernel however sessions are made.
    decodes: everyNode(graph).map(definitionOf).some((definition) => definition?.decodes !== undefined && definition.weight === undefined),
  };
}

/** What the folder's config.json says of the model's type where the base says nothing. */
function typeNote(standInType: string | undefined): string {
  const why = "the base has no config.json with a model_type, by which transformers.js and optimum choose a class";
  return standInType === undefined ? `${why}, and a decoder needs its own: put it into the folder's` : `${why}: the folder's says "${standInType}", which runs any encoder`;
}

/** What a pipeline needs beside the graph and the base doesn't have. */
function missingNotes(task: Task | undefined, copied: ReadonlySet<string>): string[] {
  const [file, kind] = task !== undefined && !takesText(task) ? ["preprocessor_config.json", "images"] as const : ["tokenizer.json", "text"] as const;
  return copied.has(file) ? [] : [`there is no ${file} beside the base or in the folder above: put one into the folder, or no pipeline reads ${kind} there`];
}

/** What a pipeline makes of this graph otherwise than one would think. */
function presentationNotes({ logits }: Prepared, graph: Graph, task: Task | undefined, { problem, decodes }: Omit<ModelCard, "files">): string[] {
  const { fed } = task ?? {};
  const inputs = fed === undefined ? [] : inputSpecs(graph);
  const unfed = inputs.filter(({ name }) => fed?.includes(name) !== true).map((spec) => spec.name);
  const narrow = inputs.filter(({ name, dtype }) => name.endsWith("_ids") && fed?.includes(name) === true && dtype !== DataType.INT64);
  return [
    ...(logits === undefined || arePresented(logits) ? []
      : [`the output ${JSON.stringify(logits.name)} is called "logits" in the folder's graph and is float32, as transformers.js needs it`]),
    ...(unfed.length === 0 ? [] : [`transformers.js feeds ${fed?.join(", ") ?? ""} alone; this graph also needs ${unfed.join(", ")}`]),
    ...(narrow.length === 0 ? [] : [`transformers.js feeds int64; this graph takes ${narrow.map(({ name, dtype }) => `${name} as ${dataTypeName(dtype)}`).join(", ")}`]),
    ...(problem === "regression" && task?.answer !== undefined
      ? ["the pipeline of transformers.js gives 1 for any regression; the program on the model card reads the number itself"] : []),
    ...(decodes ? ["the base stores integers behind DequantizeLinear, where ONNX Runtime rounds activations to 8 bits unless a session option forbids it: "
      + "the program on the model card sets it"] : []),
  ];
}

/** Whether this is written as the name of a model on the hub is. */
function isHubName(name: unknown): name is string {
  return typeof name === "string" && /^[\w.-]+\/[\w.-]+$/.test(name) && !/^\.+\//.test(name);
}
