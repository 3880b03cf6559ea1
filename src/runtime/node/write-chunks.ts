/**
 * Writes a large file from its chunks. Where most of it stands at the same place in a file that is read, the system copies that file (sharing its blocks
 * where the file system can), and only what differs is written over it; else all is streamed. New weights are computed while the copy runs.
 */
import { chmodSync, constants, copyFileSync, fstatSync, openSync, closeSync, realpathSync, rmSync, statSync } from "node:fs";
import { copyFile, open, type FileHandle } from "node:fs/promises";
import { systemCode } from "../../errors/files.ts";
import { interrupted } from "../../errors/runtime.ts";
import { encodedLength } from "../../ir/proto/encode.ts";
import { ByteRange, ComputedBytes, type Bytes } from "../../ir/source.ts";
import { FileSource } from "./file-source.ts";
import { requireSpace } from "./free-space.ts";

/** Bytes of one write, and how many such pieces are being written while the next is read. */
const PIECE_BYTES = 1024 * 1024;
const PIECES = 4;
/** Computed bytes that may wait for the copy to end: its work and that of computing go on side by side. */
const WAITING_BYTES = 32 * 1024 * 1024;
/** How much of a file must stand where it stood for a copy to be worth it, and how much of what is copied must be wanted. */
const MOST = 0.5;
const MOST_WANTED = 0.9;
/** Bytes after which the disk is told to begin: what it does while the rest is written, nobody has to wait for. */
const SYNC_BYTES = 128 * 1024 * 1024;
/** A copy doesn't say how far it is, so its size is looked at. */
const LOOK_MS = 200;

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes are in place. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

/** A copy of a file that is being made. */
export interface BegunCopy {
  readonly twin: FileSource;
  /** The copy, open to be written to. */
  readonly ready: Promise<FileHandle>;
}

/** Begins to copy a file to a new one. Throws DISK_FULL, and the system's own errors, also from `ready`. */
export function beginCopy(twin: FileSource, path: string, missing = 0): BegunCopy {
  const mode = modeOfNewFile(path);
  const isShared = sharesBlocks(twin, path);
  requireSpace(path, isShared ? missing : twin.size);
  const ready = copied(twin, path, mode, isShared);
  ready.catch(() => undefined);
  return { twin, ready };
}

/**
 * Writes a new file, syncs it, and returns its size in bytes. `begun` is a copy at this very path, of the file that `twinOf` tells. Throws what reading and
 * computing throw, INTERRUPTED, DISK_FULL before it begins, and the system's own errors; what is there of the file then is the caller's to remove.
 */
export async function writeChunks(path: string, chunks: readonly Bytes[], { signal, onBytes, begun }: WriteOptions & { readonly begun?: BegunCopy | undefined } = {}): Promise<number> {
  const total = encodedLength(chunks);
  const places = placed(chunks);
  const twin = begun?.twin ?? twinOf(chunks);
  const missing = places.filter((place) => !isThere(place, twin));
  const kept = total - missing.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (twin === undefined) requireSpace(path, total);
  const copy = begun ?? (twin === undefined ? undefined : beginCopy(twin, path, total - kept));
  let done = 0;
  const file = new LargeFile(copy?.ready ?? open(path, "wx"), (length) => onBytes?.(done += length, total));
  const looking = copy === undefined ? undefined : setInterval(() => { if (done === 0) onBytes?.(Math.min(sizeOf(path), kept), total); }, LOOK_MS);
  try {
    void file.ready.then(() => { done += kept; }, () => undefined);
    for (const { bytes, position } of missing) {
      if (signal?.aborted === true) throw interrupted();
      await file.put(bytes, position);
    }
    await file.finish(total);
  } finally {
    clearInterval(looking);
    await file.close();
  }
  return total;
}

/** Bytes and where they go. */
interface Place {
  readonly bytes: Bytes;
  readonly position: number;
}

function placed(chunks: readonly Bytes[]): Place[] {
  let position = 0;
  return chunks.map((bytes) => {
    const place = { bytes, position };
    position += bytes.length;
    return place;
  });
}

/** The file of which a copy would have most of these bytes in their places already. */
export function twinOf(chunks: readonly Bytes[]): FileSource | undefined {
  const total = encodedLength(chunks);
  const places = placed(chunks);
  const there = new Map<FileSource, number>();
  for (const place of places) {
    const source = place.bytes instanceof ByteRange ? place.bytes.source : undefined;
    if (source instanceof FileSource && isThere(place, source)) there.set(source, (there.get(source) ?? 0) + place.bytes.length);
  }
  const [best] = [...there].sort(([, a], [, b]) => b - a);
  if (best === undefined || best[1] < total * MOST || total < best[0].size * MOST_WANTED || !best[0].isInPlace) return undefined;
  return best[0];
}

