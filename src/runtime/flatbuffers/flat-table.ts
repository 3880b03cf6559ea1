/** Tables of a flatbuffers file, read with every offset checked: the package's own reader trusts them. */
import { quote } from "../../errors/hut-error.ts";

/** What is wrong with the bytes; whoever knows the file's name says it better. */
export class FlatError extends Error {}

/** Longest text read. Names of real tensors stay under 200 characters. */
const MAX_TEXT_BYTES = 4096;

/** The file, and how it is read. */
class Bytes {
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws unless `length` bytes stand at `at`. */
  require(at: number, length: number, what: string): void {
    if (!(at >= 0 && length >= 0 && at + length <= this.view.byteLength)) {
      throw new FlatError(`${what} at byte ${String(at)} ends beyond its ${String(this.view.byteLength)} bytes`);
    }
  }

  /** Where the offset at `at` leads: forward, by at least its own size. */
  follow(at: number, what: string): number {
    this.require(at, 4, `the offset of ${what}`);
    return at + this.view.getUint32(at, true);
  }

  slice(at: number, length: number): Uint8Array {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at, length);
  }
}

/** One table. Fields go by their number in the schema; one that isn't there is undefined. */
export class FlatTable {
  readonly #bytes: Bytes;
  readonly #at: number;
  readonly #vtable: number;
  readonly #fields: number;
  readonly #size: number;

  private constructor(bytes: Bytes, at: number, what: string) {
    bytes.require(at, 4, what);
    const vtable = at - bytes.view.getInt32(at, true);
    bytes.require(vtable, 4, `the list of fields of ${what}`);
    const length = bytes.view.getUint16(vtable, true);
    const size = bytes.view.getUint16(vtable + 2, true);
    if (length < 4 || length % 2 !== 0 || size < 4) throw new FlatError(`the list of fields of ${what} at byte ${String(vtable)} has an impossible size`);
    bytes.require(vtable, length, `the list of fields of ${what}`);
    bytes.require(at, size, what);
    this.#bytes = bytes;
    this.#at = at;
    this.#vtable = vtable;
    this.#fields = (length - 4) / 2;
    this.#size = size;
  }

  /** The root of a file. Throws FlatError where the identifier is another, or the file too short for one. */
  static root(file: Uint8Array, identifier: string, what: string): FlatTable {
    const bytes = new Bytes(file);
    bytes.require(0, 8, "its head");
    // A builder fills up the last of its 4 bytes.
    if (file.length % 4 !== 0) throw new FlatError(`its size, ${String(file.length)} bytes, is no multiple of 4: it was cut short`);
    const found = String.fromCharCode(...bytes.slice(4, identifier.length));
    if (found !== identifier) throw new FlatError(`its identifier is ${quote(found)}, not ${quote(identifier)}`);
    return new FlatTable(bytes, bytes.follow(0, what), what);
  }

  int32(field: number, what: string): number | undefined {
    const at = this.#place(field, 4, what);
    return at === undefined ? undefined : this.#bytes.view.getInt32(at, true);
  }

  int64(field: number, what: string): bigint | undefined {
    const at = this.#place(field, 8, what);
    return at === undefined ? undefined : this.#bytes.view.getBigInt64(at, true);
  }

  /** False where it isn't there. */
  bool(field: number, what: string): boolean {
    const at = this.#place(field, 1, what);
    return at !== undefined && this.#bytes.view.getUint8(at) !== 0;
  }

  table(field: number, what: string): FlatTable | undefined {
    const at = this.#place(field, 4, what);
    return at === undefined ? undefined : new FlatTable(this.#bytes, this.#bytes.follow(at, what), what);
  }

  /** Strict UTF-8, at most MAX_TEXT_BYTES, and a 0 behind it. */
  text(field: number, what: string): string | undefined {
    const found = this.#vector(field, 1, what);
    if (found === undefined) return undefined;
    if (found.count > MAX_TEXT_BYTES) {
      throw new FlatError(`${what} at byte ${String(found.start)} has ${String(found.count)} bytes, over the limit of ${String(MAX_TEXT_BYTES)}`);
    }
    this.#bytes.require(found.start, found.count + 1, what);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#bytes.slice(found.start, found.count));
    } catch {
      throw new FlatError(`${what} at byte ${String(found.start)} is not UTF-8`);
    }
  }

  /** The bytes themselves, not a copy. */
  byteVector(field: number, what: string): Uint8Array | undefined {
    const found = this.#vector(field, 1, what);
    return found === undefined ? undefined : this.#bytes.slice(found.start, found.count);
  }

  /** At most `limit` numbers. */
  int64Vector(field: number, limit: number, what: string): bigint[] | undefined {
    const found = this.#vector(field, 8, what);
    if (found !== undefined && found.count > limit) throw new FlatError(`${what} has ${String(found.count)} entries, over the limit of ${String(limit)}`);
    return found === undefined ? undefined : Array.from({ length: found.count }, (_, i) => this.#bytes.view.getBigInt64(found.start + 8 * i, true));
  }

  /** The tables of a vector, one after the other: none is looked at before its turn. */
  *tables(field: number, what: string): Generator<FlatTable> {
    const found = this.#vector(field, 4, what);
    for (let i = 0; i < (found?.count ?? 0); i += 1) {
      const named = `${what} ${String(i)}`;
      yield new FlatTable(this.#bytes, this.#bytes.follow((found?.start ?? 0) + 4 * i, named), named);
    }
  }

  /** Where a field's value stands; undefined where the table doesn't have it. */
  #place(field: number, length: number, what: string): number | undefined {
    if (field >= this.#fields) return undefined;
    const offset = this.#bytes.view.getUint16(this.#vtable + 4 + 2 * field, true);
    if (offset === 0) return undefined;
    if (offset < 4 || offset + length > this.#size) throw new FlatError(`${what} stands outside of its table at byte ${String(this.#at)}`);
    return this.#at + offset;
  }

  #vector(field: number, elementBytes: number, what: string): { start: number; count: number } | undefined {
    const place = this.#place(field, 4, what);
    if (place === undefined) return undefined;
    const at = this.#bytes.follow(place, what);
    this.#bytes.require(at, 4, what);
    const count = this.#bytes.view.getUint32(at, true);
    this.#bytes.require(at + 4, count * elementBytes, what);
    return { start: at + 4, count };
  }
}
