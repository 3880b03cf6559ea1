/**
 * Takes chosen modules as trained whole: their tensors become trainable values, in their place.
 *
 * Requires: facts inferred; sites and parameters found in this graph. Guarantees: the numbers stay. Rules: (1) of a product's module, its weight as the
 * product reads it, and its bias; (2) any other tensor of a module that is stored once with equal ones gets a constant of its own.
 */
import { readBothWays } from "../errors/targets.ts";
import type { Graph } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { inLayout, pathOf, type Trainable } from "./adapt.ts";
import { removeUnread } from "./remove-unread.ts";
import { parameterName, type ModuleParameter } from "./weights/find-parameters.ts";
import type { WeightSite } from "./weights/find-weights.ts";
import { isReadAlone } from "./weights/read-alone.ts";
import { float32Of, storedFloats } from "./weights/weight-values.ts";

/** A module trained whole: its weight as the products read it, and its bias. Throws HutError where products read it in both layouts. */
export function trainWhole(site: WeightSite): Trainable[] {
  const modulePath = pathOf(site);
  const [point] = site.points;
  if (point === undefined) throw new TypeError("a weight that nothing reads");
  if (site.points.some((p) => p.layout !== point.layout)) throw readBothWays(modulePath);
  const shape = site.dims.length > 2 ? site.dims : point.layout === "kn" ? [site.k, site.n] : [site.n, site.k];
  point.value.pinned = true;
  const weight: Trainable = {
    name: `${modulePath}.weight`, modulePath, parameter: "weight", shape, value: point.value,
    uses: site.points.flatMap((p) => p.uses), site, layout: point.layout,
    start: inLayout(storedFloats(site), site, site.stored, point.layout),
  };
  const { bias } = site;
  const [use] = bias?.uses ?? [];
  const biasValue = use?.node.inputs[use.index];
  if (bias === undefined || biasValue === undefined) return [weight];
  biasValue.pinned = true;
  const start = float32Of(bias.tensor);
  return [weight, { name: `${modulePath}.bias`, modulePath, parameter: "bias", shape: [site.n], value: biasValue, uses: bias.uses, site, start }];
}

/** A tensor of a module that no product multiplies with, trained whole: what its module reads, from here on, nothing else does. */
export function trainParameter(graph: Graph, parameter: ModuleParameter): Trainable {
  const held = ownConstant(graph, parameter);
  const [use] = held.uses;
  const value = use?.node.inputs[use.index] ?? held.constant;
  value.pinned = true;
  const { modulePath, tensor } = held;
  return { name: parameterName(held), modulePath, parameter: held.parameter, shape: tensor.dims, start: float32Of(tensor), value, held };
}

/** The parameter as a constant that its module alone reads, under one value: the one there is, or a copy of its own in the type that is read. */
export function ownConstant(graph: Graph, parameter: ModuleParameter): ModuleParameter {
  const { constant, tensor, uses } = parameter;
  const values = new Set(uses.map(({ node, index }) => node.inputs[index]));
  if (values.size === 1 && isReadAlone(graph, constant, uses)) return parameter;
  const dataType = [...values].map((v) => v?.dataType).find((type) => type !== undefined && type !== 0) ?? tensor.dataType;
  const { dims } = tensor;
  const own = dataType === tensor.dataType ? new Tensor(dataType, dims, tensor.data) : Tensor.fromFloat32(dataType, dims, float32Of(tensor));
  const copy = graph.addInitializer(parameterName(parameter), own);
  for (const { node, index } of uses) node.setInput(index, copy);
  removeUnread(graph, [...values].filter((v) => v !== undefined));
  return { ...parameter, constant: copy, tensor: own };
}
