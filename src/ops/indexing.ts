/** Picking elements by index, and putting them back. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, isNonNegative, minDims, numberOfElements, openShape, subDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Node, Value } from "../ir/graph.ts";
import { allNumbers, fromStart, stridesOf } from "../ir/sizes.ts";
import { likeFirst, shapeOf } from "./broadcast.ts";
import { defineOp, type InferContext } from "./define.ts";
import { strided } from "./elements.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { gathered, sliced } from "./movement.ts";

/** Zeros of a value's shape and type. */
export function zerosLike(op: OpBuilder, x: Value): Value {
  return op.Expand(op.scalar(0, x), shapeOf(op, x));
}

/** Zeros before and after, along each of the axes: [.., e, ..] → [.., before + e + after, ..], as numbers or as int64 vectors [1]. */
function padded(op: OpBuilder, x: Value, rank: number, pads: readonly { axis: number; before: Value | number; after: Value | number }[]): Value {
  const sides = (["before", "after"] as const).flatMap((side) => Array.from({ length: rank }, (_, i) => pads.find((p) => p.axis === i)?.[side] ?? 0));
  const numbers = sides.filter((s) => typeof s === "number");
  return op.Pad(x, numbers.length === sides.length ? numbers : op.Concat(sides.map((s) => (typeof s === "number" ? op.ints([s]) : s)), { axis: 0 }));
}

/** One of the sizes of a value as an int64 vector [1]. */
function sizeAlong(op: OpBuilder, x: Value, axis: number): Value {
  return op.Gather(op.Shape(x), op.ints([axis]));
}

const onAxis = (c: InferContext, fallback: number): number | undefined => {
  const rank = c.shape(0)?.length;
  const axis = intOf(c.node, "axis", fallback);
  return rank === undefined ? undefined : fromStart(axis, rank);
};

/**
 * y = rows of x along `axis` at the indices. [.., d, ..] at [i..] → [.., i.., ..].
 * dx = zeros with dy added in, equal indices adding up. One index alone (a pooler's first token) is dy with zeros around it.
 */
