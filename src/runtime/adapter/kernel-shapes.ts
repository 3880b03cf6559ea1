/** How PEFT holds the tensors of a convolution: k is spread over the kernel's axes c, kh, kw, and r and n are followed by ones. */
import type { WeightSite } from "../../passes/weights/find-weights.ts";
import type { ParameterSpec } from "../../methods/updated-transformation.ts";

/** A module trained whole, as PyTorch holds it: a Linear's weight [n, k], a convolution's kernel [n, c, ..]. */
export function savedShape({ k, n, dims }: WeightSite): readonly number[] {
  return dims.length > 2 ? dims : [n, k];
}

/** An adapter's parameter in PEFT's orientation, `shape` two-dimensional: [r, k] → [r, c, ..], [n, r] → [n, r, 1, ..]. Linear ones stay. */
export function peftShape({ dims }: WeightSite, { peft }: ParameterSpec, [rows, columns]: readonly [number, number]): readonly number[] {
  const kernel = dims.slice(1);
  if (kernel.length < 2) return [rows, columns];
  return peft.side === "in" ? [rows, ...kernel] : [rows, columns, ...kernel.slice(1).map(() => 1)];
}
