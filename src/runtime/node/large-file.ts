/**
 * A large file that a thread of its own writes, while this one computes. Where most of it will be what another file holds, copying that begins before it is
 * known what differs; and where the file system can, the new file shares that one's blocks.
 */
import { chmodSync, closeSync, constants, copyFileSync, fstatSync, openSync, realpathSync, rmSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { fileTooShort, systemCode } from "../../errors/files.ts";
import { interrupted } from "../../errors/runtime.ts";
import { ByteRange, ComputedBytes, type Bytes } from "../../ir/source.ts";
import { FileSource } from "./file-source.ts";
import { requireSpace } from "./free-space.ts";
import type { CopiedRange, Order, Part, Report, Span } from "./writer-orders.ts";

/** Memory that may be on its way to the thread: computing and writing go on side by side. */
const ROOM_BYTES = 16 * 1024 * 1024;
/** Bytes at hand that are handed over at once. */
const HANDED_BYTES = 16 * 1024 * 1024;

/** Bytes and where they go. */
export interface Place {
  readonly bytes: Bytes;
  readonly position: number;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes are in place. */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
}

export interface BeginOptions {
  readonly twin?: FileSource | undefined;
  readonly spans?: readonly Span[] | undefined;
  readonly bytes: number;
  readonly writer?: IdleWriter | undefined;
}

/** A thread that waits to be told of a file. It takes 0.1 s to begin, so whoever knows early that it will be wanted starts it early. */
export class IdleWriter implements AsyncDisposable {
  #worker: Worker | undefined = startWriter();

  /** The thread, which is the caller's to end; undefined once it was taken. */
  take(): Worker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }
}

function startWriter(): Worker {
  // The thread makes little that is short-lived; left alone, its young generation grew to 48 MB.
  return new Worker(new URL("./writer-thread.js", import.meta.url), { name: "writer", resourceLimits: { maxYoungGenerationSizeMb: 2 } });
}

/** A file that is being written. Close it in any case; what is there of it after an error is the caller's to remove. */
export class LargeFile {
  readonly #fd: number;
  readonly #worker: Worker;
  /** Sources by the descriptors that the thread knows them by. */
  readonly #sources = new Map<number, FileSource>();
  readonly #rooms: Uint8Array[] = [];
  #roomBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #isFinished = false;
  /** Called when more is written. */
  #onWritten: () => void = () => undefined;
  #written = 0;
  /** Whoever waits for the thread to have done something. */
  #wake: () => void = () => undefined;

  /**
   * Makes the file, which isn't there yet, and begins to copy `twin`, of which most will stay where it is: its `spans`, in their order, or all of it. `bytes` will be
   * new. Throws DISK_FULL, and the system's own errors.
   */
  static begin(path: string, { twin, bytes, ...options }: BeginOptions): LargeFile {
    const isShared = twin !== undefined && sharesBlocks(twin, path);
    try {
      requireSpace(path, isShared ? bytes : Math.max(bytes, twin?.size ?? 0));
      return new LargeFile(openSync(path, isShared ? "r+" : "wx"), { twin, isShared, ...options });
    } catch (error) {
      if (isShared) rmSync(path, { force: true });
      throw error;
    }
  }

  private constructor(fd: number, { twin, spans, isShared, writer }: Omit<BeginOptions, "bytes"> & { readonly isShared: boolean }) {
    this.#fd = fd;
    this.#worker = writer?.take() ?? startWriter();
    this.#worker.on("message", (report: Report) => { this.#told(report); });
    this.#worker.on("error", (error) => { this.#fail(error); });
    this.#worker.on("exit", () => { if (!this.#isFinished) this.#fail(new TypeError("the thread that writes files ended")); });
    this.#order({ kind: "begin", to: fd, twin: twin === undefined ? undefined : { from: this.#descriptor(twin), size: twin.size, spans: spans ?? [{ offset: 0, length: twin.size }], isShared } });
  }

  /**
   * Writes all of it, and syncs it. Throws what reading and computing throw, INTERRUPTED, and the system's own errors.
   */
  async write(places: readonly Place[], size: number, { signal, onBytes }: WriteOptions): Promise<void> {
    const stop = (): void => { this.#fail(interrupted()); };
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop);
    this.#onWritten = () => onBytes?.(Math.min(this.#written, size), size);
    try {
      this.#order({ kind: "copy", ranges: places.flatMap(({ bytes, position }) => (isCopied(bytes) ? [{ from: this.#descriptor(bytes.source), offset: bytes.offset, length: bytes.length, position }] : [])) });
      await this.#putAtHand(places.flatMap(({ bytes, position }) => (bytes instanceof ByteRange ? [] : [{ bytes, position }])));
      for (const { bytes, position } of places) {
        if (bytes instanceof ComputedBytes) await this.#compute(bytes, position);
        else if (bytes instanceof ByteRange && !isCopied(bytes)) await this.#read(bytes, position);
      }
      this.#order({ kind: "finish", size });
      await this.#until(() => this.#isFinished);
      onBytes?.(size, size);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Stops the thread wherever it is, and closes the file. */
  async close(): Promise<void> {
    this.#fail(interrupted());
    await this.#worker.terminate();
    closeSync(this.#fd);
  }

  #descriptor(source: FileSource): number {
    this.#sources.set(source.descriptor, source);
    return source.descriptor;
  }

  #order(order: Order, transfer: readonly ArrayBuffer[] = []): void {
    this.#throwFailure();
    this.#worker.postMessage(order, transfer);
  }

  #told(report: Report): void {
    if (report.kind === "failed") this.#fail(Object.assign(new Error(report.error.message), report.error));
    else if (report.kind === "cut") this.#fail(this.#cut(report.range, report.size));
    else if (report.kind === "finished") this.#isFinished = true;
    else {
      if (report.room !== undefined) this.#rooms.push(new Uint8Array(report.room));
      this.#written += report.bytes;
      this.#onWritten();
    }
    this.#wake();
  }

