/** Files that appear whole or not at all: written under a temporary name in the same folder, synced, then renamed into place. */
import {
  accessSync, chmodSync, closeSync, constants, copyFileSync, existsSync, fstatSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync,
} from "node:fs";
import { basename, dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { outputFolderMissing, outputHoldsInput, outputInTheWay, outputIsInput, outputUnwritable, patchOutsideFile, systemCode } from "../../errors/files.ts";
import { ByteRange, type Bytes } from "../../ir/source.ts";
import { kindOf, requireRegularFile } from "./file-source.ts";
import { removeLeftovers, temporaryBeside } from "./temporary-file.ts";

/** Bytes held at a time while a range is copied: large enough for full speed, small against any model. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Bytes that replace those at `offset` of a copied file. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Bytes;
}

/**
 * Writes a file from its chunks, in order, and returns its size in bytes. Ranges are read piece by piece. A link at `path` is replaced, not
 * followed; the mode of a file that stood there is kept. Whatever is thrown, by the system or by `chunks`, the old file stays as it was.
 * Throws OUTPUT_FOLDER_MISSING, OUTPUT_IN_THE_WAY, OUTPUT_UNWRITABLE.
 */
export function writeFileAtomic(path: string, chunks: Iterable<Bytes>): number {
  return replaceFile(path, (temporary) => {
    const fd = openSync(temporary, "wx");
    try {
      let size = 0;
      for (const chunk of chunks) size += writeAt(fd, chunk, size);
      return size;
    } finally {
      closeSync(fd);
    }
  });
}

/**
 * Writes `to` as a copy of `from` with the patches in place, and returns its size in bytes. Where the file system can, the copy shares
 * `from`'s blocks, and only patched ones are written. Throws as writeFileAtomic does, what openFileSource does for `from`, and
 * PATCH_OUTSIDE_FILE.
 */
export function copyFileAtomic(from: string, to: string, patches: Iterable<Patch>): number {
  requireRegularFile(from);
  // macOS clones a link itself, not what it leads to.
  const realFrom = realpathSync(from);
  return replaceFile(to, (temporary) => {
    const mode = modeOfNewFile(temporary);
    copyFileSync(realFrom, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // The copy has its original's mode, which may be read-only: the cache of a model hub is.
    chmodSync(temporary, mode);
    const fd = openSync(temporary, "r+");
    try {
      const { size } = fstatSync(fd);
      for (const { offset, bytes } of patches) {
        if (!(offset >= 0 && offset + bytes.length <= size)) throw patchOutsideFile(from, offset, bytes.length, size);
        writeAt(fd, bytes, offset);
      }
      return size;
    } finally {
      closeSync(fd);
    }
  });
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

function replaceFile(path: string, fill: (temporary: string) => number): number {
  const mode = modeOfPlace(path);
  removeLeftovers(dirname(path));
  const temporary = temporaryBeside(path);
  try {
    const size = fill(temporary);
    syncFile(temporary);
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return size;
  } catch (error) {
    discard(temporary);
    throw systemCode(error) === undefined ? error : outputUnwritable(path, error);
  }
}

/** The mode of the file at `path`, undefined where there is none; throws where it can't be replaced. */
function modeOfPlace(path: string): number | undefined {
  const folder = dirname(path);
  try {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw outputFolderMissing(path, folder);
    const name = basename(path);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() || /[/\\]$/.test(path) || name === "" || name === "..") throw outputInTheWay(path, "folder");
    if (stats === undefined) return undefined;
    if (!stats.isFile()) throw outputInTheWay(path, kindOf(stats));
    // A rename would replace a read-only file without a word; whoever protected it meant it.
    accessSync(path, constants.W_OK);
    return stats.mode & 0o777;
  } catch (error) {
    throw systemCode(error) === undefined ? error : outputUnwritable(path, error);
  }
}

/** Writes all bytes at a position, a range piece by piece, and returns how many. */
function writeAt(fd: number, bytes: Bytes, position: number): number {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, bytes.length - at);
    const piece = bytes instanceof ByteRange ? bytes.source.read(bytes.offset + at, length) : bytes.subarray(at, at + length);
    for (let done = 0; done < length;) done += writeSync(fd, piece, done, length - done, position + at + done);
  }
  return bytes.length;
}

/** The mode that the system gives a new file here; the file is made for that, and removed. */
function modeOfNewFile(path: string): number {
  const fd = openSync(path, "wx");
  try {
    return fstatSync(fd).mode & 0o777;
  } finally {
    closeSync(fd);
    rmSync(path);
  }
}

function syncFile(path: string): void {
  const fd = openSync(path, "r+");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the rename last through a power cut, where folders can be synced: Windows and some network file systems can't. */
function syncFolder(path: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    fsyncSync(fd);
  } catch {
    // The file itself is whole and in place.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {
    // The error that led here says more; the next run removes the leftover.
  }
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
