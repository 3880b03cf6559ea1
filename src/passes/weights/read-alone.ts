/** Who reads a constant besides the products of a weight. */
import type { Graph, Use, Value } from "../../ir/graph.ts";
import { everyGraph } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";

/** Whether nothing but these reads comes from a value, through whatever hands it on or decodes it. Whoever asks for many values hands in the graph's `outputsWithin`. */
export function isReadAlone(graph: Graph, value: Value, reads: readonly Use[], outputs: ReadonlySet<Value> = outputsWithin(graph)): boolean {
  return !outputs.has(value) && value.uses.every((use) => reads.some((r) => r.node === use.node && r.index === use.index)
    || (handsOn(use) && use.node.outputs.every((output) => output !== undefined && output.uses.length > 0 && isReadAlone(graph, output, reads, outputs))));
}

/** What a graph and those nested in it give away. */
export function outputsWithin(graph: Graph): Set<Value> {
  return new Set(everyGraph(graph).flatMap((each) => each.outputs));
}

function handsOn({ node, index }: Use): boolean {
  const definition = definitionOf(node);
  return (index === 0 && definition?.carries?.(node) !== undefined) || definition?.decodes?.(node)?.integers === index;
}
