/** Removes what made a value that nothing reads any more. Guarantees: what anything else reads, inputs and outputs stay. */
import type { Graph, Value } from "../ir/graph.ts";
import { everyGraph } from "../ir/nested.ts";

/** Takes the value's node and constants out, then those that they alone read, and so on. */
export function removeUnread(graph: Graph, values: Iterable<Value>): void {
  const open = [...values];
  // A nested graph may give a value of the outer graph on as it is.
  const outputs = new Set(everyGraph(graph).flatMap((each) => each.outputs));
  const inputs = new Set(graph.inputs);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value.uses.length > 0 || outputs.has(value) || inputs.has(value)) continue;
    graph.initializers.delete(value);
    const node = value.producer;
    if (node?.graph !== graph || node.outputs.some((o) => o !== undefined && (o.uses.length > 0 || outputs.has(o)))) continue;
    const read = node.inputs.filter((v) => v !== undefined);
    graph.remove([node]);
    open.push(...read);
  }
}