export const Gather = defineOp({
  name: "Gather", moves: gathered, opsets: [1, 11, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => {
    const [data, indices] = [c.shape(0), c.shape(1)];
    const axis = onAxis(c, 0);
    const shape = data === undefined || indices === undefined || axis === undefined ? undefined : [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
    return [{ dataType: c.dataType(0), shape, ...pickedInts(c) }];
  },
  gradient: {
    data: ({ op, node, in: { data, indices }, grad: { output: dy } }) => {
      const axis = intOf(node, "axis", 0);
      const [rank, indexShape] = [data.shape?.length, indices.shape];
      if (rank !== undefined && indexShape !== undefined && indexShape.length <= 1 && indexShape.every((d) => d === 1)) {
        return placedAt(op, data, (axis + rank) % rank, indices, indexShape.length === 0 ? op.Unsqueeze(dy, [fromStart(axis, rank)]) : dy);
      }
      const rows = op.Unsqueeze(indices.dataType === DataType.INT64 ? indices : op.Cast(indices, { to: DataType.INT64 }), [-1]);
      if (axis === 0) return op.ScatterND(zerosLike(op, data), rows, dy, { reduction: "add" });
      if (rank === undefined || indexShape === undefined) throw new TypeError(`the ranks of "${data.name}" and "${indices.name}" must be known`);
      return addedAlong(op, data, (axis + rank) % rank, rows, indexShape.length, dy);
    },
    indices: "none",
  },
});

/** dy [.., 1, ..] with zeros around it, at one index of data [.., d, ..]. */
function placedAt(op: OpBuilder, data: Value, axis: number, index: Value, dy: Value): Value {
  const rank = data.shape?.length ?? 0;
  const [at, size] = [index.facts?.ints?.[0], data.shape?.[axis]];
  if (typeof at === "number" && typeof size === "number") {
    const before = fromStart(at, size);
    return padded(op, dy, rank, [{ axis, before, after: size - 1 - before }]);
  }
  const last = (): Value => op.Sub(sizeAlong(op, data, axis), op.ints([1]));
  if (typeof at === "number" && at >= 0) return padded(op, dy, rank, [{ axis, before: at, after: op.Sub(last(), op.ints([at])) }]);
  const given = op.Reshape(index.dataType === DataType.INT64 ? index : op.Cast(index, { to: DataType.INT64 }), [1]);
  const before = op.Where(op.Less(given, op.ints([0])), op.Add(given, sizeAlong(op, data, axis)), given);
  return padded(op, dy, rank, [{ axis, before, after: op.Sub(last(), before) }]);
}

/** Zeros like data [.., d, ..] with dy [.., i.., ..] added in at rows [i.., 1] along `axis`: scattered with that axis first, then put in order. */
function addedAlong(op: OpBuilder, data: Value, axis: number, rows: Value, indexRank: number, dy: Value): Value {
  const rank = data.shape?.length ?? 0;
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
  const picked = Array.from({ length: indexRank }, (_, i) => axis + i);
  const rest = Array.from({ length: rank + indexRank - 1 }, (_, i) => i).filter((i) => !picked.includes(i));
  const zeros = op.Expand(op.scalar(0, data), op.Gather(shapeOf(op, data), op.ints([axis, ...others])));
  const sum = op.ScatterND(zeros, rows, op.Transpose(dy, { perm: [...picked, ...rest] }), { reduction: "add" });
  return op.Transpose(sum, { perm: Array.from({ length: rank }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i)) });
}

function pickedInts(c: InferContext): Partial<Facts> {
  const [data, indices] = [c.ints(0), c.ints(1)];
  if (data === undefined || indices === undefined || c.shape(0)?.length !== 1) return {};
  return { ints: indices.map((i): Dim => (typeof i === "number" ? data.at(i) : undefined)) };
}

/** y = sums of x up to each place along `axis`. dx = the sums of dy from there on. */
export const CumSum = defineOp({
  name: "CumSum", opsets: [11, 14], inputs: ["x", "axis"], outputs: ["y"], shape: likeFirst, flops: "elementwise",
  gradient: {
    x: ({ op, node, in: { axis }, grad: { y } }) =>
      op.CumSum(y, axis, { exclusive: intOf(node, "exclusive", 0), reverse: 1 - intOf(node, "reverse", 0) }),
    axis: "none",
  },
});

/** What a Slice does along one of its axes, as far as it is known. */
interface AxisSlice {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number | undefined;
}

/** Undefined where even the axes are unknown. */
function axisSlices(c: InferContext, rank: number): AxisSlice[] | undefined {
  const [starts, ends] = c.opset >= 10 ? [c.ints(1), c.ints(2)] : [intsOf(c.node, "starts"), intsOf(c.node, "ends")];
  const count = starts?.length ?? ends?.length ?? c.shape(1)?.[0];
  const axes = c.axes("axes", 3) ?? (c.has(3) ? undefined : openShape(count)?.map((_, i) => i));
  const steps = c.axes("steps", 4);
  return axes?.map((a, i) => ({ axis: fromStart(a, rank), start: starts?.[i], end: ends?.[i], step: c.has(4) ? steps?.[i] : 1 }));
}

/** The first element that a slice of an axis of size d takes, and how many. */
function pickedRange(d: number, start: number, end: number, step: number): { first: number; count: number } {
  const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, fromStart(v, d)));
  const [first, to] = step > 0 ? [clamp(start, 0, d), clamp(end, 0, d)] : [clamp(start, 0, d - 1), end < -d ? -1 : clamp(end, -1, d - 1)];
  return { first, count: Math.max(0, Math.ceil((to - first) / step)) };
}

/** How many elements a slice of an axis of size d has; unknown where the names leave it open. */
function slicedDim(d: Dim, { start, end, step }: AxisSlice): Dim {
  if (step === undefined || step === 0) return undefined;
  if (typeof d === "number" && typeof start === "number" && typeof end === "number") return pickedRange(d, start, end, step).count;
  if (step !== 1) return undefined;
  const from = typeof start === "number" && start < 0 ? addDims(d, start) : start;
  const far = typeof end === "number" && end > 2 ** 30;
  const to = far ? d : typeof end === "number" && end < 0 ? addDims(d, end) : end;
  // The last −start elements, or all where there are fewer.
  if (typeof start === "number" && start < 0 && far) return minDims(d, -start);
  const fits = isNonNegative(from) && isNonNegative(subDims(d, to)) && isNonNegative(subDims(to, from));
  return fits ? subDims(to, from) : from === 0 && isNonNegative(to) ? minDims(d, to) : undefined;
}

