/** An adapter as a PEFT folder: adapter_config.json, adapter_model.safetensors, README.md, and our own hut.json. */
import { join } from "node:path";
import { adapterMissing, hutJsonDisagrees } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { openFileSource, readTextFile } from "./file-source.ts";
import { ensureFolder, folderHolds, removeFile, requireFolder, subFoldersHolding } from "./folder.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import { formatHutJson, parseHutJson, type HutJson } from "../adapter/hut-json.ts";
import { CONFIG_FILE, formatPeftConfig, parsePeftConfig, type AdapterConfig } from "../adapter/peft-config.ts";
import { checkTensors, groupTensors, PEFT_PREFIX, weightShape, type AdapterTensors } from "../adapter/peft-tensors.ts";
import { adapterReadme, isOurReadme } from "../adapter/readme.ts";
import { fromFloat32, readSafetensors, writeSafetensors, type SafeTensor } from "../adapter/safetensors.ts";
import type { TargetRule } from "../adapter/target-modules.ts";

const TENSOR_FILE = "adapter_model.safetensors";
const HUT_FILE = "hut.json";
const README_FILE = "README.md";

/** Longest text file of an adapter that is read. Configurations stay under 100 kB, hut.json under 2 kB a module. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Reads an adapter folder and checks it against itself, whole: nothing of it is left to find broken later.
 * Where PEFT's exclude_modules or layers_to_transform narrow the targets, targetModules comes back as the list of module paths.
 * Throws FOLDER_MISSING, ADAPTER_MISSING, the errors of reading a file, and those of src/errors/adapter.ts.
 */
export function readAdapterFolder(dir: string): AdapterFolder {
  requireFolder(dir);
  const subFolders = folderHolds(dir, CONFIG_FILE) ? [] : subFoldersHolding(dir, CONFIG_FILE);
  const missing = [CONFIG_FILE, TENSOR_FILE].find((name) => !folderHolds(dir, name));
  if (missing !== undefined) throw adapterMissing(dir, missing, subFolders);

  const configPath = join(dir, CONFIG_FILE);
  const { config, rule } = parsePeftConfig(readTextFile(configPath, MAX_TEXT_BYTES), configPath);
  const tensors = readTensors(join(dir, TENSOR_FILE), config);
  checkTensors(tensors, config, rule, join(dir, TENSOR_FILE), dir);

  const narrowed = rule.excludeModules.length > 0 || rule.layersToTransform.length > 0;
  const adapter = { ...config, ...tensors, ...(narrowed ? { targetModules: [...tensors.modules.keys()] } : {}) };
  if (!folderHolds(dir, HUT_FILE)) return adapter;
  const hut = parseHutJson(readTextFile(join(dir, HUT_FILE), MAX_TEXT_BYTES), join(dir, HUT_FILE));
  const whole: AdapterFolder = { ...adapter, alpha: adapter.alpha ?? hut.alpha, hut };
  checkHutJson(whole, hut, dir);
  return whole;
}

/**
 * Writes an adapter folder so that PEFT 0.21.2 opens it without a warning, and returns the paths written. Every file appears whole or not at
 * all, the configuration last. An old hut.json is removed where the adapter has none; a README.md that isn't ours is left alone.
 * The same adapter gives the same bytes. Throws FOLDER_UNMAKABLE, OUTPUT_UNWRITABLE, and whatever readAdapterFolder would say of the result.
 */
export function writeAdapterFolder(dir: string, adapter: AdapterFolder): string[] {
  const rule: TargetRule = { ...adapter, excludeModules: [], layersToTransform: [], layersPattern: [] };
  checkTensors(adapter, adapter, rule, join(dir, TENSOR_FILE), dir);
  if (adapter.hut !== undefined) checkHutJson(adapter, adapter.hut, dir);

  ensureFolder(dir);
  const written: string[] = [];
  const write = (name: string, chunks: Parameters<typeof writeFileAtomic>[1]): void => {
    writeFileAtomic(join(dir, name), chunks);
    written.push(join(dir, name));
  };
  const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];
  write(TENSOR_FILE, writeSafetensors(fileTensors(adapter), { format: "pt" }));
  if (adapter.hut === undefined) removeFile(join(dir, HUT_FILE));
  else write(HUT_FILE, text(formatHutJson(adapter.hut)));
  if (!folderHolds(dir, README_FILE) || isOurReadme(readTextFile(join(dir, README_FILE), MAX_TEXT_BYTES))) write(README_FILE, text(adapterReadme(adapter)));
  write(CONFIG_FILE, text(formatPeftConfig(adapter)));
  return written;
}

function readTensors(path: string, config: AdapterConfig): AdapterTensors {
  using source = openFileSource(path);
  return groupTensors(readSafetensors(source), config, path);
}

function fileTensors({ modules, saved }: AdapterTensors): Map<string, SafeTensor> {
  const tensors = new Map<string, SafeTensor>();
  for (const [module, parameters] of modules) {
    for (const [parameter, { shape, data }] of parameters) tensors.set(`${PEFT_PREFIX}${module}.${parameter}`, fromFloat32(shape, data));
  }
  for (const [path, { shape, data }] of saved) tensors.set(PEFT_PREFIX + path, fromFloat32(shape, data));
  return tensors;
}

function checkHutJson(adapter: AdapterFolder, hut: HutJson, dir: string): void {
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