function isThere({ bytes, position }: Place, twin: FileSource | undefined): boolean {
  return twin !== undefined && bytes instanceof ByteRange && bytes.verbatim && bytes.source === twin && bytes.offset === position;
}

/** Makes a copy that shares the original's blocks, at once and for nothing; false where the file system can't. */
function sharesBlocks(twin: FileSource, path: string): boolean {
  try {
    // macOS clones a link itself, not what it leads to.
    copyFileSync(realpathSync(twin.name), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    rmSync(path, { force: true });
    return false;
  }
}

/** The copy, made and opened to be written to. */
async function copied(twin: FileSource, path: string, mode: number, isMade: boolean): Promise<FileHandle> {
  if (!isMade) await copyFile(realpathSync(twin.name), path, constants.COPYFILE_EXCL);
  // It has its original's mode, which may be read-only: the cache of a model hub is.
  chmodSync(path, mode);
  return await open(path, "r+");
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

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A file that is written in order, one piece at a time, while the next pieces are read or computed. */
class LargeFile {
  /** The file, once it may be written to. */
  readonly ready: Promise<FileHandle>;
  readonly #onWritten: (length: number) => void;
  readonly #pieces = Array.from({ length: PIECES }, () => ({ room: new Uint8Array(PIECE_BYTES), free: Promise.resolve() }));
  readonly #rooms: { readonly room: Uint8Array; readonly free: Promise<void> }[] = [];
  #roomBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #sync: Promise<void> | undefined;
  #unsynced = 0;

  constructor(ready: Promise<FileHandle>, onWritten: (length: number) => void) {
    this.ready = ready;
    this.#onWritten = onWritten;
  }

  /** Takes bytes for a place. Returns when there is room for more; errors of writing come here or in `finish`. */
  async put(bytes: Bytes, position: number): Promise<void> {
    if (bytes instanceof ComputedBytes) await this.#compute(bytes, position);
    else if (!(bytes instanceof ByteRange)) void this.#write(bytes, position);
    else if (!bytes.verbatim) void this.#write(bytes.read(), position);
    else for (let at = 0; at < bytes.length; at += PIECE_BYTES) await this.#copy(bytes, at, position + at);
  }

  /** Waits until everything is written, cuts the file to its size, and syncs it. */
  async finish(size: number): Promise<void> {
    await this.#last;
    const handle = await this.ready;
    await this.#sync;
    await handle.truncate(size);
    await handle.sync();
  }

  /** Closes the file, after what is under way. Throws nothing: what went wrong was thrown before. */
  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#sync;
    await this.ready.then((handle) => handle.close(), () => undefined);
  }

  async #compute(computed: ComputedBytes, position: number): Promise<void> {
    const { length } = computed;
    const room = await this.#roomFor(length);
    const bytes = await computed.compute(room);
    if (bytes.length !== length) throw new TypeError(`${String(length)} bytes were announced, ${String(bytes.length)} computed`);
    this.#rooms.push({ room, free: this.#write(bytes, position) });
  }

  /** A place to compute in: a new one as long as there are few, then the one that was written longest ago. */
  async #roomFor(length: number): Promise<Uint8Array> {
    while (this.#rooms.length > 0 && this.#roomBytes + length > WAITING_BYTES) {
      const oldest = this.#rooms.shift();
      await oldest?.free;
      if (oldest?.room.length === length) return oldest.room;
      this.#roomBytes -= oldest?.room.length ?? 0;
    }
    this.#roomBytes += length;
    return new Uint8Array(length);
  }

  async #copy(range: ByteRange, at: number, position: number): Promise<void> {
    const piece = this.#pieces.shift();
    if (piece === undefined) throw new TypeError("no piece to read into");
    this.#pieces.push(piece);
    await piece.free;
    piece.free = this.#write(range.source.read(range.offset + at, Math.min(PIECE_BYTES, range.length - at), piece.room), position);
  }

  /** Has the disk write, beside everything else, what was given to the system so far. An error comes again from the last sync. */
  #syncBehind(handle: FileHandle, length: number): void {
    this.#unsynced += length;
    if (this.#unsynced < SYNC_BYTES || this.#sync !== undefined) return;
    this.#unsynced = 0;
    this.#sync = handle.datasync().catch(() => undefined).then(() => { this.#sync = undefined; });
  }

  #write(bytes: Uint8Array, position: number): Promise<void> {
    const written = this.#last.then(async () => {
      const handle = await this.ready;
      for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      this.#onWritten(bytes.length);
      this.#syncBehind(handle, bytes.length);
    });
    // Whoever waits for it, and `finish`, get the error; until then it is nobody's.
    written.catch(() => undefined);
    this.#last = written;
    return written;
  }
}
