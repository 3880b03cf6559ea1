/** An adapter and the files of its PEFT folder: adapter_config.json, adapter_model.safetensors, README.md, and our own hut.json. Who reads and writes them is no matter. */
import { hutJsonDisagrees } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";
import type { Bytes, Source } from "../../ir/source.ts";
import { methodNamed } from "../../methods/registry.ts";
import type { AdapterFolder } from "./adapter-folder.ts";
import { formatHutJson, parseHutJson, type HutJson } from "./hut-json.ts";
import { CONFIG_FILE, formatPeftConfig, parsePeftConfig } from "./peft-config.ts";
import { checkTensors, groupTensors, PEFT_PREFIX, sameSizes, SHARED_PREFIX, weightShape } from "./peft-tensors.ts";
import { adapterReadme } from "./readme.ts";
import { fromFloat32, readSafetensors, writeSafetensors, type SafeTensor } from "./safetensors.ts";
import type { TargetRule } from "./target-modules.ts";

export const TENSOR_FILE = "adapter_model.safetensors";
export const HUT_FILE = "hut.json";
export const README_FILE = "README.md";

/** The files by name, in pieces, the configuration last; `dir` is what messages call the folder. Throws what reading it back would say of it. */
export function adapterFiles(adapter: AdapterFolder, dir: string): Map<string, Iterable<Bytes>> {
  const rule: TargetRule = { ...adapter, excludeModules: [], layersToTransform: [], layersPattern: [] };
  checkTensors(adapter, adapter, rule, `${dir}/${TENSOR_FILE}`, dir);
  if (adapter.hut !== undefined) checkHutJson(adapter, adapter.hut, dir);
  const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];
  return new Map<string, Iterable<Bytes>>([
    [TENSOR_FILE, writeSafetensors(fileTensors(adapter), { format: "pt" })],
    ...(adapter.hut === undefined ? [] : [[HUT_FILE, text(formatHutJson(adapter.hut))] as const]),
    [README_FILE, text(adapterReadme(adapter))],
    [CONFIG_FILE, text(formatPeftConfig(adapter))],
  ]);
}

/** By PEFT's names; of a method that PEFT doesn't have by PyTorch's own, so that `load_state_dict(…, strict=False)` takes them. */
function fileTensors({ method, modules, saved, shared }: AdapterFolder): Map<string, SafeTensor> {
  const tensors = new Map<string, SafeTensor>();
  const prefix = methodNamed(method).peft === undefined ? "" : PEFT_PREFIX;
  for (const [module, parameters] of modules) {
    for (const [parameter, { shape, data }] of parameters) tensors.set(`${PEFT_PREFIX}${module}.${parameter}`, fromFloat32(shape, data));
  }
  for (const [path, { shape, data }] of saved) tensors.set(prefix + path, fromFloat32(shape, data));
  for (const [name, { shape, data }] of shared ?? []) tensors.set(SHARED_PREFIX + name, fromFloat32(shape, data));
  return tensors;
}

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
 * The files as an adapter, checked whole: nothing of it is left to find broken later. `folder` and `pathOf`, a file's name as its path, are for messages. Where PEFT's exclude_modules or layers_to_transform narrow the targets, targetModules
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

/** Throws HUT_JSON_DISAGREES where hut.json says other than PEFT's files. */
export function checkHutJson(adapter: AdapterFolder, hut: HutJson, dir: string): void {
  const disagree = (problem: string): never => {
    throw hutJsonDisagrees(dir, problem);
  };
  if (hut.method !== adapter.method) disagree(`its method is ${quote(hut.method)}, theirs ${quote(adapter.method)}`);
  if (hut.alpha !== adapter.alpha) disagree(`its alpha is ${String(hut.alpha)}, theirs ${String(adapter.alpha)}`);
  const only = differing(Object.keys(hut.modules), adapter.modules);
  if (only !== undefined) disagree(`module ${quote(only)} is in one of them alone`);
  for (const [name, { shape }] of Object.entries(hut.modules)) {
    if (!sameSizes(weightShape(adapter, name), shape)) disagree(`module ${quote(name)} has shape [${shape.join(", ")}] in the one, another in the other`);
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
