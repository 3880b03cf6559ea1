/** Where a model's external data may lie: a `location` from the file becomes a real path inside the model's folder, or is refused. */
import { realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { externalDataHardLinked, externalDataLeavesFolder, externalDataMissing, fileMissing, systemCode, unsafeLocation } from "../../errors/files.ts";
import type { ModelProto } from "../../ir/proto/generated/schema.ts";
import { externalEntry } from "../../ir/proto/tensor.ts";
import { ByteRange } from "../../ir/source.ts";
import { requireRegularFile } from "./file-source.ts";

/** Longest location we follow. Real ones are file names; systems allow paths of 4,096 bytes. */
const MAX_LOCATION_LENGTH = 4096;

/**
 * The real path of the external data file that a model names in `location`.
 * The location itself must be relative and stay inside: empty, absolute, with `..`, a backslash, a drive letter or NUL is refused, as is ONNX
 * Runtime's name for memory. A link is followed when it ends in the folder of `modelPath`, or in the folder where the model itself really
 * lies, so that a cache where model and data are both links into one folder works. Only regular files pass, and of those
 * with several names (hard links), which could be files from elsewhere, only the model itself.
 * Throws UNSAFE_EXTERNAL_LOCATION, EXTERNAL_DATA_LEAVES_FOLDER, EXTERNAL_DATA_HARD_LINKED, EXTERNAL_DATA_MISSING, FILE_MISSING (the model), NOT_A_REGULAR_FILE.
 */
export function resolveExternal(modelPath: string, location: string): string {
  const problem = problemOf(location);
  if (problem !== undefined) throw unsafeLocation(modelPath, location, problem);

  const folder = dirname(resolve(modelPath));
  const candidate = join(folder, location);
  const target = real(candidate);
  if (target === undefined) throw externalDataMissing(modelPath, location, candidate);
  const model = real(modelPath);
  if (model === undefined) throw fileMissing(modelPath);
  const inside = isInside(target, real(folder) ?? folder) || isInside(target, dirname(model));
  if (!inside) throw externalDataLeavesFolder(modelPath, location, target);
  requireRegularFile(target);
  const { nlink } = statSync(target);
  if (nlink > 1 && target !== model) throw externalDataHardLinked(modelPath, location, target, nlink);
  return target;
}

/** Why a location is refused whatever is on the disk, completing "it …". */
function problemOf(location: string): string | undefined {
  if (location === "") return "is empty";
  if (location.length > MAX_LOCATION_LENGTH) return `is longer than ${String(MAX_LOCATION_LENGTH)} characters`;
  if (location.includes("\0")) return "holds a NUL character";
  if (location.includes("_ORT_MEM_ADDR_")) return "names memory of a process, not a file";
  if (location.includes("\\")) return "holds a backslash";
  if (location.startsWith("/") || isAbsolute(location)) return "is an absolute path";
  if (/^[A-Za-z]:/.test(location)) return "begins with a drive letter";
  const parts = location.split("/");
  if (parts.includes("..")) return "leads out of the folder by \"..\"";
  return parts.every((part) => part === "" || part === ".") || location.endsWith("/") ? "names a folder" : undefined;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Whether a real path lies in a real folder. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Where the graph's initializers say that they lie in their one file: the model's own or, of those that are outside, the one that they name. Nothing is checked: what
 * is no place, or says no length, is left out.
 */
export function initializerSpans({ graph }: ModelProto): { offset: number; length: number }[] {
  const isPlace = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
  return (graph?.initializer ?? []).flatMap((tensor) => {
    const { offset, length } = tensor.dataLocation === 1 ? { offset: Number(externalEntry(tensor, "offset") ?? 0), length: Number(externalEntry(tensor, "length") ?? NaN) }
      : tensor.rawData instanceof ByteRange ? tensor.rawData : { offset: NaN, length: NaN };
    return isPlace(offset) && isPlace(length) ? [{ offset, length }] : [];
  });
}

/** The files that initializers of the graph lie in, by their names in the model; none where all are inside. */
export function dataLocations({ graph }: ModelProto): Set<string> {
  const external = graph?.initializer.filter((tensor) => tensor.dataLocation === 1) ?? [];
  return new Set(external.map((tensor) => externalEntry(tensor, "location") ?? ""));
}
