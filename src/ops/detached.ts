/** Values that a gradient treats as constants though they are computed from what is trained: torch's `detach`. */
import type { Node, Value } from "../ir/graph.ts";

/** The key in a node's metadata_props: no gradient passes the node. */
export const DETACHED_KEY = "onnx_hut.detached";

/** Marks the node that makes a value, and returns the value. */
export function detached(value: Value): Value {
  if (value.producer === undefined) throw new TypeError(`nothing computes "${value.name}", so that it has no gradient to stop`);
  value.producer.metadata.set(DETACHED_KEY, "true");
  return value;
}

/** Whether no gradient passes a node. */
export function isDetached({ metadata }: Node): boolean {
  return metadata.has(DETACHED_KEY);
}
