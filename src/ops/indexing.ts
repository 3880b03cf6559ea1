/** Picking elements by index, and putting them back. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { addDims, isNonNegative, mulDims, subDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Value } from "../ir/graph.ts";
import { likeFirst } from "./broadcast.ts";
import { defineOp, type InferContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { restoredShape } from "./products.ts";

/** Zeros of a value's shape and type. */
export function zerosLike(op: OpBuilder, x: Value): Value {
  return op.Expand(op.scalar(0, x), restoredOrShape(op, x));
}

function restoredOrShape(op: OpBuilder, x: Value): Value {
  return x.shape?.every((d) => typeof d === "number") === true ? restoredShape(op, x) : op.Shape(x);
}

const onAxis = (c: InferContext, fallback: number): number | undefined => {
  const rank = c.shape(0)?.length;
  const axis = intOf(c.node, "axis", fallback);
  return rank === undefined ? undefined : axis < 0 ? axis + rank : axis;
};

/**
 * y = rows of x along `axis` at the indices. [.., d, ..] at [i..] → [.., i.., ..].
 * dx = zeros with dy added in: one index in common for all is a Pad-free ScatterND-free case of its own (a pooler's first token).
 */
export const Gather = defineOp({
  name: "Gather", opsets: [1, 11, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => {
    const [data, indices] = [c.shape(0), c.shape(1)];
    const axis = onAxis(c, 0);
    const shape = data === undefined || indices === undefined || axis === undefined ? undefined : [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
    return [{ dataType: c.dataType(0), shape, ...pickedInts(c) }];
  },
  gradient: {
    data: ({ op, node, in: { data, indices }, grad: { output: dy } }) => {
      const rank = data.shape?.length;
      const indexRank = indices.shape?.length;
      if (rank === undefined || indexRank === undefined) throw new TypeError(`the ranks of "${data.name}" and "${indices.name}" must be known`);
      const axis = (intOf(node, "axis", 0) + rank) % rank;
      // The picked axis first: rows of x, numbered by the index. Equal indices add up.
      const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
      const picked = Array.from({ length: indexRank }, (_, i) => axis + i);
      const rest = Array.from({ length: rank + indexRank - 1 }, (_, i) => i).filter((i) => !picked.includes(i));
      const first = op.Transpose(dy, { perm: [...picked, ...rest] });
      const turned = axis === 0 ? data : op.Transpose(data, { perm: [axis, ...others] });
      const sizes = op.Shape(data);
      const size = op.Gather(sizes, op.scalar(axis, sizes));
      const wrapped = op.Where(op.Less(indices, op.scalar(0, indices)), op.Add(indices, op.Cast(size, { to: indices.dataType })), indices);
      const sum = op.ScatterND(zerosLike(op, turned), op.Unsqueeze(wrapped, [-1]), first, { reduction: "add" });
      if (axis === 0) return sum;
      return op.Transpose(sum, { perm: Array.from({ length: rank }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i)) });
    },
    indices: "none",
  },
});

function pickedInts(c: InferContext): Partial<Facts> {
  const [data, indices] = [c.ints(0), c.ints(1)];
  if (data === undefined || indices === undefined || c.shape(0)?.length !== 1) return {};
  return { ints: indices.map((i): Dim => (typeof i === "number" ? data.at(i) : undefined)) };
}

/** y[..i..] = x[..index[i]..] along `axis`. dx = zeros with dy added in. */
export const GatherElements = defineOp({
  name: "GatherElements", opsets: [11, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(1) }],
  gradient: {
    data: ({ op, node, in: { data, indices }, grad: { output } }) =>
      op.ScatterElements(zerosLike(op, data), indices, output, { axis: intOf(node, "axis", 0), reduction: "add" }),
    indices: "none",
  },
});

