/** What moves or retypes bytes and changes no number: views, transposes, concatenation, casts. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, divideExactly, mulDims, numberOfElements, openShape, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts } from "../ir/graph.ts";
import { allNumbers, fromStart, stridesOf } from "../ir/sizes.ts";
import { broadcastShapes, likeFirst, shapeOf, unbroadcast } from "./broadcast.ts";
import { defineOp, type InferContext } from "./define.ts";
import { MAX_FOLLOWED_INTS, strided } from "./elements.ts";
import { inOrder, joined, permuted, splitUp } from "./movement.ts";
import { restoredShape } from "./products.ts";

const known = (ints: readonly Dim[] | undefined): Partial<Facts> => (ints === undefined ? {} : { ints });
const normalAxes = (axes: readonly number[], rank: number): number[] => axes.map((a) => fromStart(a, rank));

/** y = x. */
export const Identity = defineOp({
  name: "Identity", carries: () => "kept", opsets: [1, 13, 14, 16, 19, 21, 23, 24], inputs: ["input"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0), ...known(c.ints(0)) }],
  gradient: { input: ({ grad: { output } }) => output },
});

/** y = x in another type. Between float types dx = dy cast back; nothing flows through an integer or boolean. */
export const Cast = defineOp({
  name: "Cast", carries: () => "kept", opsets: [6, 9, 13, 19, 21, 23, 24], inputs: ["input"], outputs: ["output"],
  shape: (c) => {
    const to = intOf(c.node, "to", 0);
    const ints = to === DataType.BOOL ? c.ints(0)?.map((d): Dim => (typeof d === "number" ? Number(d !== 0) : undefined))
      : to === DataType.INT64 || to === DataType.INT32 ? c.ints(0) : undefined;
    return [{ dataType: to, shape: c.shape(0), ...known(ints) }];
  },
  gradient: { input: ({ op, in: { input }, grad: { output } }) => (input.dataType === output.dataType ? output : op.Cast(output, { to: input.dataType })) },
});

/** y = x in the type of another value, which gives nothing else. */
export const CastLike = defineOp({
  name: "CastLike", opsets: [15, 19, 21, 23, 24], inputs: ["input", "target_type"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(1), shape: c.shape(0) }],
  gradient: { input: ({ op, in: { input }, grad: { output } }) => (input.dataType === output.dataType ? output : op.Cast(output, { to: input.dataType })), target_type: "none" },
});

/** Where a target size is 0 the input's is taken; −1 is what remains. */
function reshaped(c: InferContext): Shape | undefined {
  const from = c.shape(0);
  const target = c.ints(1);
  if (target === undefined) {
    return openShape(c.shape(1)?.[0]);
  }
  const copies = intOf(c.node, "allowzero", 0) === 0;
  const shape = target.map((d, i): Dim => (d === 0 && copies ? from?.[i] : d));
  const open = target.findIndex((d) => d === -1);
  if (open < 0) return shape;
  const rest = shape.filter((_, i) => i !== open);
  // Sizes that stand on both sides cancel, so that one unknown among them does no harm.
  const left = [...(from ?? [undefined])];
  const right = rest.filter((d) => { const at = left.findIndex((l) => sameDim(l, d)); if (at >= 0) left.splice(at, 1); return at < 0; });
  const kept = target.flatMap((d, i) => (d === 0 && copies && from?.[i] === undefined ? [i] : []));
  if (kept.length > 0) return shape.map((d, i) => (i === open ? undefined : d));
  return shape.map((d, i) => (i === open ? divideExactly(numberOfElements(left), numberOfElements(right)) : d));
}

/** y = x with other dimensions. dx = dy with x's. */
export const Reshape = defineOp({
  name: "Reshape", carries: () => "reshaped", moves: inOrder, opsets: [5, 13, 14, 19, 21, 23, 24], inputs: ["data", "shape"], outputs: ["reshaped"],
  shape: (c) => [{ dataType: c.dataType(0), shape: reshaped(c), ...known(c.ints(0)) }],
  gradient: { data: ({ op, in: { data }, grad: { reshaped: dy } }) => op.Reshape(dy, restoredShape(op, data, dy)), shape: "none" },
});

/** y = x as a matrix, the axes before `axis` together and the others together. */
export const Flatten = defineOp({
  name: "Flatten", moves: inOrder, opsets: [1, 9, 11, 13, 21, 23, 24], inputs: ["input"], outputs: ["output"],
  shape: (c) => {
    const shape = c.shape(0);
    const axis = intOf(c.node, "axis", 1);
    const at = fromStart(axis, shape?.length);
    return [{ dataType: c.dataType(0), shape: shape === undefined ? [undefined, undefined] : [numberOfElements(shape.slice(0, at)), numberOfElements(shape.slice(at))] }];
  },
  gradient: { input: ({ op, in: { input }, grad: { output } }) => op.Reshape(output, restoredShape(op, input, output)) },
});

