/** How PEFT holds tensors: turned or not, with s or without, and those of a convolution with k spread over the kernel's axes c, kh, kw. */
import type { ParameterSpec, UpdatedTransformation } from "../../methods/updated-transformation.ts";
import { torchLayout } from "../../passes/adapt.ts";
import type { WeightSite } from "../../passes/weights/find-weights.ts";

/** A module trained whole, as PyTorch holds it: a Linear's weight [n, k], a Conv1D's [k, n], a convolution's kernel [n, c, ..]. */
export function savedShape(site: WeightSite, layout = torchLayout(site)): readonly number[] {
  const { k, n, dims } = site;
  return dims.length > 2 ? dims : layout === "kn" ? [k, n] : [n, k];
}

/** Whether PEFT has a parameter's axes the other way round. */
export function isTurned({ axes, peft }: Pick<ParameterSpec, "axes" | "peft">): boolean {
  const theirs = peft.axes.filter((axis) => axis !== 1);
  return axes.length > 1 && theirs.join() === axes.toReversed().join();
}

/** Whether PEFT's tensor has s multiplied in: its configuration has no alpha then. */
export function isScaledInPeft({ peft }: UpdatedTransformation, { scalable }: ParameterSpec): boolean {
  return scalable && peft?.alpha === undefined;
}

/** An adapter's parameter as PEFT shapes it: of a kernel that is spread, [r, k] → [r, c, ..], [n, r] → [n, r, 1, ..]. */
export function peftShape({ dims }: WeightSite, { peft: form }: UpdatedTransformation, { axes, shape, peft }: ParameterSpec): readonly number[] {
  const sizes = peft.axes.map((axis) => (axis === 1 ? 1 : shape[axes.indexOf(axis)] ?? 0));
  const kernel = dims.slice(1);
  if (kernel.length < 2 || form?.kernels !== "spread") return sizes;
  return peft.axes.at(-1) === "in" ? [...sizes.slice(0, -1), ...kernel] : [...sizes, ...kernel.slice(1).map(() => 1)];
}
