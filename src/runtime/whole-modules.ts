/** Which modules are trained whole: those named, else what the adapter saved, else the head; and what of them the graph has. */
import { adapterHeadMissing, moduleUnknown } from "../errors/runtime.ts";
import { nearest } from "../errors/nearest.ts";
import { pathOf } from "../passes/adapt.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { isTrained, STATISTICS, type ModuleParameter } from "../passes/weights/find-parameters.ts";
import type { WeightSite } from "../passes/weights/find-weights.ts";
import { isWithin, parentPath, samePath } from "../passes/weights/module-path.ts";
import { savedParameter, savedSite } from "./adapter/match-adapter.ts";
import type { OpenedAdapter, PrepareOptions } from "./prepare.ts";

/** A weight trained whole, and the adapter's module that it is. */
export interface WholeSite {
  readonly site: WeightSite;
  readonly module?: string | undefined;
  /** Whether the adapter has a bias for it, and the graph none. */
  readonly lacksBias?: boolean;
  /** Whether its bias is trained and the weight is not. */
  readonly biasAlone?: boolean;
}

/** Another tensor of a module trained whole, and the adapter's module that it is of. */
export interface WholeParameter {
  readonly parameter: ModuleParameter;
  readonly module?: string | undefined;
}

export interface WholeModules {
  readonly sites: readonly WholeSite[];
  readonly parameters: readonly WholeParameter[];
}

/** Weights and other tensors of a graph that could be trained whole, or are chosen to be. */
interface Found {
  readonly sites: readonly WeightSite[];
  readonly parameters: readonly ModuleParameter[];
}

/** `targets` are the weights that are adapted. Throws HutError where the graph lacks a module that is named or saved. */
export function wholeModules(found: Found, { adapter, modulesToSave, saveHead }: PrepareOptions, { trains }: UpdatedTransformation, targets: readonly WeightSite[]): WholeModules {
  if (adapter !== undefined) return savedModules(found, adapter);
  if (trains === "everything") return { sites: found.sites.map((site) => ({ site })), parameters: found.parameters.filter(isTrained).map((parameter) => ({ parameter })) };
  // Other names may be of tensors that no gradient trains: tables of angles, statistics. The export doesn't tell.
  const trained = { ...found, parameters: found.parameters.filter(({ parameter }) => parameter === "weight" || parameter === "bias") };
  const untargeted = headsOf(found).filter((s) => !targets.includes(s));
  const chosen = modulesToSave?.map((entry) => namedModules(entry, trained)) ?? (saveHead || trains === "nothing" ? [headModules(untargeted, trained)] : []);
  const sites = new Set(chosen.flatMap((c) => c.sites));
  const parameters = new Set(chosen.flatMap((c) => c.parameters));
  const biased = trains === "biases" ? found.sites.filter((site) => site.bias !== undefined && !sites.has(site)) : [];
  if (trains === "biases") for (const parameter of found.parameters) if (parameter.parameter === "bias") parameters.add(parameter);
  return { sites: [...[...sites].map((site) => ({ site })), ...biased.map((site) => ({ site, biasAlone: true }))], parameters: [...parameters].map((parameter) => ({ parameter })) };
}

function headsOf({ sites }: Found): WeightSite[] {
  return sites.filter((s) => s.role === "head");
}

function pathsOf({ sites, parameters }: Found): string[] {
  return [...sites.map(pathOf), ...parameters.map((p) => p.modulePath)];
}

/** What lies under the modules called `entry`; "head" is the head, whatever it is called, as well. */
function namedModules(entry: string, found: Found): Found {
  const isNamed = (path: string): boolean => samePath(path, entry) || path.startsWith(`${entry}.`) || path.includes(`.${entry}.`);
  const head = headModules(entry === "head" ? headsOf(found) : [], found);
  const sites = found.sites.filter((s) => isNamed(pathOf(s)) || head.sites.includes(s));
  const parameters = found.parameters.filter((p) => isNamed(p.modulePath) || head.parameters.includes(p));
  if (sites.length + parameters.length === 0) throw moduleUnknown(entry, nearest(entry, ["head", ...pathsOf(found)], 4));
  return { sites, parameters };
}

/** The weights of the head, and all else of the modules that hold no other weights: what PEFT trains where such a module is saved. */
function headModules(heads: readonly WeightSite[], { sites, parameters }: Found): Found {
  const isHeadsAlone = (path: string): boolean =>
    path !== "" && sites.every((s) => s.modulePath !== undefined && (!isWithin(s.modulePath, path) || heads.includes(s)));
  const modules = heads.map((head) => {
    let module = pathOf(head);
    while (isHeadsAlone(parentPath(module))) module = parentPath(module);
    return module;
  });
  return { sites: heads, parameters: parameters.filter((p) => modules.some((module) => isWithin(p.modulePath, module))) };
}

/** What an adapter saved, tensor by tensor. A bias that the graph's weight has comes with the weight. */
function savedModules(found: Found, { contents, folder }: OpenedAdapter): WholeModules {
  const { sites, parameters } = found;
  const whole: { sites: WholeSite[]; parameters: WholeParameter[] } = { sites: [], parameters: [] };
  for (const name of contents.saved.keys()) {
    const [module, own] = [parentPath(name), name.slice(name.lastIndexOf(".") + 1)];
    const site = own === "weight" || own === "bias" ? savedSite(module, folder, sites) : undefined;
    if (site !== undefined && own === "weight") {
      whole.sites.push({ site, module });
    } else if (site?.bias === undefined) {
      const parameter = savedParameter(module, own, folder, parameters);
      if (parameter !== undefined) whole.parameters.push({ parameter, module });
      else if (site === undefined) refuse(name, folder, found);
    } else if (!contents.saved.has(`${module}.weight`)) {
      whole.sites.push({ site, module, biasAlone: true });
    }
  }
  const lacksBias = ({ site, module }: WholeSite): boolean => site.bias === undefined && contents.saved.has(`${module ?? ""}.bias`)
    && !whole.parameters.some((p) => p.module === module && p.parameter.parameter === "bias");
  return { sites: whole.sites.map((w) => ({ ...w, lacksBias: lacksBias(w) })), parameters: whole.parameters };
}

function refuse(name: string, folder: string, found: Found): never {
  const module = parentPath(name);
  if (headsOf(found).length === 0) throw adapterHeadMissing(folder, module);
  throw moduleUnknown(name, nearest(module, pathsOf(found), 3));
}

/** Whether a tensor is set and not trained. */
export function isStatistic({ parameter }: Pick<ModuleParameter, "parameter">): boolean {
  return STATISTICS.includes(parameter);
}
