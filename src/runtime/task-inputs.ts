/** What a graph must be fed with: its inputs, less those that have a default. */
import type { Graph, Value } from "../ir/graph.ts";
import { dimKey, SymbolicDim } from "../ir/dim.ts";
import { factsOfType } from "../ir/load.ts";
import { definitionOf } from "../ops/registry.ts";
import type { InputSpec } from "./data/field.ts";

/** The inputs that data must feed, in graph order. Old files list initializers as inputs too: those have a value already. */
export function inputSpecs(graph: Graph): InputSpec[] {
  const bound = boundNames(graph);
  return graph.inputs.filter((v) => v.initializer === undefined).map((v) => inputSpec(v, bound));
}

/** Free dimensions that turn out to be numbers: a declared output has a name where inference finds a size, as the width of a cache that is handed on. */
function boundNames(graph: Graph): Map<string, number> {
  const bound = new Map<string, number>();
  for (const output of graph.outputs) {
    factsOfType(output.declared)?.shape?.forEach((d, i) => {
      const found = output.shape?.[i];
      if (d instanceof SymbolicDim && typeof found === "number") bound.set(d.key, found);
    });
  }
  return bound;
}

/** What a graph says of one input. */
export function inputSpec(input: Value, bound: ReadonlyMap<string, number> = new Map()): InputSpec {
  const shape = (input.shape ?? []).map((d) => (d === undefined || typeof d === "number" ? d : bound.get(d.key) ?? dimKey(d)));
  return { name: input.name, dtype: input.dataType, shape };
}

/** How many rows the embedding has that input_ids pick from: the first axis of a constant that a Gather reads by them; undefined where unknown. */
export function vocabularySize(graph: Graph): number | undefined {
  const ids = graph.inputs.find((v) => v.name === "input_ids");
  const open = ids === undefined ? [] : [ids];
  const seen = new Set(open);
  for (const value of open) {
    for (const { node, index } of value.uses) {
      const table = node.opType === "Gather" && index === 1 ? node.inputs[0] : undefined;
      const rows = table?.shape?.length === 2 ? table.shape[0] : undefined;
      if (typeof rows === "number") return rows;
      if (index !== 0 || definitionOf(node)?.carries?.(node) === undefined) continue;
      for (const output of node.outputs) if (output !== undefined && !seen.has(output)) { seen.add(output); open.push(output); }
    }
  }
  return undefined;
}
