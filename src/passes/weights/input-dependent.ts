/** What of a graph changes with its inputs; everything else is computed from constants alone. */
import type { Graph, Value } from "../../ir/graph.ts";
import { capturedValues, everyNode } from "../../ir/nested.ts";

/** The values that inputs without a default have a part in, those of nested graphs included. */
export function inputDependent(graph: Graph): Set<Value> {
  const dependent = new Set<Value>(graph.inputs.filter((v) => v.initializer === undefined));
  const isDependent = (value: Value | undefined): boolean => value !== undefined && dependent.has(value);
  for (const node of everyNode(graph)) {
    // A body's own inputs are fed by its node, run after run.
    for (const nested of node.subgraphs) for (const value of nested.inputs) dependent.add(value);
    if (!node.inputs.some(isDependent) && !capturedValues(node).some(isDependent)) continue;
    for (const output of node.outputs) if (output !== undefined) dependent.add(output);
  }
  return dependent;
}