  #cut({ from, offset, length }: CopiedRange, size: number): unknown {
    return fileTooShort(this.#sources.get(from)?.name ?? "", offset, length, size);
  }

  /** The first error counts. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #until(isSo: () => boolean): Promise<void> {
    this.#throwFailure();
    while (!isSo()) {
      await new Promise<void>((resolve) => { this.#wake = resolve; });
      this.#throwFailure();
    }
  }

  async #compute(computed: ComputedBytes, position: number): Promise<void> {
    const { length } = computed;
    const room = await this.#room(length);
    const bytes = await computed.compute(room);
    if (bytes.length !== length) throw new TypeError(`${String(length)} bytes were announced, ${String(bytes.length)} computed`);
    // What is somebody else's memory can't be given away.
    if (bytes.buffer !== room.buffer) room.set(bytes);
    this.#put(room, [{ bytes: room, position }]);
  }

  /** Bytes that only this thread can read; what isn't stored as it is read can only be read whole. */
  async #read(range: ByteRange, position: number): Promise<void> {
    const readable = range.verbatim ? range : range.read();
    for (let at = 0; at < range.length; at += HANDED_BYTES) {
      const length = Math.min(HANDED_BYTES, range.length - at);
      const room = await this.#room(length);
      room.set(readable instanceof ByteRange ? readable.source.read(readable.offset + at, length, room) : readable.subarray(at, at + length));
      this.#put(room, [{ bytes: room, position: position + at }]);
    }
  }

  /** Bytes at hand, many small ones at once. */
  async #putAtHand(parts: readonly Part[]): Promise<void> {
    let group: Part[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      const room = await this.#room(size);
      let used = 0;
      const moved = group.map(({ bytes, position }) => {
        room.set(bytes, used);
        const part = { bytes: room.subarray(used, used + bytes.length), position };
        used += bytes.length;
        return part;
      });
      this.#put(room, moved);
      group = [];
      size = 0;
    };
    for (const { bytes, position } of parts) {
      for (let at = 0; at < bytes.length; at += HANDED_BYTES) {
        const piece = bytes.subarray(at, at + HANDED_BYTES);
        if (size + piece.length > HANDED_BYTES) await flush();
        group.push({ bytes: piece, position: position + at });
        size += piece.length;
      }
    }
    if (size > 0) await flush();
  }

  #put(room: Uint8Array<ArrayBuffer>, parts: readonly Part[]): void {
    this.#order({ kind: "put", parts, room: room.buffer }, [room.buffer]);
  }

  /** Memory of a length: new as long as there is little, then what the thread gives back. */
  async #room(length: number): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      this.#throwFailure();
      const at = this.#rooms.findIndex((room) => room.length === length);
      const [same] = at < 0 ? [] : this.#rooms.splice(at, 1);
      if (same !== undefined) return same as Uint8Array<ArrayBuffer>;
      if (this.#roomBytes === 0 || this.#roomBytes + length <= ROOM_BYTES) break;
      const other = this.#rooms.shift();
      if (other !== undefined) this.#roomBytes -= other.length;
      else await this.#until(() => this.#rooms.length > 0);
    }
    this.#roomBytes += length;
    return new Uint8Array(length);
  }
}

/** Whether the thread can copy the bytes: they stand in a file as they are. */
function isCopied(bytes: Bytes): bytes is ByteRange & { readonly source: FileSource } {
  return bytes instanceof ByteRange && bytes.verbatim && bytes.source instanceof FileSource;
}

/** Makes a copy that shares the original's blocks, at once and for nothing; false where the file system can't. */
function sharesBlocks(twin: FileSource, path: string): boolean {
  const mode = modeOfNewFile(path);
  try {
    // macOS clones a link itself, not what it leads to.
    copyFileSync(realpathSync(twin.name), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    // It has its original's mode, which may be read-only: the cache of a model hub is.
    chmodSync(path, mode);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    rmSync(path, { force: true });
    return false;
  }
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
