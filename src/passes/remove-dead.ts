/**
 * Removes what no output needs, in nested graphs first, since what is dead there captures nothing.
 *
 * Guarantees: graph inputs and outputs stay; nodes, constants and optional outputs that feed nothing go.
 */
import type { Graph, Node, Value } from "../ir/graph.ts";
import { capturedValues } from "../ir/nested.ts";
import { schemaOf } from "./schema-of.ts";

/** Returns how many nodes were removed. */
export function removeDead(graph: Graph): number {
  const inside = graph.nodes.reduce((sum, node) => node.subgraphs.reduce((s, sub) => s + removeDead(sub), sum), 0);
  const needed = new Set<Node>();
  const outputs = new Set(graph.outputs);
  const inputs = new Set(graph.inputs);
  const visit = (value: Value | undefined): void => {
    const open: Value[] = value === undefined ? [] : [value];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const node = at.producer;
      if (node === undefined || needed.has(node)) continue;
      needed.add(node);
      open.push(...node.inputs.filter((v) => v !== undefined), ...capturedValues(node));
    }
  };
  graph.outputs.forEach(visit);
  const dead = graph.nodes.filter((node) => !needed.has(node));
  graph.remove(dead);
  for (const node of graph.nodes) {
    node.outputs.forEach((output, i) => {
      if (isOptional(node, i) && output?.uses.length === 0 && !outputs.has(output)) node.setOutput(i, undefined);
    });
  }
  for (const value of [...graph.initializers]) {
    if (value.uses.length === 0 && !outputs.has(value) && !inputs.has(value)) graph.initializers.delete(value);
  }
  return inside + dead.length;
}

/** Whether an output may be left out. ONNX Runtime crashes on a Split without one of its parts. */
function isOptional(node: Node, index: number): boolean {
  return node.domain === "" && schemaOf(node.opType)?.outputs[index]?.endsWith("?") === true;
}
