/** Finds the weights of a graph: constants that a product multiplies with, wherever they stand and however they are handed on. */
import type { Graph, Node, Use, Value } from "../../ir/graph.ts";
import { isFloating } from "../../ir/data-type.ts";
import { everyNode } from "../../ir/nested.ts";
import type { Tensor } from "../../ir/tensor.ts";
import type { WeightPlace } from "../../ops/define.ts";
import { definitionOf } from "../../ops/registry.ts";
import { isCallOf, modulePathOf } from "./module-path.ts";
import { quantizedBy, type Quantized } from "./quantized.ts";

/** A place where a weight enters products: the value they read, in which layout of the site's own [k, n], and the reads. */
export interface WeightPoint {
  readonly value: Value;
  readonly layout: "kn" | "nk";
  readonly uses: Use[];
  /** What products read in its place, once the weight is adapted. */
  updated?: Value | undefined;
}

/** What a weight does in the transformer. "qkv" is a packed one. */
export type Role = "q" | "k" | "v" | "qkv" | "o" | "up" | "gate" | "down" | "head";

/** A constant that is added to a product's result: the bias of its Linear, [n]. */
export interface Bias {
  readonly constant: Value;
  readonly tensor: Tensor;
  /** Where it is added: once for each product of the weight. */
  readonly uses: Use[];
  /** Whether the graph that was read had none, and `addBias` put it there. */
  readonly isAdded?: boolean;
}

/** One weight W [k, n] of the graph. Shared weights are one site with several points or uses. */
export interface WeightSite {
  /** The name of the constant that holds it. */
  readonly name: string;
  /** The value that holds the stored tensor: an initializer, or the output of a Constant node. */
  readonly constant: Value;
  readonly tensor: Tensor;
  /** How the stored tensor's integers stand for floats; undefined where it holds floats. */
  readonly quantized: Quantized | undefined;
  readonly k: number;
  readonly n: number;
  /** The layout of the stored tensor: [k, n] or [n, k]. */
  readonly stored: "kn" | "nk";
  /** The dimensions in that layout, two, or those of a kernel [n, c, ..]. */
  readonly dims: readonly number[];
  /** The operator type of the (first) product. */
  readonly op: string;
  readonly points: WeightPoint[];
  bias: Bias | undefined;
  /** The module's path as PyTorch has it, as far as the export tells. */
  readonly modulePath: string | undefined;
  role: Role | undefined;
  /** Of a packed weight: the columns of each role, as far as they can be told. */
  blocks: ReadonlyMap<Role, readonly number[]> | undefined;
  /** The number of its layer, from 0. */
  layer: number | undefined;
}

/** The stored tensor under a value that is a constant: an initializer (old files list those as inputs too), or a Constant's. */
export function constantTensor(value: Value): Tensor | undefined {
  if (value.initializer !== undefined) return value.producer === undefined ? value.initializer : undefined;
  const attribute = value.producer?.opType === "Constant" ? value.producer.attributes.get("value") : undefined;
  return attribute?.kind === "tensor" ? attribute.value : undefined;
}

/** The type in which a weight's stored tensor holds its numbers. */
export function storedType({ quantized, tensor }: WeightSite): number {
  return (quantized?.integers ?? tensor).dataType;
}

/**
 * All weights that products read, matrices and kernels, those in nested graphs too, in the order of the products. What two branches read is one
 * site. Roles are not traced yet.
 */
export function findWeights(graph: Graph): WeightSite[] {
  const reads = everyNode(graph).flatMap((node) => readBy(node) ?? []);
  const sites = new Map<Value, WeightSite>();
  const names = new Map<string, number>();
  const known = new Map<WeightSite, KnownReads>();
  // The read that a constant is named by: the first, or the first under its own name. Of two entries of one key, a map keeps the later.
  const firsts = new Map([...reads.toReversed(), ...reads.filter((r) => r.found.alias === undefined).reverse()].map((r) => [r.found.constant, r]));
  for (const { found, shape, point, bias, modulePath, op } of reads) {
    const first = firsts.get(found.constant);
    const holder = isOtherModule(modulePath, first?.modulePath) ? found.alias ?? found.constant : found.constant;
    const site = sites.get(holder);
    if (site === undefined) {
      sites.set(holder, { name: ownName(holder.name, names), constant: found.constant, tensor: found.tensor, quantized: found.quantized, ...shape, op, points: [point], bias, modulePath, role: undefined, blocks: undefined, layer: undefined });
    } else if (sameCode(site.quantized, found.quantized)) {
      const reads = known.get(site) ?? { points: new Map(site.points.map((p) => [p.value, p])), decoders: new Set(site.quantized?.decoders) };
      known.set(site, reads);
      addRead(site, reads, point, found, bias);
    }
  }
  return [...sites.values()];
}

