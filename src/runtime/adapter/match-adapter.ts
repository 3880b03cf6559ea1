/**
 * An adapter's modules ↔ the weights of a graph: by path; where the graph has no such path, by role and layer; then by shape, then by fingerprint.
 * A module may be a part of a packed weight here, and a packed module of the adapter may be several weights here.
 */
import { adapterBaseMismatch, adapterModuleAmbiguous, adapterModuleMissing, adapterShapeMismatch } from "../../errors/runtime.ts";
import { nearest } from "../../errors/nearest.ts";
import { pathOf, type Part } from "../../passes/adapt.ts";
import type { ModuleParameter } from "../../passes/weights/find-parameters.ts";
import type { Role, WeightSite } from "../../passes/weights/find-weights.ts";
import { precisionAt, valuesAt } from "../../passes/weights/weight-values.ts";
import { beforeLayer, layerOf, roleOfPath, samePath } from "../../passes/weights/module-path.ts";
import type { UpdatedTransformation } from "../../methods/updated-transformation.ts";
import type { AdapterFolder } from "./adapter-folder.ts";
import type { Fingerprint } from "./hut-json.ts";
import { columnsOf, unstacked } from "./packed-modules.ts";
import { sameSizes, weightShape, type AdapterTensor } from "./peft-tensors.ts";

/** What is known of a weight that a module may be: of one in a graph, or of one that a swappable graph tells of. */
export type MatchableSite = Pick<WeightSite, "name" | "modulePath" | "role" | "layer" | "blocks" | "k" | "n">;

/** A part of the graph and the adapter's tensors for it, by PEFT's names. */
export interface MatchedPart<Site = WeightSite> extends Part<Site> {
  /** The adapter's own name of the module. */
  readonly module: string;
  readonly tensors: ReadonlyMap<string, AdapterTensor>;
  /** Columns of the adapter's own module that the part is; undefined for all of them. */
  readonly source: readonly number[] | undefined;
}

/** The part for each of the adapter's modules, or of their roles where they are packed. Throws where one is missing, could be several, or has another shape. */
export function matchAdapter<Site extends MatchableSite>(adapter: AdapterFolder, folder: string, sites: readonly Site[], method: UpdatedTransformation,
): MatchedPart<Site>[] {
  return [...adapter.modules].flatMap(([module, tensors]): MatchedPart<Site>[] => {
    const blocks = adapter.hut?.modules[module]?.blocks;
    if (blocks === undefined) return [matchWhole(adapter, folder, sites, module, tensors)];
    const roles = Object.keys(blocks) as Role[];
    return roles.map((role, i) => {
      const source = columnsOf(blocks[role] ?? []);
      const own = unstacked(method, tensors, i, roles.length, source);
      return { ...matchRole(folder, sites, module, role, source, weightShape(adapter, module)[1]), module, tensors: own, source };
    });
  });
}

/** Whether paths alone tell which weights an adapter's modules are: none of them is packed, and each has its path here. Else roles have to be known. */
export function pathsTell(adapter: AdapterFolder, folder: string, sites: readonly MatchableSite[]): boolean {
  const isPacked = Object.values(adapter.hut?.modules ?? {}).some(({ blocks }) => blocks !== undefined);
  const modules = [...adapter.modules.keys(), ...[...adapter.saved.keys()].map((name) => name.slice(0, name.lastIndexOf(".")))];
  return !isPacked && modules.every((module) => atPath(module, folder, sites) !== undefined);
}

function matchWhole<Site extends MatchableSite>(adapter: AdapterFolder, folder: string, sites: readonly Site[], module: string,
  tensors: ReadonlyMap<string, AdapterTensor>): MatchedPart<Site> {
  const want = weightShape(adapter, module);
  const byPath = atPath(module, folder, sites);
  const role = roleOfPath(module);
  const found: Part<Site> = byPath !== undefined ? { site: byPath, modulePath: module }
    : role === undefined ? missing(folder, module, sites) : byRole(folder, sites, module, role);
  const n = found.block?.columns.length ?? found.site.n;
  const own = [found.site.k, n];
  if (!sameSizes(want, own)) throw adapterShapeMismatch(folder, module, want.map((size, i) => size ?? own[i] ?? 0), own);
  return { ...found, module, tensors, source: undefined };
}

/** The part of one role of a module that is packed in the adapter: of the packed weight of that path, or the weight that has this role in its layer. */
function matchRole<Site extends MatchableSite>(folder: string, sites: readonly Site[], module: string, role: Role, source: readonly number[], n: number | undefined,
): Part<Site> {
  const site = atPath(module, folder, sites);
  // A weight of that path and width is packed the same way, whether its parts can be traced or not.
  const found: Part<Site> = site !== undefined && site.n === n ? { site, modulePath: pathOf(site), block: { role, columns: source } } : byRole(folder, sites, module, role);
  const have = found.block?.columns.length ?? found.site.n;
  if (have !== source.length) throw adapterShapeMismatch(folder, `${module} (${role})`, [found.site.k, source.length], [found.site.k, have]);
  return found.block === undefined ? { ...found, modulePath: pathOf(found.site) } : found;
}

