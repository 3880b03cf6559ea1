/** One node in a newer opset's words. */
import { int, intOf } from "../ir/attribute.ts";
import type { Node } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import type { SchemaVersion } from "../ops/generated/schemas.ts";
import { definitionOf } from "../ops/registry.ts";
import { schemaOf } from "./schema-of.ts";

/** Operators whose newer form means something else; no transformer has them on its way. */
const CHANGED = new Set(["DFT", "GridSample", "GroupNormalization", "Resize", "RoiAlign"]);
/** The oldest opset from which raising is this simple: negative axes came with it. */
export const OLDEST_RAISED = 11;
/** The opset since which the operators of `LAST_AXIS` sum over one axis, not over all from it on. */
const ONE_AXIS = 13;
const LAST_AXIS = new Set(["Softmax", "LogSoftmax", "Hardmax"]);

/**
 * Whether a node of ONNX's own domain means in `target` what it means in `from`, once its attributes stand where they stand there. So does one
 * that ONNX Runtime alone has in that domain.
 */
export function canRaise(node: Node, from: number, target: number): boolean {
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

/** Brings a node that `canRaise` from one opset to another: an attribute that became an input becomes a constant input; Split gets its number of outputs; a Softmax over the last axis says so. */
export function raiseNode(node: Node, from: number, target: number): void {
  const next = schemaOf(node.opType, target);
  if (next === undefined || next === schemaOf(node.opType, from)) return;
  if (from < ONE_AXIS && LAST_AXIS.has(node.opType)) node.attributes.set("axis", int(-1));
  for (const [name, a] of [...node.attributes]) {
    if (isUseless(node, name)) node.attributes.delete(name);
    if (Object.hasOwn(next.attributes, name) || a.kind !== "ints" || node.graph === undefined) continue;
    node.setInput(inputIndex(next, name), node.graph.addInitializer(`${node.name}/${name}`, Tensor.ints([a.value.length], a.value)));
    node.attributes.delete(name);
  }
  if (node.opType !== "Split" || node.inputs[1] !== undefined || target < 18 || node.attributes.has("num_outputs")) return;
  node.attributes.set("num_outputs", int(node.outputs.length));
}
