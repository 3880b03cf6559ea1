/** An adapted model's parameters → the adapter folder that PEFT and we open. */
import { precisionAt, valuesAt } from "../../passes/weights/weight-values.ts";
import { inLayout, pathOf, torchLayout, transposed, type AdaptedSite, type Trainable } from "../../passes/adapt.ts";
import type { ParameterSpec } from "../../methods/updated-transformation.ts";
import type { WeightSite } from "../../passes/weights/find-weights.ts";
import type { EmbeddingPooling } from "../../passes/attach-contrastive.ts";
import type { ProblemName } from "../options.ts";
import type { Prepared } from "../prepare.ts";
import { fingerprintOf, fingerprintPositions, type HutJson, type HutModule, type HutSaved } from "./hut-json.ts";
import type { AdapterFolder } from "./adapter-folder.ts";
import { isScaledInPeft, isTurned, peftShape, savedShape } from "./peft-shapes.ts";
import { rangesOf, stacked } from "./packed-modules.ts";
import type { AdapterTensor } from "./peft-tensors.ts";

/** What an adapter's folder tells beside its numbers. */
export interface AdapterBase {
  /** The base model's name. */
  readonly name: string | null;
  /** PEFT's word for the task. */
  readonly taskType: string | null;
  /** The classes' names, where they are known. */
  readonly id2label?: readonly string[] | undefined;
  /** What a classifier was trained for. */
  readonly problem?: ProblemName | undefined;
  readonly pooling?: EmbeddingPooling | undefined;
  /** `--adapter-dropout` of its training. */
  readonly dropout?: number | undefined;
}

/** The folder's contents for the values of theta [P], in the order of `prepared.trainables`. */
export function toAdapterFolder(prepared: Prepared, theta: Float32Array, base: AdapterBase): AdapterFolder {
  const values = slices(prepared.trainables, theta);
  const modules = new Map(modulesOf(prepared).map(({ path, site, parts }): [string, ReadonlyMap<string, AdapterTensor>] => {
    const [only, ...others] = parts.map((part) => ({ tensors: tensorsOf(prepared, part, values), columns: part.block?.columns ?? [] }));
    const [first] = parts;
    if (only === undefined || first === undefined) throw new TypeError("a module without parts");
    return [path, others.length === 0 && !isPacked(path, parts) ? only.tensors : stacked(prepared.method, { ...first.weight, n: site.n }, [only, ...others])];
  }));
  const saved = new Map(savedIn(prepared).map((t) => [t.name, savedTensor(t, values.get(t))]));
  const savedModules = [...new Set(prepared.saved.map((t) => t.modulePath))];
  const { method } = prepared;
  const scale = scalesOf(prepared);
  const [sharing] = prepared.adapted;
  return {
    method: method.name, ...ranksOf(prepared), ...scale, ...(method.takes.includes("rslora") ? { rankStabilized: prepared.rankStabilized } : {}), ...modulesIn(prepared),
    modulesToSave: method.trains === undefined || method.trains === "nothing" ? commonModules(savedModules) : [], fanInFanOut: isConv1D(prepared),
    taskType: base.taskType, baseModel: base.name, ...(base.dropout === undefined ? {} : { dropout: base.dropout }), modules, saved, hut: hutJson(prepared, scale.alpha, base),
    ...(method.shared === undefined || sharing === undefined ? {} : { shared: new Map(method.shared(sharing.weight).map((spec, i) => [spec.peft.name, asPeft(spec, sharing.shared[i])])) }),
  };
}

/** target_modules and, of (IA)³, which of them are scaled by what comes in: PEFT wants these among them, and takes a name for any path that ends so. */
function modulesIn(prepared: Prepared): Pick<AdapterFolder, "targetModules" | "feedforwardModules"> {
  const { adapted } = prepared;
  const targetModules = targetEntries(prepared);
  if (!prepared.method.takes.includes("feedforward")) return { targetModules };
  const paths = (feedforward: boolean): string[] => [...new Set(adapted.filter(({ weight }) => (weight.feedforward === true) === feedforward).map((a) => a.modulePath))];
  const entries = targetModules.filter((entry) => paths(true).some((path) => path === entry || path.endsWith(`.${entry}`)));
  const isPlain = !paths(false).some((path) => entries.some((entry) => path.endsWith(entry)));
  return isPlain ? { targetModules, feedforwardModules: entries } : { targetModules: [...paths(false), ...paths(true)], feedforwardModules: paths(true) };
}

