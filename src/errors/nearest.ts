/** "Did you mean": the known words nearest to one that isn't known. */

/** The edit distance (Levenshtein) of two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The `count` words nearest to `word`, nearest first; each once. */
export function nearest(word: string, known: Iterable<string>, count = 5): string[] {
  const lower = word.toLowerCase();
  const score = (k: string): number => distance(lower, k.toLowerCase()) - (k.toLowerCase().includes(lower) || lower.includes(k.toLowerCase()) ? lower.length : 0);
  return [...new Set(known)].map((k) => [score(k), k] as const).sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1)).slice(0, count).map(([, k]) => k);
}
