/** What was adapted and what is trained whole: as a graph to deploy, and in lists. */
import type { Model } from "../ir/model.ts";
import type { Trainable } from "../passes/adapt.ts";
import { parameterCount } from "../passes/build-step.ts";
import { replaceParameter, replaceWhole } from "../passes/fold.ts";
import type { WeightSite } from "../passes/weights/find-weights.ts";
import type { AdaptedModule } from "./results.ts";
import type { Prepared } from "./prepare.ts";

/** The adapted graph as it is deployed: parameters and modules trained whole hold their values. */
export function deployable(prepared: Prepared): Model {
  // Without an adapter the graph has them already, and what wasn't trained is not read: it stays where it is.
  if (prepared.isGiven) {
    for (const [site, tensors] of savedBySite(prepared)) replaceWhole(prepared.model.graph, site, tensors);
    for (const { held, start } of prepared.saved) if (held !== undefined) replaceParameter(prepared.model.graph, held, start);
  }
  prepared.model.graph.sortTopologically();
  return prepared.model;
}

/** The tensors trained whole, by the weight that they are of. */
export function savedBySite({ saved }: Prepared): Map<WeightSite, Trainable[]> {
  const groups = new Map<WeightSite, Trainable[]>();
  for (const t of saved) if (t.site !== undefined) groups.set(t.site, [...groups.get(t.site) ?? [], t]);
  return groups;
}

/** The adapted weights, as results list them. */
export function adaptedModules({ adapted }: Prepared): AdaptedModule[] {
  return adapted.map(({ modulePath, block, weight, parameters }) => ({ modulePath, ...(block === undefined ? {} : { role: block.role }), shape: [weight.k, weight.n], rank: weight.rank, params: parameterCount(parameters) }));
}

/** The modules trained whole, as results list them. */
export function savedModules({ saved }: Prepared): { modulePath: string; params: number }[] {
  return [...new Set(saved.map((t) => t.modulePath))].map((modulePath) => ({ modulePath, params: parameterCount(saved.filter((t) => t.modulePath === modulePath)) }));
}
