/** BLEU of a corpus (Papineni et al., 2002), up to four words, as the E2E challenge's pymteval computes it. */
import { mtevalWords } from "./mteval-words.ts";
import { clippedHits } from "./ngrams.ts";

const LONGEST = 4;

/** Stand for a count of zero, so that the logarithm is defined. */
const NO_HITS = 1e-15;
const NO_NGRAMS = 1e-9;
const NO_WORDS = 1e-5;

/** From 0 to 1. The reference nearest in length counts for the brevity penalty, of two as near the shorter. A text of fewer words than n takes from the count of n-grams, as in pymteval. */
export function bleu(candidates: readonly string[], references: readonly (readonly string[])[]): number {
  const hits = new Array<number>(LONGEST).fill(0);
  const lengths = { candidates: 0, references: 0 };
  for (const [i, text] of candidates.entries()) {
    const words = mtevalWords(text);
    const others = (references[i] ?? []).map(mtevalWords);
    for (const n of hits.keys()) for (const count of clippedHits(words, others, n + 1).values()) hits[n] = (hits[n] ?? 0) + count;
    lengths.candidates += words.length;
    lengths.references += nearest(words.length, others.map(({ length }) => length));
  }
  const ofPrecisions = hits.reduce((sum, count, n) => sum + Math.log(Math.max(count, NO_HITS) / Math.max(lengths.candidates - n * candidates.length, NO_NGRAMS)), 0);
  const brevity = lengths.candidates > lengths.references ? 0 : 1 - lengths.references / (lengths.candidates === 0 ? NO_WORDS : lengths.candidates);
  return Math.exp(brevity + ofPrecisions / LONGEST);
}

function nearest(length: number, others: readonly number[]): number {
  return others.reduce((best, each) => (Math.abs(each - length) < Math.abs(best - length) || (Math.abs(each - length) === Math.abs(best - length) && each < best) ? each : best));
}
