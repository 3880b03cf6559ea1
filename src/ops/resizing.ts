/** Images x [N, C, d..] made larger or smaller. */
import { floatOf, intOf, intsOf, stringOf } from "../ir/attribute.ts";
import { floorDivDims, mulDims, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { fromStart } from "../ir/sizes.ts";
import { Tensor } from "../ir/tensor.ts";
import { elements } from "./broadcast.ts";
import { defineOp, type GradientContext } from "./define.ts";
import { requireMakeable } from "./elements.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { restoredShape } from "./products.ts";

/** How one axis of d elements is read at o places, one a multiple of 1 / scale after the other. */
interface Axis {
  readonly d: number;
  readonly o: number;
  readonly scale: number;
  /** Where a region begins and ends, as parts of the axis (tf_crop_and_resize). */
  readonly region: readonly [number, number] | undefined;
}

/** How elements between the axis' own are made. */
interface Reading {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
}

/** Before opset 11 the elements are read at o / scale, "nearest" being the one below or, where the axis gets shorter, above. */
const COORDINATES = 11;

function readingOf(op: OpBuilder, node: Node): Reading {
  const old = op.opset < COORDINATES;
  if (intOf(node, "antialias", 0) === 1) throw new TypeError("its gradient with antialias is not written");
  return {
    mode: stringOf(node, "mode", "nearest"),
    coordinates: old ? "asymmetric" : stringOf(node, "coordinate_transformation_mode", "half_pixel"),
    nearest: old ? "simple" : stringOf(node, "nearest_mode", "round_prefer_floor"),
    cubic: floatOf(node, "cubic_coeff_a", -0.75), excludeOutside: intOf(node, "exclude_outside", 0) === 1,
  };
}

/**
 * The place on an axis, counted in its own elements, that element i of the result is read at. Quotients are rounded to float32 as in ONNX
 * Runtime: where one is nearly whole, the nearest element hangs on its last bit.
 */
function placeOf(i: number, { d, o, scale, region }: Axis, { coordinates }: Reading): number {
  const middle = Math.fround((i + 0.5) / scale);
  switch (coordinates) {
    case "half_pixel": return Math.fround(middle - 0.5);
    case "pytorch_half_pixel": return o > 1 ? Math.fround(middle - 0.5) : 0;
    case "half_pixel_symmetric": return (d / 2) * (1 - o / (scale * d)) + middle - 0.5;
    case "align_corners": return o > 1 ? Math.fround((i * (d - 1)) / (o - 1)) : 0;
    case "asymmetric": return Math.fround(i / scale);
    case "tf_half_pixel_for_nn": return middle;
    case "tf_crop_and_resize": {
      const [start, end] = region ?? [0, 1];
      return o > 1 ? start * (d - 1) + (i * (end - start) * (d - 1)) / (o - 1) : 0.5 * (start + end) * (d - 1);
    }
    default: throw new TypeError(`coordinate_transformation_mode "${coordinates}" is unknown`);
  }
}

function roundedPlace(place: number, scale: number, nearest: string): number {
  switch (nearest) {
    case "round_prefer_floor": return Math.ceil(place - 0.5);
    case "round_prefer_ceil": return Math.floor(place + 0.5);
    case "floor": return Math.floor(place);
    case "ceil": return Math.ceil(place);
    case "simple": return scale < 1 ? Math.ceil(place) : Math.floor(place);
    default: throw new TypeError(`nearest_mode "${nearest}" is unknown`);
  }
}

/** The cubic of Keys with coefficient a, at a distance of up to 2. */
function keys(a: number, distance: number): number {
  const t = Math.abs(distance);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

/** The elements that are read at a place, and their weights; one that lies beyond the axis' ends stands for the last before it. */
function taps(place: number, axis: Axis, reading: Reading): { at: number; weight: number }[] {
  const below = Math.floor(place);
  switch (reading.mode) {
    case "nearest": return [{ at: roundedPlace(place, axis.scale, reading.nearest), weight: 1 }];
    case "linear": case "bilinear": {
      const inside = Math.min(Math.max(place, 0), axis.d - 1);
      const at = Math.floor(inside);
      return [{ at, weight: 1 - (inside - at) }, { at: at + 1, weight: inside - at }];
    }
    case "cubic": {
      const four = [-1, 0, 1, 2].map((i) => ({ at: below + i, weight: keys(reading.cubic, place - (below + i)) }));
      const counted = reading.excludeOutside ? four.filter(({ at }) => at >= 0 && at < axis.d) : four;
      const sum = counted.reduce((a, { weight }) => a + weight, 0);
      return reading.excludeOutside ? counted.map(({ at, weight }) => ({ at, weight: weight / sum })) : counted;
    }
    default: throw new TypeError(`mode "${reading.mode}" is unknown`);
  }
}

/** The matrix [o, d] of one axis: y = M · x along it. Places outside a region that is cropped to read nothing. */
function matrixOf(axis: Axis, reading: Reading): number[] {
  const { d, o } = axis;
  requireMakeable([o, d], "how an axis is read");
  const matrix = Array.from({ length: o * d }, () => 0);
  for (let i = 0; i < o; i += 1) {
    const place = placeOf(i, axis, reading);
    if (reading.coordinates === "tf_crop_and_resize" && (place < 0 || place > d - 1)) continue;
    for (const { at, weight } of taps(place, axis, reading)) {
      const cell = i * d + Math.min(Math.max(at, 0), d - 1);
      matrix[cell] = (matrix[cell] ?? 0) + weight;
    }
  }
  return matrix;
}

/** dx = Mᵀ · dy along each axis that changes, by matrices made of the sizes, which must be numbers. */
function spreadAlongAxes(
  op: OpBuilder, x: Value, dy: Value, reading: Reading, scales: readonly number[] | undefined, regions: readonly number[] | undefined,
): Value {
  const [from, to] = [x.shape, dy.shape];
  if (from === undefined || to === undefined) throw new TypeError(`the shapes of "${x.name}" and of the result must be known`);
  return from.reduce<Value>((grad, d, i) => {
    const o = to[i];
    const region = regions === undefined ? undefined : [regions[i] ?? 0, regions[i + from.length] ?? 1] as const;
    if (sameDim(d, o) && (scales?.[i] ?? 1) === 1 && (reading.coordinates !== "tf_crop_and_resize" || region?.join() === "0,1")) return grad;
    if (typeof d !== "number" || typeof o !== "number") {
      throw new TypeError(`axis ${String(i)} of "${x.name}" is resized, and its size must be known as a number`);
    }
    // ONNX Runtime keeps scales in float32.
    const matrix = matrixOf({ d, o, scale: Math.fround(scales?.[i] ?? o / d), region }, reading);
    const constant = op.Cast(op.constant("resize", Tensor.floats([o, d], matrix)), { to: x.dataType });
    const last = from.map((_, j) => (j === i ? from.length - 1 : j === from.length - 1 ? i : j));
    const turned = i === from.length - 1 ? grad : op.Transpose(grad, { perm: last });
    const product = op.MatMul(turned, constant);
    return i === from.length - 1 ? product : op.Transpose(product, { perm: last });
  }, dy);
}

/** The floats of a constant input; undefined where it isn't given, has none, or isn't a constant. */
function constantNumbers(value: Value | undefined): readonly number[] | undefined {
  // Scales and regions have a few numbers; a longer constant is not read.
  const numbers = value?.initializer?.atHand === true ? value.initializer.toNumbers() : undefined;
  return numbers === undefined || numbers.length === 0 ? undefined : [...numbers];
}

const isGiven = (value: Value | undefined): value is Value => value !== undefined && value.shape?.[0] !== 0;

/** A vector that speaks of `axes` alone, for all axes. */
function overAll<T>(values: readonly T[] | undefined, axes: readonly number[] | undefined, rank: number, fallback: readonly T[]): readonly T[] | undefined {
  if (values === undefined || axes === undefined) return values;
  return Array.from({ length: rank }, (_, i) => {
    const at = axes.findIndex((a) => fromStart(a, rank) === i);
    return (at < 0 ? fallback[i] : values[at]) as T;
  });
}

/** What a Resize is given, over all axes of x: sizes or scales, the one not given being undefined. */
interface Target {
  readonly scales: readonly number[] | undefined;
  readonly sizes: readonly Dim[] | undefined;
}

function targetOf(node: Node, x: Shape, opset: number): Target {
  const axes = intsOf(node, "axes");
  const named = axes?.map((a) => fromStart(a, x.length)) ?? x.map((_, i) => i);
  const open: Target = { scales: undefined, sizes: x.map((d, i) => (named.includes(i) ? undefined : d)) };
  const ones = x.map(() => 1);
  const scales = overAll(constantNumbers(node.inputs[opset < COORDINATES ? 1 : 2]), axes, x.length, ones);
  const given = opset < COORDINATES ? undefined : node.inputs[3];
  if (!isGiven(given)) return scales === undefined ? open : { scales, sizes: undefined };
  const policy = stringOf(node, "keep_aspect_ratio_policy", "stretch");
  const sizes = overAll<Dim>(given.facts?.ints, axes, x.length, x);
  if (sizes === undefined) return open;
  if (policy === "stretch") return { scales: undefined, sizes };
  // One scale for all axes named, the smallest or the largest that the sizes ask for.
  const ratios = named.map((i) => [sizes[i], x[i]]).map(([size, d]) => (typeof size === "number" && typeof d === "number" ? size / d : NaN));
  const scale = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  if (Number.isNaN(scale)) return open;
  return {
    scales: x.map((_, i) => (named.includes(i) ? scale : 1)),
    sizes: x.map((d, i) => (named.includes(i) && typeof d === "number" ? Math.floor(scale * d + 0.5) : d)),
  };
}

/** ⌊d · scale⌋: exact for whole scales of any d, for others where d is a number. */
function scaled(d: Dim, scale: number): Dim {
  if (Number.isInteger(scale)) return mulDims(d, scale);
  if (typeof d === "number") return Math.floor(Math.fround(d * Math.fround(scale)));
  return Number.isInteger(1 / scale) ? floorDivDims(d, 1 / scale) : undefined;
}

type Resizing = GradientContext<"X" | "roi" | "scales" | "sizes", "Y">;

/**
 * y = x at another size, each axis read at places between its elements: nearest, linear or cubic. Along each axis that is a matrix [o, d], so
 * dx = dy times these matrices, which are made of the sizes when the graph is built.
 */
export const Resize = defineOp({
  name: "Resize", opsets: [10, 11, 13, 18, 19], inputs: ["X", "roi", "scales", "sizes"], outputs: ["Y"], flops: (_, [out]) => mulDims(4, elements(out)),
  shape: (c) => {
    const x = c.shape(0);
    if (x === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const { scales, sizes } = targetOf(c.node, x, c.opset);
    return [{ dataType: c.dataType(0), shape: sizes ?? x.map((d, i) => (scales === undefined ? undefined : scaled(d, scales[i] ?? 1))) }];
  },
  gradient: {
    X: ({ op, node, in: { X }, grad: { Y } }: Resizing) => {
      if (X.shape === undefined) throw new TypeError(`the shape of "${X.name}" must be known`);
      const { scales, sizes } = targetOf(node, X.shape, op.opset);
      if (scales === undefined && sizes?.includes(undefined) !== false) {
        throw new TypeError("its scales or sizes must be constants, and the sizes of what they resize known");
      }
      const reading = readingOf(op, node);
      const rank = X.shape.length;
      const given = reading.coordinates === "tf_crop_and_resize" ? constantNumbers(node.inputs[1]) : undefined;
      if (reading.coordinates === "tf_crop_and_resize" && given === undefined) throw new TypeError("its region must be a constant");
      const half = (given?.length ?? 0) / 2;
      const axes = intsOf(node, "axes");
      const starts = overAll(given?.slice(0, half), axes, rank, X.shape.map(() => 0));
      const ends = overAll(given?.slice(half), axes, rank, X.shape.map(() => 1));
      return spreadAlongAxes(op, X, Y, reading, scales, starts === undefined || ends === undefined ? undefined : [...starts, ...ends]);
    },
    roi: "none", scales: "none", sizes: "none",
  },
});

/** The oldest form of Resize: elements are read at o / scale. */
export const Upsample = defineOp({
  name: "Upsample", opsets: [7, 9], inputs: ["X", "scales"], outputs: ["Y"], flops: (_, [out]) => mulDims(4, elements(out)),
  shape: (c) => {
    const scales = upsampleScales(c.node);
    return [{ dataType: c.dataType(0), shape: c.shape(0)?.map((d, i) => (scales === undefined ? undefined : scaled(d, scales[i] ?? 1))) }];
  },
  gradient: {
    X: ({ op, node, in: { X }, grad: { Y } }) => {
      const scales = upsampleScales(node);
      if (scales === undefined) throw new TypeError("its scales must be constants");
      return spreadAlongAxes(op, X, Y, readingOf(op, node), scales, undefined);
    },
    scales: "none",
  },
});

function upsampleScales(node: Node): readonly number[] | undefined {
  const given = node.attributes.get("scales");
  return given?.kind === "floats" ? given.value : constantNumbers(node.inputs[1]);
}

/** y [N, C / b², H · b, W · b] = each b × b block of channels laid out as a square. dx = dy's squares laid back as channels. */
export const DepthToSpace = defineOp({
  name: "DepthToSpace", opsets: [1, 11, 13], inputs: ["input"], outputs: ["output"],
  shape: (c) => {
    const [shape, b] = [c.shape(0), intOf(c.node, "blocksize", 1)];
    if (shape === undefined) return [{ dataType: c.dataType(0), shape }];
    return [{ dataType: c.dataType(0), shape: [shape[0], floorDivDims(shape[1], b * b), mulDims(shape[2], b), mulDims(shape[3], b)] }];
  },
  gradient: {
    input: ({ op, node, in: { input }, grad: { output } }) => {
      const b = intOf(node, "blocksize", 1);
      const channels = op.SpaceToDepth(output, { blocksize: b });
      if (stringOf(node, "mode", "DCR") === "DCR") return channels;
      // The channels stand as [b², C'] and are wanted as [C', b²].
      const last = op.Reshape(op.Transpose(op.Reshape(channels, [0, 0, -1]), { perm: [0, 2, 1] }), [0, 0, b * b, -1]);
      const turned = op.Transpose(last, { perm: [0, 3, 2, 1] });
      return op.Reshape(turned, restoredShape(op, input, turned));
    },
  },
});

/** y [N, C · b², H / b, W / b] = each b × b square laid out as channels. dx = dy's channels laid back as squares. */
export const SpaceToDepth = defineOp({
  name: "SpaceToDepth", opsets: [1, 13], inputs: ["input"], outputs: ["output"],
  shape: (c) => {
    const [shape, b] = [c.shape(0), intOf(c.node, "blocksize", 1)];
    if (shape === undefined) return [{ dataType: c.dataType(0), shape }];
    return [{ dataType: c.dataType(0), shape: [shape[0], mulDims(shape[1], b * b), floorDivDims(shape[2], b), floorDivDims(shape[3], b)] }];
  },
  gradient: { input: ({ op, node, grad: { output } }) => op.DepthToSpace(output, { blocksize: intOf(node, "blocksize", 1) }) },
});
