/**
 * The files that one command writes. Each is written whole under a temporary name beside its place, and synced; then all are renamed, in the order in
 * which they were written. So a command that fails, or is killed, before its last file is whole leaves everything as it was.
 */
import { accessSync, chmodSync, closeSync, constants, fsyncSync, mkdirSync, openSync, renameSync, rmdirSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { diskFull, folderUnmakable, outputFolderMissing, outputInTheWay, outputUnwritable, systemCode } from "../../errors/files.ts";
import { encodedLength } from "../../ir/proto/encode.ts";
import { readBytes, type Bytes } from "../../ir/source.ts";
import { kindOf, type FileSource } from "./file-source.ts";
import { removeFile } from "./folder.ts";
import { freeBytes, requireSpace } from "./free-space.ts";
import { forget, noteRenames, removeLeftovers } from "./leftovers.ts";
import { temporaryBeside } from "./temporary-file.ts";
import { LargeFile, type IdleWriter, type WriteOptions } from "./large-file.ts";
import { SMALL_BYTES, writeChunks } from "./write-chunks.ts";
import type { Span } from "./writer-orders.ts";

/** Bytes given to one write call. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** A file on its way. */
interface Written {
  readonly path: string;
  readonly temporary: string;
  /** Of the file that stood there. */
  readonly mode: number | undefined;
}

/** Files on their way. Dispose of it, asynchronously where copies were begun: what was not renamed until then goes. */
export class Outputs implements Disposable, AsyncDisposable {
  readonly #written: Written[] = [];
  readonly #made: string[] = [];
  readonly #unwanted: string[] = [];
  /** Copies that no file was made of yet: these are put into no place. */
  readonly #begun = new Map<string, { readonly file: Written; readonly copy: LargeFile }>();

  /** Makes a folder, and those above it, where they are missing. Throws FOLDER_UNMAKABLE. */
  folder(path: string): void {
    try {
      const first = mkdirSync(path, { recursive: true });
      if (first === undefined) return;
      const top = resolve(first);
      let made = resolve(path);
      for (; made !== top; made = dirname(made)) this.#made.push(made);
      this.#made.push(top);
    } catch (error) {
      throw folderUnmakable(path, error);
    }
  }

  /**
   * Writes a file's bytes and returns how many there are. A link at `path` will be replaced, not followed; the mode of a file that stands there is kept.
   * Throws OUTPUT_FOLDER_MISSING, OUTPUT_IN_THE_WAY, OUTPUT_UNWRITABLE, DISK_FULL.
   */
  write(path: string, chunks: readonly Bytes[]): number {
    const size = encodedLength(chunks);
    const temporary = this.#begin(path);
    try {
      requireSpace(temporary, size);
      writeSynced(temporary, chunks);
      return size;
    } catch (error) {
      throw failure(path, size, error);
    }
  }

  /** The same for a large file, part of which may have to be computed: in pieces, beside other work, and it can be interrupted. */
  async writeLarge(path: string, chunks: readonly Bytes[], options: WriteOptions): Promise<number> {
    try {
      const begun = this.#takeBegun(path);
      return await writeChunks(begun?.file.temporary ?? this.#begin(path), chunks, { ...options, begun: begun?.copy });
    } catch (error) {
      throw failure(path, encodedLength(chunks), error);
    }
  }

  /**
   * Begins to copy a file that most of the output at `path` will be, unless it is small: it is what takes longest, and can go on while the rest is thought
   * about: `spans` of it, in their order, or all. Whatever `writeLarge` finds to be different is written over it, so what may change goes last. Throws as `write` does.
   */
  beginCopy(path: string, source: FileSource, options: { readonly spans?: readonly Span[]; readonly writer?: IdleWriter | undefined } = {}): void {
    if (source.size <= SMALL_BYTES) return;
    const file = newFile(path);
    try {
      this.#begun.set(path, { file, copy: LargeFile.begin(file.temporary, { twin: source, bytes: 0, ...options }) });
    } catch (error) {
      discard(file.temporary);
      throw failure(path, source.size, error);
    }
  }

  /** Has a file of an earlier output removed, when the others are put into their places. */
  remove(path: string): void {
    this.#unwanted.push(path);
  }

  /** Puts every file into its place. Killed in the middle of it, the next who reads or writes there does the rest. Throws OUTPUT_UNWRITABLE, DISK_FULL. */
  commit(): void {
    const folders = new Set<string>();
    const lists = this.#written.length + this.#unwanted.length > 1 ? this.#note() : [];
    try {
      for (const path of this.#unwanted.splice(0)) removeFile(path);
      for (let next = this.#written[0]; next !== undefined; next = this.#written[0]) {
        putInPlace(next);
        this.#written.shift();
        folders.add(dirname(next.path));
      }
      this.#made.length = 0;
      for (const folder of folders) syncFolder(folder);
    } finally {
      forget(lists);
    }
  }

  /** Removes what was not put into its place, and the folders that were made for it. */
  [Symbol.dispose](): void {
    for (const { temporary } of this.#written.splice(0)) discard(temporary);
    for (const folder of this.#made.splice(0)) removeIfEmpty(folder);
  }

  /** The same, copies that are being made included. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const begun of this.#begun.values()) await giveUp(begun);
    this.#begun.clear();
    this[Symbol.dispose]();
  }

  #takeBegun(path: string): { readonly file: Written; readonly copy: LargeFile } | undefined {
    const begun = this.#begun.get(path);
    if (begun === undefined) return undefined;
    this.#begun.delete(path);
    this.#written.push(begun.file);
    return begun;
  }

  #note(): string[] {
    try {
      return noteRenames(this.#written, this.#unwanted);
    } catch (error) {
      throw failure(this.#written[0]?.path ?? "", 0, error);
    }
  }

  #begin(path: string): string {
    const file = newFile(path);
    this.#written.push(file);
    return file.temporary;
  }
}

/** A file beside its place, which nobody has made yet. */
function newFile(path: string): Written {
  const mode = modeOfPlace(path);
  removeLeftovers(dirname(path));
  return { path, temporary: temporaryBeside(path), mode };
}

function putInPlace({ path, temporary, mode }: Written): void {
  try {
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    throw outputUnwritable(path, error);
  }
}

/** The mode of the file at `path`, undefined where there is none; throws where it can't be replaced. */
export function modeOfPlace(path: string): number | undefined {
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

/** Stops a copy, and removes what there is of it. */
async function giveUp({ file, copy }: { readonly file: Written; readonly copy: LargeFile }): Promise<void> {
  await copy.close();
  discard(file.temporary);
}

/** One of the catalogue's errors for what went wrong while a file was written. */
function failure(path: string, size: number, error: unknown): unknown {
  const code = systemCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path, size, freeBytes(dirname(path)), error);
  return code === undefined ? error : outputUnwritable(path, error);
}

function writeSynced(path: string, chunks: readonly Bytes[]): void {
  const fd = openSync(path, "wx");
  try {
    for (const chunk of chunks) {
      const bytes = readBytes(chunk);
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, Math.min(PIECE_BYTES, bytes.length - done));
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the renames last through a power cut, where folders can be synced: Windows and some network file systems can't. */
function syncFolder(path: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    fsyncSync(fd);
  } catch {
    // The files themselves are whole and in place.
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

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody put something in, which is theirs.
  }
}
