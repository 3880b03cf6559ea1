/** Single files that appear whole or not at all, and places that must not be written to. */
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { outputHoldsInput, outputIsInput, outputUnwritable } from "../../errors/files.ts";
import type { Bytes } from "../../ir/source.ts";
import { modeOfPlace, Outputs } from "./outputs.ts";

/** Writes one file, and returns its size in bytes. Whatever is thrown, the old file stays as it was. Throws what `Outputs.write` throws. */
export function writeFileAtomic(path: string, chunks: readonly Bytes[]): number {
  using outputs = new Outputs();
  const size = outputs.write(path, chunks);
  outputs.commit();
  return size;
}

/** Throws what a write to `path` would throw, as far as it can be told beforehand; call it before long work. Writes nothing. */
export function requireWritable(path: string): void {
  modeOfPlace(path);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw outputUnwritable(path, error);
  }
}

/** Throws OUTPUT_IS_INPUT when `output` is one of `inputs`, by name, through links, or as a hard link. Missing inputs are not its business. */
export function refuseInputAsOutput(output: string, inputs: readonly string[]): void {
  const place = identity(output);
  if (place === undefined) return;
  const same = inputs.find((input) => identity(input) === place);
  if (same !== undefined) throw outputIsInput(output, inputs.find((input) => resolve(input) === resolve(output)) === undefined ? same : output);
}

/** Throws OUTPUT_HOLDS_INPUT when one of `inputs` lies in the folder, or is the folder, links followed. */
export function refuseFolderOfInput(folder: string, inputs: readonly string[]): void {
  if (!existsSync(folder)) return;
  const place = realpathSync(folder);
  const held = inputs.find((input) => {
    const way = existsSync(input) ? relative(place, realpathSync(input)) : "..";
    return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  });
  if (held !== undefined) throw outputHoldsInput(folder, held);
}

/** What tells whether two paths are one file: device and inode, through links. Undefined where nothing can be seen there. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${String(dev)}:${String(ino)}`;
  } catch {
    return undefined;
  }
}
