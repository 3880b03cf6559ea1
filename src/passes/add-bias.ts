/**
 * Gives the products of a weight a bias that their graph has none of: exporters leave one out that is zero, and an adapter may have trained it.
 *
 * Requires: facts inferred; a site without a bias, found in this graph. Guarantees: the numbers stay, since the bias starts at zero; outputs stay the
 * very values they were; the site's bias is the new one. Rules: a product with a place for a bias (Gemm, Conv) takes it there; behind one that is
 * nothing but a product of two values (MatMul) an Add does.
 */
import { moduleUnknown } from "../errors/runtime.ts";
import type { Graph, Node, Use, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import { pathOf } from "./adapt.ts";
import { plainTensor, type WeightSite } from "./weights/find-weights.ts";

/** Adds the constant, zeros [n] of the type that the products compute in. Throws HutError where a product does more than multiply. */
export function addBias(graph: Graph, site: WeightSite, opsets: ReadonlyMap<string, number>): void {
  const name = `${pathOf(site)}.bias`;
  const [point] = site.points;
  const dataType = site.quantized?.dataType ?? (point === undefined || point.value.dataType === 0 ? site.tensor.dataType : point.value.dataType);
  const tensor = Tensor.fromFloat32(dataType, [site.n], new Float32Array(site.n));
  const constant = graph.addInitializer(name, tensor);
  const uses = site.points.flatMap((p) => p.uses).map(({ node }): Use => {
    const index = definitionOf(node)?.weight?.(node)?.bias;
    if (index === undefined || node.inputs[index] !== undefined) return addedBehind(node, constant, site.n, opsets) ?? refuse(name);
    node.setInput(index, constant);
    return { node, index };
  });
  site.bias = { constant, tensor, uses, isAdded: true };
}

/** Whether every product of a weight has a place for a bias, and none there. */
export function takesBias(site: WeightSite): boolean {
  return site.bias === undefined && site.points.flatMap((p) => p.uses).every(({ node }) => {
    const index = definitionOf(node)?.weight?.(node)?.bias;
    return (index !== undefined && node.inputs[index] === undefined) || isFreeBehind(node, site.n);
  });
}

/** Whether a product is nothing but one, and nothing [.., n] is added to it. */
function isFreeBehind(node: Node, n: number): boolean {
  const [output] = node.outputs;
  return node.graph !== undefined && output !== undefined && definitionOf(node)?.inputs.length === 2
    && !output.uses.some((use) => use.node.inputs.some((v) => v !== undefined && plainTensor(v)?.dims.at(-1) === n));
}

/** Puts an Add behind a product; undefined where the product itself does more, or something [.., n] is added to it already. */
function addedBehind(node: Node, constant: Value, n: number, opsets: ReadonlyMap<string, number>): Use | undefined {
  const { graph } = node;
  const [output] = node.outputs;
  if (graph === undefined || output === undefined || !isFreeBehind(node, n)) return undefined;
  const product = graph.newValue(`${output.name}/product`, output.facts);
  node.setOutput(0, product);
  const op = new OpBuilder(graph, { opsets, origin: "add-bias", before: graph.nodes[graph.nodes.indexOf(node) + 1] });
  const sum = op.Add(product, constant).producer;
  sum?.setOutput(0, output);
  return sum === undefined ? undefined : { node: sum, index: 1 };
}

function refuse(name: string): never {
  throw moduleUnknown(name, []);
}
