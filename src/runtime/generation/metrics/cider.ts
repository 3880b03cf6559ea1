/** CIDEr-D (Vedantam et al., 2015) as MS-COCO's evaluation computes it, which the E2E challenge uses: n-grams count more the fewer groups of references have them. */
import { counted, ngrams } from "./ngrams.ts";
import { treebankWords } from "./treebank-words.ts";

const LONGEST = 4;

/** Of the penalty for texts of different lengths, in words. */
const SIGMA = 6;
const SCALE = 10;

/** A text's weighted n-grams, of one size each. */
interface Weighted {
  /** By size: each n-gram's weight, and the length of the vector that they are. */
  readonly sizes: readonly { readonly weights: ReadonlyMap<string, number>; readonly norm: number }[];
  /** Pairs of words, by which MS-COCO's code compares lengths. */
  readonly pairs: number;
}

/** The mean over the texts, from 0 to 10. How rare an n-gram is is learnt from the references given: of one group alone every weight is 0. */
export function cider(candidates: readonly string[], references: readonly (readonly string[])[]): number {
  const split = references.map((group) => group.map(treebankWords));
  const groupsWith = counted(split.flatMap((group) => [...new Set(group.flatMap((words) => sizes.flatMap((n) => ngrams(words, n))))]));
  const weigh = (words: readonly string[]): Weighted => ({
    pairs: Math.max(0, words.length - 1),
    sizes: sizes.map((n) => {
      const weights = new Map([...counted(ngrams(words, n))].map(([ngram, count]) => [ngram, count * Math.log(split.length / Math.max(1, groupsWith.get(ngram) ?? 0))]));
      return { weights, norm: Math.hypot(...weights.values()) };
    }),
  });
  const scores = candidates.map((text, i) => {
    const own = weigh(treebankWords(text));
    const group = split[i] ?? [];
    return group.reduce((sum, words) => sum + likeness(own, weigh(words)), 0) / group.length;
  });
  return (SCALE * scores.reduce((sum, score) => sum + score, 0)) / candidates.length;
}

const sizes = Array.from({ length: LONGEST }, (_, i) => i + 1);

/** The mean over the sizes of the vectors' cosine, in which an n-gram counts no more often than the reference has it. */
function likeness(candidate: Weighted, reference: Weighted): number {
  const penalty = Math.exp(-((candidate.pairs - reference.pairs) ** 2) / (2 * SIGMA ** 2));
  const cosines = candidate.sizes.map(({ weights, norm }, n) => {
    const other = reference.sizes[n];
    if (other === undefined || norm === 0 || other.norm === 0) return 0;
    let product = 0;
    for (const [ngram, weight] of weights) product += Math.min(weight, other.weights.get(ngram) ?? 0) * (other.weights.get(ngram) ?? 0);
    return product / (norm * other.norm);
  });
  return (penalty * cosines.reduce((sum, each) => sum + each, 0)) / LONGEST;
}
