/**
 * Brings a graph to a newer opset, so that later passes may use its operators. For the training view alone.
 *
 * Guarantees: the numbers stay; either the whole graph is raised or nothing changes. Rules: (1) an attribute that became an input becomes a
 * constant input; (2) Split without sizes gets its number of outputs; (3) a Softmax from before opset 13 over its last axis says so; (4) a
 * Dropout's rate, which inference has no use for, goes; (5) operators that ONNX Runtime alone has in ONNX's domain stay as they are; (6) an
 * operator whose meaning changed otherwise, or that nobody knows, leaves the graph as it was.
 */
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { canRaise, OLDEST_RAISED, raiseNode } from "./raise-node.ts";

/** Returns whether the model was raised. */
export function raiseOpset(model: Model, target: number): boolean {
  const from = model.opset;
  if (from >= target || from < OLDEST_RAISED) return false;
  const nodes = everyNode(model.graph).filter((node) => node.domain === "");
  if (!nodes.every((node) => canRaise(node, from, target))) return false;
  for (const node of nodes) raiseNode(node, from, target);
  model.opsets.set("", target);
  return true;
}
