/** Records of a dev set whose texts were trained on: figures on them say nothing. */
import { quote } from "../../errors/hut-error.ts";

/** A file's texts, told apart by a number each. */
export interface Texts {
  readonly file: string;
  /** One for each record, in file order; none where the data came as tokens. */
  readonly keys: readonly number[];
  readonly lines: readonly number[];
}

/** Pairs of lines that the remark names. */
const SHOWN_PAIRS = 5;

/**
 * 53 bits of a record's texts (cyrb53, by bryc, public domain): of a million texts against a million, one chance in 9,000 that two others pass for the same.
 */
export function textKey(texts: readonly string[]): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (const text of texts) {
    for (let i = 0; i <= text.length; i++) {
      // The end of each text counts too, so that "ab", "c" isn't "a", "bc".
      const code = i < text.length ? text.charCodeAt(i) : 0x10000;
      a = Math.imul(a ^ code, 2654435761);
      b = Math.imul(b ^ code, 1597334677);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** A sentence that says which records of `dev` have the text of one in `train`, whatever their labels; undefined where none has. */
export function overlapNote(train: Texts, dev: Texts): string | undefined {
  const known = new Map<number, number>();
  for (const [i, key] of train.keys.entries()) if (!known.has(key)) known.set(key, train.lines[i] ?? 0);
  const pairs = dev.keys.flatMap((key, i) => { const line = known.get(key); return line === undefined ? [] : [[dev.lines[i] ?? 0, line] as const]; });
  if (pairs.length === 0) return undefined;
  const shown = pairs.slice(0, SHOWN_PAIRS).map(([a, b]) => `line ${String(a)} is its line ${String(b)}`).join(", ");
  return `${String(pairs.length)} of the ${String(dev.keys.length)} texts in ${quote(dev.file)} ${pairs.length === 1 ? "is" : "are"} in ${quote(train.file)} too (${shown}${pairs.length > SHOWN_PAIRS ? ", …" : ""}): what was trained on measures too well`;
}
