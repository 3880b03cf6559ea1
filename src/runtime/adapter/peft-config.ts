/** adapter_config.json, read and written in PEFT 0.21.2's words. */
import { peftOptionUnsupported, peftTypeUnknown } from "../../errors/adapter.ts";
import { METHODS, methodNamed } from "../../methods/registry.ts";
import type { UpdatedTransformation } from "../../methods/updated-transformation.ts";
import { JsonFields } from "./json-fields.ts";
import { parseStrictJson, type JsonValue } from "./strict-json.ts";
import type { TargetRule } from "./target-modules.ts";

/** What an adapter's configuration says, whoever wrote it. */
export interface AdapterConfig {
  /** Our name of it. */
  readonly method: string;
  /** Rank r of every module that rankPattern doesn't name; 1 of a method that has none. */
  readonly rank: number;
  /** s = alpha / rank. From hut.json, or lora_alpha; none in PEFT's HIRA, where s is multiplied into hira_B. */
  readonly alpha?: number;
  /** LoRA and DoRA: the scale is alpha / √r. */
  readonly rankStabilized?: boolean;
  /** Alphas of single modules, keyed as rankPattern. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** (IA)³: which of the modules are scaled by what comes in; endings, with or without a dot before, or a pattern. */
  readonly feedforwardModules?: readonly string[] | string;
  /** Path endings; or a pattern (Python's syntax) that matches whole paths; or "all-linear". */
  readonly targetModules: readonly string[] | string;
  readonly modulesToSave: readonly string[];
  /** The base stores these weights as [in, out] (GPT-2's Conv1D). */
  readonly fanInFanOut: boolean;
  /** Ranks of single modules: path endings or patterns. */
  readonly rankPattern: Readonly<Record<string, number>>;
  /** PEFT's word ("SEQ_CLS"). */
  readonly taskType: string | null;
  /** Dropout that it was trained with; what a folder says of it isn't read, since nothing but training goes by it. */
  readonly dropout?: number | undefined;
  /** The base's name or path, as whoever trained the adapter called it. */
  readonly baseModel: string | null;
}

/** The file's name in the folder. */
export const CONFIG_FILE = "adapter_config.json";

/** The version whose files these are. */
const PEFT_VERSION = "0.21.2";

/** Options that change nothing in what a trained adapter computes, or that are read below; all others but the methods' own must be empty. */
const HARMLESS = [
  "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_type", "peft_version", "revision", "task_type",
  "r", "target_modules", "modules_to_save", "fan_in_fan_out", "rank_pattern", "exclude_modules", "layers_to_transform", "layers_pattern",
  "use_rslora", "alpha_pattern", "bias", "init_lora_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "megatron_core", "qalora_group_size", "runtime_config",
  "feedforward_modules",
];

