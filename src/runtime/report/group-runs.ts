/** Which runs differ in nothing but the seed, and what their figures are together. */
import type { ReportedRun, RunGroup, Spread } from "./report-data.ts";
import { valueWords } from "./words.ts";

/** Settings that don't change what a run learns. */
const WITHOUT_EFFECT: readonly string[] = ["seed", "saveSteps", "saveTotalLimit"];
/** Settings that are told by other words of a group's name. */
const TOLD: readonly string[] = [...WITHOUT_EFFECT, "method", "rank"];

/** What a run says of its data beside their paths: equal hashes are equal data, wherever they lie. */
export interface RunOrigin {
  readonly modelBytes: unknown;
  readonly hashes: Readonly<Record<string, unknown>> | undefined;
}

/** The groups, in the order of their first runs; `origins` are those of the runs, in order. */
export function groupRuns(runs: readonly ReportedRun[], origins: readonly RunOrigin[]): RunGroup[] {
  const byKey = new Map<string, number[]>();
  for (const [i, run] of runs.entries()) {
    const key = keyOf(run, origins[i]);
    byKey.set(key, [...byKey.get(key) ?? [], i]);
  }
  const groups = [...byKey.values()];
  const firsts = groups.map(([first = 0]) => runs[first]).filter((run) => run !== undefined);
  const names = namesOf(firsts);
  return groups.map((members, g): RunGroup => {
    const own = members.flatMap((i) => runs[i] ?? []);
    const [first] = own;
    if (first === undefined) throw new TypeError("a group has a run");
    return {
      name: names[g] ?? first.name, method: first.method, rank: first.rank, runs: members, seeds: own.map(({ seed }) => seed), finished: first.finished,
      metrics: spreads(own), flops: first.flops, trainableParams: first.trainableParams, seconds: spreadOfAll(own.map(({ seconds }) => seconds)),
    };
  });
}

/** Mean, sample standard deviation and range of numbers, of which there is at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, deviation: n < 2 ? null : Math.sqrt(squares / (n - 1)), min: Math.min(...values), max: Math.max(...values) };
}

/** Runs of one group have one key. A run that isn't done has figures of another kind, and stands alone. */
function keyOf({ folder, finished, settings }: ReportedRun, origin: RunOrigin | undefined): string {
  const hashes = origin?.hashes ?? {};
  const known = Object.entries(settings).filter(([name]) => !WITHOUT_EFFECT.includes(name)).map(([name, value]) => [name, hashes[name] ?? value] as const);
  const inOrder = known.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([finished ? null : folder, origin?.modelBytes ?? null, inOrder]);
}

/** "hut r8", and what else tells groups of one method and rank apart. */
function namesOf(firsts: readonly ReportedRun[]): string[] {
  const short = ({ method, rank }: ReportedRun): string => (rank === null ? method : `${method} r${String(rank)}`);
  const named = firsts.map((run) => {
    const alike = firsts.filter((other) => short(other) === short(run));
    const settings = [...new Set(alike.flatMap((other) => Object.keys(other.settings)))].filter((name) => !TOLD.includes(name));
    const telling = settings.filter((name) => new Set(alike.map((other) => JSON.stringify(other.settings[name]))).size > 1);
    const words = telling.map((name) => `${name} ${valueWords(run.settings[name])}`);
    return [short(run), ...words, ...(run.finished ? [] : ["unfinished"])].join(", ");
  });
  return named.map((name, i) => (named.indexOf(name) === named.lastIndexOf(name) ? name : `${name} (${firsts[i]?.folder ?? ""})`));
}

function spreads(runs: readonly ReportedRun[]): Record<string, Spread> {
  const names = Object.keys(runs[0]?.metrics ?? {});
  return Object.fromEntries(names.flatMap((name) => {
    const spread = spreadOfAll(runs.map(({ metrics }) => metrics[name] ?? null));
    return spread === null ? [] : [[name, spread]];
  }));
}

/** Null where one of them is missing. */
function spreadOfAll(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  return known.length === 0 || known.length < values.length ? null : spreadOf(known);
}
