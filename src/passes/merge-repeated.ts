/**
 * Merges nodes that compute the same: one operator, attributes and inputs. Gradient rules write what they need and share it this way.
 * A nested graph is a place of its own: what one branch computes, the other hasn't.
 *
 * Guarantees: graph outputs keep names and values; nodes with nested graphs, nodes that draw random numbers, operators outside of ONNX's own
 * domain (who knows what they draw), and pinned values stay.
 */
import type { Graph, Node, Value } from "../ir/graph.ts";
import { attributesKey, MAX_COMPARED, tensorKey } from "./attributes-key.ts";
import { schemaOf } from "./schema-of.ts";

/** Operators whose every run differs. */
const RANDOM = new Set(["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial", "Dropout"]);

/** Returns how many nodes were merged away. */
export function mergeRepeated(graph: Graph): number {
  const ids = new Map<Value, number>();
  const idOf = (value: Value | undefined): string => {
    if (value === undefined) return "_";
    const id = ids.get(value) ?? ids.size;
    ids.set(value, id);
    return String(id);
  };
  mergeConstants(graph);
  const first = new Map<string, Node>();
  const gone: Node[] = [];
  for (const node of graph.nodes) {
    const attributes = attributesKey(node);
    const outputs = node.outputs.filter((o) => o !== undefined);
    if (node.domain !== "" || RANDOM.has(node.opType) || outputs.some((o) => o.pinned) || attributes === undefined) continue;
    const key = [node.opType, isVariadic(node) ? node.outputs.length : "", attributes, "|", ...node.inputs.map(idOf)].join(" ");
    const twin = first.get(key);
    if (twin === undefined || outputs.some((o) => graph.outputs.includes(o))) {
      first.set(key, twin ?? node);
      continue;
    }
    node.outputs.forEach((output, i) => {
      if (output === undefined) return;
      const same = twin.outputs[i];
      if (same === undefined) {
        // The twin leaves this output out: it takes it over, with its readers.
        twin.setOutput(i, output);
        node.setOutput(i, undefined);
      } else {
        graph.replaceAllUses(output, same);
      }
    });
    gone.push(node);
  }
  graph.remove(gone);
  return graph.nodes.reduce((sum, node) => node.subgraphs.reduce((s, sub) => s + mergeRepeated(sub), sum), gone.length);
}

/** Whether the number of outputs is part of what is asked for, as of a Split without sizes. */
function isVariadic(node: Node): boolean {
  return schemaOf(node.opType)?.outputs.at(-1)?.endsWith("*") !== false;
}

/** Constants with the same small value become one. */
function mergeConstants(graph: Graph): void {
  const first = new Map<string, Value>();
  const seenOutside = new Set([...graph.inputs, ...graph.outputs]);
  for (const value of [...graph.initializers]) {
    const tensor = value.initializer;
    if (tensor?.atHand !== true || tensor.byteLength > MAX_COMPARED || value.pinned || seenOutside.has(value)) continue;
    const key = tensorKey(tensor);
    const twin = first.get(key);
    if (twin === undefined) {
      first.set(key, value);
    } else {
      graph.replaceAllUses(value, twin);
      graph.initializers.delete(value);
    }
  }
}
