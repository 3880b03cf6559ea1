// @ts-check
/**
 * The thread that writes a large file: copies ranges of other files in their order, and puts bytes that it is given where they belong. Runs in a worker of
 * node:worker_threads, which `large-file.ts` makes; files are open already, and stay that file's to close. Plain JavaScript, since a thread begins without
 * what translates TypeScript for tests.
 *
 * 1.42 GB on two cores, Linux 6.18 with ext4, from the page cache to the disk, `cp` and `sync` taking 1.05 s:
 * - by turns read and written, a sync at the end: in pieces of 128 kB 1.0 s, 256 kB 1.4 s, 1 MB 3 s, 4 MB 1.5 s (large pieces take large pages, which have to be found)
 * - the same in 128 kB by two threads, one of which reads: 2.4 s
 * - the system's own copy of the whole file: 0.95 s, with syncs from the beginning 0.75 s; but it can't leave out what will be written over, and bytes that
 *   are ready have to wait for its end
 */
import { fdatasync, fsyncSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { parentPort } from "node:worker_threads";

/** @import { CopiedRange, Order, Part, Report, Span } from "./writer-orders.ts" */
/** @typedef {(report: Report, transfer?: readonly ArrayBuffer[]) => void} Tell */

/** Bytes of one read or write. */
const PIECE_BYTES = 128 * 1024;
/** Bytes after which orders are looked at. */
const TURN_BYTES = 4 * 1024 * 1024;
/** Bytes after which the disk is told to go on. */
const SYNC_BYTES = 64 * 1024 * 1024;

class FileWriter {
  #to = -1;
  /** @type {Tell} */
  #tell;
  #piece = new Uint8Array(PIECE_BYTES);
  /** @type {CopiedRange[]} */
  #queue = [];
  /** @type {number | undefined} */
  #size;
  /**
   * The descriptor of a file whose bytes most likely stay where they are.
   * @type {number | undefined}
   */
  #twin;
  /**
   * Its bytes that are in place.
   * @type {Span[]}
   */
  #inPlace = [];
  #wake = () => {};
  #unsynced = 0;
  /** @type {Promise<void> | undefined} */
  #sync;

  /** @param {Tell} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {Order} order */
  take(order) {
    if (order.kind === "begin") this.#begin(order);
    else if (order.kind === "copy") this.#queue = this.#notInPlace(order.ranges);
    else if (order.kind === "finish") this.#size = order.size;
    else this.#put(order.parts, order.room);
    this.#wake();
  }

  /** Copies, and waits for orders, until the file is whole and on the disk. */
  async run() {
    for (;;) {
      const range = this.#queue.shift();
      if (range !== undefined) {
        this.#copy(range);
        this.#syncBeside();
        await turn();
      } else if (this.#size === undefined) {
        await /** @type {Promise<void>} */ (new Promise((resolve) => { this.#wake = resolve; }));
      } else {
        break;
      }
    }
    await this.#sync;
    ftruncateSync(this.#to, this.#size);
    fsyncSync(this.#to);
    this.#tell({ kind: "finished" });
  }

  /** @param {Extract<Order, { kind: "begin" }>} order */
  #begin({ to, twin }) {
    this.#to = to;
    this.#twin = twin?.from;
    if (twin?.isShared === true) this.#inPlace.push({ offset: 0, length: twin.size });
    else if (twin !== undefined) this.#queue = twin.spans.map(({ offset, length }) => ({ from: twin.from, offset, length, position: offset }));
  }

  /**
   * What of ranges, which come in the order of their positions, isn't in its place yet.
   * @param {readonly CopiedRange[]} ranges
   * @returns {CopiedRange[]}
   */
  #notInPlace(ranges) {
    const spans = joined(this.#inPlace);
    /** @type {CopiedRange[]} */
    const missing = [];
    let next = 0;
    for (const range of ranges) {
      if (this.#twin !== range.from || range.offset !== range.position) {
        missing.push(range);
        continue;
      }
      let at = range.offset;
      const end = range.offset + range.length;
      const upTo = (/** @type {number} */ to) => { if (to > at) missing.push({ from: range.from, offset: at, length: to - at, position: at }); };
      for (let span = spans[next]; span !== undefined && span.offset < end; span = spans[next]) {
        upTo(span.offset);
        at = Math.max(at, span.offset + span.length);
        // What goes on behind this range is there for the next one too.
        if (at > end) break;
        next += 1;
      }
      upTo(end);
    }
    return missing;
  }

  /**
   * Copies a turn's bytes of a range, and puts the rest of it back.
   * @param {CopiedRange} range
   */
  #copy(range) {
    const { from, offset, position } = range;
    const length = Math.min(range.length, TURN_BYTES);
    for (let at = 0; at < length;) {
      const got = readSync(from, this.#piece, 0, Math.min(PIECE_BYTES, length - at), offset + at);
      if (got === 0) throw new Cut(range, offset + at);
      this.#write(this.#piece.subarray(0, got), position + at);
      at += got;
    }
    if (length < range.length) this.#queue.unshift({ from, offset: offset + length, length: range.length - length, position: position + length });
    if (this.#twin === from && offset === position) this.#note({ offset, length });
    this.#tell({ kind: "written", bytes: length });
  }

  /**
   * Notes what is in place: one span for what was copied on end.
   * @param {Span} span
   */
  #note({ offset, length }) {
    const last = this.#inPlace.at(-1);
    if (last !== undefined && last.offset + last.length === offset) this.#inPlace[this.#inPlace.length - 1] = { offset: last.offset, length: last.length + length };
    else this.#inPlace.push({ offset, length });
  }

  /**
   * @param {readonly Part[]} parts
   * @param {ArrayBuffer} room
   */
  #put(parts, room) {
    for (const { bytes, position } of parts) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#write(bytes.subarray(at, at + PIECE_BYTES), position + at);
    }
    this.#tell({ kind: "written", bytes: parts.reduce((sum, { bytes }) => sum + bytes.length, 0), room }, [room]);
  }

  /**
   * @param {Uint8Array} piece
   * @param {number} position
   */
  #write(piece, position) {
    for (let done = 0; done < piece.length;) done += writeSync(this.#to, piece, done, piece.length - done, position + done);
    this.#unsynced += piece.length;
  }

  /** Has the disk write, beside what follows, what is there. An error comes again from the last sync. */
  #syncBeside() {
    if (this.#unsynced < SYNC_BYTES || this.#sync !== undefined) return;
    this.#unsynced = 0;
    this.#sync = new Promise((resolve) => {
      fdatasync(this.#to, () => {
        this.#sync = undefined;
        resolve();
      });
    });
  }
}

