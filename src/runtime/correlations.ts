/** Correlations of two series of numbers, as SciPy has them: NaN where either is constant, or has fewer than two numbers. */

/** Pearson's, number by number. By Welford's running means, so that large offsets cost no digits. */
export class Pearson {
  readonly #s = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };

  add(x: number, y: number): void {
    const s = this.#s;
    s.n += 1;
    const [dx, dy] = [x - s.x, y - s.y];
    s.x += dx / s.n;
    s.y += dy / s.n;
    s.xx += dx * (x - s.x);
    s.yy += dy * (y - s.y);
    s.xy += dx * (y - s.y);
  }

  result(): number {
    const { xx, yy, xy } = this.#s;
    // Rounding may carry a perfect correlation past 1.
    return Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy)));
  }
}

/** Spearman's: Pearson's of the ranks. The one metric that keeps every number, 16 bytes a pair. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  const [xs, ys] = [ranks(x), ranks(y)];
  const pearson = new Pearson();
  for (const [i, rank] of xs.entries()) pearson.add(rank, ys[i] ?? NaN);
  return pearson.result();
}

/** Ranks from 1, equal numbers having the mean of theirs. A NaN makes all of them NaN, as SciPy's `nan_policy="propagate"` does. */
export function ranks(values: readonly number[]): number[] {
  if (values.some(Number.isNaN)) return values.map(() => NaN);
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const found = new Array<number>(values.length).fill(0);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to += 1;
    for (const i of order.slice(from, to)) found[i] = (from + to + 1) / 2;
  }
  return found;
}
