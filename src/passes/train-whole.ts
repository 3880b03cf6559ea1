/**
 * Takes chosen modules as trained whole: their tensors become trainable values, in their place.
 *
 * Requires: facts inferred; sites and parameters found in this graph. Guarantees: the numbers stay. Rules: (1) of a product's module, its weight as the
 * product reads it, and its bias; (2) any other tensor of a module that is stored once with equal ones gets a constant of its own; (3) a
 * weight tied to an embedding reads the embedding.
 */
import { readBothWays } from "../errors/targets.ts";
import type { Graph, Use, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inLayout, pathOf, placeOf, type Trainable } from "./adapt.ts";
import { removeUnread } from "./remove-unread.ts";
import { parameterName, type ModuleParameter } from "./weights/find-parameters.ts";
import type { Tied } from "./weights/find-tied.ts";
import type { WeightSite } from "./weights/find-weights.ts";
import { isReadAlone } from "./weights/read-alone.ts";
import { float32Of, storedFloats } from "./weights/weight-values.ts";

/** A module trained whole: its weight as the products read it, and its bias, or that alone. Throws HutError where products read it in both layouts. */
export function trainWhole(site: WeightSite, biasAlone = false): Trainable[] {
  const modulePath = pathOf(site);
  if (biasAlone) return biasOf(site);
  const [point] = site.points;
  if (point === undefined) throw new TypeError("a weight that nothing reads");
  if (site.points.some((p) => p.layout !== point.layout)) throw readBothWays(modulePath);
  const shape = site.dims.length > 2 ? site.dims : point.layout === "kn" ? [site.k, site.n] : [site.n, site.k];
  point.value.pinned = true;
  const weight = startingAsStored(() => inLayout(storedFloats(site), site, site.stored, point.layout), {
    name: `${modulePath}.weight`, modulePath, parameter: "weight", shape, value: point.value,
    ...readsOf(point.value, site.points.flatMap((p) => p.uses)), site, layout: point.layout,
  });
  return [weight, ...biasOf(site)];
}

/** A weight's bias, if it has one. */
function biasOf(site: WeightSite): Trainable[] {
  const modulePath = pathOf(site);
  const { bias } = site;
  const [use] = bias?.uses ?? [];
  const value = use?.node.inputs[use.index];
  if (bias === undefined || value === undefined) return [];
  value.pinned = true;
  return [startingAsStored(() => float32Of(bias.tensor), { name: `${modulePath}.bias`, modulePath, parameter: "bias", shape: [site.n], value, ...readsOf(value, bias.uses), site })];
}

/** What is trained from the value that the model has. That is read when somebody asks for it: a graph that keeps it doesn't, and an adapter brings another. */
function startingAsStored(read: () => Float32Array, rest: Omit<Trainable, "start">): Trainable {
  let start: Float32Array | undefined;
  return { ...rest, get start() { return (start ??= read()); } };
}

/** The same, trained from another value, under another module's name. */
export function startingFrom(trainable: Trainable, other: Pick<Trainable, "name" | "modulePath" | "start">): Trainable {
  // A spread would read the value that is replaced.
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(trainable), ...Object.getOwnPropertyDescriptors(other) }) as Trainable;
}

function readsOf(value: Value, uses: readonly Use[]): Pick<Trainable, "uses" | "isAlone"> {
  return { uses, isAlone: value.uses.every(({ node, index }) => uses.some((use) => use.node === node && use.index === index)) };
}

/** Lets the products of a weight read the embedding that it is tied to, transposed where they read [k, n], and so are trained with it. */
export function tie(graph: Graph, { parameter, site }: Tied, opsets: ReadonlyMap<string, number>): void {
  const [use] = parameter.uses;
  const shared = use?.node.inputs[use.index] ?? parameter.constant;
  for (const point of site.points) {
    const { value, layout, uses } = point;
    const { home, before } = placeOf(point, graph);
    const op = new OpBuilder(home, { opsets, origin: "tie", before });
    const turned = layout === "kn" ? op.Transpose(shared, { perm: [1, 0] }) : shared;
    const read = value.dataType === 0 || value.dataType === shared.dataType ? turned : op.Cast(turned, { to: value.dataType });
    for (const { node, index } of uses) node.setInput(index, read);
    if (turned.producer !== undefined && turned !== shared) parameter.uses.push({ node: turned.producer, index: 0 });
    else parameter.uses.push(...(read === shared ? uses : read.producer === undefined ? [] : [{ node: read.producer, index: 0 }]));
    removeUnread(graph, [value]);
  }
}

/** A tensor of a module that no product multiplies with, trained whole: what its module reads, from here on, nothing else does. */
export function trainParameter(graph: Graph, parameter: ModuleParameter): Trainable {
  const held = ownConstant(graph, parameter);
  const [use] = held.uses;
  const value = use?.node.inputs[use.index] ?? held.constant;
  value.pinned = true;
  const { modulePath, tensor } = held;
  return startingAsStored(() => float32Of(tensor), { name: parameterName(held), modulePath, parameter: held.parameter, shape: tensor.dims, value, held });
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
