/** Folders: made, required, listed, and files taken out of them. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { folderMissing, folderUnmakable, notAFolder, outputUnwritable, systemCode } from "../../errors/files.ts";

/** Makes a folder, and those above it, where they are missing. Throws FOLDER_UNMAKABLE. */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw folderUnmakable(path, error);
  }
}

/** Throws FOLDER_MISSING or NOT_A_FOLDER unless `path` is a folder, or a link to one. */
export function requireFolder(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw notAFolder(path);
  } catch (error) {
    throw systemCode(error) === undefined ? error : folderMissing(path);
  }
}

/** Whether a folder has an entry of this name. */
export function folderHolds(folder: string, name: string): boolean {
  return existsSync(join(folder, name));
}

/** Whether a regular file, or a link to one, is there. */
export function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** Whether a folder, or a link to one, is there. */
export function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** The sub-folders, in order, that have an entry of this name; none where the folder can't be listed. */
export function subFoldersHolding(folder: string, name: string): string[] {
  try {
    return readdirSync(folder).sort().filter((entry) => folderHolds(join(folder, entry), name));
  } catch {
    return [];
  }
}

/** Removes a file; that it isn't there is no error. Throws OUTPUT_UNWRITABLE. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw outputUnwritable(path, error);
  }
}

/** Removes a folder in which there is nothing. One that holds something, or can't be removed, stays. */
export function removeEmptyFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
