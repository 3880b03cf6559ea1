/** What stands beside a checkpoint that was trained elsewhere. */
import { dirname, join } from "node:path";
import { ADAPTER_FOLDER, MANIFEST_FILE, type Manifest } from "../manifest.ts";
import { readManifest } from "../read-manifest.ts";
import { readTextFile } from "./file-source.ts";
import { folderHolds } from "./folder.ts";
import { finishRenames } from "./leftovers.ts";

/** Longest manifest read; one of 1,000 adapted weights has 1 MB. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** Where to look for what a checkpoint's parameters are. */
export interface CheckpointPlaces {
  /** The adapter's folder, or its file. */
  readonly folder: string;
  /** Undefined where an adapter is named, and where there is none. */
  readonly manifest: { readonly file: string; readonly contents: Manifest } | undefined;
}

/** The adapter named, else the one that the manifest beside the checkpoint names, else the folder `adapter` there. Throws where the manifest is damaged. */
export function placesBeside(checkpoint: string, named: string | undefined): CheckpointPlaces {
  const beside = dirname(checkpoint);
  finishRenames(beside);
  const file = join(beside, MANIFEST_FILE);
  const manifest = named === undefined && folderHolds(beside, MANIFEST_FILE) ? { file, contents: readManifest(readTextFile(file, MAX_MANIFEST_BYTES), file) } : undefined;
  return { folder: named ?? join(beside, manifest?.contents.adapter ?? ADAPTER_FOLDER), manifest };
}