/** Two branches may each hold a constant of one name. `taken` says with which number to go on looking for a free one. */
function ownName(name: string, taken: Map<string, number>): string {
  let own = name;
  let number = taken.get(name) ?? 1;
  for (; taken.has(own); number += 1) own = `${name} (${String(number)})`;
  taken.set(name, number);
  if (own !== name) taken.set(own, 1);
  return own;
}

/** One product and the weight that it reads. */
interface Read {
  readonly op: string;
  readonly point: WeightPoint;
  readonly found: Traced;
  readonly shape: Pick<WeightSite, "k" | "n" | "stored" | "dims">;
  readonly bias: Bias | undefined;
  readonly modulePath: string | undefined;
}

function readBy(node: Node): Read | undefined {
  const place = definitionOf(node)?.weight?.(node);
  const value = place === undefined ? undefined : node.inputs[place.index];
  if (place === undefined || value === undefined) return undefined;
  const found = traceConstant(value, node);
  if (found === undefined || (found.quantized === undefined && !isFloating(found.tensor.dataType))) return undefined;
  const { dims } = found;
  if (place.kernel === true ? dims.length < 3 : dims.length !== 2) return undefined;
  const stored = found.swapped === (place.layout === "kn") ? "nk" : "kn";
  const [rows = 0, ...others] = dims;
  const columns = others.reduce((a, b) => a * b, 1);
  const [k, n] = stored === "kn" ? [rows, columns] : [columns, rows];
  const bias = biasOf(node, place, n);
  return { op: node.opType, point: { value, layout: place.layout, uses: [{ node, index: place.index }] }, found, shape: { k, n, stored, dims }, bias,
    modulePath: modulePathOf(node, found.alias ?? found.constant, bias?.constant) };
}

/** What a site has so far, to be looked up: a weight that a hundred thousand products read is looked up as often. */
interface KnownReads {
  readonly points: Map<Value, WeightPoint>;
  readonly decoders: Set<Node>;
}

/** Equal weights of two modules are stored once and are two weights all the same; a module that is called twice has one. */
function isOtherModule(path: string | undefined, first: string | undefined): boolean {
  return path !== undefined && first !== undefined && !isCallOf(path, first);
}

/** A product that reads the stored tensor the other way round has the same [k, n]: the first product's. */
function addRead(site: WeightSite, known: KnownReads, read: WeightPoint, found: Traced, bias: Bias | undefined): void {
  const point = known.points.get(read.value);
  if (point === undefined) {
    const added: WeightPoint = { ...read, layout: found.swapped === (site.stored === "kn") ? "nk" : "kn" };
    site.points.push(added);
    known.points.set(read.value, added);
  } else {
    point.uses.push(...read.uses);
  }
  if (bias?.constant === site.bias?.constant) site.bias?.uses.push(...(bias?.uses ?? []));
  for (const decoder of found.quantized?.decoders ?? []) {
    if (known.decoders.has(decoder)) continue;
    known.decoders.add(decoder);
    site.quantized?.decoders.push(decoder);
  }
}

/** A constant behind a value, and what stands between. */
interface Traced {
  readonly constant: Value;
  readonly tensor: Tensor;
  readonly quantized: Quantized | undefined;
  readonly swapped: boolean;
  /** Before they are swapped. */
  readonly dims: readonly number[];
  /** The constant under another name: exporters store equal tensors once, and hand them on to the second module. */
  readonly alias: Value | undefined;
}

/** How many nodes may hand a constant on before a product reads it; in real exports up to 5 do. Each product goes the way anew. */
const MAX_HANDED_ON = 64;