/** alpha, and the modules' own: PEFT scales a module by its whole rank, and a stack of roles has the sum of theirs. */
function scalesOf(prepared: Prepared): { alpha: number; alphaPattern?: Record<string, number> } {
  const { method, rankStabilized } = prepared;
  if (method.peft?.alpha === undefined) return { alpha: prepared.alpha };
  const alphas = modulesOf(prepared).map(({ path, parts }) => {
    const rank = parts.reduce((sum, { weight }) => sum + weight.rank, 0);
    // Twelve digits: 5 / 3 · 3 is 5.000000000000001.
    return [path, Number(((parts[0]?.weight.scale ?? 1) / method.scale({ rank, alpha: 1, rankStabilized })).toPrecision(12))] as const;
  });
  const alpha = alphas[0]?.[1] ?? prepared.alpha;
  return { alpha, alphaPattern: Object.fromEntries(alphas.filter(([, own]) => own !== alpha)) };
}

/** A frozen tensor in PEFT's orientation. */
function asPeft({ axes, peft }: ParameterSpec, tensor: Trainable | undefined): AdapterTensor {
  const [rows = 0, columns = 0] = tensor?.shape ?? [];
  if (tensor === undefined) throw new TypeError("a shared tensor that is missing");
  return isTurned({ axes, peft }) ? { shape: [columns, rows], data: transposed(tensor.start, rows, columns) } : { shape: tensor.shape, data: tensor.start };
}

/** The tensors of modules trained whole, those that are not trained with them. */
function savedIn({ saved, statistics }: Prepared): readonly Trainable[] {
  return [...saved, ...statistics];
}

/** A module of the folder: what is adapted under one path. */
interface FolderModule {
  readonly path: string;
  readonly site: WeightSite;
  readonly parts: readonly AdaptedSite[];
}

/** The modules that the folder holds, in order: a packed weight's own roles make one, those of another export's modules stay apart. */
function modulesOf({ adapted }: Prepared): FolderModule[] {
  const byPath = new Map<string, AdaptedSite[]>();
  for (const part of adapted) byPath.set(part.modulePath, [...byPath.get(part.modulePath) ?? [], part]);
  return [...byPath].flatMap(([path, parts]) => (parts[0] === undefined ? [] : [{ path, site: parts[0].site, parts }]));
}

/** Whether the parts are roles of the module itself, whose factors are stacked. */
function isPacked(path: string, parts: readonly AdaptedSite[]): boolean {
  return parts.some(({ site, block }) => block !== undefined && path === pathOf(site));
}

/** One part's parameters as PEFT would hold them for a module of its own. */
function tensorsOf({ method }: Prepared, { site, parameters, weight }: AdaptedSite, values: ReadonlyMap<Trainable, Float32Array>): Map<string, AdapterTensor> {
  return new Map(method.parameters(weight).map((spec, i): [string, AdapterTensor] => {
    const parameter = parameters[i];
    const own = parameter === undefined ? undefined : values.get(parameter);
    const [rows = 0, columns = 0] = spec.shape;
    if (own === undefined) throw new TypeError("a parameter without a value");
    const scale = isScaledInPeft(method, spec) ? weight.scale : 1;
    const scaled = scale === 1 ? own : own.map((v) => v * scale);
    return [spec.peft.name, { shape: peftShape(site, method, spec), data: isTurned(spec) ? transposed(scaled, rows, columns) : scaled }];
  }));
}

/**
 * r and rank_pattern: a stack of roles has the sum of their ranks. PEFT 0.21.2 takes every HiRA module's rank from r, whatever rank_pattern says, so r is
 * the stacks' rank where all modules have the same.
 */
function ranksOf(prepared: Prepared): Pick<AdapterFolder, "rank" | "rankPattern"> {
  const ranks = modulesOf(prepared).map(({ path, parts }) => [path, parts.reduce((sum, { weight }) => sum + weight.rank, 0)] as const);
  const alike = new Set(ranks.map(([, rank]) => rank));
  const [only] = alike;
  const rank = alike.size === 1 && only !== undefined ? only : prepared.rank;
  return { rank, rankPattern: Object.fromEntries(ranks.filter(([, own]) => own !== prepared.rank)) };
}

