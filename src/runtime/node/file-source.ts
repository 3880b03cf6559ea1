/** Files as a Source: positional reads of regular files, and small text files read whole. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { fileClosed, fileMissing, fileNotText, fileTooLong, fileTooShort, fileUnreadable, notARegularFile, systemCode } from "../../errors/files.ts";
import type { Source } from "../../ir/source.ts";

/** Most bytes of one read call; the system's own limit is 2^31 - 1. */
const MAX_READ_BYTES = 2 ** 30;

/** Open without waiting for a writer, should a pipe have taken the file's place since it was looked at (Windows has no such flag). */
const OPEN_FLAGS = constants.O_RDONLY | (process.platform === "win32" ? 0 : constants.O_NONBLOCK);

/**
 * Opens a regular file for random access; nothing is read yet. Its size is the one it has now. Dispose of it to close the file.
 * Throws FILE_MISSING, NOT_A_REGULAR_FILE (a folder, pipe, socket or device: these are not even opened) or FILE_UNREADABLE; its reads
 * throw FILE_TOO_SHORT and FILE_CLOSED.
 */
export function openFileSource(path: string): FileSource {
  requireRegularFile(path);
  const fd = system(path, () => openSync(path, OPEN_FLAGS));
  try {
    const stats = system(path, () => fstatSync(fd));
    requireRegular(path, stats);
    return new FileSource(path, stats.size, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Reads a small text file whole, as strict UTF-8. Throws what openFileSource throws, FILE_TOO_LONG over `limit` bytes, and FILE_NOT_TEXT. */
export function readTextFile(path: string, limit: number): string {
  using source = openFileSource(path);
  if (source.size > limit) throw fileTooLong(path, source.size, limit);
  const bytes = source.read(0, source.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fileNotText(path);
  }
}

/** Throws FILE_MISSING, FILE_UNREADABLE or NOT_A_REGULAR_FILE unless `path` is a regular file, or a link to one. */
export function requireRegularFile(path: string): void {
  requireRegular(path, system(path, () => statSync(path)));
}

/** What a path is, in a word for messages. */
export function kindOf(stats: Stats): "regular file" | "folder" | "pipe" | "socket" | "device" {
  if (stats.isFile()) return "regular file";
  if (stats.isDirectory()) return "folder";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "device";
}

/** A regular file that is open. `name` is its path, as it was given. */
export class FileSource implements Source, Disposable {
  readonly name: string;
  readonly size: number;
  #fd: number | undefined;

  constructor(name: string, size: number, fd: number) {
    this.name = name;
    this.size = size;
    this.#fd = fd;
  }

  /** What the system calls the open file by: for reads elsewhere, as long as this isn't disposed of. */
  get descriptor(): number {
    if (this.#fd === undefined) throw fileClosed(this.name);
    return this.#fd;
  }

  /** Whether its path still leads to the file that is open, as long as it was: a copy by name would be a copy of what is read. */
  get isInPlace(): boolean {
    if (this.#fd === undefined) return false;
    const [open, named] = [fstatSync(this.#fd, { bigint: true }), statSync(this.name, { bigint: true, throwIfNoEntry: false })];
    return named?.dev === open.dev && named.ino === open.ino && Number(named.size) === this.size;
  }

  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    const fd = this.#fd;
    if (fd === undefined) throw fileClosed(this.name);
    // Checked before anything of this size is allocated; NaN and negative numbers fail too.
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) throw fileTooShort(this.name, offset, length, this.size);
    const bytes = room?.subarray(0, length) ?? new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const got = system(this.name, () => readSync(fd, bytes, done, Math.min(length - done, MAX_READ_BYTES), offset + done));
      // The file was cut while we held it open.
      if (got === 0) throw fileTooShort(this.name, offset, length, offset + done);
      done += got;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function requireRegular(path: string, stats: Stats): void {
  if (!stats.isFile()) throw notARegularFile(path, kindOf(stats));
}

/** Calls the system; its error becomes one sentence about `path`. */
function system<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = systemCode(error);
    throw code === "ENOENT" || code === "ENOTDIR" ? fileMissing(path) : fileUnreadable(path, error);
  }
}
