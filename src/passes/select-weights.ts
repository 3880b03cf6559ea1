/**
 * Chooses weights by role, by module path, by regular expression, or all linear ones.
 *
 * Requires: facts inferred. Guarantees: every entry of the list matched something, else an error shows the nearest names; a word that is both
 * a role and a path's ending selects the union, and the report says so.
 */
import { list, quote, type HutError } from "../errors/hut-error.ts";
import { nearest } from "../errors/nearest.ts";
import { badTargetPattern, noWeightMatches } from "../errors/targets.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { pathOf, type Part } from "./adapt.ts";
import type { Role, WeightSite } from "./weights/find-weights.ts";

/** The words that `--target-modules` understands as roles. */
export const ROLES: readonly Role[] = ["q", "k", "v", "o", "up", "gate", "down", "head"];
/** The word for every matrix but the head; as PEFT's word, it leaves kernels of convolutions out. */
export const ALL_LINEAR = "all-linear";

export interface SelectedWeights {
  readonly parts: Part[];
  /** Remarks for the user: words that meant two things. */
  readonly notes: string[];
}

/**
 * The weights that the entries choose, in graph order, a packed one by the roles that are asked for. Throws HutError where an entry matches
 * nothing.
 */
export function selectWeights(sites: readonly WeightSite[], targets: readonly string[], method?: Pick<UpdatedTransformation, "name" | "peft">): SelectedWeights {
  const takesParts = method?.peft?.packed !== "whole";
  const whole = new Set<WeightSite>();
  const byRoles = new Map<WeightSite, Set<Role>>();
  const notes: string[] = [];
  for (const target of targets) {
    const byRole = sites.filter((s) => hasRole(s, target));
    const byPath = sites.filter((s) => s.modulePath !== undefined && matchesPath(s.modulePath, target));
    const found = new Set([...byRole, ...byPath, ...(target === ALL_LINEAR ? sites.filter((s) => s.role !== "head" && s.dims.length === 2) : [])]);
    if (found.size === 0) throw nothingFound(target, sites);
    if (byRole.length > 0 && byPath.some((s) => !byRole.includes(s))) notes.push(`"${target}" is a role and the end of a module path; both are selected`);
    const unparted: WeightSite[] = [];
    for (const site of found) {
      const role = roleNamed(target);
      const isPart = site.role === "qkv" && role !== undefined && byRole.includes(site) && !byPath.includes(site);
      if (isPart && takesParts && site.blocks?.has(role) === true) byRoles.set(site, (byRoles.get(site) ?? new Set()).add(role));
      else whole.add(site);
      if (isPart && (!takesParts || site.blocks === undefined)) unparted.push(site);
    }
    if (unparted.length > 0) {
      const why = takesParts ? "that can't be told apart" : `whose parts ${method.name} can't adapt alone`;
      notes.push(`"${target}" stands in packed weights ${why}; they are adapted whole: ${list(unparted.map(pathOf).map(quote))}`);
    }
  }
  return { parts: sites.flatMap((site) => (whole.has(site) ? [{ site, modulePath: pathOf(site) }] : partsOf(site, byRoles.get(site)))), notes };
}

/** The chosen roles of a packed weight, in the order of its columns' roles. */
function partsOf(site: WeightSite, roles: ReadonlySet<Role> | undefined): Part[] {
  const asked = [...site.blocks ?? []].filter(([role]) => roles?.has(role) === true);
  return asked.map(([role, columns]) => ({ site, modulePath: pathOf(site), block: { role, columns } }));
}

function roleNamed(word: string): Role | undefined {
  return ROLES.find((role) => role === word);
}

/** Whether a weight has this role: a packed one has those of its parts, all three where they can't be told. */
function hasRole(site: WeightSite, role: string): boolean {
  const packed: readonly string[] = site.role === "qkv" ? [...site.blocks?.keys() ?? ["q", "k", "v"]] : [];
  return site.role === role || packed.includes(role);
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
    throw badTargetPattern(target, cause);
  }
}

function nothingFound(target: string, sites: readonly WeightSite[]): HutError {
  const roles = [...new Set(sites.flatMap((s) => (s.role === undefined ? [] : s.role === "qkv" ? ["q", "k", "v"] : [s.role])))];
  const endings = sites.flatMap((s) => (s.modulePath === undefined ? [] : [s.modulePath.split(".").at(-1) ?? "", s.modulePath]));
  return noWeightMatches(target, nearest(target, [...roles, ...endings]), roles);
}