/** LoRA's initialisations that leave the base weight alone; the others (PiSSA, OLoRA, …) change it, and an export doesn't have that change. */
const PLAIN_INITIALISATIONS: readonly (JsonValue | undefined)[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/**
 * Reads a configuration's text; `file` names it in messages.
 * Throws JSON_BROKEN, FIELD_WRONG, PEFT_TYPE_UNKNOWN, and PEFT_OPTION_UNSUPPORTED for options that change what the tensors mean.
 */
export function parsePeftConfig(text: string, file: string): { config: AdapterConfig; rule: TargetRule } {
  const fields = new JsonFields(file, parseStrictJson(text, file));
  const method = methodOf(fields);
  refuseUnsupported(fields);
  const { takes, peft } = method;
  const config: AdapterConfig = {
    method: method.name,
    rank: takes.includes("rank") ? fields.count("r", 1) : 1,
    ...(peft?.alpha === undefined ? {} : { alpha: fields.number(peft.alpha), alphaPattern: numbers(fields, "alpha_pattern") }),
    ...(takes.includes("rslora") ? { rankStabilized: fields.flag("use_rslora") } : {}),
    ...(isEmpty(fields.get("feedforward_modules")) ? {} : { feedforwardModules: entries(fields, "feedforward_modules") }),
    targetModules: method.trains === undefined ? entries(fields, "target_modules") : [],
    modulesToSave: isEmpty(fields.get("modules_to_save")) ? [] : fields.texts("modules_to_save"),
    fanInFanOut: fields.flag("fan_in_fan_out"),
    rankPattern: isEmpty(fields.get("rank_pattern")) ? {} : fields.record("rank_pattern", (ranks, name) => ranks.count(name, 1)),
    taskType: fields.textOrNull("task_type"),
    baseModel: fields.textOrNull("base_model_name_or_path"),
  };
  const rule: TargetRule = {
    targetModules: config.targetModules,
    modulesToSave: config.modulesToSave,
    excludeModules: isEmpty(fields.get("exclude_modules")) ? [] : entries(fields, "exclude_modules"),
    layersToTransform: layerNumbers(fields),
    layersPattern: layerNames(fields),
  };
  return { config, rule };
}

/** The configuration's text, keys and layout as PEFT writes them. */
export function formatPeftConfig(config: AdapterConfig): string {
  const method = methodNamed(config.method);
  const { takes, peft } = method;
  const shared = {
    auto_mapping: null, base_model_name_or_path: config.baseModel, exclude_modules: null, fan_in_fan_out: config.fanInFanOut, inference_mode: true,
    layers_pattern: null, layers_to_transform: null, modules_to_save: config.modulesToSave.length === 0 ? null : config.modulesToSave,
    peft_version: PEFT_VERSION, r: config.rank, rank_pattern: config.rankPattern, revision: null, target_modules: config.targetModules,
    task_type: config.taskType,
  };
  const own = {
    peft_type: peftTypeOf(method), ...peft?.fields, ...peft?.variant, ...(peft?.dropout === undefined ? {} : { [peft.dropout]: config.dropout ?? 0 }),
    ...(peft?.alpha === undefined ? {} : { [peft.alpha]: config.alpha ?? config.rank, alpha_pattern: config.alphaPattern ?? {} }),
    ...(takes.includes("rslora") ? { use_rslora: config.rankStabilized ?? false } : {}),
    ...(config.feedforwardModules === undefined ? {} : { feedforward_modules: config.feedforwardModules }),
  };
  const lacks = new Set(peft?.lacks);
  const sorted = Object.entries({ ...shared, ...own }).filter(([key]) => !lacks.has(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted), null, 2);
}

/** `peft_type`; of a method that PEFT has no type for its name, so that PEFT says that it doesn't know it. */
export function peftTypeOf({ name, peft }: UpdatedTransformation): string {
  return peft?.type ?? name.toUpperCase();
}

/** The method of a type, and of the fields by which methods of one type differ. */
function methodOf(fields: JsonFields): UpdatedTransformation {
  const peftType = fields.text("peft_type");
  const ofType = METHODS.filter((m) => peftTypeOf(m) === peftType);
  if (ofType.length === 0) throw peftTypeUnknown(fields.file, peftType, [...new Set(METHODS.map(peftTypeOf))]);
  const found = ofType.find(({ peft }) => Object.entries(peft?.variant ?? {}).every(([key, value]) => fields.flag(key) === value));
  if (found === undefined) throw peftOptionUnsupported(fields.file, Object.keys(ofType[0]?.peft?.variant ?? {})[0] ?? "peft_type");
  return found;
}

function refuseUnsupported(fields: JsonFields): void {
  const known = new Set([...HARMLESS, ...METHODS.flatMap(({ peft }) => [...Object.keys({ ...peft?.fields, ...peft?.variant }), peft?.alpha])]);
  const unknown = fields.keys.find((key) => !known.has(key) && !isEmpty(fields.get(key)));
  if (unknown !== undefined) throw peftOptionUnsupported(fields.file, unknown);
  if (![undefined, "none"].some((word) => word === fields.get("bias"))) throw peftOptionUnsupported(fields.file, "bias");
  if (!PLAIN_INITIALISATIONS.includes(fields.get("init_lora_weights"))) throw peftOptionUnsupported(fields.file, "init_lora_weights");
}

/** A list of endings, or a pattern. */
function entries(fields: JsonFields, key: string): readonly string[] | string {
  const value = fields.get(key);
  if (typeof value === "string" && value !== "") return value;
  return Array.isArray(value) && value.length > 0 ? fields.texts(key) : fields.wrong(key, "a list of module names, or a pattern");
}

function numbers(fields: JsonFields, key: string): Record<string, number> {
  return isEmpty(fields.get(key)) ? {} : fields.record(key, (values, name) => values.number(name));
}

function layerNumbers(fields: JsonFields): number[] {
  const value = fields.get("layers_to_transform");
  if (typeof value === "number") return [fields.count("layers_to_transform", 0)];
  return isEmpty(value) ? [] : fields.counts("layers_to_transform", 0);
}

function layerNames(fields: JsonFields): string[] {
  const value = fields.get("layers_pattern");
  if (isEmpty(value)) return [];
  const names = typeof value === "string" ? [value] : fields.texts("layers_pattern");
  return names.every((name) => /^[\w.]+$/.test(name)) ? names : fields.wrong("layers_pattern", "plain module names");
}

/** What Python takes as nothing set. */
function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return true;
  return Array.isArray(value) ? value.length === 0 : value instanceof Map && value.size === 0;
}
