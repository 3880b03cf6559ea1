/**
 * Opens the products of a weight that decode it themselves (MatMulNBits): the weight becomes a value of the graph, on which a method can stand. Or those
 * that do more than multiply (Gemm): a MatMul takes a weight of any axes.
 *
 * Requires: facts inferred; the site found in this graph. Guarantees: the numbers stay, up to rounding; outputs stay the very values they were; the
 * product keeps its name and metadata, so that its module is found again. The site's points and the reads of its bias follow.
 */
import type { Graph, Use } from "../ir/graph.ts";
import type { ProductApart } from "../ops/define.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import type { WeightPoint, WeightSite } from "./weights/find-weights.ts";

/** Returns how many products it opened. `as` is which of an operator's two answers is asked. */
export function openProducts(graph: Graph, site: WeightSite, opsets: ReadonlyMap<string, number>, as: "apart" | "plain" = "apart"): number {
  let fired = 0;
  const points = site.points.flatMap((point) => {
    const others: Use[] = [];
    const opened: WeightPoint[] = [];
    for (const use of point.uses) {
      const apart = definitionOf(use.node)?.[as];
      if (apart === undefined || apart === "itself") others.push(use);
      else opened.push(openProduct(use.node.graph ?? graph, site, use, apart, opsets));
    }
    fired += opened.length;
    return [...(others.length === 0 ? [] : [{ ...point, uses: others }]), ...opened];
  });
  site.points.splice(0, Infinity, ...points);
  return fired;
}

function openProduct(graph: Graph, site: WeightSite, { node }: Use, apart: ProductApart, opsets: ReadonlyMap<string, number>): WeightPoint {
  const op = new OpBuilder(graph, { opsets, origin: "open-products", before: node });
  const weight = apart.weight(op, node);
  const made = apart.product(op, node, weight).producer;
  // The closed product may read this very value, and others too.
  const read = weight.uses.at(-1);
  const [output] = node.outputs;
  if (made === undefined || read === undefined || output === undefined) throw new TypeError("a product that reads nothing or makes nothing");
  node.setOutput(0, undefined);
  made.setOutput(0, output);
  const { bias } = site;
  bias?.uses.splice(0, Infinity, ...bias.uses.map((use) => (use.node === node ? added(use, made) : use)));
  graph.remove([node]);
  read.node.name = node.name;
  for (const [key, value] of node.metadata) read.node.metadata.set(key, value);
  return { value: weight, layout: "kn", uses: [read] };
}

/** Where the value that the closed product added is added now. */
function added(use: Use, sum: Use["node"]): Use {
  const value = use.node.inputs[use.index];
  return { node: sum, index: sum.inputs.indexOf(value) };
}
