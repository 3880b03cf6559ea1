/** Floating point operations of a graph at given sizes, by the operators' own FLOP rules. */
import { evaluateDim, type Dim } from "../ir/dim.ts";
import type { Node } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { elements } from "../ops/broadcast.ts";
import { inferContext } from "../ops/infer.ts";
import { definitionOf } from "../ops/registry.ts";
import type { Sizes } from "./batch-sizes.ts";

/** What was counted, and what could not be. */
export interface FlopCount {
  readonly flops: number;
  /** Nodes without a definition, and nodes whose cost is unknown at these sizes. */
  readonly uncounted: number;
}

/** Counts node by node, those that `counts`, with numbers in the place of the names in `sizes`. Graphs nested in nodes are not entered. */
export function countFlops({ graph, opsets }: Model, sizes: Sizes, counts: (node: Node) => boolean = () => true): FlopCount {
  let flops = 0;
  let uncounted = 0;
  for (const node of graph.nodes.filter(counts)) {
    const definition = definitionOf(node);
    if (definition?.flops === "none") continue;
    const outputs = node.outputs.map((o) => o?.facts);
    const cost: Dim = definition === undefined ? undefined
      : definition.flops === "elementwise" ? elements(outputs[0]) : definition.flops(inferContext(node, opsets), outputs);
    const number = evaluateDim(cost, sizes);
    if (number === undefined) uncounted += 1;
    else flops += number;
  }
  return { flops, uncounted };
}
