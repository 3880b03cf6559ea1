/** A folded model as a folder in Hugging Face's layout: config, tokenizer files and a model card beside `onnx/model.onnx`. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { dataTypeName, DataType } from "../../ir/data-type.ts";
import type { Graph } from "../../ir/graph.ts";
import { everyNode } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";
import { parameterCount } from "../../passes/build-step.ts";
import { arePresented } from "../../passes/present-logits.ts";
import { longestSequence } from "../examples-of.ts";
import { configJson } from "../model-folder/config-json.ts";
import { isOurCard, modelCard, type ModelCard } from "../model-folder/model-card.ts";
import { DEFAULTS, type ProblemName } from "../options.ts";
import type { OpenedAdapter, Prepared } from "../prepare.ts";
import { inputSpecs, vocabularySize } from "../task-inputs.ts";
import { classNames } from "../tasks/problem.ts";
import { taskNamed, taskOfLogits } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { companions, tokenizerFiles, type Copied } from "./base-files.ts";
import { ensureFolder } from "./folder.ts";
import { labelsOfConfig, openConfig, problemOfConfig } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";
import { runFacts } from "./run-facts.ts";

/** The graph's place in the folder. */
export const GRAPH_FILE = join("onnx", "model.onnx");
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

/** Reads what base and run folder have to give. Throws JSON_BROKEN. */
export function modelFolder(parts: FoldedParts): ModelFolder {
  const { output, opened, prepared, trained } = parts;
  const { graph } = opened.loadInlined();
  const problem = trained.contents.hut?.problem ?? problemOfConfig(opened.path) ?? DEFAULTS.problem;
  const task = taskOfLogits(graph, prepared.logits, trained.contents.taskType, problem);
  const copied = companions(opened.path, prepared.logits === undefined);
  const made = tokenizerFiles(opened.path, graph, task);
  const config = openConfig(opened.path);
  const card = cardOf(parts, graph, task, problem, copied.has("modules.json"));
  const keepsCard = existsSync(join(output, CARD)) && !isOurCard(readFileSync(join(output, CARD), "utf8"));
  // Without logits it is an encoder that is read as such.
  const { standInType } = prepared.logits === undefined ? taskNamed() : task ?? {};
  const positions = longestSequence(graph);
  const known = { vocab_size: vocabularySize(graph), ...(Number.isFinite(positions) ? { max_position_embeddings: positions } : {}) };
  return {
    notes: [
      ...(typeof config?.["model_type"] === "string" ? [] : [typeNote(standInType)]), ...missingNotes(task, copied),
      ...presentationNotes(prepared, graph, task, card), ...(keepsCard ? [`${join(output, CARD)} was there, is not onnx-hut's, and stays as it is`] : []),
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
        ...card, standInType, known, hasNewHead: prepared.head !== undefined, graph: { file: basename(GRAPH_FILE), dataFiles: graphFiles.length - 1 },
      })));
      return bytes;
    },
  };
}

/** What the card tells, but for the files. */
function cardOf({ output, opened, prepared, trained: { contents }, adapter }: FoldedParts, graph: Graph, task: Task | undefined, problem: ProblemName, isEmbedder: boolean): Omit<ModelCard, "files"> {
  const { hut, baseModel, targetModules, modulesToSave } = contents;
  const { method, rank, alpha, trainables, logits, head } = prepared;
  const classes = task?.answer === undefined ? undefined : logits?.shape?.at(-1);
  const chosen = hut !== undefined && hut.roles.length > 0 ? hut.roles : targetModules;
  return {
    name: basename(resolve(output)), tag: task?.name ?? (isEmbedder ? "sentence-similarity" : "feature-extraction"),
    library: isEmbedder ? "sentence-transformers" : "transformers.js",
    base: [baseModel, openConfig(opened.path)?.["_name_or_path"]].find(isHubName),
    labels: typeof classes === "number" ? classNames(classes, hut?.id2label ?? labelsOfConfig(opened.path)) : undefined,
    problem, pooling: head?.pooling,
    method: { name: method.name, rank, alpha, whole: modulesToSave, trained: parameterCount(trainables), targets: typeof chosen === "string" ? chosen : chosen.join(", ") },
    run: adapter === undefined ? undefined : runFacts(adapter),
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
function missingNotes(task: Task | undefined, copied: Copied): string[] {
  const [file, kind] = task?.data.texts.length === 0 ? ["preprocessor_config.json", "images"] as const : ["tokenizer.json", "text"] as const;
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

/** Whether this names a model on the hub and no path here. */
function isHubName(name: unknown): name is string {
  return typeof name === "string" && /^[\w.-]+\/[\w.-]+$/.test(name) && !/^\.+\//.test(name) && !existsSync(name);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
