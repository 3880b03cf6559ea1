/**
 * Chooses weights by role, by module path, by regular expression, or all linear ones.
 *
 * Requires: facts inferred. Guarantees: every entry of the list matched something, else an error shows the nearest names; a word that is both
 * a role and a path's ending selects the union, and the report says so.
 */
import { HutError, list, quote } from "../errors/hut-error.ts";
import { nearest } from "../errors/nearest.ts";
import { pathOf } from "./adapt.ts";
import type { Role, WeightSite } from "./weights/find-weights.ts";

/** The words that `--target-modules` understands as roles. */
export const ROLES: readonly Role[] = ["q", "k", "v", "o", "up", "gate", "down", "head"];
/** The word for every matrix but the head; as PEFT's word, it leaves kernels of convolutions out. */
export const ALL_LINEAR = "all-linear";
/** What is adapted when nothing else is said. */
export const DEFAULT_TARGETS: readonly string[] = ["q", "v"];

export interface SelectedWeights {
  readonly sites: WeightSite[];
  /** Remarks for the user: words that meant two things. */
  readonly notes: string[];
}

/** The sites that the entries choose, in graph order. Throws HutError where an entry matches nothing. */
export function selectWeights(sites: readonly WeightSite[], targets: readonly string[]): SelectedWeights {
  const chosen = new Set<WeightSite>();
  const notes: string[] = [];
  for (const target of targets) {
    const byRole = sites.filter((s) => hasRole(s, target));
    const byPath = sites.filter((s) => s.modulePath !== undefined && matchesPath(s.modulePath, target));
    const found = new Set([...byRole, ...byPath, ...(target === ALL_LINEAR ? sites.filter((s) => s.role !== "head" && s.dims.length === 2) : [])]);
    if (found.size === 0) throw noWeightMatches(target, sites);
    if (byRole.length > 0 && byPath.some((s) => !byRole.includes(s))) notes.push(`"${target}" is a role and the end of a module path; both are selected`);
    const packed = byRole.filter((s) => s.role === "qkv" && !byPath.includes(s)).map(pathOf);
    if (packed.length > 0) notes.push(`"${target}" stands in packed weights, which are adapted whole, q, k and v alike: ${list(packed.map(quote))}`);
    for (const site of found) chosen.add(site);
  }
  return { sites: sites.filter((s) => chosen.has(s)), notes };
}

/** Whether a weight has this role; a packed Q‖K‖V weight has all three. */
function hasRole(site: WeightSite, role: string): boolean {
  return site.role === role || (site.role === "qkv" && ["q", "k", "v"].includes(role));
}

/** PEFT's rule: the entry is the path or its last parts; `/…/` is a regular expression for the whole path. */
function matchesPath(path: string, target: string): boolean {
  if (target.length > 2 && target.startsWith("/") && target.endsWith("/")) return pattern(target).test(path);
  return path === target || path.endsWith(`.${target}`);
}

function pattern(target: string): RegExp {
  try {
    return new RegExp(`^(?:${target.slice(1, -1)})$`);
  } catch (cause) {
    throw new HutError("BAD_TARGET_PATTERN", { target }, `${quote(target)} in --target-modules is not a regular expression: ${cause instanceof Error ? cause.message : String(cause)}.`, { exitCode: 2, cause });
  }
}

function noWeightMatches(target: string, sites: readonly WeightSite[]): HutError {
  const roles = [...new Set(sites.flatMap((s) => (s.role === undefined ? [] : s.role === "qkv" ? ["q", "k", "v"] : [s.role])))];
  const endings = sites.flatMap((s) => (s.modulePath === undefined ? [] : [s.modulePath.split(".").at(-1) ?? "", s.modulePath]));
  const near = nearest(target, [...roles, ...endings]);
  const what = near.length === 0 ? "the graph has no weights that could be adapted" : `the nearest names are ${list(near.map(quote))}`;
  return new HutError("NO_WEIGHT_MATCHES", { target, nearest: near, roles }, `No weight matches ${quote(target)} of --target-modules; ${what}. \`onnx-hut inspect MODEL\` lists all weights.`);
}
