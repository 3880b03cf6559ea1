/** Reads manifest.json: a program that trains by it, and the verbs that take back what was trained, can rely on what this lets through. */
import { manifestContradicts } from "../errors/checkpoint.ts";
import { fieldWrong } from "../errors/adapter.ts";
import { quote } from "../errors/hut-error.ts";
import { elementCount } from "../ir/sizes.ts";
import { POOLINGS } from "../passes/attach-head.ts";
import { JsonFields } from "./adapter/json-fields.ts";
import { parseStrictJson } from "./adapter/strict-json.ts";
import type { Manifest, ManifestOptimizer, ManifestValue, OrtTrainingManifest } from "./manifest.ts";
import { OPTIMIZERS, PROBLEMS, TASKS } from "./options.ts";

/** Keys of a manifest, in order. */
const KEYS = ["formatVersion", "method", "rank", "alpha", "task", "problem", "trainableParams", "layout", "thetaFile", "adapter", "adapted", "modulesToSave", "head", "optimizer", "ortTraining", "graphs"];

/**
 * A manifest's text, checked: types, no unknown key, files beside it, and a layout without gaps that ends at P. `file` names it in messages. Throws JSON_BROKEN,
 * FIELD_WRONG, FIELD_UNKNOWN, MANIFEST_CONTRADICTS.
 */
export function readManifest(text: string, file = "manifest.json"): Manifest {
  const fields = new JsonFields(file, parseStrictJson(text, file));
  if (fields.get("formatVersion") !== 1) throw fieldWrong(file, "formatVersion", "1, the only version this onnx-hut reads");
  fields.onlyKeys(KEYS);
  const trainableParams = fields.count("trainableParams", 1);
  const layout = fields.objects("layout").map(readEntry);
  checkLayout(file, layout, trainableParams);
  return {
    formatVersion: 1, method: fields.text("method"), rank: fields.count("rank", 1), alpha: fields.number("alpha"), task: fields.oneOf("task", TASKS),
    ...(fields.get("problem") === undefined ? {} : { problem: fields.oneOf("problem", PROBLEMS) }),
    trainableParams, layout,
    ...(fields.get("thetaFile") === undefined ? {} : { thetaFile: fileName(fields, "thetaFile") }),
    adapter: fileName(fields, "adapter"),
    adapted: fields.objects("adapted").map(readAdapted),
    modulesToSave: fields.objects("modulesToSave").map((module) => {
      module.onlyKeys(["modulePath", "params"]);
      return { modulePath: module.text("modulePath"), params: module.count("params", 1) };
    }),
    head: fields.get("head") === null ? null : readHead(fields.object("head")),
    optimizer: readOptimizer(fields.object("optimizer")),
    ...(fields.get("ortTraining") === undefined ? {} : { ortTraining: readOrtTraining(fields.object("ortTraining")) }),
    graphs: fields.record("graphs", (graphs, kind) => {
      const graph = graphs.object(kind);
      graph.onlyKeys(["file", "inputs", "outputs"]);
      return { file: fileName(graph, "file"), inputs: graph.objects("inputs").map(readValue), outputs: graph.objects("outputs").map(readValue) };
    }),
  };
}

type LayoutEntry = Manifest["layout"][number];

function readEntry(fields: JsonFields): LayoutEntry {
  fields.onlyKeys(["name", "modulePath", "parameter", "shape", "offset", "length"]);
  return {
    name: fields.text("name"), modulePath: fields.text("modulePath"), parameter: fields.text("parameter"), shape: fields.counts("shape", 1),
    offset: fields.count("offset", 0), length: fields.count("length", 1),
  };
}

/** Each tensor begins where the one before it ends, is as long as its shape, and has a name of its own. */
function checkLayout(file: string, layout: readonly LayoutEntry[], size: number): void {
  let at = 0;
  const names = new Set<string>();
  for (const { name, shape, offset, length } of layout) {
    if (names.has(name)) throw manifestContradicts(file, `its layout has ${quote(name)} twice`);
    names.add(name);
    if (offset !== at) throw manifestContradicts(file, `${quote(name)} begins at ${String(offset)} in its layout, and the tensor before it ends at ${String(at)}`);
    if (elementCount(shape) !== length) throw manifestContradicts(file, `${quote(name)} has length ${String(length)} in its layout, and its shape [${shape.join(", ")}] holds ${String(elementCount(shape))} numbers`);
    at += length;
  }
  if (at !== size) throw manifestContradicts(file, `its layout ends at ${String(at)}, and trainableParams is ${String(size)}`);
}

function readAdapted(fields: JsonFields): Manifest["adapted"][number] {
  fields.onlyKeys(["modulePath", "role", "shape", "rank", "params"]);
  const [k, n, ...rest] = fields.counts("shape", 1);
  if (k === undefined || n === undefined || rest.length > 0) return fields.wrong("shape", "[k, n]");
  return {
    modulePath: fields.text("modulePath"), ...(fields.get("role") === undefined ? {} : { role: fields.oneOf("role", ["q", "k", "v"]) }),
    shape: [k, n], rank: fields.count("rank", 1), params: fields.count("params", 1),
  };
}

function readHead(fields: JsonFields): NonNullable<Manifest["head"]> {
  fields.onlyKeys(["pooling", "module", "numLabels"]);
  return { pooling: fields.oneOf("pooling", POOLINGS), module: fields.text("module"), numLabels: fields.count("numLabels", 1) };
}

function readOptimizer(fields: JsonFields): ManifestOptimizer {
  const name = fields.oneOf("name", OPTIMIZERS);
  fields.onlyKeys(["name", ...(name === "adamw" ? ["beta1", "beta2", "epsilon"] : []), "lr", "weightDecay", "maxGradNorm"]);
  const atLeast0 = (key: string): number => {
    const value = fields.number(key);
    return value >= 0 ? value : fields.wrong(key, "a number of at least 0");
  };
  const share = (key: string): number => {
    const value = atLeast0(key);
    return value < 1 ? value : fields.wrong(key, "a number below 1");
  };
  const common = { lr: atLeast0("lr"), weightDecay: atLeast0("weightDecay"), maxGradNorm: atLeast0("maxGradNorm") };
  return name === "sgd" ? { name, ...common } : { name, beta1: share("beta1"), beta2: share("beta2"), epsilon: atLeast0("epsilon"), ...common };
}

function readOrtTraining(fields: JsonFields): OrtTrainingManifest {
  fields.onlyKeys(["checkpoint", "maxGradNorm", "frozenInCheckpoint"]);
  return { checkpoint: fileName(fields, "checkpoint"), maxGradNorm: fields.number("maxGradNorm"), frozenInCheckpoint: fields.flag("frozenInCheckpoint") };
}

function readValue(fields: JsonFields): ManifestValue {
  fields.onlyKeys(["name", "dtype", "shape"]);
  const shape = fields.get("shape");
  const isShape = Array.isArray(shape) && shape.every((d) => d === null || typeof d === "string" || (typeof d === "number" && Number.isSafeInteger(d) && d >= 0));
  if (!isShape) return fields.wrong("shape", "a list of sizes, names or null");
  return { name: fields.text("name"), dtype: fields.text("dtype"), shape: shape as ManifestValue["shape"] };
}

/** A file or folder beside the manifest: a manifest leads nowhere else. */
function fileName(fields: JsonFields, key: string): string {
  const name = fields.text(key);
  return name === "" || name === "." || name === ".." || /[/\\\0:]/.test(name) ? fields.wrong(key, "the name of a file beside it") : name;
}
