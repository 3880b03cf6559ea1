/** One node in a newer opset's words. */
import { int } from "../ir/attribute.ts";
import type { Node } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import type { SchemaVersion } from "../ops/generated/schemas.ts";
import { schemaOf } from "./schema-of.ts";

/** Operators whose newer form means something else; no transformer has them on its way. */
const CHANGED = new Set(["DFT", "GridSample", "GroupNormalization", "Resize", "RoiAlign"]);
/** The oldest opset from which raising is this simple: since 13, Softmax has one axis and the axes of Squeeze are an input. */
export const OLDEST_RAISED = 13;

/** Whether a node of ONNX's own domain means in `target` what it means in `from`, once its attributes stand where they stand there. */
export function canRaise(node: Node, from: number, target: number): boolean {
  const [old, next] = [schemaOf(node.opType, from), schemaOf(node.opType, target)];
  if (old === undefined || next === undefined) return false;
  if (old === next) return true;
  if (CHANGED.has(node.opType)) return false;
  return [...node.attributes].every(([name, a]) => Object.hasOwn(next.attributes, name) || (a.kind === "ints" && inputIndex(next, name) >= 0));
}

function inputIndex(version: SchemaVersion, name: string): number {
  return version.inputs.findIndex((input) => input.replace(/[?*]$/, "") === name);
}

/** Brings a node that `canRaise` from one opset to another: an attribute that became an input becomes a constant one, Split gets its number of outputs. */
export function raiseNode(node: Node, from: number, target: number): void {
  const next = schemaOf(node.opType, target);
  if (next === undefined || next === schemaOf(node.opType, from)) return;
  for (const [name, a] of [...node.attributes]) {
    if (Object.hasOwn(next.attributes, name) || a.kind !== "ints" || node.graph === undefined) continue;
    node.setInput(inputIndex(next, name), node.graph.addInitializer(`${node.name}/${name}`, Tensor.ints([a.value.length], a.value)));
    node.attributes.delete(name);
  }
  if (node.opType !== "Split" || node.inputs[1] !== undefined || target < 18 || node.attributes.has("num_outputs")) return;
  node.attributes.set("num_outputs", int(node.outputs.length));
}
