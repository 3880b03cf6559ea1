/**
 * Opens composites: operators that are defined by what they say in simpler ones (fused attention, skip normalization, …), so that gradients pass
 * and standard operators alone are left. For the training view, and where roles are traced.
 *
 * Requires: facts inferred; functions inlined. Guarantees: outputs of opened nodes stay the very values they were; a form of a composite that is not
 * written stays as it is and carries the reason in its metadata, for the error of whoever has to differentiate it.
 * Rules: each node whose definition has `opens` is replaced by what that emits, in place.
 */
import { isOpsetLacks } from "../errors/graph.ts";
import { Node, type Graph, type Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { OpDefinition } from "../ops/define.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import { byName, missing } from "./by-name.ts";

/** The key in a node's metadata_props that says why it could not be opened. */
export const NOT_OPENED_KEY = "onnx_hut.not_opened";

/** Returns how many nodes it opened, those of nested graphs included. */
export function openComposites(model: Model, definitions: (node: Node) => OpDefinition | undefined = definitionOf): number {
  return openGraph(model.graph, model.opsets, definitions);
}

function openGraph(graph: Graph, opsets: ReadonlyMap<string, number>, definitions: (node: Node) => OpDefinition | undefined): number {
  let fired = 0;
  for (const node of [...graph.nodes]) {
    for (const sub of node.subgraphs) fired += openGraph(sub, opsets, definitions);
    if (openNode(graph, node, opsets, definitions(node))) fired += 1;
  }
  return fired;
}

/** Opens one node, if its definition says how. Returns whether it did. */
function openNode(graph: Graph, node: Node, opsets: ReadonlyMap<string, number>, definition: OpDefinition | undefined): boolean {
  if (definition?.opens === undefined) return false;
  const op = new OpBuilder(graph, { opsets, origin: "open", before: node, metadata: node.metadata });
  const at = (name: string): Value | undefined => node.inputs[definition.inputs.indexOf(name)];
  const inputs = byName((name) => at(name) ?? missing(node, name));
  const isRead = (v: Value | undefined): boolean => v !== undefined && (v.uses.length > 0 || graph.outputs.includes(v));
  let outputs: readonly (Value | undefined)[];
  try {
    outputs = definition.opens({ op, node, in: inputs, has: (name) => at(name) !== undefined, given: at,
      wanted: (index) => isRead(node.outputs[index]) });
  } catch (error) {
    if (!(error instanceof TypeError || isOpsetLacks(error))) throw error;
    node.metadata.set(NOT_OPENED_KEY, error.message);
    return false;
  }
  const pairs = node.outputs.map((output, i) => ({ output, made: outputs[i] }));
  if (pairs.some(({ output, made }) => made === undefined && isRead(output))) {
    node.metadata.set(NOT_OPENED_KEY, "one of its outputs that is read is not written");
    return false;
  }
  const taken = new Set<Value>();
  for (const { output, made } of pairs) {
    if (output === undefined || made === undefined) continue;
    // What the node itself reads, a constant, or what stands for two outputs can't be another value: it is handed on.
    const own = node.inputs.includes(made) || made.producer === undefined || taken.has(made) ? op.Identity(made) : made;
    taken.add(own);
    node.setOutput(node.outputs.indexOf(output), undefined);
    become(own, output);
  }
  graph.remove([node]);
  return true;
}

/** Lets a value be made by what makes another one, and be read wherever that is: whoever holds on to it finds it in its place. */
function become(made: Value, output: Value): void {
  const { producer } = made;
  if (producer === undefined) throw new TypeError("an output that nothing makes");
  Node.redirect(made, output);
  producer.setOutput(producer.outputs.indexOf(made), output);
}
