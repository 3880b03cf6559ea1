/** The tensors of a PEFT adapter: their names taken apart, grouped by module, and checked against ranks, targets and each other. */
import {
  adapterEmpty, adapterShapeWrong, moduleNotTargeted, partnerMissing, sharedMissing, targetWithoutTensors, tensorNotFinite, tensorTwice, tensorUnexpected,
} from "../../errors/adapter.ts";
import { list, quote } from "../../errors/hut-error.ts";
import { elementCount } from "../../ir/sizes.ts";
import { METHODS, methodNamed } from "../../methods/registry.ts";
import type { Axis, ParameterSpec } from "../../methods/updated-transformation.ts";
import type { AdapterConfig } from "./peft-config.ts";
import { PythonPattern } from "./python-pattern.ts";
import { toFloat32, type SafeTensor } from "./safetensors.ts";
import { ALL_LINEAR, liesUnder, patternValues, targetTest, unmatchedEntries, type TargetRule } from "./target-modules.ts";

/** One parameter: shape as PEFT stores it, and its values, row-major. */
export interface AdapterTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Module path → PEFT's parameter name ("hira_A" [r, in], "hira_B" [out, r]; "lora_A.weight", "ia3_l") → values. */
export type AdapterModules = ReadonlyMap<string, ReadonlyMap<string, AdapterTensor>>;

/** The numbers of an adapter: those of adapted modules, and tensors trained whole by their path ("classifier.weight"). */
export interface AdapterTensors {
  readonly modules: AdapterModules;
  readonly saved: ReadonlyMap<string, AdapterTensor>;
  /** What the modules share, by name ("vera_A"). */
  readonly shared?: ReadonlyMap<string, AdapterTensor>;
}

/** What PEFT puts before every path in its files. */
export const PEFT_PREFIX = "base_model.model.";

/** And before what all modules share. */
export const SHARED_PREFIX = "base_model.";

/** PyTorch's name of the number of batches that a BatchNorm has seen, an int64 scalar. */
const COUNTER = "num_batches_tracked";

/** Longest tensor name read; real module paths stay under 200 characters. */
const MAX_NAME_LENGTH = 2048;

/** Axes of a kernel behind its channels: PEFT has convolutions up to three dimensions. */
const MAX_KERNEL_AXES = 3;

/** What is known of a module's axes. */
type Sizes = Partial<Record<Axis, number | undefined>>;

/** A tensor's name, taken apart. */
export interface ParameterName {
  /** "bert.encoder.layer.0.attention.self.query", or for a tensor trained whole the path of its module. */
  readonly module: string;
  /** "hira_A", "lora_B.weight"; "weight", "bias". */
  readonly parameter: string;
}

/** The words that PEFT's names of parameters begin with: hira, lora, … */
const PARAMETERS = new Set(METHODS.flatMap((m) => namesOf(m.name)));
const FAMILIES = [...new Set([...PARAMETERS].map((name) => name.slice(0, name.indexOf("_"))))].join("|");
const PARAMETER = new RegExp(`^(.*)\\.((?:${FAMILIES})_\\w+?)(?:\\.default)?(\\.\\w+)?$`, "s");
const OF_A_FAMILY = new RegExp(`(?:^|\\.)(?:${FAMILIES})_`);

/**
 * Takes a PEFT tensor name apart: the prefix goes, and the adapter's name "default" with it, which dumps of a live model carry
 * (`….query.hira_A.default`, `….classifier.modules_to_save.default.weight`, `….query.lora_magnitude_vector.default.weight`).
 */
