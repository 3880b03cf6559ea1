/** Weights of alike layers as one row, so that a model of many layers is readable. */
import type { InspectedWeight } from "../runtime/results.ts";

/** Weights that differ in their layer alone. */
export interface WeightGroup {
  readonly first: InspectedWeight;
  /** "0-11", "0, 2, 5-7"; "-" for weights outside the layers. */
  readonly layers: string;
  /** The module path with `*` where the layer's number stands. */
  readonly path: string;
  readonly count: number;
}

/** The groups in the order of their first weights; with `apart` each weight is a group of its own. */
export function groupWeights(weights: readonly InspectedWeight[], apart: boolean): WeightGroup[] {
  const groups = new Map<string, InspectedWeight[]>();
  for (const [i, weight] of weights.entries()) {
    const { role, layer, shape, stored, dtype, op, name } = weight;
    // A weight without layer and path has nothing but its name to tell it from others.
    const key = apart ? String(i) : JSON.stringify([pathPattern(weight) ?? (layer === null ? name : null), role, layer === null, shape, stored, dtype, op]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [weight]);
    else group.push(weight);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const path = (apart ? first.modulePath : pathPattern(first)) ?? (members.length === 1 ? `(initializer ${first.name})` : "(no path)");
    return [{ first, layers: ranges(members.flatMap((w) => w.layer ?? [])), path, count: members.length }];
  });
}

/** "encoder.layer.3.query" of layer 3 → "encoder.layer.*.query"; null where the export tells no path. */
function pathPattern({ modulePath, layer }: InspectedWeight): string | null {
  if (modulePath === null || layer === null) return modulePath;
  const parts = modulePath.split(".");
  const at = parts.indexOf(String(layer));
  return at === -1 ? modulePath : parts.with(at, "*").join(".");
}

/** [0, 1, 2, 5] → "0-2, 5". */
function ranges(layers: readonly number[]): string {
  const sorted = [...new Set(layers)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const layer of sorted) {
    const last = runs.at(-1);
    if (last?.[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  return runs.length === 0 ? "-" : runs.map(([from, to]) => (from === to ? String(from) : `${String(from)}-${String(to)}`)).join(", ");
}
