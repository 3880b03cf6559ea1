/** Finds the weights of a graph: constants that a product multiplies with, wherever they stand and however they are handed on. */
import type { Graph, Node, Use, Value } from "../../ir/graph.ts";
import { isFloating } from "../../ir/data-type.ts";
import { everyNode } from "../../ir/nested.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { definitionOf } from "../../ops/registry.ts";
import { modulePathOf } from "./module-path.ts";

/** A place where a weight enters products: the value they read, in which layout of the site's own [k, n], and the reads. */
export interface WeightPoint {
  readonly value: Value;
  readonly layout: "kn" | "nk";
  readonly uses: Use[];
}

/** What a weight does in the transformer. "qkv" is a packed one. */
export type Role = "q" | "k" | "v" | "qkv" | "o" | "up" | "gate" | "down" | "head";

/** A constant that is added to a product's result: the bias of its Linear, [n]. */
export interface Bias {
  readonly constant: Value;
  readonly tensor: Tensor;
  /** Where it is added: once for each product of the weight. */
  readonly uses: Use[];
}

/** One weight W [k, n] of the graph. Shared weights are one site with several points or uses. */
export interface WeightSite {
  /** The name of the constant that holds it. */
  readonly name: string;
  /** The value that holds the stored tensor: an initializer, or the output of a Constant node. */
  readonly constant: Value;
  readonly tensor: Tensor;
  readonly k: number;
  readonly n: number;
  /** The layout of the stored tensor: [k, n] or [n, k]. */
  readonly stored: "kn" | "nk";
  /** The operator type of the (first) product. */
  readonly op: string;
  readonly points: WeightPoint[];
  readonly bias: Bias | undefined;
  /** The module's path as PyTorch has it, as far as the export tells. */
  readonly modulePath: string | undefined;
  role: Role | undefined;
  /** The number of its layer, from 0. */
  layer: number | undefined;
}

/** The stored tensor under a value that is a constant: an initializer (old files list those as inputs too), or a Constant's. */
export function constantTensor(value: Value): Tensor | undefined {
  if (value.initializer !== undefined) return value.producer === undefined ? value.initializer : undefined;
  const attribute = value.producer?.opType === "Constant" ? value.producer.attributes.get("value") : undefined;
  return attribute?.kind === "tensor" ? attribute.value : undefined;
}

/**
 * All weights of two axes that products read, those in nested graphs too, in the order of the products. What two branches read is one site.
 * Roles are not traced yet.
 */
export function findWeights(graph: Graph): WeightSite[] {
  const sites = new Map<Value, WeightSite>();
  for (const node of everyNode(graph)) {
    const place = definitionOf(node)?.weight?.(node);
    const value = place === undefined ? undefined : node.inputs[place.index];
    if (place === undefined || value === undefined) continue;
    const found = traceConstant(value);
    const use = { node, index: place.index };
    if (found?.tensor.dims.length !== 2 || !isFloating(found.tensor.dataType)) continue;
    const stored = found.swapped === (place.layout === "kn") ? "nk" : "kn";
    const [rows = 0, columns = 0] = found.tensor.dims;
    const [k, n] = stored === "kn" ? [rows, columns] : [columns, rows];
    const known = sites.get(found.constant);
    if (known === undefined) {
      const bias = biasOf(node, n);
      sites.set(found.constant, { name: ownName(found.constant.name, sites), constant: found.constant, tensor: found.tensor, k, n, stored, op: node.opType,
        points: [{ value, layout: place.layout, uses: [use] }], bias, modulePath: modulePathOf(node, found.constant, bias?.constant), role: undefined, layer: undefined });
      continue;
    }
    // A product that reads the stored tensor the other way round has the same [k, n]: the first product's.
    const point = known.points.find((p) => p.value === value);
    if (point === undefined) known.points.push({ value, layout: found.swapped === (known.stored === "kn") ? "nk" : "kn", uses: [use] });
    else point.uses.push(use);
    const bias = biasOf(node, n);
    if (bias?.constant === known.bias?.constant) known.bias?.uses.push(...(bias?.uses ?? []));
  }
  return [...sites.values()];
}

/** Two branches may each hold a constant of one name. */
function ownName(name: string, sites: ReadonlyMap<Value, WeightSite>): string {
  const taken = new Set([...sites.values()].map((site) => site.name));
  let own = name;
  for (let i = 1; taken.has(own); i += 1) own = `${name} (${String(i)})`;
  return own;
}

function traceConstant(value: Value): { constant: Value; tensor: Tensor; swapped: boolean } | undefined {
  let at = value;
  let swapped = false;
  for (;;) {
    const tensor = constantTensor(at);
    if (tensor !== undefined) return { constant: at, tensor, swapped };
    const node = at.producer;
    const carried = node === undefined ? undefined : definitionOf(node)?.carries?.(node);
    const input = node?.inputs[0];
    if (carried === undefined || input === undefined) return undefined;
    if (carried === "swapped") swapped = !swapped;
    at = input;
  }
}

/** The constant [n] that is added to the product's result, by the product itself (Gemm) or by the only node that reads it. */
function biasOf(product: Node, n: number): Bias | undefined {
  const own = product.inputs[2];
  if (own !== undefined) return asBias(own, { node: product, index: 2 }, n);
  const [output] = product.outputs;
  const [reader, ...others] = output?.uses ?? [];
  if (reader?.node.opType !== "Add" || others.length > 0) return undefined;
  const index = 1 - reader.index;
  const other = reader.node.inputs[index];
  return other === undefined ? undefined : asBias(other, { node: reader.node, index }, n);
}

function asBias(value: Value, use: Use, n: number): Bias | undefined {
  const found = traceConstant(value);
  return found?.tensor.dims.length === 1 && found.tensor.dims[0] === n && isFloating(found.tensor.dataType) ? { constant: found.constant, tensor: found.tensor, uses: [use] } : undefined;
}
