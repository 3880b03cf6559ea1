/**
 * Makes inputs of what an adapter brings, so that one session serves many: they have defaults, with which the graph is exactly the base.
 *
 * Requires: adapted without a scale (`unscaled`); facts inferred. Guarantees: with no input given, outputs are exactly the base's; inputs are float32, in
 * [k, n] terms for a method's parameters, as PyTorch has them for tensors trained whole, however the graph stores them.
 * Rules: (1) a parameter of the method is an input whose rank is free, and its default has rank 0; (2) a tensor trained whole is an input whose default is
 * the base's value, turned and cast on the way to who reads it: bytes that are float32 and lie as PyTorch has them stay where they are; (3) a file older
 * than IR 4, where no default can be overridden, becomes one of IR 4, and its constants are no inputs any more; (4) with `perRow` all inputs have the rows
 * as a first axis, and so has what they are turned into.
 */
import { DataType } from "../ir/data-type.ts";
import { symbol, type Dim, type Shape } from "../ir/dim.ts";
import type { Graph, Use, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { Tensor } from "../ir/tensor.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inLayout, placeOf, ROWS, torchLayout, type AdaptedSite, type Trainable } from "./adapt.ts";
import { removeUnread } from "./remove-unread.ts";
import { constantTensor, type WeightPoint, type WeightSite } from "./weights/find-weights.ts";
import { float32Of, storedFloats } from "./weights/weight-values.ts";

/** What the rank is called in the shapes of inputs: Olive's word. */
export const RANK = "lora_r";

/** The first IR version in which the default of an input can be overridden. */
export const FIRST_WITH_DEFAULTS = 4;

/** What is made inputs of: what was adapted, and the tensors trained whole. */
export interface SwappableParts {
  readonly method: UpdatedTransformation;
  readonly adapted: readonly AdaptedSite[];
  readonly whole: readonly Trainable[];
  /** Inputs have the rows of a batch as a first axis, and defaults one for all. */
  readonly perRow?: boolean | undefined;
}

/** Returns the inputs, those of the method's parameters first, each with the trainable that it is. */
export function makeSwappable(model: Model, { method, adapted, whole, perRow }: SwappableParts): Map<Trainable, Value> {
  const { graph } = model;
  if (model.irVersion < FIRST_WITH_DEFAULTS) {
    graph.inputs.splice(0, Infinity, ...graph.inputs.filter((v) => v.initializer === undefined));
    model.irVersion = FIRST_WITH_DEFAULTS;
  }
  const inputs = new Map<Trainable, Value>();
  const [one, rows]: [number[], Dim[]] = perRow === true ? [[1], [symbol(ROWS)]] : [[], []];
  for (const { weight, parameters } of adapted) {
    method.parameters({ ...weight, rank: 0 }).forEach(({ shape }, i) => {
      const parameter = parameters[i];
      if (parameter !== undefined) inputs.set(parameter, asInput(graph, parameter.value, Tensor.floats([...one, ...shape], []), [...rows, ...shape.map((d) => (d === 0 ? symbol(RANK) : d))]));
    });
  }
  for (const trainable of whole) inputs.set(trainable, wholeInput(model, trainable, perRow === true));
  return inputs;
}

/** Makes a constant an input with a default. */
function asInput(graph: Graph, value: Value, tensor: Tensor, shape: Shape): Value {
  value.initializer = tensor;
  value.facts = { dataType: DataType.FLOAT, shape };
  graph.inputs.push(value);
  return value;
}

function wholeInput({ graph, opsets }: Model, trainable: Trainable, perRow: boolean): Value {
  const { site, parameter, name } = trainable;
  const base = defaultOf(trainable);
  const tensor = perRow ? new Tensor(base.dataType, [1, ...base.dims], base.data) : base;
  graph.freeName(name);
  const input = asInput(graph, graph.addInitializer(name, tensor), tensor, perRow ? [symbol(ROWS), ...base.dims] : base.dims);
  const isWeight = parameter === "weight" && site !== undefined;
  const own = isWeight ? torchLayout(site) : "nk";
  const reads: readonly Pick<WeightPoint, "layout" | "uses">[] = isWeight ? site.points : [{ layout: "nk", uses: [...trainable.uses ?? trainable.held?.uses ?? []] }];
  for (const { layout, uses: all } of reads) {
    for (const [value, uses] of byValue(all)) {
      const { home, before } = placeOf({ value, uses }, graph);
      const op = new OpBuilder(home, { opsets, origin: "make-swappable", before });
      const turned = layout !== own ? op.Transpose(input, { perm: perRow ? [0, 2, 1] : [1, 0] }) : input;
      const dataType = value.dataType === 0 ? constantTensor(value)?.dataType ?? DataType.FLOAT : value.dataType;
      const read = dataType === DataType.FLOAT ? turned : op.Cast(turned, { to: dataType });
      for (const { node, index } of uses) node.setInput(index, read);
      removeUnread(graph, [value]);
    }
  }
  return input;
}

/** Reads together that read one value. */
function byValue(uses: readonly Use[]): Map<Value, Use[]> {
  const groups = new Map<Value, Use[]>();
  for (const use of uses) {
    const value = use.node.inputs[use.index];
    if (value !== undefined) groups.set(value, [...groups.get(value) ?? [], use]);
  }
  return groups;
}

/** The base's value, as PyTorch has it. */
function defaultOf({ site, parameter, held }: Trainable): Tensor {
  if (held !== undefined) return floatsOf(held.tensor);
  if (site === undefined) throw new TypeError("a tensor trained whole that nothing has");
  if (parameter !== "weight") return floatsOf(site.bias?.tensor ?? Tensor.floats([site.n], new Float32Array(site.n)));
  return weightOf(site);
}

function weightOf(site: WeightSite): Tensor {
  const { k, n, dims, stored, tensor, quantized } = site;
  const layout = torchLayout(site);
  const own = dims.length > 2 ? dims : layout === "kn" ? [k, n] : [n, k];
  if (stored === layout && quantized === undefined && tensor.dataType === DataType.FLOAT) return new Tensor(DataType.FLOAT, own, tensor.data);
  return Tensor.floats(own, inLayout(storedFloats(site), site, stored, layout));
}

function floatsOf(tensor: Tensor): Tensor {
  return tensor.dataType === DataType.FLOAT ? new Tensor(DataType.FLOAT, tensor.dims, tensor.data) : Tensor.floats(tensor.dims, float32Of(tensor));
}
