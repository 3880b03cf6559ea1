/** Which module paths a PEFT configuration means. */
import { PythonPattern } from "./python-pattern.ts";

/** What PEFT's configuration says of the modules it adapts. */
export interface TargetRule {
  /** Path endings; or a pattern that matches whole paths; or "all-linear". */
  readonly targetModules: readonly string[] | string;
  /** Modules trained whole; nothing under them is adapted. */
  readonly modulesToSave: readonly string[];
  /** Path endings, or a pattern, that are left out. */
  readonly excludeModules: readonly string[] | string;
  /** Layer numbers, where only some layers are adapted. */
  readonly layersToTransform: readonly number[];
  /** Names of the lists that hold the layers; empty for any. */
  readonly layersPattern: readonly string[];
}

/** PEFT's word for "every linear layer but the head". */
export const ALL_LINEAR = "all-linear";

/** PEFT's rule for one entry: the path itself, or its end after a dot. */
function endsAs(path: string, entry: string): boolean {
  return path === entry || path.endsWith(`.${entry}`);
}

/** Whether `path` is the module `name`, or lies under it, wherever it stands in the path. */
export function liesUnder(path: string, name: string): boolean {
  return `.${path}.`.includes(`.${name}.`);
}

/** A test for paths, as PEFT applies the rule ("all-linear" accepts any: only the graph knows what is linear). Throws PATTERN_UNUSABLE. */
export function targetTest(rule: TargetRule): (path: string) => boolean {
  const all = typeof rule.targetModules === "string" && rule.targetModules.toLowerCase() === ALL_LINEAR;
  const chosen = all ? () => true : listOrPattern(rule.targetModules);
  const excluded = listOrPattern(rule.excludeModules);
  return (path) => chosen(path) && !excluded(path) && !rule.modulesToSave.some((name) => liesUnder(path, name)) && isInLayers(path, rule);
}

/** The entries that are the end of none of the paths. */
export function unmatchedEntries(entries: readonly string[], paths: Iterable<string>): string[] {
  const found = new Set([...paths].flatMap(endings));
  return entries.filter((entry) => !found.has(entry));
}

/**
 * The value for a path, as PEFT reads rank_pattern and alpha_pattern: that of the first pattern which matches its end, else `otherwise`.
 * Plain names are looked up first, so that a table of thousands costs little. Throws PATTERN_UNUSABLE.
 */
export function patternValues(table: Readonly<Record<string, number>>, otherwise: number): (path: string) => number {
  const plain = new Map(Object.entries(table));
  const patterns = Object.entries(table).filter(([source]) => !/^[\w.-]*$/.test(source))
    .map(([source, value]) => ({ pattern: new PythonPattern(source), value }));
  return (path) => {
    const ending = endings(path).find((end) => plain.has(end));
    if (ending !== undefined) return plain.get(ending) ?? otherwise;
    const starts = [0, ...Array.from(path.matchAll(/\./g), ({ index }) => index + 1)];
    return patterns.find(({ pattern }) => pattern.matchesFrom(path, starts))?.value ?? otherwise;
  };
}

function listOrPattern(entries: readonly string[] | string): (path: string) => boolean {
  if (typeof entries === "string") {
    if (entries === "") return () => false;
    const pattern = new PythonPattern(entries);
    return (path) => pattern.fullmatch(path);
  }
  const set = new Set(entries);
  return (path) => endings(path).some((end) => set.has(end));
}

/** "a.b.c" → "a.b.c", "b.c", "c". */
function endings(path: string): string[] {
  return [path, ...[...path.matchAll(/\./g)].map(({ index }) => path.slice(index + 1))];
}

/** PEFT takes the first number that follows two names as the layer; with layersPattern, the number after one of these names. */
function isInLayers(path: string, { layersToTransform, layersPattern }: TargetRule): boolean {
  if (layersToTransform.length === 0) return true;
  const parts = path.split(".");
  const index = parts.findIndex((part, i) => {
    if (i === 0 || i === parts.length - 1 || !/^\d+$/.test(part)) return false;
    const before = parts.slice(0, i).join(".");
    return layersPattern.length === 0 ? i >= 2 : layersPattern.some((name) => endsAs(before, name));
  });
  return index >= 0 && layersToTransform.includes(Number(parts[index]));
}
