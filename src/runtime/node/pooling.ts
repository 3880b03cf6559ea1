/** How the model of a folder pools its hidden states, as sentence-transformers writes it down. */
import { dirname, join } from "node:path";
import { existsSync } from "node:fs";
import type { Pooling } from "../../passes/attach-head.ts";
import { isObject } from "../model-folder/config-json.ts";
import { readJson } from "./json-file.ts";
import { findLogits } from "../model-outputs.ts";
import type { GlueName } from "../options.ts";
import { companionFile, isOwn } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";

/** The poolings that a head can do, by their key in 1_Pooling/config.json. */
const KEYS: Readonly<Record<string, Pooling>> = { pooling_mode_mean_tokens: "mean", pooling_mode_cls_token: "cls", pooling_mode_lasttoken: "last" };
/** Those it can't: with one of these beside it, none is told. */
const OTHERS = ["pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens"];
/** And by the word that its newest version writes. */
const WORDS: Readonly<Record<string, Pooling>> = { mean: "mean", cls: "cls", lasttoken: "last" };

/**
 * mean, cls or last, from modules.json and the config.json of the folder that it calls Pooling, beside a model or in the folder above; undefined where nothing is told,
 * or another pooling, or several. Throws JSON_BROKEN.
 */
export function poolingOfFolder(modelPath: string): Pooling | undefined {
  const modules = companionFile(modelPath, "modules.json");
  const listed = modules === undefined ? undefined : readJson(modules);
  if (modules === undefined || !Array.isArray(listed)) return undefined;
  const module: unknown = listed.find((entry) => isObject(entry) && typeof entry["type"] === "string" && entry["type"].endsWith(".Pooling"));
  const folder = isObject(module) ? module["path"] : undefined;
  // A name that leads elsewhere is none of the model's.
  if (typeof folder !== "string" || !/^[\w.-]+$/.test(folder) || /^\.+$/.test(folder)) return undefined;
  const file = join(dirname(modules), folder, "config.json");
  if (!existsSync(file) || !isOwn(file, dirname(modules), modelPath)) return undefined;
  return poolingIn(readJson(file));
}

/** What a Pooling's config.json says. */
function poolingIn(config: unknown): Pooling | undefined {
  if (!isObject(config)) return undefined;
  const word = config["pooling_mode"];
  if (typeof word === "string") return WORDS[word];
  if (OTHERS.some((key) => config[key] === true)) return undefined;
  const told = Object.entries(KEYS).filter(([key]) => config[key] === true);
  return told.length === 1 ? told[0]?.[1] : undefined;
}

interface HeadChoice {
  readonly head?: Pooling | undefined;
  readonly numLabels?: number | undefined;
  readonly glue?: GlueName | undefined;
  readonly adapter?: string | undefined;
  readonly outputName?: string | undefined;
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/** The options with a head that pools as the model's folder says, where classes are asked for, the model makes no logits, and no option names a pooling. */
export function withPooling<T extends HeadChoice>(opened: OpenedModel, options: T): T {
  const { head, numLabels, glue, adapter, outputName } = options;
  if (head !== undefined || adapter !== undefined || (numLabels === undefined && glue === undefined)) return options;
  if (findLogits(opened.loadInlined().graph, outputName) !== undefined) return options;
  const pooling = poolingOfFolder(opened.path);
  if (pooling === undefined) return options;
  options.onNotice?.(`the head pools by ${pooling}, as the model's folder says; --head names another`);
  return { ...options, head: pooling };
}
