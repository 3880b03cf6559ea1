/** Floating point operations of a graph at given sizes, by the operators' own FLOP rules. */
import { dimKey, evaluateDim, type Dim } from "../src/ir/dim.ts";
import type { Model } from "../src/ir/model.ts";
import { elements } from "../src/ops/broadcast.ts";
import { inferContext } from "../src/ops/infer.ts";
import { definitionOf } from "../src/ops/registry.ts";

/** What was counted, and what could not be. */
export interface FlopCount {
  readonly flops: number;
  /** Nodes without a definition, and nodes whose cost is unknown at these sizes. */
  readonly uncounted: number;
}

/** Counts node by node, with numbers in the place of the names in `sizes`. Graphs nested in nodes are not entered. */
export function countFlops({ graph, opsets }: Model, sizes: Readonly<Record<string, number>>): FlopCount {
  let flops = 0;
  let uncounted = 0;
  for (const node of graph.nodes) {
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

/** The names that the inputs give to their first axis and their second, with the sizes of a batch of [b, t] tokens. */
export function tokenSizes({ graph }: Model, b: number, t: number): Record<string, number> {
  return Object.fromEntries(graph.inputs.flatMap(({ shape }) => (shape?.length === 2 ? [[dimKey(shape[0]), b], [dimKey(shape[1]), t]] : [])));
}
