/** The tensors of a PEFT adapter: their names taken apart, grouped by module, and checked against ranks, targets and each other. */
import {
  adapterEmpty, adapterShapeWrong, moduleNotTargeted, partnerMissing, targetWithoutTensors, tensorNotFinite, tensorTwice, tensorUnexpected,
} from "../../errors/adapter.ts";
import { list, quote } from "../../errors/hut-error.ts";
import { elementCount } from "../../ir/sizes.ts";
import type { AdapterConfig, AdapterMethod } from "./peft-config.ts";
import { toFloat32, type SafeTensor } from "./safetensors.ts";
import { ALL_LINEAR, liesUnder, patternValues, targetTest, unmatchedEntries, type TargetRule } from "./target-modules.ts";

/** One parameter: shape as PEFT stores it, and its values, row-major. */
export interface AdapterTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Module path → PEFT's parameter name ("hira_A" [r, in], "hira_B" [out, r]; "lora_A.weight", "lora_B.weight") → values. */
export type AdapterModules = ReadonlyMap<string, ReadonlyMap<string, AdapterTensor>>;

/** The numbers of an adapter: those of adapted modules, and tensors trained whole by their path ("classifier.weight"). */
export interface AdapterTensors {
  readonly modules: AdapterModules;
  readonly saved: ReadonlyMap<string, AdapterTensor>;
}

/** What PEFT puts before every path in its files. */
export const PEFT_PREFIX = "base_model.model.";

/** PyTorch's name of the number of batches that a BatchNorm has seen, an int64 scalar. */
const COUNTER = "num_batches_tracked";

/** Longest tensor name read; real module paths stay under 200 characters. */
const MAX_NAME_LENGTH = 2048;

/** Each method's two parameters: [r, in] and [out, r]; for a convolution [r, in, kernel..] and [out, r, 1..]. */
const PARAMETERS: Readonly<Record<AdapterMethod, readonly [a: string, b: string]>> = { hut: ["hira_A", "hira_B"], lora: ["lora_A.weight", "lora_B.weight"] };

/** Axes of a kernel behind its channels: PEFT has convolutions up to three dimensions. */
const MAX_KERNEL_AXES = 3;

/** A tensor's name, taken apart. */
export interface ParameterName {
  /** "bert.encoder.layer.0.attention.self.query", or for a tensor trained whole the path of its module. */
  readonly module: string;
  /** "hira_A", "lora_B.weight"; "weight", "bias". */
  readonly parameter: string;
}

/**
 * Takes a PEFT tensor name apart: the prefix goes, and the adapter's name "default" with it, which dumps of a live model carry
 * (`….query.hira_A.default`, `….classifier.modules_to_save.default.weight`).
 */
export function splitPeftName(name: string): ParameterName {
  const path = (name.startsWith(PEFT_PREFIX) ? name.slice(PEFT_PREFIX.length) : name).replace(/\.modules_to_save\.default(?=\.)/, "");
  const [, module, parameter, weight = ""] = /^(.*)\.((?:hira|lora)_[A-Za-z_]+)(?:\.default)?(\.\w+)?$/s.exec(path) ?? [];
  if (module !== undefined && parameter !== undefined) return { module, parameter: parameter + weight };
  const dot = path.lastIndexOf(".");
  return { module: path.slice(0, Math.max(dot, 0)), parameter: path.slice(dot + 1) };
}

/**
 * Groups a file's tensors into modules and those trained whole, as float32. Throws TENSOR_UNEXPECTED, TENSOR_TWICE, TENSOR_NOT_FLOAT,
 * TENSOR_NOT_FINITE.
 */
export function groupTensors(tensors: ReadonlyMap<string, SafeTensor>, config: AdapterConfig, file: string): AdapterTensors {
  const modules = new Map<string, Map<string, AdapterTensor>>();
  const saved = new Map<string, AdapterTensor>();
  const own: readonly string[] = PARAMETERS[config.method];
  for (const [name, tensor] of tensors) {
    if (name.length > MAX_NAME_LENGTH) throw tensorUnexpected(file, name, config.method);
    const { module, parameter } = splitPeftName(name);
    const isOwn = own.includes(parameter);
    const isSaved = !isOwn && !/(?:^|\.)(?:hira|lora)_/.test(parameter) && config.modulesToSave.some((entry) => liesUnder(module, entry));
    if (module === "" || !(isOwn || isSaved)) throw tensorUnexpected(file, name, config.method);
    // Integers count and are no parameters: how many batches a BatchNorm saw.
    if (isSaved && parameter === COUNTER) continue;
    const place = isOwn ? modules.get(module) ?? new Map<string, AdapterTensor>() : saved;
    const key = isOwn ? parameter : `${module}.${parameter}`;
    if (place.has(key)) throw tensorTwice(file, name);
    place.set(key, { shape: tensor.shape, data: toFloat32(tensor, file, name) });
    if (isOwn) modules.set(module, place);
  }
  return { modules, saved };
}