/** y = slices of x at index tuples [.., m], after `batch_dims` shared axes. dx = zeros with dy added in. */
export const GatherND = defineOp({
  name: "GatherND", opsets: [11, 12, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => {
    const [data, indices] = [c.shape(0), c.shape(1)];
    const depth = indices?.at(-1);
    const shape = data === undefined || indices === undefined || typeof depth !== "number" ? undefined
      : [...indices.slice(0, -1), ...data.slice(intOf(c.node, "batch_dims", 0) + depth)];
    return [{ dataType: c.dataType(0), shape }];
  },
  gradient: { data: "unwritten", indices: "none" },
});

export const ScatterND = defineOp({
  name: "ScatterND", opsets: [11, 13, 16, 18], inputs: ["data", "indices", "updates"], outputs: ["output"], shape: likeFirst,
  gradient: { data: "unwritten", indices: "none", updates: "unwritten" },
});

export const ScatterElements = defineOp({
  name: "ScatterElements", opsets: [11, 13, 16, 18], inputs: ["data", "indices", "updates"], outputs: ["output"], shape: likeFirst,
  gradient: { data: "unwritten", indices: "none", updates: "unwritten" },
});

export const CumSum = defineOp({
  name: "CumSum", opsets: [11, 14], inputs: ["x", "axis"], outputs: ["y"], shape: likeFirst, flops: "elementwise",
  gradient: {
    x: ({ op, node, in: { axis }, grad: { y } }) =>
      op.CumSum(y, axis, { exclusive: intOf(node, "exclusive", 0), reverse: 1 - intOf(node, "reverse", 0) }),
    axis: "none",
  },
});

/** starts, ends, axes, steps of a Slice, as far as they are known. */
function sliceBounds(c: InferContext): { starts: readonly Dim[]; ends: readonly Dim[]; axes: readonly number[]; steps: readonly number[] } | undefined {
  const starts = c.opset >= 10 ? c.ints(1) : intsOf(c.node, "starts");
  const ends = c.opset >= 10 ? c.ints(2) : intsOf(c.node, "ends");
  if (starts === undefined || ends === undefined) return undefined;
  const axes = c.axes("axes", 3) ?? (c.has(3) ? undefined : starts.map((_, i) => i));
  const steps = c.axes("steps", 4) ?? (c.has(4) ? undefined : starts.map(() => 1));
  return axes === undefined || steps === undefined ? undefined : { starts, ends, axes, steps };
}

/** How many elements a slice of an axis of size d has; unknown where the names leave it open. */
function slicedDim(d: Dim, start: Dim, end: Dim, step: number): Dim {
  if (step === 1) {
    const from = typeof start === "number" && start < 0 ? addDims(d, start) : start;
    const far = typeof end === "number" && end > 2 ** 30;
    const to = far ? d : typeof end === "number" && end < 0 ? addDims(d, end) : end;
    if (typeof d === "number" && typeof from === "number" && typeof to === "number") return Math.max(0, Math.min(d, to) - Math.max(0, Math.min(d, from)));
    const fits = isNonNegative(subDims(d, to)) && isNonNegative(from) && isNonNegative(subDims(to, from));
    return fits ? subDims(to, from) : undefined;
  }
  if (typeof d !== "number" || typeof start !== "number" || typeof end !== "number" || step === 0) return undefined;
  const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v < 0 ? v + d : v));
  const [from, to] = step > 0 ? [clamp(start, 0, d), clamp(end, 0, d)] : [clamp(start, 0, d - 1), end < -d ? -1 : clamp(end, -1, d - 1)];
  return Math.max(0, Math.ceil((to - from) / step));
}

/** y = x from starts to ends along axes. dx = dy put back among zeros. */
export const Slice = defineOp({
  name: "Slice", opsets: [1, 10, 11, 13], inputs: ["data", "starts", "ends", "axes", "steps"], outputs: ["output"],
  shape: (c) => {
    const shape = c.shape(0);
    const bounds = sliceBounds(c);
    if (shape === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    if (bounds === undefined) return [{ dataType: c.dataType(0), shape: shape.map(() => undefined) }];
    const sliced = [...shape];
    bounds.axes.forEach((a, i) => {
      const axis = a < 0 ? a + shape.length : a;
      sliced[axis] = slicedDim(shape[axis], bounds.starts[i], bounds.ends[i], bounds.steps[i] ?? 1);
    });
    const [ints, start, end] = [c.ints(0), bounds.starts[0], bounds.ends[0]];
    const followed = ints !== undefined && shape.length === 1 && bounds.steps[0] === 1 && typeof start === "number" && typeof end === "number"
      ? { ints: ints.slice(start, end) } : {};
    return [{ dataType: c.dataType(0), shape: sliced, ...followed }];
  },
  gradient: {
    // Positions of x numbered and sliced the same way tell where each element of dy belongs, whatever the bounds and steps.
    data: ({ op, node, in: { data }, grad: { output: dy } }) => {
      const size = op.Size(data);
      const positions = op.Reshape(op.Range(op.scalar(0, size), size, op.scalar(1, size)), op.Shape(data));
      const picked = op.emit("Slice", [positions, ...node.inputs.slice(1)], {}, 1)[0];
      if (picked === undefined) throw new TypeError("a Slice without output");
      const flat = op.ScatterElements(op.Expand(op.scalar(0, data), op.Reshape(size, [1])), op.Reshape(picked, [-1]), op.Reshape(dy, [-1]), { axis: 0 });
      return op.Reshape(flat, op.Shape(data));
    },
    starts: "none", ends: "none", axes: "none", steps: "none",
  },
});

/** A one at each index along a new axis. */
export const OneHot = defineOp({
  name: "OneHot", opsets: [9, 11], inputs: ["indices", "depth", "values"], outputs: ["output"],
  shape: (c) => {
    const indices: Shape | undefined = c.shape(0);
    const axis = intOf(c.node, "axis", -1);
    if (indices === undefined) return [{ dataType: c.dataType(2), shape: undefined }];
    return [{ dataType: c.dataType(2), shape: indices.toSpliced(axis < 0 ? axis + indices.length + 1 : axis, 0, c.ints(1)?.[0]) }];
  },
  gradient: { indices: "none", depth: "none", values: "unwritten" }, flops: (_, [out]) => mulDims(0, out?.shape?.[0]),
});
