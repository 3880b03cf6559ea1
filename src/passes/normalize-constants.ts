/**
 * Constant nodes become initializers, in nested graphs too, so that later passes meet one form of a constant.
 *
 * Guarantees: every Value stays the very one it was, with its name and readers; it is an initializer of its graph now. Constants of strings,
 * and those that are outputs of their graph, stay nodes.
 */
import type { Graph, Node } from "../ir/graph.ts";
import { everyGraph } from "../ir/nested.ts";
import { tensorOfConstant } from "../ops/constants.ts";
import { factsOfTensor } from "../ops/elements.ts";

/** Returns how many nodes it replaced. */
export function normalizeConstants(graph: Graph): number {
  return everyGraph(graph).reduce((fired, each) => fired + normalizeGraph(each), 0);
}

function normalizeGraph(graph: Graph): number {
  const gone: Node[] = [];
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    const tensor = node.opType === "Constant" && node.domain === "" ? tensorOfConstant(node) : undefined;
    const [output, ...others] = node.outputs;
    // ONNX gives a Constant one output; what a second one would hold nobody knows.
    if (tensor === undefined || output === undefined || outputs.has(output) || others.some((o) => o !== undefined)) continue;
    node.setOutput(0, undefined);
    output.initializer = tensor;
    output.facts ??= factsOfTensor(tensor);
    graph.initializers.add(output);
    gone.push(node);
  }
  graph.remove(gone);
  return gone.length;
}