/**
 * Checks an adapter's numbers: all finite, partners complete, shapes as the ranks say, and targets and tensors agreeing both ways.
 * `file` and `folder` are for messages. Throws the errors of src/errors/adapter.ts.
 */
export function checkTensors({ modules, saved }: AdapterTensors, config: AdapterConfig, rule: TargetRule, file: string, folder: string): void {
  if (modules.size === 0) throw adapterEmpty(folder);
  const rankOf = patternValues(config.rankPattern, config.rank);
  const isTarget = targetTest(rule);
  for (const [module, parameters] of modules) {
    if (!isTarget(module)) throw moduleNotTargeted(folder, module, targetText(config.targetModules));
    // PEFT 0.21.2 itself ignores rank_pattern in HiRA: what it trained has rank r there all the same.
    const isPlain = config.method === "hut" && rankIn(parameters, config.method) === config.rank;
    checkPair(module, parameters, isPlain ? config.rank : rankOf(module), config.method, file);
  }
  for (const [path, tensor] of saved) checkValues(path, tensor, file);

  // An entry may be idle because exclude_modules takes out all that it would match.
  if (typeof rule.targetModules !== "string" && rule.excludeModules.length === 0) {
    const idle = unmatchedEntries(rule.targetModules, modules.keys());
    if (idle.length > 0) throw targetWithoutTensors(folder, idle, "target_modules");
  }
  // PEFT adds "score" beside "classifier" by itself for classifiers, so one entry of several may be idle.
  if (saved.size === 0 && config.modulesToSave.length > 0) throw targetWithoutTensors(folder, config.modulesToSave, "modules_to_save");
}

/** [k, n] = [in, out] of the weight that a module's parameters adapt, a kernel's axes counted into k; [0, 0] for a module that isn't there. */
export function weightShape({ method, modules }: AdapterConfig & AdapterTensors, module: string): [k: number, n: number] {
  const [aName, bName] = PARAMETERS[method];
  const parameters = modules.get(module);
  const [, ...input] = parameters?.get(aName)?.shape ?? [];
  return [input.length === 0 ? 0 : elementCount(input), parameters?.get(bName)?.shape[0] ?? 0];
}

/** s of a LoRA module, by which lora_B · lora_A is multiplied: alpha / r, or alpha / √r where the adapter is rank-stabilised. */
export function loraScale(config: AdapterConfig, module: string): number {
  const rank = patternValues(config.rankPattern, config.rank)(module);
  const alpha = patternValues(config.alphaPattern ?? {}, config.alpha ?? rank)(module);
  return alpha / (config.rankStabilized === true ? Math.sqrt(rank) : rank);
}

function rankIn(parameters: ReadonlyMap<string, AdapterTensor>, method: AdapterMethod): number | undefined {
  return parameters.get(PARAMETERS[method][0])?.shape[0];
}

function checkPair(module: string, parameters: ReadonlyMap<string, AdapterTensor>, rank: number, method: AdapterMethod, file: string): void {
  const [aName, bName] = PARAMETERS[method];
  const a = parameters.get(aName);
  const b = parameters.get(bName);
  if (a === undefined || b === undefined) throw partnerMissing(file, module, a === undefined ? aName : bName);
  const [aRank, k = 0, ...kernel] = a.shape;
  const [n = 0, bRank, ...ones] = b.shape;
  const r = String(rank);
  if (kernel.length > MAX_KERNEL_AXES || aRank !== rank || k < 1 || kernel.includes(0)) throw adapterShapeWrong(file, `${module}.${aName}`, a.shape, `[${r}, in] for rank ${r}`);
  if (ones.length !== kernel.length || ones.some((d) => d !== 1) || bRank !== rank || n < 1) {
    throw adapterShapeWrong(file, `${module}.${bName}`, b.shape, `[out, ${[r, ...kernel.map(() => "1")].join(", ")}] for rank ${r}`);
  }
  checkValues(`${module}.${aName}`, a, file);
  checkValues(`${module}.${bName}`, b, file);
}

function checkValues(name: string, { shape, data }: AdapterTensor, file: string): void {
  const count = elementCount(shape);
  if (count !== data.length) throw adapterShapeWrong(file, name, shape, `as large as its ${String(data.length)} values`);
  const index = data.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw tensorNotFinite(file, name, index, data[index] ?? NaN);
}

function targetText(targets: readonly string[] | string): string {
  if (typeof targets !== "string") return list(targets.map(quote));
  return targets.toLowerCase() === ALL_LINEAR ? ALL_LINEAR : `the pattern ${quote(targets)}`;
}
