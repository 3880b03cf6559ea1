/**
 * Brings a graph to a newer opset, so that later passes may use its operators. For the training view alone.
 *
 * Guarantees: the numbers stay; either the whole graph is raised or nothing changes. Rules: (1) an attribute that became an input becomes a
 * constant input; (2) Split without sizes gets its number of outputs; (3) a Softmax from before opset 13 over its last axis says so; (4) a
 * Dropout's rate, which inference has no use for, goes; (5) operators that ONNX Runtime alone has in ONNX's domain stay as they are; (6) an
 * operator whose meaning changed otherwise, or that nobody knows, leaves the graph as it was.
 */
import { int, intOf } from "../ir/attribute.ts";
import type { Graph, Node } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { Tensor } from "../ir/tensor.ts";
import type { SchemaVersion } from "../ops/generated/schemas.ts";
import { definitionOf } from "../ops/registry.ts";
import { schemaOf } from "./schema-of.ts";

/** Operators whose newer form means something else; no transformer has them on its way. */
const CHANGED = new Set(["DFT", "GridSample", "GroupNormalization", "Resize", "RoiAlign"]);
/** The oldest opset from which raising is this simple: negative axes came with it. */
const OLDEST = 11;
/** The opset since which the operators of `LAST_AXIS` sum over one axis, not over all from it on. */
const ONE_AXIS = 13;
const LAST_AXIS = new Set(["Softmax", "LogSoftmax", "Hardmax"]);

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
  if (schemaOf(node.opType) === undefined) return definitionOf(node) !== undefined;
  if (old === undefined || next === undefined) return false;
  if (old === next) return true;
  if (CHANGED.has(node.opType)) return false;
  if (from < ONE_AXIS && LAST_AXIS.has(node.opType) && !isOverLastAxis(node)) return false;
  return [...node.attributes].every(([name, a]) => Object.hasOwn(next.attributes, name) || isUseless(node, name) || (a.kind === "ints" && inputIndex(next, name) >= 0));
}

function isOverLastAxis(node: Node): boolean {
  const axis = intOf(node, "axis", 1);
  const rank = node.inputs[0]?.shape?.length;
  return axis === -1 || (rank !== undefined && axis === rank - 1);
}

/** A rate of dropping, where nothing is dropped: before opset 12 nobody could ask for training. */
function isUseless(node: Node, attribute: string): boolean {
  return node.opType === "Dropout" && attribute === "ratio";
}

function inputIndex(version: SchemaVersion, name: string): number {
  return version.inputs.findIndex((input) => input.replace(/[?*]$/, "") === name);
}

function raise(node: Node, from: number, target: number): void {
  const next = schemaOf(node.opType, target);
  if (next === undefined || next === schemaOf(node.opType, from)) return;
  if (from < ONE_AXIS && LAST_AXIS.has(node.opType)) node.attributes.set("axis", int(-1));
  for (const [name, a] of [...node.attributes]) {
    if (isUseless(node, name)) node.attributes.delete(name);
    if (Object.hasOwn(next.attributes, name) || a.kind !== "ints" || node.graph === undefined) continue;
    node.setInput(inputIndex(next, name), node.graph.addInitializer(`${node.name}/${name}`, Tensor.ints([a.value.length], a.value)));
    node.attributes.delete(name);
  }
  if (node.opType === "Split" && node.inputs[1] === undefined && target >= 18 && !node.attributes.has("num_outputs")) node.attributes.set("num_outputs", int(node.outputs.length));
}