/**
 * Spans in the order of their offsets, those that touch or overlap as one: a file may say of many tensors that they lie in the same place.
 * @param {readonly Span[]} spans
 * @returns {Span[]}
 */
function joined(spans) {
  /** @type {Span[]} */
  const found = [];
  for (const span of [...spans].sort((a, b) => a.offset - b.offset)) {
    const last = found.at(-1);
    if (last === undefined || last.offset + last.length < span.offset) found.push(span);
    else found[found.length - 1] = { offset: last.offset, length: Math.max(last.length, span.offset + span.length - last.offset) };
  }
  return found;
}

/** A file that has fewer bytes than it had when it was opened. */
class Cut extends Error {
  /**
   * @param {CopiedRange} range
   * @param {number} size
   */
  constructor(range, size) {
    super("a file was cut while it was copied");
    this.range = range;
    this.size = size;
  }
}

/**
 * @param {unknown} error
 * @returns {Report}
 */
function told(error) {
  if (error instanceof Cut) return { kind: "cut", range: error.range, size: error.size };
  const { message, code, errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  return { kind: "failed", error: { message, ...(code === undefined ? {} : { code }), ...(errno === undefined ? {} : { errno }), ...(syscall === undefined ? {} : { syscall }) } };
}

if (parentPort !== null) {
  const port = parentPort;
  const writer = new FileWriter((report, transfer = []) => { port.postMessage(report, transfer); });
  /** @param {unknown} error */
  const failed = (error) => {
    port.postMessage(told(error));
    port.close();
  };
  port.on("message", (/** @type {Order} */ order) => {
    try {
      writer.take(order);
    } catch (error) {
      failed(error);
    }
  });
  writer.run().then(() => { port.close(); }, failed);
}
