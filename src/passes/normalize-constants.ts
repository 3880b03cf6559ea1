/**
 * Constant nodes become initializers, so that later passes meet one form of a constant.
 *
 * Guarantees: every Value stays the very one it was, with its name and readers; it is an initializer now. Constants of strings, and those
 * that are graph outputs, stay nodes.
 */
import { Tensor } from "../ir/tensor.ts";
import type { Graph, Node } from "../ir/graph.ts";

/** Returns how many nodes it replaced. */
export function normalizeConstants(graph: Graph): number {
  const gone: Node[] = [];
  for (const node of graph.nodes) {
    const tensor = node.opType === "Constant" && node.domain === "" ? valueOf(node) : undefined;
    const [output] = node.outputs;
    if (tensor === undefined || output === undefined || graph.outputs.includes(output)) continue;
    node.setOutput(0, undefined);
    output.initializer = tensor;
    output.facts ??= { dataType: tensor.dataType, shape: tensor.dims };
    graph.initializers.add(output);
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
