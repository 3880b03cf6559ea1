/** Who reads a constant besides the products of a weight. */
import type { Graph, Node, Use, Value } from "../../ir/graph.ts";
import { everyGraph } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";

/** Whether nothing but these reads comes from a value, through whatever hands it on or decodes it. Whoever asks for many values hands in the graph's `outputsWithin`. */
export function isReadAlone(graph: Graph, value: Value, reads: readonly Use[], outputs: ReadonlySet<Value> = outputsWithin(graph)): boolean {
  const known = new Map<Node, Set<number>>();
  for (const { node, index } of reads) known.set(node, (known.get(node) ?? new Set()).add(index));
  const seen = new Set([value]);
  for (const at of seen) {
    if (outputs.has(at)) return false;
    for (const use of at.uses) {
      if (known.get(use.node)?.has(use.index) === true) continue;
      if (!handsOn(use)) return false;
      for (const output of use.node.outputs) {
        if (output === undefined || output.uses.length === 0) return false;
        seen.add(output);
      }
    }
  }
  return true;
}

/** What a graph and those nested in it give away. */
export function outputsWithin(graph: Graph): Set<Value> {
  return new Set(everyGraph(graph).flatMap((each) => each.outputs));
}

function handsOn({ node, index }: Use): boolean {
  const definition = definitionOf(node);
  return (index === 0 && definition?.carries?.(node) !== undefined) || definition?.decodes?.(node)?.integers === index;
}