function slices(trainables: readonly Trainable[], theta: Float32Array): Map<Trainable, Float32Array> {
  let at = 0;
  return new Map(trainables.map((t) => {
    const start = at;
    at += t.start.length;
    return [t, theta.slice(start, at)];
  }));
}

/** A weight as PyTorch holds it. */
export function savedTensor(t: Trainable, values: Float32Array | undefined): AdapterTensor {
  const data = values ?? t.start;
  const { site } = t;
  if (t.parameter !== "weight" || site === undefined) return { shape: t.shape, data };
  return { shape: savedShape(site), data: inLayout(data, site, t.layout ?? "nk", torchLayout(site)) };
}

/** The endings that name exactly the adapted modules, or their whole paths where an ending would name others too. */
function targetEntries({ adapted, sites }: Prepared): string[] {
  const paths = [...new Set(adapted.map((a) => a.modulePath))];
  const endings = [...new Set(paths.map((p) => p.split(".").at(-1) ?? p))];
  const others = sites.map(pathOf).filter((p) => !paths.includes(p));
  const unique = endings.every((e) => !others.some((p) => p === e || p.endsWith(`.${e}`)));
  return unique ? endings : paths;
}

/** The modules to name in modules_to_save: the common parent of several tensors of one head, else each. */
function commonModules(modules: readonly string[]): string[] {
  if (modules.length <= 1) return [...modules];
  const parents = modules.map((m) => m.slice(0, Math.max(0, m.lastIndexOf("."))));
  const [parent] = parents;
  return parent !== undefined && parent !== "" && parents.every((p) => p === parent) ? [parent] : [...modules];
}

/** GPT-2's Conv1D keeps its weight as [in, out]. */
function isConv1D({ adapted }: Prepared): boolean {
  return adapted.length > 0 && adapted.every(({ site }) => torchLayout(site) === "kn");
}

function hutJson(prepared: Prepared, alpha: number, { id2label, problem, pooling }: AdapterBase): HutJson {
  const modules = Object.fromEntries(modulesOf(prepared).map(({ path, site, parts }): [string, HutModule] => {
    const packed = isPacked(path, parts);
    const columns = packed ? undefined : parts[0]?.block?.columns;
    const shape: [number, number] = [site.k, columns?.length ?? site.n];
    const positions = fingerprintPositions(...shape);
    const places = positions.map((p) => (columns === undefined ? p : Math.floor(p / shape[1]) * site.n + (columns[p % shape[1]] ?? 0)));
    const values = valuesAt(site, places);
    const step = Math.max(...precisionAt(site, places));
    const fingerprint = { ...fingerprintOf(shape, (p) => values[positions.indexOf(p)] ?? NaN), ...(step > 0 ? { step } : {}) };
    const blocks = Object.fromEntries(parts.flatMap(({ block }) => (block === undefined ? [] : [[block.role, rangesOf(block.columns)]])));
    return [path, { initializer: site.name, shape, stored: site.stored, fingerprint, ...(packed ? { blocks } : {}) }];
  }));
  const saved = Object.fromEntries(savedIn(prepared).map((t): [string, HutSaved] => {
    const { site } = t;
    const attached = prepared.head !== undefined && t.modulePath === prepared.head.module;
    const isWeight = t.parameter === "weight" && site !== undefined;
    const bias = site?.bias?.isAdded === true ? undefined : site?.bias;
    const initializer = attached ? null : isWeight ? site.name : t.held?.initializer ?? bias?.constant.name ?? null;
    return [t.name, { initializer, shape: isWeight ? savedShape(site) : t.shape, stored: isWeight && !attached ? site.stored : null, ...(isWeight && torchLayout(site) === "kn" ? { layout: "kn" } : {}) }];
  }));
  return { formatVersion: 1, method: prepared.method.name, alpha, roles: prepared.roles, modules, ...(prepared.head === undefined ? {} : { head: prepared.head }),
    ...(id2label === undefined ? {} : { id2label }), ...(problem === undefined ? {} : { problem }), ...(pooling === undefined ? {} : { pooling }), saved };
}