/** The weight of a role in the layer that a path names, apart or as a part of a packed one. */
function byRole<Site extends MatchableSite>(folder: string, sites: readonly Site[], module: string, role: Role): Part<Site> {
  const layer = layerOf(module);
  const fitting = sites.flatMap((site): Part<Site>[] => {
    if ((site.layer !== layer && role !== "head") || !sameStack(site.modulePath, module)) return [];
    if (site.role === role) return [{ site, modulePath: module }];
    const columns = site.blocks?.get(role);
    return columns === undefined ? [] : [{ site, modulePath: module, block: { role, columns } }];
  });
  const [only, ...others] = fitting;
  if (only === undefined) return missing(folder, module, sites);
  if (others.length > 0) throw adapterModuleAmbiguous(folder, module, fitting.map((part) => pathOf(part.site)));
  return only;
}

/** Whether two paths may lie in one stack of layers: what stands before the layer's number tells, where there is a path at all. */
function sameStack(path: string | undefined, module: string): boolean {
  return path === undefined || samePath(beforeLayer(path), beforeLayer(module));
}

function missing(folder: string, module: string, sites: readonly MatchableSite[]): never {
  throw adapterModuleMissing(folder, module, nearest(module, sites.map(pathOf), 3));
}

/** The one weight that a path of an adapter names; the shorter path may be the end of the longer. Undefined where none has it. */
function atPath<Site extends MatchableSite>(module: string, folder: string, sites: readonly Site[]): Site | undefined {
  return onlyAt(module, folder, sites, pathOf);
}

/** The one of some things at a path, which may be longer or shorter at its beginning. Throws where it could be several. */
export function onlyAt<T>(module: string, folder: string, things: readonly T[], path: (thing: T) => string): T | undefined {
  const exact = things.filter((t) => path(t) === module);
  const candidates = exact.length > 0 ? exact : things.filter((t) => samePath(path(t), module));
  if (candidates.length > 1) throw adapterModuleAmbiguous(folder, module, candidates.map(path));
  return candidates[0];
}

/** The one tensor that a module's tensor is which no product multiplies with. Undefined where none has the path and the name. */
export function savedParameter(module: string, name: string, folder: string, parameters: readonly ModuleParameter[]): ModuleParameter | undefined {
  return onlyAt(module, folder, parameters.filter((p) => p.parameter === name), (p) => p.modulePath);
}

/** The one weight that a module trained whole is: by its path, else the head where it is called as heads are. */
export function savedSite(module: string, folder: string, sites: readonly WeightSite[]): WeightSite | undefined {
  return atPath(module, folder, sites) ?? (roleOfPath(module) === "head" ? onlyHead(sites) : undefined);
}

function onlyHead(sites: readonly WeightSite[]): WeightSite | undefined {
  const heads = sites.filter((s) => s.role === "head");
  return heads.length === 1 && heads[0]?.modulePath === undefined ? heads[0] : undefined;
}

/** How far a value may be from its fingerprint, relative to the largest: a base stored in float16 or bfloat16 is the same base. */
const ROUNDING = 1e-2;

/**
 * Throws where a weight's values are not those that the adapter knows its base by. A quantized one may be off by a step: that of the weight here, and
 * that of the weight which the adapter was made on.
 */
export function checkFingerprint(folder: string, module: string, { site, block, source }: MatchedPart, fingerprint: Fingerprint): void {
  const [, width] = fingerprint.shape;
  // The adapter's module and the weight here may each hold the part among other columns.
  const columns = block?.columns;
  const places = fingerprint.positions.flatMap((position, i) => {
    const [row, column] = [Math.floor(position / width), position % width];
    const own = source === undefined ? column : source.indexOf(column);
    return own < 0 ? [] : [{ value: fingerprint.values[i] ?? NaN, place: row * site.n + (columns === undefined ? own : columns[own] ?? 0) }];
  });
  const values = valuesAt(site, places.map((p) => p.place));
  const steps = precisionAt(site, places.map((p) => p.place));
  const largest = Math.max(...fingerprint.values.map(Math.abs), 1e-30);
  const differs = places.some(({ value }, i) => !(Math.abs(value - (values[i] ?? NaN)) <= ROUNDING * largest + (steps[i] ?? 0) + (fingerprint.step ?? 0)));
  if (differs) throw adapterBaseMismatch(folder, module);
}
