/**
 * Makes constants of inputs that are fed one value whatever the data: what depends on them can then be decided beforehand.
 *
 * Guarantees: the value stays the very one, an initializer now; other inputs stay. Facts are to be inferred anew.
 */
import type { Graph, Value } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";

/** `valueOf` tells an input's one value; undefined for inputs that data feed. Returns how many it fixed. */
export function fixInputs(graph: Graph, valueOf: (input: Value) => Tensor | undefined): number {
  let fired = 0;
  for (const input of [...graph.inputs]) {
    const tensor = input.initializer === undefined ? valueOf(input) : undefined;
    if (tensor === undefined || graph.outputs.includes(input)) continue;
    graph.inputs.splice(graph.inputs.indexOf(input), 1);
    input.initializer = tensor;
    input.declared = undefined;
    graph.initializers.add(input);
    fired += 1;
  }
  return fired;
}
