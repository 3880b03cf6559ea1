/** Parquet's runs and prefixes, looked at before they are decoded: a few bytes can stand for two thousand million values. */
import { deltaBinaryUnpack } from "hyparquet/src/delta.js";

/**
 * Throws where the runs from `at` on stand for more than `count` values, a last group of eight apart. `levels` is their largest value, or their width in bits.
 */
export function requireNoFurtherRun(bytes: Uint8Array, at: number, levels: number | { readonly width: number }, count: number): void {
  const width = typeof levels === "number" ? Math.ceil(Math.log2(levels + 1)) : levels.width;
  if (width > 32) throw new RangeError("a run's values are too wide");
  // What isn't there may not be needed: a page counts values that are null, too. Who decodes it finds out.
  for (let seen = 0; seen < count && at < bytes.length;) {
    const [header, next] = varint(bytes, at);
    const length = header % 2 === 1 ? Math.floor(header / 2) * 8 : Math.floor(header / 2);
    if (seen + length > count + (header % 2 === 1 ? 7 : 0)) throw new RangeError("a run is longer than its page");
    seen += length;
    at = next + (header % 2 === 1 ? (length / 8) * width : Math.ceil(width / 8));
  }
}

function varint(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new RangeError("a run doesn't end");
}

/** Throws where texts that each begin as the one before would take more than `most` bytes together. */
export function requirePrefixesFit(page: Uint8Array, at: number, count: number, most: number): void {
  const prefixes = new Int32Array(count);
  deltaBinaryUnpack({ view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: at }, count, prefixes);
  if (prefixes.reduce((sum, length) => sum + Math.max(0, length), 0) > most) throw new RangeError("its texts unpack to more than is read");
}
