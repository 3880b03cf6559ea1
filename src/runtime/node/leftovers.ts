/**
 * What a killed process left in a folder: temporary files, which go, and renames that it had begun, which are finished.
 *
 * A command that writes several files renames them one after the other. So that a kill between two of these leaves no mixture, each of the folders has a list of
 * the renames first, under a temporary name of its own. Whoever next reads or writes there finishes what such a list of a dead process says.
 *
 * Rules: (1) a list is there whole or not at all; (2) it goes when the last rename is done; (3) a temporary file is renamed only to the name that its own says, and a
 * file is removed only beside one that is renamed, so that a folder from a stranger can say nothing of files elsewhere.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isLeftover, isTemporaryOf, temporaryBeside } from "./temporary-file.ts";

/** The name that a list's temporary name is made of. */
const LIST = "onnx-hut-renames";
/** Longest list read; one of 1,000 files takes under 300 kB. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

/** A temporary file and its place. */
export interface Rename {
  readonly temporary: string;
  readonly path: string;
}

/** Notes, in each folder that they are in, which renames and removals follow. Returns the lists' paths, for `forget`. */
export function noteRenames(renames: readonly Rename[], unwanted: readonly string[]): string[] {
  return [...new Set(renames.map(({ path }) => dirname(resolve(path))))].map((folder) => {
    const from = (path: string): string => relative(folder, resolve(path));
    const list = { renames: renames.map(({ temporary, path }) => [from(temporary), from(path)]), unwanted: unwanted.map(from) };
    const draft = temporaryBeside(join(folder, "draft"));
    const fd = openSync(draft, "wx");
    try {
      writeSync(fd, JSON.stringify(list));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    const place = temporaryBeside(join(folder, LIST));
    renameSync(draft, place);
    return place;
  });
}

/** Removes lists whose renames are done, or given up. Never fails: a list whose files are all in place says nothing. */
export function forget(lists: readonly string[]): void {
  try {
    for (const list of lists) rmSync(list, { force: true });
  } catch {
    return;
  }
}

/** Finishes the renames that dead processes began in `folder`. Never fails: who can't write there finds what is there. */
export function finishRenames(folder: string): void {
  try {
    for (const name of readdirSync(folder)) if (isTemporaryOf(name, LIST) && isLeftover(join(folder, name))) finish(join(folder, name));
  } catch {
    return;
  }
}

/** Finishes what dead processes began in `folder`, and removes what else they left. Never fails: leftovers are untidy, not wrong. */
export function removeLeftovers(folder: string): void {
  finishRenames(folder);
  try {
    for (const name of readdirSync(folder)) if (isLeftover(join(folder, name))) rmSync(join(folder, name), { force: true });
  } catch {
    return;
  }
}

function finish(list: string): void {
  const folder = dirname(list);
  const { renames, unwanted } = listIn(list);
  const waiting = renames.map(([temporary, path]) => ({ temporary: resolve(folder, temporary), path: resolve(folder, path) }))
    .filter(({ temporary, path }) => isTemporaryOf(basename(temporary), basename(path)) && dirname(temporary) === dirname(path) && isLeftover(temporary));
  const folders = new Set(waiting.map(({ path }) => dirname(path)));
  for (const path of unwanted.map((name) => resolve(folder, name))) if (folders.has(dirname(path)) && existsSync(path) && statSync(path).isFile()) rmSync(path);
  for (const { temporary, path } of waiting) if (existsSync(temporary)) renameSync(temporary, path);
  rmSync(list, { force: true });
}

function listIn(file: string): { renames: [temporary: string, path: string][]; unwanted: string[] } {
  if (statSync(file).size > MAX_LIST_BYTES) return { renames: [], unwanted: [] };
  const value = JSON.parse(readFileSync(file, "utf8")) as { renames?: unknown; unwanted?: unknown };
  const isText = (v: unknown): v is string => typeof v === "string";
  const entries = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);
  return {
    renames: entries(value.renames).flatMap((entry): [string, string][] => { const [temporary, path] = entries(entry); return isText(temporary) && isText(path) ? [[temporary, path]] : []; }),
    unwanted: entries(value.unwanted).filter(isText),
  };
}