/** y = x with its axes in another order. dx = dy in the inverse order. */
export const Transpose = defineOp({
  name: "Transpose", moves: permuted, opsets: [1, 13, 21, 23, 24], inputs: ["data"], outputs: ["transposed"],
  carries: (node) => ((intsOf(node, "perm") ?? [1, 0]).join() === "1,0" ? "swapped" : undefined),
  shape: (c) => {
    const shape = c.shape(0);
    const perm = intsOf(c.node, "perm") ?? shape?.map((_, i) => shape.length - 1 - i);
    if (shape === undefined || perm === undefined) return [{ dataType: c.dataType(0), shape: perm?.map(() => undefined) }];
    const transposed = perm.map((p) => shape[p]);
    const [ints, sizes] = [c.ints(0), allNumbers(shape)];
    const strides = stridesOf(sizes ?? []);
    const moved = ints && sizes && strided(ints, perm.map((p) => sizes[p] ?? 0), 0, perm.map((p) => strides[p] ?? 0));
    return [{ dataType: c.dataType(0), shape: transposed, ...known(moved) }];
  },
  gradient: {
    data: ({ op, node, grad: { transposed } }) => {
      const perm = intsOf(node, "perm");
      return op.Transpose(transposed, perm === undefined ? {} : { perm: perm.map((_, i) => perm.indexOf(i)) });
    },
  },
});

/** y = x without axes of size 1. */
export const Squeeze = defineOp({
  name: "Squeeze", moves: inOrder, opsets: [1, 11, 13, 21, 23, 24], inputs: ["data", "axes"], outputs: ["squeezed"],
  shape: (c) => {
    const shape = c.shape(0);
    const given = c.axes("axes", 1);
    if (shape === undefined || (given === undefined && c.has(1))) return [{ dataType: c.dataType(0), shape: undefined }];
    if (given === undefined && shape.some((d) => typeof d !== "number")) return [{ dataType: c.dataType(0), shape: undefined }];
    const axes = given === undefined ? shape.flatMap((d, i) => (d === 1 ? [i] : [])) : normalAxes(given, shape.length);
    return [{ dataType: c.dataType(0), shape: shape.filter((_, i) => !axes.includes(i)), ...known(c.ints(0)) }];
  },
  gradient: { data: ({ op, in: { data }, grad: { squeezed } }) => op.Reshape(squeezed, restoredShape(op, data, squeezed)), axes: "none" },
});

