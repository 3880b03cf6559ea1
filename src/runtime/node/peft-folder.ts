/** An adapter as a PEFT folder: adapter_config.json, adapter_model.safetensors, README.md, and our own hut.json. */
import { join } from "node:path";
import { adapterMissing } from "../../errors/adapter.ts";
import { openFileSource, readTextFile } from "./file-source.ts";
import { folderHolds, requireFolder, subFoldersHolding } from "./folder.ts";
import { finishRenames } from "./leftovers.ts";
import { Outputs } from "./outputs.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import { adapterFiles, adapterOfFiles, HUT_FILE, README_FILE, TENSOR_FILE } from "../adapter/folder-files.ts";
import { CONFIG_FILE } from "../adapter/peft-config.ts";
import { isOurReadme } from "../adapter/readme.ts";

/** Longest text file of an adapter that is read. Configurations stay under 100 kB, hut.json under 2 kB a module. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Reads an adapter folder and checks it against itself, whole: nothing of it is left to find broken later.
 * Throws FOLDER_MISSING, ADAPTER_MISSING, the errors of reading a file, and those of src/errors/adapter.ts.
 */
export function readAdapterFolder(dir: string): AdapterFolder {
  requireFolder(dir);
  finishRenames(dir);
  const subFolders = folderHolds(dir, CONFIG_FILE) ? [] : subFoldersHolding(dir, CONFIG_FILE);
  const missing = [CONFIG_FILE, TENSOR_FILE].find((name) => !folderHolds(dir, name));
  if (missing !== undefined) throw adapterMissing(dir, missing, subFolders);

  using source = openFileSource(join(dir, TENSOR_FILE));
  const hut = folderHolds(dir, HUT_FILE) ? readTextFile(join(dir, HUT_FILE), MAX_TEXT_BYTES) : undefined;
  return adapterOfFiles({ config: readTextFile(join(dir, CONFIG_FILE), MAX_TEXT_BYTES), tensors: source, hut }, dir, (name) => join(dir, name));
}

/**
 * Writes an adapter folder so that PEFT 0.21.2 opens it without a warning, and returns the paths written. Every file appears whole or not at
 * all, the configuration last. An old hut.json is removed where the adapter has none; a README.md that isn't ours is left alone.
 * The same adapter gives the same bytes. Throws FOLDER_UNMAKABLE, OUTPUT_UNWRITABLE, and whatever readAdapterFolder would say of the result.
 */
export function writeAdapterFolder(dir: string, adapter: AdapterFolder): string[] {
  using outputs = new Outputs();
  const written = addAdapterFolder(dir, adapter, outputs);
  outputs.commit();
  return written;
}

/** The same as a part of what a command writes: it is in place once `outputs` is committed. */
export function addAdapterFolder(dir: string, adapter: AdapterFolder, outputs: Outputs): string[] {
  const files = adapterFiles(adapter, dir);
  outputs.folder(dir);
  if (!files.has(HUT_FILE)) outputs.remove(join(dir, HUT_FILE));
  const keepsReadme = folderHolds(dir, README_FILE) && !isOurReadme(readTextFile(join(dir, README_FILE), MAX_TEXT_BYTES));
  const written = [...files].filter(([name]) => name !== README_FILE || !keepsReadme);
  for (const [name, chunks] of written) outputs.write(join(dir, name), [...chunks]);
  return written.map(([name]) => join(dir, name));
}
