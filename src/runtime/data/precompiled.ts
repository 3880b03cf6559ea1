/**
 * The normalizer "Precompiled" of tokenizer.json: SentencePiece's table of replacements, as Hugging Face's tokenizers read it (spm_precompiled). The library
 * has NFKC and a list of characters in its place, which differ where marks stack up or emoji are joined.
 */
import { tokenizerBroken } from "../../errors/data.ts";

/** Bytes of the longest grapheme that is looked up as one. */
const GRAPHEME_BYTES = 5;
const PLAIN = /^[\x20-\x7e]*$/;

/** Makes the normalizer of the table in base64. Throws TOKENIZER_BROKEN where it is none. */
export function precompiled(charsmap: unknown): (text: string) => string {
  const table = new ReplacementTable(bytesOf(charsmap));
  const encoder = new TextEncoder();
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const isPlain = Array.from({ length: 0x7f - 0x20 }, (_, i) => table.find(Uint8Array.of(0x20 + i))).every((found) => found === undefined);
  return (text) => {
    if (isPlain && PLAIN.test(text)) return text;
    let made = "";
    for (const { segment } of segmenter.segment(text)) {
      const bytes = encoder.encode(segment);
      const whole = bytes.length <= GRAPHEME_BYTES ? table.find(bytes) : undefined;
      if (whole !== undefined) made += whole;
      else for (const character of segment) made += table.find(encoder.encode(character)) ?? character;
    }
    return made;
  };
}

function bytesOf(charsmap: unknown): Uint8Array {
  try {
    if (typeof charsmap === "string") return Uint8Array.from(atob(charsmap), (c) => c.charCodeAt(0));
  } catch (cause) {
    throw tokenizerBroken("its precompiled_charsmap is no base64", cause);
  }
  throw tokenizerBroken("its precompiled_charsmap is no text");
}

/** A trie of byte strings (a double array, as darts-clone lays it out), and what each is replaced by. */
class ReplacementTable {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length < 4 ? Infinity : view.getUint32(0, true);
    if (size % 4 !== 0 || 4 + size > bytes.length) throw tokenizerBroken("its precompiled_charsmap doesn't hold the table that it tells of");
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#texts = bytes.subarray(4 + size);
  }

  /** What the shortest beginning of `key` that the trie knows is replaced by; undefined where it knows none. */
  find(key: Uint8Array): string | undefined {
    let at = offsetOf(this.#units[0] ?? 0);
    for (const byte of key) {
      if (byte === 0) return undefined;
      at = (at ^ byte) >>> 0;
      const unit = this.#units[at];
      // The sign bit and the lowest byte: a leaf's label is never a byte.
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined;
      at = (at ^ offsetOf(unit)) >>> 0;
      if (((unit >>> 8) & 1) === 1) return this.#text((this.#units[at] ?? 0) & 0x7fffffff);
    }
    return undefined;
  }

  #text(start: number): string | undefined {
    const end = this.#texts.indexOf(0, start);
    return start >= this.#texts.length ? undefined : new TextDecoder().decode(this.#texts.subarray(start, end < 0 ? undefined : end));
  }
}

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}
