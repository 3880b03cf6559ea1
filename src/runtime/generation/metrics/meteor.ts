/** METEOR 1.5 (Denkowski and Lavie, 2014) for English with two of its modules, equal words and equal stems; synonyms and paraphrases would need WordNet and a table of 60 MB. */
import { align } from "./meteor-alignment.ts";
import { isFunctionWord, meteorWords } from "./meteor-words.ts";

/** METEOR's own, tuned on rankings by people: how much recall counts, and the exponent and the factor of the penalty for many runs. */
const [ALPHA, BETA, GAMMA] = [0.85, 0.2, 0.6];

/** What a word of meaning counts; a function word counts the rest of 1. */
const DELTA = 0.75;
const STEM = 0.6;

/** What a text has in common with its reference. Of several texts the sums. */
interface Common {
  /** Weighted: the words, and those that are paired. */
  readonly text: Share;
  readonly reference: Share;
  readonly pairs: number;
  readonly chunks: number;
}

interface Share {
  readonly length: number;
  readonly paired: number;
}

/** From 0 to 1, of all texts together, each compared with the reference that it is most like. */
export function meteor(candidates: readonly string[], references: readonly (readonly string[])[]): number {
  return scoreOf(candidates.map((text, i) => nearest(meteorWords(text), (references[i] ?? []).map(meteorWords))).reduce(sum));
}

function nearest(words: readonly string[], references: readonly (readonly string[])[]): Common {
  return references.map((reference) => compare(words, reference)).reduce((best, each) => (scoreOf(each) > scoreOf(best) ? each : best));
}

function compare(words: readonly string[], reference: readonly string[]): Common {
  const { pairs, chunks } = align(words, reference);
  const found = pairs.flatMap((pair, i) => (pair === undefined ? [] : [{ weight: pair.exact ? 1 : STEM, own: words[pair.at] ?? "", other: reference[i] ?? "" }]));
  const whole = found.length === words.length && found.length === reference.length && chunks === 1;
  return {
    text: { length: total(words.map(weightOf)), paired: total(found.map(({ weight, own }) => weight * weightOf(own))) },
    reference: { length: total(reference.map(weightOf)), paired: total(found.map(({ weight, other }) => weight * weightOf(other))) },
    // A text that is its reference has no penalty.
    pairs: found.length, chunks: whole ? 0 : chunks,
  };
}

function scoreOf({ text, reference, pairs, chunks }: Common): number {
  if (pairs === 0) return 0;
  const mean = 1 / (((1 - ALPHA) * text.length) / text.paired + (ALPHA * reference.length) / reference.paired);
  return mean * (1 - GAMMA * (chunks / pairs) ** BETA);
}

function weightOf(word: string): number {
  return isFunctionWord(word) ? 1 - DELTA : DELTA;
}

function sum(a: Common, b: Common): Common {
  const shares = (x: Share, y: Share): Share => ({ length: x.length + y.length, paired: x.paired + y.paired });
  return { text: shares(a.text, b.text), reference: shares(a.reference, b.reference), pairs: a.pairs + b.pairs, chunks: a.chunks + b.chunks };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
