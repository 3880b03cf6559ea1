/** Takes a node's place: what read one of its outputs reads another value. */
import { Node, type Value } from "../ir/graph.ts";
import { ORIGIN_KEY } from "../ops/emitter.ts";

/**
 * Lets every reader of an output have `value`, which stands before the node. An output of the graph keeps its name; where `value` can't take that
 * over, since it is a constant, an input, another graph's or an output itself, it becomes an Identity, called `name`.
 */
export function replaceOutput(node: Node, index: number, value: Value, { origin, name }: { readonly origin: string; readonly name: string }): void {
  const { graph } = node;
  const output = node.outputs[index];
  if (graph === undefined || output === undefined) return;
  if (!graph.outputs.includes(output) || (value.producer?.graph === graph && !graph.outputs.includes(value))) {
    graph.replaceAllUses(output, value);
    return;
  }
  node.setOutput(index, undefined);
  const identity = new Node({ opType: "Identity", name: graph.freshName(name), metadata: new Map([[ORIGIN_KEY, origin]]) }, [value], [output]);
  graph.insert([identity], node);
}
