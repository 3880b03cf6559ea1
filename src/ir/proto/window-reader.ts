/** Protobuf's wire values, read from a Source through a small window, so that a file is never whole in memory. */
import protobuf from "protobufjs/minimal.js";
import type { Source } from "../source.ts";
import type { Int } from "./generated/schema.ts";
import { MAX_VARINT_BYTES } from "./wire-types.ts";

/** How much is read ahead: from the first, doubling to the second while reading goes straight on, so that hopping over weights costs little. */
const MIN_WINDOW = 4 * 1024;
const MAX_WINDOW = 64 * 1024;

/** Longest text we read: V8's strings end at 2^29 characters. Real doc strings and metadata stay under a few MB. */
const MAX_TEXT_BYTES = 2 ** 28;

/** Longest text that is made of its characters at once. */
const SHORT_TEXT = 256;
/** Bytes from here on are of longer characters. */
const ASCII_CODES = 128;

/** Makes the error that is thrown: "overrun" is a value that would go beyond the end it was given. */
export type ReadFailure = (kind: "overrun" | "invalid", problem: string, offset: number) => Error;

/**
 * Reads forward through a Source. The `end` each method is given is where the message that is being read ends: what goes beyond it is
 * refused before anything is read or allocated.
 */
export class WindowReader {
  readonly #source: Source;
  readonly #fail: ReadFailure;
  #reader = new protobuf.Reader(new Uint8Array(0));
  /** Where the window begins in the source. */
  #start = 0;
  #windowSize = MIN_WINDOW;

  constructor(source: Source, fail: ReadFailure) {
    this.#source = source;
    this.#fail = fail;
  }

  /** Where the next value is read. */
  get position(): number {
    return this.#start + this.#reader.pos;
  }

  /** Goes on at another place. */
  seek(offset: number): void {
    if (offset < this.#start) {
      this.#start = offset;
      this.#reader = new protobuf.Reader(new Uint8Array(0));
    }
    this.#reader.pos = offset - this.#start;
  }

  /** A field's tag: its number and wire type. */
  tag(end: number): number {
    return this.#varint(end, readTag);
  }

  /** The length of what follows; that much is there before `end`. */
  length(end: number): number {
    const start = this.position;
    const length = this.#varint(end, readSize);
    this.#require(length, end, start);
    return length;
  }

  int32(end: number): number {
    return this.#varint(end, readInt32);
  }

  int64(end: number): Int {
    return this.#varint(end, readInt64);
  }

  uint64(end: number): Int {
    return this.#varint(end, readUint64);
  }

  float(end: number): number {
    this.#require(4, end, this.position);
    this.#fill(4);
    return this.#reader.float();
  }

  double(end: number): number {
    this.#require(8, end, this.position);
    this.#fill(8);
    return this.#reader.double();
  }

  /** A text with its length before it. */
  string(end: number): string {
    const start = this.position;
    const length = this.length(end);
    if (length > MAX_TEXT_BYTES) throw this.#fail("invalid", `a text of ${String(length)} bytes is longer than ${String(MAX_TEXT_BYTES)}`, start);
    const short = this.#shortText(length);
    if (short !== undefined) return short;
    const prefix = this.position - start;
    this.seek(start); // stringVerify reads the length itself
    this.#fill(prefix + length);
    try {
      return this.#reader.stringVerify();
    } catch {
      throw this.#fail("invalid", "a text is not valid UTF-8", start);
    }
  }

  /**
   * A short text of ASCII, which names are; undefined for any other. Of these protobufjs makes chains of pieces, eight characters each: 7 MB of the 11 that a
   * message with 4,000 nodes took, and time whenever one was compared.
   */
  #shortText(length: number): string | undefined {
    if (length > SHORT_TEXT) return undefined;
    this.#fill(length);
    const { buf, pos } = this.#reader;
    for (let at = pos; at < pos + length; at += 1) if ((buf[at] ?? 0) >= ASCII_CODES) return undefined;
    this.#reader.pos += length;
    return String.fromCharCode.apply(null, buf.subarray(pos, pos + length) as ArrayLike<number> as number[]);
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number, end: number): Uint8Array {
    this.#require(length, end, this.position);
    this.#fill(length);
    const { buf, pos } = this.#reader;
    this.#reader.pos += length;
    return new Uint8Array(buf.subarray(pos, pos + length));
  }

  /** Leaves the next `length` bytes unread. */
  skip(length: number, end: number): void {
    this.#require(length, end, this.position);
    this.#reader.pos += length;
  }

  #varint<T>(end: number, read: (reader: protobuf.Reader) => T): T {
    const start = this.position;
    this.#fill(Math.min(MAX_VARINT_BYTES, end - start));
    this.#reader.len = Math.min(this.#reader.buf.length, end - this.#start);
    try {
      return read(this.#reader);
    } catch (error) {
      // protobufjs throws a RangeError at the end of its bytes and an Error at a varint that is too long.
      if (error instanceof RangeError) throw this.#fail("overrun", "a number is incomplete", start);
      throw this.#fail("invalid", "a number takes too many bytes", start);
    }
  }

  #require(length: number, end: number, offset: number): void {
    const left = end - this.position;
    if (length > left) throw this.#fail("overrun", `${String(length)} bytes should follow, there are ${String(left)}`, offset);
  }

  /** Sees to it that the next `length` bytes, which are known to be there, lie in the window. */
  #fill(length: number): void {
    const { buf, pos } = this.#reader;
    if (pos + length > buf.length) {
      this.#windowSize = pos > buf.length ? MIN_WINDOW : Math.min(this.#windowSize * 2, MAX_WINDOW);
      this.#start = this.position;
      this.#reader = new protobuf.Reader(this.#source.read(this.#start, Math.min(Math.max(length, this.#windowSize), this.#source.size - this.#start)));
    }
    this.#reader.len = this.#reader.buf.length;
  }
}

const readTag = (reader: protobuf.Reader): number => reader.tag();
const readSize = (reader: protobuf.Reader): number => reader.size();
const readInt32 = (reader: protobuf.Reader): number => reader.int32();
const readInt64 = (reader: protobuf.Reader): Int => exact(reader.int64(), false);
const readUint64 = (reader: protobuf.Reader): Int => exact(reader.uint64(), true);

/** protobufjs' Long as a number where that is exact, else as a bigint. */
function exact(value: unknown, unsigned: boolean): Int {
  const { low, high } = value as { readonly low: number; readonly high: number };
  const top = unsigned ? high >>> 0 : high;
  const whole = top * 2 ** 32 + (low >>> 0);
  return Number.isSafeInteger(whole) ? whole : (BigInt(top) << 32n) | BigInt(low >>> 0);
}
