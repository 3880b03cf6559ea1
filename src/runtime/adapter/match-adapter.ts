/** An adapter's modules ↔ the weights of a graph: by path, then by shape, then by fingerprint. */
import { adapterBaseMismatch, adapterModuleAmbiguous, adapterModuleMissing, adapterShapeMismatch } from "../../errors/runtime.ts";
import { nearest } from "../../errors/nearest.ts";
import { pathOf } from "../../passes/adapt.ts";
import type { WeightSite } from "../../passes/weights/find-weights.ts";
import { precisionAt, valuesAt } from "../../passes/weights/weight-values.ts";
import { samePath } from "../../passes/weights/module-path.ts";
import type { Fingerprint } from "./hut-json.ts";
import type { AdapterFolder } from "./adapter-folder.ts";
import { weightShape } from "./peft-tensors.ts";

/** The weight of each of the adapter's modules. Throws where one is missing, could be several, or has another shape. */
export function matchAdapter(adapter: AdapterFolder, folder: string, sites: readonly WeightSite[]): Map<WeightSite, string> {
  const found = new Map<WeightSite, string>();
  for (const module of adapter.modules.keys()) {
    const site = siteAt(module, folder, sites);
    const want = weightShape(adapter, module);
    if (want[0] !== site.k || want[1] !== site.n) throw adapterShapeMismatch(folder, module, want, [site.k, site.n]);
    found.set(site, module);
  }
  return found;
}

/** The one weight that a path of an adapter names; the shorter path may be the end of the longer. */
export function siteAt(module: string, folder: string, sites: readonly WeightSite[]): WeightSite {
  const exact = sites.filter((s) => pathOf(s) === module);
  const candidates = exact.length > 0 ? exact : sites.filter((s) => samePath(pathOf(s), module));
  const [only, ...others] = candidates;
  if (only === undefined) throw adapterModuleMissing(folder, module, nearest(module, sites.map(pathOf), 3));
  if (others.length > 0) throw adapterModuleAmbiguous(folder, module, candidates.map(pathOf));
  return only;
}

/** How far a value may be from its fingerprint, relative to the largest: a base stored in float16 or bfloat16 is the same base. */
const ROUNDING = 1e-2;

/**
 * Throws where a weight's values are not those that the adapter knows its base by. A quantized one may be off by a step: that of the weight here, and
 * that of the weight which the adapter was made on.
 */
export function checkFingerprint(folder: string, module: string, site: WeightSite, fingerprint: Fingerprint): void {
  const [k, n] = fingerprint.shape;
  if (k !== site.k || n !== site.n) throw adapterShapeMismatch(folder, module, [k, n], [site.k, site.n]);
  const values = valuesAt(site, fingerprint.positions);
  const largest = Math.max(...fingerprint.values.map(Math.abs), 1e-30);
  const steps = precisionAt(site, fingerprint.positions);
  const differs = fingerprint.values.some((v, i) => !(Math.abs(v - (values[i] ?? NaN)) <= ROUNDING * largest + (steps[i] ?? 0) + (fingerprint.step ?? 0)));
  if (differs) throw adapterBaseMismatch(folder, module);
}
