/**
 * Puts a weight's new value in as integers of the form it had: same type, axis and block size, with zero points where it had some.
 *
 * Requires: a site that is decoded from integers. Guarantees: nothing but its integers, scales and zero points changes; what these are shared with
 * keeps its own. Returns what the rounding costs.
 */
import { Node, type Graph, type Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { pathOf } from "./adapt.ts";
import { setConstant } from "./fold.ts";
import { removeUnread } from "./remove-unread.ts";
import { constantTensor, plainTensor, type WeightSite } from "./weights/find-weights.ts";
import { decoded, encoded } from "./weights/quantized.ts";
import { isReadAlone } from "./weights/read-alone.ts";
import { float32Of, inStoredRows } from "./weights/weight-values.ts";

/** How far the integers are from the weight: ‖decoded − W'‖ / ‖W'‖, Frobenius, and the largest difference of an element. */
export interface RoundingError {
  readonly relativeError: number;
  readonly maxAbsError: number;
}

/** `tensor` is W' in the stored layout, float32. */
export function requantizeWeight(graph: Graph, site: WeightSite, tensor: Tensor): RoundingError {
  const { quantized } = site;
  if (quantized === undefined) throw new TypeError("a weight that is stored as floats");
  const values = inStoredRows(site, float32Of(tensor));
  const { integers, scale, zero } = encoded(quantized, values);
  const decoders = ownDecoders(graph, site, quantized.decoders);
  const { decoding } = quantized;
  put(graph, decoders, decoding.integers, integers, `${pathOf(site)}.weight_quantized`);
  put(graph, decoders, decoding.scale, scale, `${pathOf(site)}.weight_scale`);
  if (zero !== undefined) put(graph, decoders, decoding.zero, zero, `${pathOf(site)}.weight_zero_point`);
  return errorOf(decoded({ ...quantized, integers, scale, zero: zero ?? quantized.zero }), values);
}

/** The decoders, or copies of them where something else reads what they make. */
function ownDecoders(graph: Graph, site: WeightSite, decoders: readonly Node[]): Node[] {
  const reads = site.points.flatMap((p) => p.uses);
  const products = new Set(reads.map((r) => r.node));
  if (decoders.every((d) => products.has(d) || d.outputs.every((o) => o !== undefined && isReadAlone(graph, o, reads)))) return [...decoders];
  const copies = site.points.map((point) => {
    const { value, decoder } = copyOf(graph, point.value, decoders);
    for (const { node, index } of point.uses) node.setInput(index, value);
    return decoder;
  });
  removeUnread(graph, site.points.map((p) => p.value));
  return copies;
}

/** Copies what leads from a decoder to a value, the decoder with it. Each copy stands right behind its original. */
function copyOf(graph: Graph, value: Value, decoders: readonly Node[]): { value: Value; decoder: Node } {
  const node = value.producer;
  const [input, ...others] = node?.inputs ?? [];
  if (node === undefined || input === undefined) throw new TypeError("a weight without its decoder");
  const isDecoder = decoders.includes(node);
  const before = isDecoder ? undefined : copyOf(graph, input, decoders);
  const made = graph.newValue(value.name, value.facts);
  const { opType, domain, overload, attributes, metadata } = node;
  const copy = new Node({ opType, domain, overload, name: graph.freshName(node.name), attributes, metadata }, [before?.value ?? input, ...others], [made]);
  graph.insert([copy], graph.nodes[graph.nodes.indexOf(node) + 1]);
  return { value: made, decoder: before?.decoder ?? copy };
}

/** Gives decoders a new constant: in the place of the old one where nothing else reads it. Bytes keep the type and dimensions they are stored in. */
function put(graph: Graph, decoders: readonly Node[], index: number, tensor: Tensor, name: string): void {
  const old = decoders[0]?.inputs[index];
  const stored = plainTensor(old);
  const value = new Tensor(stored?.dataType ?? tensor.dataType, stored?.dims ?? tensor.dims, tensor.data);
  const isOwn = (constant: Value): boolean => constantTensor(constant) !== undefined && !graph.outputs.includes(constant)
    && constant.uses.every((use) => use.index === index && decoders.includes(use.node));
  if (old !== undefined && isOwn(old)) {
    setConstant(old, value);
    return;
  }
  const made = graph.addInitializer(name, value);
  const before = decoders.flatMap((d) => d.inputs[index] ?? []);
  for (const decoder of decoders) decoder.setInput(index, made);
  removeUnread(graph, before);
}

function errorOf(actual: Float32Array, wanted: Float32Array): RoundingError {
  let [error, size, largest] = [0, 0, 0];
  wanted.forEach((w, i) => {
    const difference = (actual[i] ?? NaN) - w;
    error += difference * difference;
    size += w * w;
    largest = Math.max(largest, Math.abs(difference));
  });
  return { relativeError: size === 0 ? 0 : Math.sqrt(error / size), maxAbsError: largest };
}
