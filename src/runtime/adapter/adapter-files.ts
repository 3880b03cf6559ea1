/** The files of an adapter's folder as an adapter, checked whole: nothing of it is left to find broken later. Who read them, and from where, is no matter. */
import { hutJsonDisagrees } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";
import type { Source } from "../../ir/source.ts";
import type { AdapterFolder } from "./adapter-folder.ts";
import { parseHutJson, type HutJson } from "./hut-json.ts";
import { CONFIG_FILE, parsePeftConfig } from "./peft-config.ts";
import { checkTensors, groupTensors, weightShape } from "./peft-tensors.ts";
import { readSafetensors } from "./safetensors.ts";

export const TENSOR_FILE = "adapter_model.safetensors";
export const HUT_FILE = "hut.json";

/** What the folder holds: its texts, and the tensors' file. */
export interface AdapterSources {
  /** adapter_config.json. */
  readonly config: string;
  /** adapter_model.safetensors. */
  readonly tensors: Source;
  /** hut.json, of folders that we wrote. */
  readonly hut?: string | undefined;
}

/**
 * `folder` and `pathOf`, a file's name as its path, are for messages. Where PEFT's exclude_modules or layers_to_transform narrow the targets, targetModules
 * comes back as the list of module paths. Throws the errors of src/errors/adapter.ts.
 */
export function adapterOfFiles(files: AdapterSources, folder: string, pathOf: (name: string) => string): AdapterFolder {
  const { config, rule } = parsePeftConfig(files.config, pathOf(CONFIG_FILE));
  const tensors = groupTensors(readSafetensors(files.tensors), config, pathOf(TENSOR_FILE));
  checkTensors(tensors, config, rule, pathOf(TENSOR_FILE), folder);

  const narrowed = rule.excludeModules.length > 0 || rule.layersToTransform.length > 0;
  const adapter = { ...config, ...tensors, ...(narrowed ? { targetModules: [...tensors.modules.keys()] } : {}) };
  if (files.hut === undefined) return adapter;
  const hut = parseHutJson(files.hut, pathOf(HUT_FILE));
  const whole: AdapterFolder = { ...adapter, alpha: adapter.alpha ?? hut.alpha, hut };
  checkHutJson(whole, hut, folder);
  return whole;
}

/** Throws HUT_JSON_DISAGREES where hut.json and the rest of the folder are not of one adapter. */
export function checkHutJson(adapter: AdapterFolder, hut: HutJson, dir: string): void {
  const disagree = (problem: string): never => {
    throw hutJsonDisagrees(dir, problem);
  };
  if (hut.method !== adapter.method) disagree(`its method is ${quote(hut.method)}, theirs ${quote(adapter.method)}`);
  if (hut.alpha !== adapter.alpha) disagree(`its alpha is ${String(hut.alpha)}, theirs ${String(adapter.alpha)}`);
  const only = differing(Object.keys(hut.modules), adapter.modules);
  if (only !== undefined) disagree(`module ${quote(only)} is in one of them alone`);
  for (const [name, { shape }] of Object.entries(hut.modules)) {
    const same = weightShape(adapter, name).join() === shape.join();
    if (!same) disagree(`module ${quote(name)} has shape [${shape.join(", ")}] in the one, another in the other`);
  }
  const onlySaved = differing(Object.keys(hut.saved), adapter.saved);
  if (onlySaved !== undefined) disagree(`tensor ${quote(onlySaved)} is in one of them alone`);
  for (const [name, { shape }] of Object.entries(hut.saved)) {
    const same = adapter.saved.get(name)?.shape.join() === shape.join();
    if (!same) disagree(`tensor ${quote(name)} has shape [${shape.join(", ")}] in the one, another in the other`);
  }
}

/** A name that is in one of the two alone. */
function differing(names: readonly string[], map: ReadonlyMap<string, unknown>): string | undefined {
  const set = new Set(names);
  return names.find((name) => !map.has(name)) ?? [...map.keys()].find((name) => !set.has(name));
}
