/** Runs of words, and how often each comes. */

/** Between words of a run; none of our splitters leaves one in a word. */
const GAP = " ";

/** The runs of `size` words, in the order in which they come. */
export function ngrams(words: readonly string[], size: number): string[] {
  return Array.from({ length: Math.max(0, words.length - size + 1) }, (_, i) => words.slice(i, i + size).join(GAP));
}

/** A run without its last word. */
export function withoutLast(ngram: string): string {
  return ngram.slice(0, Math.max(0, ngram.lastIndexOf(GAP)));
}

export function counted(ngramsOfText: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const ngram of ngramsOfText) counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  return counts;
}

/** How often each run of the candidate counts: at most as often as the reference has it that has it most often. Only those that count. */
export function clippedHits(candidate: readonly string[], references: readonly (readonly string[])[], size: number): Map<string, number> {
  const most = references.map((reference) => counted(ngrams(reference, size)));
  const hits = [...counted(ngrams(candidate, size))].map(([ngram, count]) => [ngram, Math.min(count, Math.max(...most.map((counts) => counts.get(ngram) ?? 0)))] as const);
  return new Map(hits.filter(([, count]) => count > 0));
}
