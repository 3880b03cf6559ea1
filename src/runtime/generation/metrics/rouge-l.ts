/** ROUGE-L (Lin, 2004) as MS-COCO's evaluation computes it, which the E2E challenge uses: what share of the words stands in both texts in the same order. */
import { treebankWords } from "./treebank-words.ts";

/** Recall counts so much more than precision. */
const BETA = 1.2;

/** The mean over the texts, from 0 to 1. Precision and recall are each the best of all references. */
export function rougeL(candidates: readonly string[], references: readonly (readonly string[])[]): number {
  return candidates.reduce((sum, text, i) => sum + ofText(treebankWords(text), (references[i] ?? []).map(treebankWords)), 0) / candidates.length;
}

function ofText(words: readonly string[], references: readonly (readonly string[])[]): number {
  const common = references.map((reference) => ({ length: reference.length, both: longestCommon(words, reference) }));
  const precision = Math.max(...common.map(({ both }) => both / Math.max(1, words.length)));
  const recall = Math.max(...common.map(({ both, length }) => both / Math.max(1, length)));
  return precision === 0 || recall === 0 ? 0 : ((1 + BETA ** 2) * precision * recall) / (recall + BETA ** 2 * precision);
}

/** How many words the longest common subsequence has. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let before = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const row = [0];
    for (const [j, other] of b.entries()) row.push(word === other ? (before[j] ?? 0) + 1 : Math.max(before[j + 1] ?? 0, row[j] ?? 0));
    before = row;
  }
  return before.at(-1) ?? 0;
}
