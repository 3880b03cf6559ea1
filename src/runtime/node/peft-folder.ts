/** An adapter as a PEFT folder: adapter_config.json, adapter_model.safetensors, README.md, and our own hut.json. */
import { join } from "node:path";
import { adapterMissing } from "../../errors/adapter.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { openFileSource, readTextFile } from "./file-source.ts";
import { ensureFolder, folderHolds, removeFile, requireFolder, subFoldersHolding } from "./folder.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import { adapterFiles, checkHutJson, HUT_FILE, README_FILE, TENSOR_FILE } from "../adapter/folder-files.ts";
import { parseHutJson } from "../adapter/hut-json.ts";
import { CONFIG_FILE, parsePeftConfig, type AdapterConfig } from "../adapter/peft-config.ts";
import { checkTensors, groupTensors, type AdapterTensors } from "../adapter/peft-tensors.ts";
import { isOurReadme } from "../adapter/readme.ts";
import { readSafetensors } from "../adapter/safetensors.ts";

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
  const files = adapterFiles(adapter, dir);
  ensureFolder(dir);
  const written: string[] = [];
  const write = (name: string, chunks: Parameters<typeof writeFileAtomic>[1]): void => {
    writeFileAtomic(join(dir, name), chunks);
    written.push(join(dir, name));
  };
  if (!files.has(HUT_FILE)) removeFile(join(dir, HUT_FILE));
  const keepsReadme = folderHolds(dir, README_FILE) && !isOurReadme(readTextFile(join(dir, README_FILE), MAX_TEXT_BYTES));
  for (const [name, chunks] of files) if (name !== README_FILE || !keepsReadme) write(name, chunks);
  return written;
}

function readTensors(path: string, config: AdapterConfig): AdapterTensors {
  using source = openFileSource(path);
  return groupTensors(readSafetensors(source), config, path);
}
