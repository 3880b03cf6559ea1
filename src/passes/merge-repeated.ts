/**
 * Merges nodes that compute the same: one operator, attributes and inputs. Gradient rules write what they need and share it this way.
 *
 * Guarantees: outputs keep names and values; nodes with nested graphs and nodes that draw random numbers stay.
 */
import type { Attribute } from "../ir/attribute.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";

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
    const attributes = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, a]) => `${name}=${attributeKey(a)}`);
    if (RANDOM.has(node.opType) || attributes.some((a) => a.endsWith("?"))) continue;
    const key = [node.domain, node.opType, node.overload, ...attributes, "|", ...node.inputs.map(idOf)].join(" ");
    const twin = first.get(key);
    const outputs = node.outputs.filter((o) => o !== undefined);
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
  return gone.length;
}

/** Constants with the same small value become one. */
function mergeConstants(graph: Graph): void {
  const first = new Map<string, Value>();
  for (const value of [...graph.initializers]) {
    const tensor = value.initializer;
    if (tensor?.atHand !== true || tensor.byteLength > 1024 || graph.inputs.includes(value) || graph.outputs.includes(value)) continue;
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

function tensorKey(tensor: Tensor): string {
  return `${String(tensor.dataType)}[${tensor.dims.join()}]${[...tensor.bytes()].join()}`;
}

function attributeKey(a: Attribute): string {
  if (a.kind === "tensor") return a.value.atHand && a.value.byteLength <= 1024 ? tensorKey(a.value) : "?";
  if (a.kind === "float" || a.kind === "int" || a.kind === "string") return `${a.kind}:${String(a.value)}`;
  if (a.kind === "floats" || a.kind === "ints" || a.kind === "strings") return `${a.kind}:${JSON.stringify(a.value.map(String))}`;
  return "?";
}