export function splitPeftName(name: string): ParameterName {
  const path = (name.startsWith(PEFT_PREFIX) ? name.slice(PEFT_PREFIX.length) : name).replace(/\.modules_to_save\.default(?=\.)/, "");
  const [, module, parameter, weight = ""] = PARAMETER.exec(path) ?? [];
  if (module !== undefined && parameter !== undefined) return { module, parameter: weight === "" || PARAMETERS.has(parameter + weight) || !PARAMETERS.has(parameter) ? parameter + weight : parameter };
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
  const shared = new Map<string, AdapterTensor>();
  const [own, ofAll] = [namesOf(config.method), sharedNamesOf(config.method)];
  const isWhole = methodNamed(config.method).trains !== undefined;
  for (const [name, tensor] of tensors) {
    if (name.length > MAX_NAME_LENGTH) throw tensorUnexpected(file, name, config.method);
    const { module, parameter } = splitPeftName(name);
    const common = ofAll.find((known) => name === SHARED_PREFIX + known || name === `${SHARED_PREFIX}${known}.default`);
    if (common !== undefined) {
      if (shared.has(common)) throw tensorTwice(file, name);
      shared.set(common, { shape: tensor.shape, data: toFloat32(tensor, file, name) });
      continue;
    }
    const isOwn = own.includes(parameter);
    const isSaved = !isOwn && !OF_A_FAMILY.test(parameter) && (isWhole || config.modulesToSave.some((entry) => liesUnder(module, entry)));
    if (module === "" || !(isOwn || isSaved)) throw tensorUnexpected(file, name, config.method);
    // Integers count and are no parameters: how many batches a BatchNorm saw.
    if (isSaved && parameter === COUNTER) continue;
    const place = isOwn ? modules.get(module) ?? new Map<string, AdapterTensor>() : saved;
    const key = isOwn ? parameter : `${module}.${parameter}`;
    if (place.has(key)) throw tensorTwice(file, name);
    place.set(key, { shape: tensor.shape, data: toFloat32(tensor, file, name) });
    if (isOwn) modules.set(module, place);
  }
  return { modules, saved, ...(ofAll.length === 0 ? {} : { shared }) };
}

/** PEFT's names of a method's parameters. */
function namesOf(method: string): string[] {
  return [...new Set([false, true].flatMap((feedforward) => specsOf(method, feedforward).map(({ peft }) => peft.name)))];
}

function sharedNamesOf(method: string): string[] {
  return methodNamed(method).shared?.({ k: 1, n: 1, rank: 1, scale: 1 }).map(({ peft }) => peft.name) ?? [];
}

/** The parameters of a method for one module; their shapes are of no weight. */
export function specsOf(method: string, feedforward = false): readonly ParameterSpec[] {
  return methodNamed(method).parameters({ k: 1, n: 1, rank: 1, scale: 1, feedforward });
}

/** Whether a module is one of (IA)³'s that are scaled by what comes in; PEFT compares endings, dot or no dot. Throws PATTERN_UNUSABLE. */
export function feedforwardTest({ feedforwardModules: entries = [] }: AdapterConfig): (module: string) => boolean {
  if (typeof entries !== "string") return (module) => entries.some((entry) => module.endsWith(entry));
  const pattern = new PythonPattern(entries);
  return (module) => pattern.fullmatch(module);
}

/**
 * Checks an adapter's numbers: all finite, partners complete, shapes as the ranks say, and targets and tensors agreeing both ways.
 * `file` and `folder` are for messages. Throws the errors of src/errors/adapter.ts.
 */
