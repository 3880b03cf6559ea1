/** One node in a newer opset's words. */
import { int, intOf } from "../ir/attribute.ts";
import type { Node, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import type { SchemaVersion } from "../ops/generated/schemas.ts";
import { definitionOf } from "../ops/registry.ts";
import { schemaOf } from "./schema-of.ts";

/** The oldest opset from which raising is this simple: negative axes came with it. */
export const OLDEST_RAISED = 11;

/** From which opset on an operator means something else, and in which nodes. */
interface Change {
  readonly since: number;
  readonly concerns: (node: Node) => boolean;
}

const always = (): boolean => true;
/** From opset 13 on these sum over one axis, not over all from it on. */
const oneAxis: Change = { since: 13, concerns: (node) => !isOverLastAxis(node) };
/** What the changelog of ONNX tells for opsets 11 to 20. Types that were added change nothing, nor do attributes whose default is what was done before. */
const CHANGED: ReadonlyMap<string, Change> = new Map([
  // A window that begins behind the end counts no more.
  ["AveragePool", { since: 19, concerns: (node) => intOf(node, "ceil_mode", 0) === 1 }],
  // Further outputs used to say that the statistics are the batch's. An attribute does now, and without it they are given.
  ["BatchNormalization", { since: 14, concerns: (node) => node.outputs.some((output, i) => i > 0 && output !== undefined) }],
  // The axis is an input, with another default.
  ["DFT", { since: 20, concerns: always }],
  // Where nothing is dropped, the mask used to be false (in ONNX Runtime), and is true.
  ["Dropout", { since: 12, concerns: (node) => node.outputs[1] !== undefined && isRead(node.outputs[1], node) }],
  // The modes have other names.
  ["GridSample", { since: 20, concerns: always }],
  // Scale and bias are by channel, not by group.
  ["GroupNormalization", { since: 21, concerns: always }],
  // Ways to place the samples came, went, and were written down anew.
  ["Resize", { since: 19, concerns: always }],
  // The default places the samples half a pixel off.
  ["RoiAlign", { since: 16, concerns: always }],
  ["Softmax", oneAxis], ["LogSoftmax", oneAxis], ["Hardmax", oneAxis],
]);

/**
 * Whether a node of ONNX's own domain means in `target` what it means in `from`, once its attributes stand where they stand there. So does one
 * that ONNX Runtime alone has in that domain.
 */
export function canRaise(node: Node, from: number, target: number): boolean {
  const [old, next] = [schemaOf(node.opType, from), schemaOf(node.opType, target)];
  if (schemaOf(node.opType) === undefined) return definitionOf(node) !== undefined;
  if (old === undefined || next === undefined) return false;
  if (old === next) return true;
  const change = CHANGED.get(node.opType);
  if (change !== undefined && from < change.since && target >= change.since && change.concerns(node)) return false;
  return [...node.attributes].every(([name, a]) => Object.hasOwn(next.attributes, name) || isUseless(node, name) || (a.kind === "ints" && inputIndex(next, name) >= 0));
}

function isOverLastAxis(node: Node): boolean {
  const axis = intOf(node, "axis", 1);
  const rank = node.inputs[0]?.shape?.length;
  return axis === -1 || (rank !== undefined && axis === rank - 1);
}

function isRead(value: Value, { graph }: Node): boolean {
  return value.uses.length > 0 || graph?.outputs.includes(value) === true;
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
  if (CHANGED.get(node.opType) === oneAxis && from < oneAxis.since) node.attributes.set("axis", int(-1));
  for (const [name, a] of [...node.attributes]) {
    if (isUseless(node, name)) node.attributes.delete(name);
    if (Object.hasOwn(next.attributes, name) || a.kind !== "ints" || node.graph === undefined) continue;
    node.setInput(inputIndex(next, name), node.graph.addInitializer(`${node.name}/${name}`, Tensor.ints([a.value.length], a.value)));
    node.attributes.delete(name);
  }
  if (node.opType !== "Split" || node.inputs[1] !== undefined || target < 18 || node.attributes.has("num_outputs")) return;
  node.attributes.set("num_outputs", int(node.outputs.length));
}