/** The elements of a sliced tensor, where all sizes and bounds are numbers. */
function slicedInts(c: InferContext, shape: Shape, slices: readonly AxisSlice[]): Partial<Facts> {
  const [ints, sizes] = [c.ints(0), allNumbers(shape)];
  if (ints === undefined || sizes === undefined) return {};
  const strides = stridesOf(sizes);
  const [dims, steps] = [[...sizes], [...strides]];
  let from = 0;
  for (const { axis, start, end, step } of slices) {
    const [d, stride] = [dims[axis], strides[axis]];
    if (d === undefined || stride === undefined || typeof start !== "number" || typeof end !== "number" || step === undefined || step === 0) return {};
    const { first, count } = pickedRange(d, start, end, step);
    from += first * stride;
    [steps[axis], dims[axis]] = [step * stride, count];
  }
  const picked = strided(ints, dims, from, steps);
  return picked === undefined ? {} : { ints: picked };
}

/** y = x from starts to ends along axes. dx = dy put back among zeros. */
export const Slice = defineOp({
  name: "Slice", moves: sliced, opsets: [1, 10, 11, 13], inputs: ["data", "starts", "ends", "axes", "steps"], outputs: ["output"],
  shape: (c) => {
    const shape = c.shape(0);
    const slices = shape === undefined ? undefined : axisSlices(c, shape.length);
    if (shape === undefined || slices === undefined) return [{ dataType: c.dataType(0), shape: shape?.map(() => undefined) }];
    const sliced = shape.map((d, i): Dim => { const slice = slices.find(({ axis }) => axis === i); return slice === undefined ? d : slicedDim(d, slice); });
    return [{ dataType: c.dataType(0), shape: sliced, ...slicedInts(c, shape, slices) }];
  },
  gradient: {
    data: ({ op, node, has, in: inputs, grad: { output: dy } }) => slicePadded(op, node, inputs.data, dy) ?? putBack(op, inputs.data, dy, (positions) =>
      op.Slice(positions, inputs.starts, inputs.ends, has("axes") ? inputs.axes : undefined, has("steps") ? inputs.steps : undefined)),
    starts: "none", ends: "none", axes: "none", steps: "none",
  },
});

/** A slice without gaps whose starts are known: dy with zeros before and after. Undefined for any other. */
function slicePadded(op: OpBuilder, node: Node, data: Value, dy: Value): Value | undefined {
  const rank = data.shape?.length;
  const known = (index: number): readonly number[] | undefined => {
    const given = node.inputs[index]?.facts?.ints;
    return allNumbers(given);
  };
  const starts = known(1);
  const axes = node.inputs[3] === undefined ? starts?.map((_, i) => i) : known(3);
  const gapless = node.inputs[4] === undefined || known(4)?.every((s) => s === 1) === true;
  if (rank === undefined || starts === undefined || axes === undefined || !gapless) return undefined;
  return padded(op, dy, rank, axes.map((a, i) => {
    const axis = fromStart(a, rank);
    const [start = 0, size, part] = [starts[i], data.shape?.[axis], dy.shape?.[axis]];
    if (typeof size === "number" && typeof part === "number") {
      const before = start < 0 ? Math.max(0, size + start) : Math.min(start, size);
      return { axis, before, after: size - before - part };
    }
    const all = sizeAlong(op, data, axis);
    // By Where: Min and Max of integers came with opset 12.
    const given = op.ints([start]);
    const from = start > 0 ? given : op.Add(all, given);
    const before = start === 0 ? 0 : start > 0 ? op.Where(op.Less(from, all), from, all) : op.Where(op.Less(from, op.ints([0])), op.ints([0]), from);
    const rest = op.Sub(all, sizeAlong(op, dy, axis));
    return { axis, before, after: before === 0 ? rest : op.Sub(rest, before) };
  }));
}

