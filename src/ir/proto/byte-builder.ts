/** Bytes that come in pieces. */
import { type Bytes, readBytes } from "../source.ts";

/** Collects pieces into one array; room doubles, so that many small pieces cost no more than one. */
export class ByteBuilder {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Bytes): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(readBytes(piece), this.#length);
    this.#length = length;
  }

  /** What was pushed, end to end. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
