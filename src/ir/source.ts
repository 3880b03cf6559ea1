/** Where bytes come from: a file or memory behind one interface, and ranges of it that are read when asked for. */

/**
 * Random access to the bytes of one file. Reading is synchronous, so that decoding and the passes are plain functions; a browser hands in
 * the bytes it holds, Node reads the file piece by piece (`ir` itself imports no `node:` module).
 */
export interface Source {
  /** What to call it in messages: the path as the user gave it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; in `room`, where one is given and they are not in memory already. Throws when they are not there. */
  read(offset: number, length: number, room?: Uint8Array): Uint8Array;
}

/** Bytes in memory as a Source. */
export function memorySource(name: string, bytes: Uint8Array): Source {
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`${name}: ${String(length)} bytes at ${String(offset)} are not within its ${String(bytes.length)}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A range of a Source that has not been read. */
export class ByteRange {
  readonly source: Source;
  readonly offset: number;
  /** Bytes that `read` gives. */
  readonly length: number;
  /** Whether the bytes of the file are the value itself, so that another file may point at them. */
  get verbatim(): boolean {
    return true;
  }

  constructor(source: Source, offset: number, length: number) {
    this.source = source;
    this.offset = offset;
    this.length = length;
  }

  /** Reads the range, now. */
  read(): Uint8Array {
    return this.source.read(this.offset, this.length);
  }
}

/** Gives computed bytes; in `room`, where one of their length is given and they can be computed there. */
export type Compute = (room?: Uint8Array) => Promise<Uint8Array>;

/**
 * Bytes that nobody has yet: they are computed when a file is written, one weight after the other, so that a model's new weights are never in
 * memory all at once. As often as they are asked for, they are computed anew.
 */
export class ComputedBytes extends ByteRange {
  readonly compute: Compute;
  /** The bytes that these stand in for, where they are as long: a copy of that file may have these in their place. */
  readonly replaces: Bytes | undefined;

  constructor(name: string, length: number, compute: Compute, replaces?: Bytes) {
    const read = (): never => { throw new TypeError(`${name} is computed when it is written, and was read before`); };
    super({ name, size: length, read }, 0, length);
    this.compute = compute;
    this.replaces = replaces?.length === length ? replaces : undefined;
  }
}

/** Bytes at hand, or a range that is read when asked for. */
export type Bytes = Uint8Array | ByteRange;

/** The bytes themselves, read if they must be. */
export function readBytes(bytes: Bytes): Uint8Array {
  return bytes instanceof ByteRange ? bytes.read() : bytes;
}

/** The bytes themselves, read or computed if they must be. */
export async function fetchBytes(bytes: Bytes): Promise<Uint8Array> {
  return bytes instanceof ComputedBytes ? await bytes.compute() : readBytes(bytes);
}
