/** Constant nodes become initializers, so that later passes meet one form of a constant. Guarantees: values and names stay. */
import { Tensor } from "../ir/tensor.ts";
import type { Graph, Node } from "../ir/graph.ts";

/** Returns how many nodes it replaced. Constants of strings stay nodes. */
export function normalizeConstants(graph: Graph): number {
  const gone: Node[] = [];
  for (const node of graph.nodes) {
    const tensor = node.opType === "Constant" && node.domain === "" ? valueOf(node) : undefined;
    const [output] = node.outputs;
    if (tensor === undefined || output === undefined || graph.outputs.includes(output)) continue;
    const constant = graph.addInitializer(`${output.name}_value`, tensor);
    if (output.facts !== undefined) constant.facts = output.facts;
    graph.replaceAllUses(output, constant);
    gone.push(node);
  }
  graph.remove(gone);
  return gone.length;
}

function valueOf(node: Node): Tensor | undefined {
  for (const a of node.attributes.values()) {
    if (a.kind === "tensor") return a.value.data === undefined ? undefined : a.value;
    if (a.kind === "int") return Tensor.ints([], [a.value]);
    if (a.kind === "ints") return Tensor.ints([a.value.length], a.value);
    if (a.kind === "float") return Tensor.floats([], [a.value]);
    if (a.kind === "floats") return Tensor.floats([a.value.length], a.value);
  }
  return undefined;
}
