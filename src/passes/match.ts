/** Matching: what a rule looks for in a graph, and why it isn't there. */
import type { Node, Value } from "../ir/graph.ts";

/** What was found, or what was missed and where. */
export type Match<T> = { readonly found: T } | { readonly missed: string; readonly at: Node | Value };

/** The one number that a constant holds; undefined for anything else. */
function constantScalar(value: Value | undefined): number | undefined {
  const tensor = value?.producer === undefined ? value?.initializer : undefined;
  return tensor?.size === 1 ? tensor.toNumbers()?.[0] : undefined;
}

/** For a binary operator with a constant scalar on either side, which adds no axis to the result: the other value and the number. */
export function withScalar(node: Node | undefined, opType: string): { value: Value; scalar: number; side: number } | undefined {
  if (node?.opType !== opType || node.domain !== "") return undefined;
  for (const side of [1, 0]) {
    const scalar = constantScalar(node.inputs[side]);
    const value = node.inputs[1 - side];
    const axes = node.inputs[side]?.initializer?.dims.length ?? 0;
    if (scalar !== undefined && value !== undefined && axes <= (value.shape?.length ?? 0)) return { value, scalar, side };
  }
  return undefined;
}

/** Whether two numbers are the same to float32's precision. */
export function near(a: number | undefined, b: number): boolean {
  return a !== undefined && Math.abs(a - b) <= 1e-5 * Math.abs(b);
}

/** The only node that reads a value; undefined where several do. */
export function onlyReader(value: Value | undefined): Node | undefined {
  const [use, ...others] = value?.uses ?? [];
  return others.length === 0 ? use?.node : undefined;
}
