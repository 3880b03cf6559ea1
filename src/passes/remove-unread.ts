/** Removes what made a value that nothing reads any more. Guarantees: what anything else reads, inputs and outputs stay. */
import type { Graph, Value } from "../ir/graph.ts";

/** Takes the value's node and constants out, then those that they alone read, and so on. */
export function removeUnread(graph: Graph, values: Iterable<Value>): void {
  const open = [...values];
  const outputs = new Set(outputsOf(graph));
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.uses.length > 0 || outputs.has(value) || graph.inputs.includes(value)) continue;
    graph.initializers.delete(value);
    const node = value.producer;
    if (node?.graph !== graph || node.outputs.some((o) => o !== undefined && (o.uses.length > 0 || outputs.has(o)))) continue;
    const inputs = node.inputs.filter((v) => v !== undefined);
    graph.remove([node]);
    open.push(...inputs);
  }
}

/** The outputs of a graph and of those nested in it, which may give a value of the outer graph on as it is. */
function outputsOf(graph: Graph): Value[] {
  return [...graph.outputs, ...graph.nodes.flatMap((node) => node.subgraphs.flatMap(outputsOf))];
}