/** y = x with new axes of size 1. */
export const Unsqueeze = defineOp({
  name: "Unsqueeze", moves: inOrder, opsets: [1, 11, 13, 21, 23, 24], inputs: ["data", "axes"], outputs: ["expanded"],
  shape: (c) => {
    const shape = c.shape(0);
    const given = c.axes("axes", 1);
    if (shape === undefined || given === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const axes = normalAxes(given, shape.length + given.length);
    const rest = [...shape];
    const result = Array.from({ length: shape.length + axes.length }, (_, i): Dim => (axes.includes(i) ? 1 : rest.shift()));
    return [{ dataType: c.dataType(0), shape: result, ...known(c.ints(0)) }];
  },
  gradient: { data: ({ op, in: { data }, grad: { expanded } }) => op.Reshape(expanded, restoredShape(op, data, expanded)), axes: "none" },
});

/** y = x broadcast to a shape. dx = dy summed back. */
export const Expand = defineOp({
  name: "Expand", opsets: [8, 13], inputs: ["input", "shape"], outputs: ["output"],
  shape: (c) => {
    const wanted = c.ints(1) ?? openShape(c.shape(1)?.[0]);
    const shape = wanted === undefined ? undefined : broadcastShapes([c.shape(0), wanted]);
    const [first, length] = [c.ints(0)?.[0], shape?.length === 1 ? shape[0] : undefined];
    return [{ dataType: c.dataType(0), shape, ...(c.ints(0)?.length === 1 && typeof length === "number" && length <= MAX_FOLLOWED_INTS ? { ints: Array.from({ length }, () => first) } : {}) }];
  },
  gradient: { input: ({ op, in: { input }, grad: { output } }) => unbroadcast(op, output, input), shape: "none" },
});

/** y = the inputs one after the other along `axis`. Each gets its part of dy. */
export const Concat = defineOp({
  name: "Concat", moves: joined, opsets: [4, 11, 13], inputs: ["inputs"], outputs: ["concat_result"],
  shape: (c) => {
    const shapes = c.node.inputs.map((_, i) => c.shape(i));
    const full = shapes.filter((s) => s !== undefined);
    const [first] = full;
    if (first === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const axis = intOf(c.node, "axis", 0);
    const at = fromStart(axis, first.length);
    const shape = first.map((_, i): Dim => (i === at ? shapes.map((s) => s?.[i]).reduce(addDims, 0) : full.map((s) => s[i]).reduce((a, b) => (typeof b === "number" || a === undefined ? b : a))));
    const parts = c.node.inputs.map((_, i) => c.ints(i) ?? unknownInts(shapes[i]));
    const ints = first.length === 1 && parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    return [{ dataType: c.dataType(0), shape, ...known(ints) }];
  },
  gradient: {
    inputs: ({ op, node, index, grad: { concat_result: dy } }) => {
      const axis = intOf(node, "axis", 0);
      const sizes = node.inputs.slice(0, index + 1).map((v) => v?.shape?.at(axis));
      if (sizes.every((s) => typeof s === "number")) {
        const start = sizes.slice(0, index).reduce((a, b) => a + b, 0);
        return op.Slice(dy, [start], [start + (sizes[index] ?? 0)], [axis]);
      }
      const ends = node.inputs.slice(0, index + 1).map((v) => op.Gather(op.Shape(v ?? []), op.ints([axis])));
      const end = ends.reduce((a, b) => op.Add(a, b));
      return op.Slice(dy, index === 0 ? [0] : ends.slice(0, -1).reduce((a, b) => op.Add(a, b)), end, [axis]);
    },
  },
});

/** As many unknowns as a vector has elements, up to a length that no shape arithmetic exceeds; undefined where that is open. */
function unknownInts(shape: Shape | undefined): Dim[] | undefined {
  const length = shape?.[0];
  return typeof length === "number" && length <= MAX_FOLLOWED_INTS ? Array.from({ length }, () => undefined) : undefined;
}

/** The inputs' parts along `axis`: by sizes given, else into equal ones. dx = the parts' gradients one after the other. */
export const Split = defineOp({
  name: "Split", moves: splitUp, opsets: [1, 2, 11, 13, 18], inputs: ["input", "split"], outputs: ["outputs"],
  shape: (c) => {
    const shape = c.shape(0);
    const count = c.node.outputs.length;
    const axis = intOf(c.node, "axis", 0);
    const at = fromStart(axis, shape?.length);
    const sizes = c.axes("split", 1);
    const whole = shape?.[at];
    const ints = shape?.length === 1 ? c.ints(0) : undefined;
    let start: Dim = 0;
    const even = typeof whole === "number" ? Math.ceil(whole / count) : divideExactly(whole, count);
    return c.node.outputs.map((_, i) => {
      const part: Dim = sizes?.[i] ?? (c.has(1) ? undefined : typeof whole === "number" && typeof even === "number" ? Math.min(even, whole - even * i) : even);
      const [from, to] = [start, addDims(start, part)];
      start = to;
      return { dataType: c.dataType(0), shape: shape?.map((d, j) => (j === at ? part : d)), ...(typeof from === "number" && typeof to === "number" ? known(ints?.slice(from, to)) : {}) };
    });
  },
  gradient: {
    input: ({ op, node, reached, grad }) => {
      const parts = node.outputs.map((output, i) => {
        if (output === undefined) throw new TypeError("a Split without one of its outputs");
        return reached(`outputs:${String(i)}` as "outputs") ? grad[`outputs:${String(i)}` as "outputs"] : op.Expand(op.scalar(0, output), op.Shape(output));
      });
      return op.Concat(parts, { axis: intOf(node, "axis", 0) });
    },
    split: "none",
  },
});

/** y = x repeated r times along each axis. dx = Σ over the repeats: dy as [r₀, d₀, r₁, d₁, ..], summed over the first of each two. */
export const Tile = defineOp({
  name: "Tile", opsets: [6, 13], inputs: ["input", "repeats"], outputs: ["output"],
  shape: (c) => {
    const [shape, repeats] = [c.shape(0), c.ints(1)];
    return [{ dataType: c.dataType(0), shape: shape?.map((d, i) => mulDims(d, repeats?.[i])) }];
  },
  gradient: {
    input: ({ op, in: { input, repeats }, grad: { output } }) => {
      const rank = input.shape?.length;
      if (rank === undefined) throw new TypeError(`the rank of "${input.name}" must be known`);
      if (rank === 0) return output;
      const shape = shapeOf(op, input);
      const pairs = op.Concat([op.Unsqueeze(repeats, [1]), op.Unsqueeze(shape, [1])], { axis: 1 });
      return op.ReduceSum(op.Reshape(output, op.Reshape(pairs, [-1])), Array.from({ length: rank }, (_, i) => 2 * i), { keepdims: 0 });
    },
    repeats: "none",
  },
});

/** The upper or lower triangle of the last two axes. */
export const Trilu = defineOp({
  name: "Trilu", opsets: [14], inputs: ["input", "k"], outputs: ["output"], shape: likeFirst,
  gradient: { input: ({ op, node, has, in: inputs, grad: { output } }) => op.Trilu(output, has("k") ? inputs.k : undefined, { upper: intOf(node, "upper", 1) }), k: "none" },
});
