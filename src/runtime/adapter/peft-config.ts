/** adapter_config.json, read and written in PEFT 0.21.2's words. */
import { peftOptionUnsupported, peftTypeUnknown } from "../../errors/adapter.ts";
import { JsonFields } from "./json-fields.ts";
import { parseStrictJson, type JsonValue } from "./strict-json.ts";
import type { TargetRule } from "./target-modules.ts";

/** The methods whose folders are read and written: HUT (PEFT's HIRA) and LoRA. */
export type AdapterMethod = "hut" | "lora";

/** What an adapter's configuration says, whoever wrote it. */
export interface AdapterConfig {
  readonly method: AdapterMethod;
  /** Rank r of every module that rankPattern doesn't name. */
  readonly rank: number;
  /** s = alpha / rank. From hut.json, or lora_alpha; none in PEFT's HIRA, where s is multiplied into hira_B. */
  readonly alpha?: number;
  /** LoRA alone: the scale is alpha / √r. */
  readonly rankStabilized?: boolean;
  /** LoRA alone: alphas of single modules, keyed as rankPattern. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
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

/** Options that change nothing in what a trained adapter computes; all others must be empty, or read below. */
const HARMLESS = new Set([
  "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_type", "peft_version", "revision", "task_type",
  "r", "target_modules", "modules_to_save", "fan_in_fan_out", "rank_pattern", "exclude_modules", "layers_to_transform", "layers_pattern",
  "hira_dropout", "init_weights",
  "lora_alpha", "lora_dropout", "use_rslora", "alpha_pattern", "bias", "init_lora_weights", "loftq_config", "eva_config", "corda_config",
  "lora_ga_config", "megatron_core", "qalora_group_size", "runtime_config",
]);

/** LoRA's initialisations that leave the base weight alone; the others (PiSSA, OLoRA, …) change it, and an export doesn't have that change. */
const PLAIN_INITIALISATIONS: readonly (JsonValue | undefined)[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/**
 * Reads a configuration's text; `file` names it in messages.
 * Throws JSON_BROKEN, FIELD_WRONG, PEFT_TYPE_UNKNOWN, and PEFT_OPTION_UNSUPPORTED for options that change what the tensors mean.
 */
export function parsePeftConfig(text: string, file: string): { config: AdapterConfig; rule: TargetRule } {
  const fields = new JsonFields(file, parseStrictJson(text, file));
  const peftType = fields.text("peft_type");
  if (peftType !== "HIRA" && peftType !== "LORA") throw peftTypeUnknown(file, peftType);
  refuseUnsupported(fields);
  const lora = peftType === "LORA";
  const config: AdapterConfig = {
    method: lora ? "lora" : "hut",
    rank: fields.count("r", 1),
    ...(lora ? { alpha: fields.number("lora_alpha"), rankStabilized: fields.flag("use_rslora"), alphaPattern: numbers(fields, "alpha_pattern") } : {}),
    targetModules: entries(fields, "target_modules"),
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
  const shared = {
    auto_mapping: null, base_model_name_or_path: config.baseModel, exclude_modules: null, fan_in_fan_out: config.fanInFanOut, inference_mode: true,
    layers_pattern: null, layers_to_transform: null, modules_to_save: config.modulesToSave.length === 0 ? null : config.modulesToSave,
    peft_version: PEFT_VERSION, r: config.rank, rank_pattern: config.rankPattern, revision: null, target_modules: config.targetModules,
    task_type: config.taskType,
  };
  const own = config.method === "lora"
    ? {
      peft_type: "LORA", lora_alpha: config.alpha ?? config.rank, lora_dropout: config.dropout ?? 0, use_rslora: config.rankStabilized ?? false,
      alpha_pattern: config.alphaPattern ?? {}, bias: "none", init_lora_weights: true,
    }
    : { peft_type: "HIRA", hira_dropout: config.dropout ?? 0, init_weights: true };
  const sorted = Object.entries({ ...shared, ...own }).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(sorted), null, 2);
}

function refuseUnsupported(fields: JsonFields): void {
  const unknown = fields.keys.find((key) => !HARMLESS.has(key) && !isEmpty(fields.get(key)));
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