/** Zeros like x with dy put where each of its elements was picked from: the positions of x, numbered and picked from the same way, tell. */
function putBack(op: OpBuilder, x: Value, dy: Value, pick: (positions: Value) => Value): Value {
  const [size, shape] = [op.Size(x), shapeOf(op, x)];
  const positions = op.Reshape(op.Range(op.scalar(0, size), size, op.scalar(1, size)), shape);
  const zeros = op.Expand(op.scalar(0, x), op.Reshape(size, [1]));
  return op.Reshape(op.ScatterElements(zeros, op.Reshape(pick(positions), [-1]), op.Reshape(dy, [-1]), { axis: 0 }), shape);
}

/** y = `on` at each index along a new axis and `off` elsewhere, values being [off, on]. don = Σ dy at the indices, doff = Σ dy elsewhere. */
export const OneHot = defineOp({
  name: "OneHot", opsets: [9, 11], inputs: ["indices", "depth", "values"], outputs: ["output"],
  shape: (c) => {
    const indices: Shape | undefined = c.shape(0);
    const axis = intOf(c.node, "axis", -1);
    if (indices === undefined) return [{ dataType: c.dataType(2), shape: undefined }];
    return [{ dataType: c.dataType(2), shape: indices.toSpliced(fromStart(axis, indices.length + 1), 0, c.numbers(1)?.[0]) }];
  },
  gradient: {
    indices: "none", depth: "none",
    values: ({ op, node, in: { indices, depth, values }, grad: { output: dy } }) => {
      const ends = op.Concat([op.Unsqueeze(op.scalar(0, values), [0]), op.Unsqueeze(op.scalar(1, values), [0])], { axis: 0 });
      const hot = op.OneHot(indices, depth, ends, { axis: intOf(node, "axis", -1) });
      const sum = (v: Value): Value => op.Reshape(op.ReduceSum(v, undefined, { keepdims: 0 }), [1]);
      const on = sum(op.Mul(dy, hot));
      return op.Concat([op.Sub(sum(dy), on), on], { axis: 0 });
    },
  },
});

/** y = the slices of x along `axis` (or the elements of x laid flat) for which a condition holds. dx = zeros with dy put back there. */
export const Compress = defineOp({
  name: "Compress", opsets: [9, 11], inputs: ["input", "condition"], outputs: ["output"],
  shape: (c) => {
    const [shape, axis, condition] = [c.shape(0), intOf(c.node, "axis", undefined), c.ints(1)];
    const count = allNumbers(condition)?.filter((d) => d !== 0).length;
    if (axis === undefined) return [{ dataType: c.dataType(0), shape: [count] }];
    return [{ dataType: c.dataType(0), shape: shape?.map((d, i) => (i === fromStart(axis, shape.length) ? count : d)) }];
  },
  gradient: {
    input: ({ op, node, in: { input, condition }, grad: { output: dy } }) => {
      const axis = intOf(node, "axis", undefined);
      return putBack(op, input, dy, (positions) => op.Compress(positions, condition, axis === undefined ? {} : { axis }));
    },
    condition: "none",
  },
});

/** The different elements of x, or slices along `axis`, and where they stand. */
export const Unique = defineOp({
  name: "Unique", opsets: [11], inputs: ["X"], outputs: ["Y", "indices", "inverse_indices", "counts"], gradient: { X: "unwritten" },
  shape: (c) => {
    const [shape, axis] = [c.shape(0), intOf(c.node, "axis", undefined)];
    const at = axis === undefined ? undefined : fromStart(axis, shape?.length);
    const places = { dataType: DataType.INT64, shape: [undefined] };
    const inverse = at === undefined ? (shape === undefined ? undefined : numberOfElements(shape)) : shape?.[at];
    return [{ dataType: c.dataType(0), shape: axis === undefined ? [undefined] : shape?.map((d, i) => (i === at ? undefined : d)) }, places,
      { dataType: DataType.INT64, shape: [inverse] }, places];
  },
});
