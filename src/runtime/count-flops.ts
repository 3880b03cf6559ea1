/** Floating point operations of a graph at given sizes, by the operators' own FLOP rules. */
import { isFloating } from "../ir/data-type.ts";
import { evaluateDim, SymbolicDim, type Dim } from "../ir/dim.ts";
import type { Node } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { elements } from "../ops/broadcast.ts";
import { inferContext } from "../ops/infer.ts";
import { definitionOf } from "../ops/registry.ts";
import { isCache, madeInput } from "./data/made-inputs.ts";
import { inputSpec } from "./task-inputs.ts";

/** What was counted, and what could not be. */
export interface FlopCount {
  readonly flops: number;
  /** Nodes without a definition, and nodes whose cost is unknown at these sizes. */
  readonly uncounted: number;
}

/** Counts node by node, those that `counts`, with numbers in the place of the names in `sizes`. Graphs nested in nodes are not entered. */
export function countFlops({ graph, opsets }: Model, sizes: Readonly<Record<string, number>>, counts: (node: Node) => boolean = () => true): FlopCount {
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

/**
 * The sizes of a batch of [b, t] tokens, by the names that the inputs give their axes: b for each first axis, t for the second of rows of tokens and of what stands beside them; a decoder's cache
 * is empty, and any other free axis is left out.
 */
export function batchSizes({ graph }: Model, b: number, t: number): Record<string, number> {
  const sizes: [string, number][] = [];
  for (const input of graph.inputs) {
    const spec = inputSpec(input);
    const made = isCache(spec) ? madeInput(spec)?.(b).dims : undefined;
    input.shape?.forEach((dim, axis) => {
      const size = made?.[axis] ?? (axis === 0 ? b : axis === 1 && !isFloating(spec.dtype) ? t : undefined);
      if (dim instanceof SymbolicDim && size !== undefined && !sizes.some(([name]) => name === dim.key)) sizes.push([dim.key, size]);
    });
  }
  return Object.fromEntries(sizes);
}