/** Follows a value back to the constant it comes from. A `reader` that decodes it tells what it holds. */
function traceConstant(value: Value, reader: Node): Traced | undefined {
  let at: Value = value;
  let swapped = false;
  let dims: readonly number[] | undefined;
  let alias: Value | undefined;
  let decoder = decodes(reader, value) ? reader : undefined;
  for (let steps = 0; steps <= MAX_HANDED_ON; steps += 1) {
    const tensor = constantTensor(at);
    if (tensor !== undefined) {
      const quantized = decoder === undefined ? undefined : quantizedAt(decoder, tensor);
      if (decoder !== undefined && quantized === undefined) return undefined;
      const { packed } = quantized?.decoding ?? {};
      const own = packed === undefined ? tensor.dims : [packed.dims[0], packed.used];
      if (swapped && (dims ?? own).length !== 2) return undefined;
      return { constant: at, tensor, quantized, swapped, dims: dims ?? own, alias };
    }
    const node = at.producer;
    const carried = node === undefined ? undefined : definitionOf(node)?.carries?.(node);
    const input = node?.inputs[0];
    if (node === undefined || input === undefined) return undefined;
    if (decodes(node, input)) {
      if (decoder !== undefined) return undefined;
      decoder = node;
    } else if (carried === undefined || (carried === "swapped" && dims !== undefined)) {
      return undefined;
    }
    if (carried === "swapped") swapped = !swapped;
    if (carried === "reshaped") {
      dims ??= sizesOf(at);
      if (dims === undefined) return undefined;
    }
    alias = carried === "kept" && at.dataType === input.dataType ? at : undefined;
    at = input;
  }
  return undefined;
}

function decodes(node: Node, integers: Value): boolean {
  const decoding = definitionOf(node)?.decodes?.(node);
  return decoding !== undefined && node.inputs[decoding.integers] === integers;
}

/** How a decoder reads its integers; undefined where scales or zero points are computed, or don't fit. */
function quantizedAt(node: Node, integers: Tensor): Quantized | undefined {
  const decoding = definitionOf(node)?.decodes?.(node);
  const scale = plainTensor(node.inputs[decoding?.scale ?? NaN]);
  const zeroValue = node.inputs[decoding?.zero ?? NaN];
  const zero = plainTensor(zeroValue);
  return decoding === undefined || scale === undefined || (zeroValue !== undefined && zero === undefined) ? undefined : quantizedBy(node, decoding, { integers, scale, zero });
}

/** A constant tensor, under whatever name. */
export function plainTensor(value: Value | undefined): Tensor | undefined {
  let at = value;
  for (let steps = 0; at !== undefined && steps <= MAX_HANDED_ON; steps += 1) {
    const own = constantTensor(at);
    if (own !== undefined) return own;
    const node: Node | undefined = at.producer;
    const input = node?.inputs[0];
    at = node !== undefined && definitionOf(node)?.carries?.(node) === "kept" && input?.dataType === at.dataType ? input : undefined;
  }
  return undefined;
}

/** Whether two decoders make the same floats of the same integers. */
function sameCode(a: Quantized | undefined, b: Quantized | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.scale.data === b.scale.data && a.zero?.data === b.zero?.data && JSON.stringify(a.decoding) === JSON.stringify(b.decoding));
}

/** A shape of numbers alone. */
function sizesOf(value: Value): number[] | undefined {
  const sizes = value.shape?.filter((d) => typeof d === "number");
  return sizes?.length === value.shape?.length ? sizes : undefined;
}
/** The constant [n] that is added to the product's result, by the product itself or by the only node that reads it. */
function biasOf(product: Node, place: WeightPlace, n: number): Bias | undefined {
  const own = place.bias === undefined ? undefined : product.inputs[place.bias];
  if (own !== undefined && place.bias !== undefined) return asBias(own, { node: product, index: place.bias }, n);
  const [output] = product.outputs;
  const [reader, ...others] = output?.uses ?? [];
  if (reader?.node.opType !== "Add" || others.length > 0) return undefined;
  const index = 1 - reader.index;
  const other = reader.node.inputs[index];
  return other === undefined ? undefined : asBias(other, { node: reader.node, index }, n);
}

function asBias(value: Value, use: Use, n: number): Bias | undefined {
  const found = traceConstant(value, use.node);
  return found?.tensor.dims.length === 1 && found.tensor.dims[0] === n && isFloating(found.tensor.dataType) ? { constant: found.constant, tensor: found.tensor, uses: [use] } : undefined;
}
