/** Which word of a text METEOR takes for which of a reference's: as many equal ones as can be, in as few runs as can be, found by beams as METEOR 1.5 finds them. */
import { stemOf } from "./meteor-words.ts";

/** A word of the text, for one of the reference. */
export interface Pair {
  /** Place in the text. */
  readonly at: number;
  /** Else the stems are equal. */
  readonly exact: boolean;
}

export interface Alignment {
  /** Of each word of the reference. */
  readonly pairs: readonly (Pair | undefined)[];
  /** Runs of pairs that are neighbours in both texts. */
  readonly chunks: number;
}

const BEAMS = 40;

/** A pair that a path has chosen, and those before it. */
interface Chosen {
  readonly i: number;
  readonly pair: Pair;
  readonly before: Chosen | undefined;
}

interface Path {
  readonly chosen: Chosen | undefined;
  readonly exact: number;
  readonly chunks: number;
  /** The place behind the last pair of an open run. */
  readonly next: number | undefined;
  readonly distance: number;
}

/** Pairs of equal words before pairs of equal stems, which count for nothing here: METEOR 1.5 adds their half to a whole number. */
export function align(words: readonly string[], reference: readonly string[]): Alignment {
  const options = optionsOf(words, reference);
  const settled = settledOf(options);
  const free = options.map((own) => own.filter(({ at }) => !settled.some((pair) => pair?.at === at)));
  let paths: Path[] = [{ chosen: undefined, exact: 0, chunks: 0, next: undefined, distance: 0 }];
  for (const [i, own] of free.entries()) {
    const only = settled[i];
    paths = best(paths).flatMap((path) => {
      if (only !== undefined) return [extended(path, only, path.distance + Math.abs(i - only.at), path.chosen)];
      const next: Path[] = [];
      let { distance } = path;
      for (const pair of own) {
        if (isTaken(path.chosen, pair.at)) continue;
        next.push(extended(path, pair, distance, { i, pair, before: path.chosen }));
        // METEOR 1.5 adds it to the paths that go on without the pair; the choice among equals depends on it.
        distance += Math.abs(i - pair.at);
      }
      next.push(closed(path, distance));
      return next;
    });
  }
  const found = best(best(paths).map((path) => closed(path, path.distance)))[0];
  const pairs = [...settled];
  for (let link = found?.chosen; link !== undefined; link = link.before) pairs[link.i] = link.pair;
  return { pairs, chunks: found?.chunks ?? 0 };
}

/** For each word of the reference the words of the text that are equal, then those of equal stems. Of equal texts the first alone. */
function optionsOf(words: readonly string[], reference: readonly string[]): Pair[][] {
  const same = words.length === reference.length && words.every((word, i) => word === reference[i]);
  const stems = words.map(stemOf);
  return reference.map((wanted) => {
    const stem = stemOf(wanted);
    const pairs = (exact: boolean): Pair[] => words.flatMap((word, at) => ((exact ? word === wanted : word !== wanted && stems[at] === stem) ? [{ at, exact }] : []));
    return same ? pairs(true) : [...pairs(true), ...pairs(false)];
  });
}

/** What has one option that is nobody else's is settled. */
function settledOf(options: readonly (readonly Pair[])[]): (Pair | undefined)[] {
  const wanted = new Map<number, number>();
  for (const { at } of options.flat()) wanted.set(at, (wanted.get(at) ?? 0) + 1);
  return options.map((own) => (own.length === 1 && own[0] !== undefined && wanted.get(own[0].at) === 1 ? own[0] : undefined));
}

function isTaken(chosen: Chosen | undefined, at: number): boolean {
  for (let link = chosen; link !== undefined; link = link.before) if (link.pair.at === at) return true;
  return false;
}

function best(paths: readonly Path[]): Path[] {
  return paths.length === 1 ? [...paths] : paths.toSorted((a, b) => b.exact - a.exact || a.chunks - b.chunks || a.distance - b.distance).slice(0, BEAMS);
}

function extended({ exact, chunks, next }: Path, pair: Pair, distance: number, chosen: Chosen | undefined): Path {
  return { chosen, exact: exact + Number(pair.exact), chunks: chunks + Number(next !== undefined && next !== pair.at), next: pair.at + 1, distance };
}

function closed({ chosen, exact, chunks, next }: Path, distance: number): Path {
  return { chosen, exact, chunks: chunks + Number(next !== undefined), next: undefined, distance };
}
