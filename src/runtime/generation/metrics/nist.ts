/** NIST of a corpus (Doddington, 2002), up to five words, as the E2E challenge's pymteval computes it: n-grams count by what they tell, rare ones more. */
import { mtevalWords } from "./mteval-words.ts";
import { clippedHits, counted, ngrams, withoutLast } from "./ngrams.ts";

const LONGEST = 5;

/** A text of two thirds of the references' mean length keeps half of its score. */
const BETA = -Math.log(0.5) / Math.log(1.5) ** 2;

/** From 0 on. What an n-gram tells: log2 of how often its first n − 1 words come in the references, over how often it does. */
export function nist(candidates: readonly string[], references: readonly (readonly string[])[]): number {
  const texts = candidates.map((text, i) => ({ words: mtevalWords(text), others: (references[i] ?? []).map(mtevalWords) }));
  const known = Array.from({ length: LONGEST }, (_, n) => counted(texts.flatMap(({ others }) => others.flatMap((words) => ngrams(words, n + 1)))));
  const total = texts.reduce((sum, { others }) => sum + others.reduce((all, { length }) => all + length, 0), 0);
  const information = (ngram: string, n: number): number => Math.log2((n === 0 ? total : known[n - 1]?.get(withoutLast(ngram)) ?? 0) / (known[n]?.get(ngram) ?? NaN));
  const length = texts.reduce((sum, { words }) => sum + words.length, 0);
  const wanted = texts.reduce((sum, { others }) => sum + others.reduce((all, each) => all + each.length, 0) / others.length, 0);
  const told = Array.from({ length: LONGEST }, (_, n) => {
    const hits = texts.flatMap(({ words, others }) => [...clippedHits(words, others, n + 1)]);
    // A text of fewer words than n takes from the count of n-grams, as in pymteval; where none has n words there is nothing to divide by, and no hit.
    return hits.length === 0 ? 0 : hits.reduce((sum, [ngram, count]) => sum + information(ngram, n) * count, 0) / (length - n * texts.length);
  });
  const ratio = Math.min(1, length / wanted);
  return told.reduce((sum, each) => sum + each, 0) * Math.exp(-BETA * Math.log(ratio) ** 2);
}
