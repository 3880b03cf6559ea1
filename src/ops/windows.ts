/** Windows that slide over the spatial axes of x [N, C, d..]: what convolutions and pools share. */
import { intOf, intsOf, stringOf } from "../ir/attribute.ts";
import { addDims, floorDivDims, mulDims, subDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { shapeOf } from "./broadcast.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** The elements before and after one axis. */
interface Pads {
  readonly before: number;
  readonly after: number;
}

/** A window, axis by axis. */
export interface Window {
  /** Elements a window reads along each axis. */
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Undefined for an axis that is padded by its size (SAME_UPPER, SAME_LOWER), which isn't known. */
  readonly pads: readonly (Pads | undefined)[];
  readonly autoPad: string;
  /** Whether a last window that hangs over the end counts. */
  readonly ceil: boolean;
}

/** The window of a node over x, its kernel taken from the attribute or else from a weight [.., .., k..]. Undefined where the number of axes is open. */
export function windowOf(node: Node, x: Shape | undefined, weight?: Shape): Window | undefined {
  const sizes = intsOf(node, "kernel_shape");
  const given = { strides: intsOf(node, "strides"), dilations: intsOf(node, "dilations"), pads: intsOf(node, "pads") };
  const told = given.strides?.length ?? given.dilations?.length ?? (given.pads === undefined ? undefined : given.pads.length / 2);
  const rank = sizes?.length ?? spatialRank(x) ?? spatialRank(weight) ?? told;
  if (rank === undefined) return undefined;
  const ones = Array.from({ length: rank }, () => 1);
  const kernel: readonly Dim[] = sizes ?? weight?.slice(2) ?? ones.map(() => undefined);
  const autoPad = stringOf(node, "auto_pad", "NOTSET");
  const strides = given.strides ?? ones;
  const dilations = given.dilations ?? ones;
  const pads = ones.map((_, i): Pads | undefined => {
    if (autoPad === "NOTSET") return { before: given.pads?.[i] ?? 0, after: given.pads?.[i + rank] ?? 0 };
    return autoPad === "VALID" ? { before: 0, after: 0 } : samePads(x?.[i + 2], reach(kernel[i], dilations[i]), strides[i] ?? 1, autoPad);
  });
  return { kernel, strides, dilations, pads, autoPad, ceil: intOf(node, "ceil_mode", 0) === 1 };
}

function spatialRank(shape: Shape | undefined): number | undefined {
  return shape === undefined ? undefined : shape.length - 2;
}

/** How far a window reaches: dilation · (k − 1) + 1. */
function reach(kernel: Dim, dilation = 1): Dim {
  return addDims(mulDims(dilation, subDims(kernel, 1)), 1);
}

/** What makes ⌈d / stride⌉ windows fit. With stride 1 that doesn't depend on d. */
function samePads(d: Dim, size: Dim, stride: number, autoPad: string): Pads | undefined {
  if (typeof size !== "number") return undefined;
  const total = stride === 1 ? size - 1 : typeof d === "number" ? Math.max(0, (Math.ceil(d / stride) - 1) * stride + size - d) : undefined;
  if (total === undefined) return undefined;
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return autoPad === "SAME_UPPER" ? { before: less, after: more } : { before: more, after: less };
}

/** How many windows fit along each axis. */
export function slidShape(x: Shape, window: Window): Dim[] {
  return window.kernel.map((kernel, i): Dim => {
    const [d, stride, pads, size] = [x[i + 2], window.strides[i] ?? 1, window.pads[i], reach(kernel, window.dilations[i])];
    if (window.autoPad.startsWith("SAME")) return floorDivDims(addDims(d, stride - 1), stride);
    if (pads === undefined) return undefined;
    const room = subDims(addDims(d, pads.before + pads.after), size);
    if (!window.ceil) return addDims(floorDivDims(room, stride), 1);
    // A window that would begin beyond the input and what is padded before it doesn't count.
    if (typeof room !== "number" || typeof d !== "number") return undefined;
    const count = Math.ceil(room / stride) + 1;
    return (count - 1) * stride >= d + pads.before ? count - 1 : count;
  });
}

/** The sizes of the spatial axes at run time, [rank]. */
export function spatialSizes(op: OpBuilder, x: Value): Value {
  return op.Slice(shapeOf(op, x), [2], [Number.MAX_SAFE_INTEGER], [0]);
}

/** x's zeros before and after each spatial axis as a vector for Pad, from two int64 vectors [rank]. */
function padVector(op: OpBuilder, before: Value, after: Value): Value {
  return op.Concat([op.ints([0, 0]), before, op.ints([0, 0]), after], { axis: 0 });
}

/** The pads of SAME_UPPER and SAME_LOWER at run time: what the windows' reach from end to end (`full` [rank]) is beyond x. */
function samePadsAt(op: OpBuilder, window: Window, full: Value, x: Value): { before: Value; after: Value } {
  const missing = op.Sub(full, spatialSizes(op, x));
  const total = op.Where(op.Less(missing, op.ints([0])), op.ints([0]), missing);
  const less = op.Div(total, op.ints([2]));
  const more = op.Sub(total, less);
  return window.autoPad === "SAME_UPPER" ? { before: less, after: more } : { before: more, after: less };
}

/** The attributes `strides` and `dilations`. */
export const attributesOf = ({ strides, dilations }: Window): { strides: readonly number[]; dilations: readonly number[] } => ({ strides, dilations });

/** The attribute `pads` of numbers. */
export const padsAttribute = (pads: readonly Pads[]): number[] => [...pads.map((p) => p.before), ...pads.map((p) => p.after)];

/**
 * dy [N, M, o..] carried back along the windows to the shape of x [N, C, d..] by weights [M, C/g, k..]: a ConvTranspose. What the windows left
 * over at the end becomes output padding where the sizes are numbers, else zeros padded at run time.
 */
export function spreadBack(op: OpBuilder, dy: Value, weight: Value, x: Value, window: Window | undefined, group: number): Value {
  if (window === undefined) return op.ConvTranspose(dy, weight, undefined, { group });
  const fitted = window.kernel.map((kernel, i): Pads | undefined => {
    const [d, o, stride, pads, size] = [x.shape?.[i + 2], dy.shape?.[i + 2], window.strides[i] ?? 1, window.pads[i], reach(kernel, window.dilations[i])];
    if (pads === undefined) return undefined;
    if (stride === 1 && !window.ceil) return pads;
    if (typeof d !== "number" || typeof o !== "number" || typeof size !== "number") return undefined;
    return { before: pads.before, after: (o - 1) * stride + size - pads.before - d };
  });
  if (fitted.every((p) => p !== undefined)) {
    const pads = fitted.map((p) => ({ before: p.before, after: Math.max(0, p.after) }));
    const output_padding = fitted.map((p) => Math.max(0, -p.after));
    return op.ConvTranspose(dy, weight, undefined, { group, ...attributesOf(window), pads: padsAttribute(pads), output_padding });
  }
  const whole = op.ConvTranspose(dy, weight, undefined, { group, ...attributesOf(window) });
  const full = spatialSizes(op, whole);
  const known = window.pads.every((p) => p !== undefined) ? window.pads.map((p) => p.before) : undefined;
  const before = known === undefined ? samePadsAt(op, window, full, x).before : op.ints(known);
  return op.Pad(whole, padVector(op, op.Neg(before), op.Add(op.Sub(spatialSizes(op, x), full), before)));
}

/**
 * Σ over n and windows o of small[n, m, o] · image[n, c, o · stride + k · dilation − pad], as [M, C/g, k..]: the gradient of a convolution's
 * weights. A Conv in which the batch is what is summed over, strides and dilations change places, and `small` is the kernel:
 * image as [C/g, g·N, d..], small as [M, N, o..].
 */
export function correlated(op: OpBuilder, image: Value, small: Value, weight: Value, window: Window | undefined, group: number): Value {
  if (window === undefined) throw new TypeError(`the rank of "${image.name}" or of "${weight.name}" must be known`);
  const axes = window.kernel.map((_, i) => i + 2);
  const kernel = op.Transpose(small, { perm: [1, 0, ...axes] });
  const [padded, pads] = paddedImage(op, image, weight, small, window);
  const turned = group === 1 ? op.Transpose(padded, { perm: [1, 0, ...axes] }) : groupsAsChannels(op, padded, group, axes);
  const [strides, dilations] = [window.dilations, window.strides];
  const sums = op.Conv(turned, kernel, undefined, { group, strides, dilations, ...(pads === undefined ? {} : { pads }) });
  const product = op.Transpose(sums, { perm: [1, 0, ...axes] });
  // Where the windows left something over at the end, there may be places beyond the kernel's last.
  if (dilations.every((s) => s === 1)) return product;
  const sizes = weight.shape?.slice(2) ?? [];
  const ends = sizes.length > 0 && sizes.every((d) => typeof d === "number") ? op.ints(sizes) : spatialSizes(op, weight);
  return op.Slice(product, axes.map(() => 0), ends, axes);
}

/** The image and the `pads` of a Conv over it; where these depend on sizes that aren't known, an image that is padded already. */
function paddedImage(op: OpBuilder, image: Value, weight: Value, small: Value, window: Window): [Value, readonly number[] | undefined] {
  if (window.pads.every((p) => p !== undefined)) return [image, padsAttribute(window.pads)];
  const one = op.ints([1]);
  const size = op.Add(op.Mul(op.Sub(spatialSizes(op, weight), one), op.ints(window.dilations)), one);
  const full = op.Add(op.Mul(op.Sub(spatialSizes(op, small), one), op.ints(window.strides)), size);
  const { before, after } = samePadsAt(op, window, full, image);
  return [op.Pad(image, padVector(op, before, after)), undefined];
}

/** [N, g·C', d..] → [C', g·N, d..]. */
function groupsAsChannels(op: OpBuilder, image: Value, group: number, axes: readonly number[]): Value {
  const sizes = spatialSizes(op, image);
  const batch = op.Slice(shapeOf(op, image), [0], [1], [0]);
  const split = op.Reshape(image, op.Concat([batch, op.ints([group, -1]), sizes], { axis: 0 }));
  const turned = op.Transpose(split, { perm: [2, 1, 0, ...axes.map((a) => a + 1)] });
  return op.Reshape(turned, op.Concat([op.ints([0]), op.Mul(batch, op.ints([group])), sizes], { axis: 0 }));
}
