/**
 * Brings a graph to a newer opset, so that later passes may use its operators. For the training view alone.
 *
 * Guarantees: the numbers stay; either the whole graph is raised or nothing changes. Rules: (1) an attribute that became an input becomes a
 * constant input; (2) Split without sizes gets its number of outputs; (3) an operator whose meaning changed, or that ONNX's table doesn't
 * know, leaves the graph as it was.
 */
import { int } from "../ir/attribute.ts";
import type { Graph, Node } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { Tensor } from "../ir/tensor.ts";
import type { SchemaVersion } from "../ops/generated/schemas.ts";
import { schemaOf } from "./schema-of.ts";

/** Operators whose newer form means something else; no transformer has them on its way. */
const CHANGED = new Set(["DFT", "GridSample", "GroupNormalization", "Resize", "RoiAlign"]);
/** The oldest opset from which raising is this simple: since 13, Softmax has one axis and the axes of Squeeze are an input. */
const OLDEST = 13;

/** Returns whether the model was raised. */
export function raiseOpset(model: Model, target: number): boolean {
  const from = model.opset;
  if (from >= target || from < OLDEST) return false;
  const nodes = everyNode(model.graph).filter((node) => node.domain === "");
  if (!nodes.every((node) => canRaise(node, from, target))) return false;
  for (const node of nodes) raise(node, from, target);
  model.opsets.set("", target);
  return true;
}

function everyNode(graph: Graph): Node[] {
  return graph.nodes.flatMap((node) => [node, ...node.subgraphs.flatMap(everyNode)]);
}

function canRaise(node: Node, from: number, target: number): boolean {
  const [old, next] = [schemaOf(node.opType, from), schemaOf(node.opType, target)];
  if (old === undefined || next === undefined) return false;
  if (old === next) return true;
  if (CHANGED.has(node.opType)) return false;
  return [...node.attributes].every(([name, a]) => Object.hasOwn(next.attributes, name) || (a.kind === "ints" && inputIndex(next, name) >= 0));
}

function inputIndex(version: SchemaVersion, name: string): number {
  return version.inputs.findIndex((input) => input.replace(/[?*]$/, "") === name);
}

function raise(node: Node, from: number, target: number): void {
  const next = schemaOf(node.opType, target);
  if (next === undefined || next === schemaOf(node.opType, from)) return;
  for (const [name, a] of [...node.attributes]) {
    if (Object.hasOwn(next.attributes, name) || a.kind !== "ints" || node.graph === undefined) continue;
    node.setInput(inputIndex(next, name), node.graph.addInitializer(`${node.name}/${name}`, Tensor.ints([a.value.length], a.value)));
    node.attributes.delete(name);
  }
  if (node.opType === "Split" && node.inputs[1] === undefined && target >= 18 && !node.attributes.has("num_outputs")) node.attributes.set("num_outputs", int(node.outputs.length));
}