export function checkTensors({ modules, saved, shared }: AdapterTensors, config: AdapterConfig, rule: TargetRule, file: string, folder: string): void {
  const { trains } = methodNamed(config.method);
  if (trains === undefined ? modules.size === 0 : saved.size === 0) throw adapterEmpty(folder);
  const rankOf = patternValues(config.rankPattern, config.rank);
  const isTarget = targetTest(rule);
  const isFeedforward = feedforwardTest(config);
  const largest = { in: 0, out: 0 };
  for (const [module, parameters] of modules) {
    if (!isTarget(module)) throw moduleNotTargeted(folder, module, targetText(config.targetModules));
    const specs = specsOf(config.method, isFeedforward(module));
    // PEFT 0.21.2 itself ignores rank_pattern in HiRA: what it trained has rank r there all the same.
    const isPlain = config.method === "hut" && parameters.get(specs[0]?.peft.name ?? "")?.shape[0] === config.rank;
    const sizes = checkModule(module, parameters, specs, isPlain ? config.rank : rankOf(module), file);
    largest.in = Math.max(largest.in, sizes.in ?? 0);
    largest.out = Math.max(largest.out, sizes.out ?? 0);
  }
  for (const name of sharedNamesOf(config.method)) {
    const tensor = shared?.get(name);
    if (tensor === undefined) throw sharedMissing(file, name);
    checkShared(name, tensor, config, largest, file);
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

/** [k, n] = [in, out] of the weight that a module's parameters adapt, a kernel's axes counted into k; undefined where they don't tell. */
export function weightShape(config: AdapterConfig & AdapterTensors, module: string): [k: number | undefined, n: number | undefined] {
  const parameters = config.modules.get(module);
  const sizes: Sizes = {};
  for (const { peft } of specsOf(config.method, feedforwardTest(config)(module))) {
    const { shape = [] } = parameters?.get(peft.name) ?? {};
    peft.axes.forEach((axis, i) => { if (axis !== 1) sizes[axis] ??= i === peft.axes.length - 1 && axis === "in" ? elementCount(shape.slice(i)) : shape[i]; });
  }
  return [sizes.in, sizes.out];
}

/** Whether the sizes that an adapter tells of a weight are those of another; what it doesn't tell fits any. */
export function sameSizes(told: readonly (number | undefined)[], own: readonly number[]): boolean {
  return told.every((size, i) => size === undefined || size === own[i]);
}

/** s of a module whose method has it beside its parameters, by which their product is multiplied. */
export function moduleScale(config: AdapterConfig, module: string): number {
  const rank = patternValues(config.rankPattern, config.rank)(module);
  const alpha = patternValues(config.alphaPattern ?? {}, config.alpha ?? rank)(module);
  return methodNamed(config.method).scale({ rank, alpha, rankStabilized: config.rankStabilized });
}

/** Checks that a module has all its parameters, of the rank and of sizes that agree. Returns its sizes. */
function checkModule(module: string, parameters: ReadonlyMap<string, AdapterTensor>, specs: readonly ParameterSpec[], rank: number, file: string): Sizes {
  const sizes: Sizes = { rank };
  let kernel: number | undefined;
  for (const { peft: { name } } of specs) if (!parameters.has(name)) throw partnerMissing(file, module, name);
  for (const { peft: { name, axes } } of specs) {
    const tensor = parameters.get(name) ?? { shape: [], data: new Float32Array() };
    const { shape } = tensor;
    const further = shape.slice(axes.length);
    const spreads = axes.at(-1) === "in" && axes.length > 1;
    const fits = axes.every((axis, i) => (shape[i] ?? 0) >= 1 && (axis === 1 ? shape[i] === 1 : axis === "in" && spreads ? true : sizes[axis] === undefined || shape[i] === sizes[axis]))
      && further.length <= MAX_KERNEL_AXES && (kernel === undefined || further.length === kernel) && further.every((d) => (spreads ? d >= 1 : d === 1));
    const inner = spreads ? elementCount(shape.slice(axes.length - 1)) : undefined;
    if (!fits || (inner !== undefined && sizes.in !== undefined && inner !== sizes.in)) throw adapterShapeWrong(file, `${module}.${name}`, shape, wantedShape(axes, sizes, spreads ? 0 : kernel ?? 0));
    axes.forEach((axis, i) => { if (axis !== 1) sizes[axis] ??= axis === "in" && inner !== undefined ? inner : shape[i]; });
    kernel ??= further.length;
    checkValues(`${module}.${name}`, tensor, file);
  }
  return sizes;
}

/** "[4, in] for rank 4". */
function wantedShape(axes: readonly (Axis | 1)[], sizes: Sizes, kernel: number): string {
  const words = axes.map((axis) => (axis === "rank" ? String(sizes.rank) : String(axis)));
  return `[${[...words, ...Array.from({ length: kernel }, () => "1")].join(", ")}]${axes.includes("rank") ? ` for rank ${String(sizes.rank)}` : ""}`;
}

/** A tensor that all modules share must be as large as the largest of them. */
function checkShared(name: string, tensor: AdapterTensor, { method, rank }: AdapterConfig, largest: { readonly in: number; readonly out: number }, file: string): void {
  const spec = methodNamed(method).shared?.({ k: 1, n: 1, rank: 1, scale: 1 }).find(({ peft }) => peft.name === name);
  const fits = spec?.peft.axes.every((axis, i) => { const size = tensor.shape[i] ?? 0; return axis === "rank" ? size === rank : axis === 1 ? size === 1 : size >= Math.max(1, largest[axis]); });
  if (fits !== true || tensor.shape.length !== spec?.axes.length) throw adapterShapeWrong(file, name, tensor.shape, wantedShape(spec?.peft.axes ?? [], { rank }, 0));
  checkValues(name, tensor, file);
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
