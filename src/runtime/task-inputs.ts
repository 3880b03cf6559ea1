/** What a graph must be fed with: its inputs, less those that have a default. */
import type { Graph, Value } from "../ir/graph.ts";
import { dimKey, SymbolicDim } from "../ir/dim.ts";
import { factsOfType } from "../ir/load.ts";
import { tokenLookUps } from "../passes/weights/token-look-ups.ts";
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

/** How many rows the embedding has that input_ids pick from: the first axis of a matrix that a Gather reads by them; undefined where unknown. */
export function vocabularySize(graph: Graph): number | undefined {
  return tokenLookUps(graph).map((node) => node.inputs[0]?.shape?.[0]).find((rows) => typeof rows === "number");
}
