/** Pools over the spatial axes of x [N, C, d..]. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims, numberOfElements, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Node, Value } from "../ir/graph.ts";
import { elementCount } from "../ir/sizes.ts";
import { elements, shapeOf } from "./broadcast.ts";
import { defineOp, type FlopRule, type InferContext, type OpDefinition } from "./define.ts";
import { requireMakeable } from "./elements.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { zerosLike } from "./indexing.ts";
import { restoredShape } from "./products.ts";
import { slidShape, spatialSizes, spreadBack, windowOf, type Window } from "./windows.ts";

const pooledShape = (c: InferContext): Shape | undefined => {
  const x = c.shape(0);
  const window = windowOf(c.node, x);
  return x === undefined || window === undefined ? undefined : [x[0], x[1], ...slidShape(x, window)];
};
const pooled = (c: InferContext): Facts[] => [{ dataType: c.dataType(0), shape: pooledShape(c) }];
/** One operation for each element that each window reads. */
const windowed: FlopRule = (c, [out]): Dim => mulDims(elements(out), numberOfElements(windowOf(c.node, c.shape(0))?.kernel ?? [undefined]));

/**
 * dy [N, C, o..] spread back to the windows of x [N, C, d..] that each of its elements came from: a ConvTranspose by ones, the channels being
 * laid beside the batch, so that their number needn't be known.
 */
function spreadEvenly(op: OpBuilder, node: Node, dy: Value, x: Value): Value {
  const window = poolWindow(node, x);
  const apart = (v: Value): Value => op.Reshape(v, op.Concat([op.ints([-1, 1]), spatialSizes(op, v)], { axis: 0 }));
  const ones = op.Expand(op.scalar(1, dy), op.ints([1, 1, ...window.kernel.map(Number)]));
  const spread = spreadBack(op, apart(dy), ones, apart(x), window, 1);
  return op.Reshape(spread, shapeOf(op, x));
}

/** A pool names its kernel, so its number of axes is known. */
function poolWindow(node: Node, x: Value): Window {
  const window = windowOf(node, x.shape);
  if (window === undefined) throw new TypeError("a pool without kernel_shape");
  return window;
}

/**
 * y = the mean of each window; where it hangs over the edge, of the elements inside alone, or with count_include_pad over what is padded too.
 * dx = dy / count, spread back over the windows.
 */
export const AveragePool = defineOp({
  name: "AveragePool", opsets: [7, 10, 11, 19, 22], inputs: ["X"], outputs: ["Y"], shape: pooled, flops: windowed,
  gradient: { X: ({ op, node, in: { X }, grad: { Y } }) => spreadEvenly(op, node, perCount(op, node, X, Y), X) },
});

/** dy / count. A count is the product over the axes of how many of a window's places lie inside, [o] for each. */
function perCount(op: OpBuilder, node: Node, x: Value, dy: Value): Value {
  const window = poolWindow(node, x);
  const padded = window.ceil || window.pads.some((p) => p === undefined || p.before > 0 || p.after > 0);
  if (!padded) return op.Mul(dy, op.scalar(1 / elementCount(window.kernel.map(Number)), dy));
  return window.kernel.reduce<Value>((sum, kernel, i) => {
    const [size, pads] = [Number(kernel), window.pads[i]];
    requireMakeable([size], "the places of a window");
    if (pads === undefined) throw new TypeError(`the pads follow from the sizes of "${x.name}", which must be known`);
    const included = intOf(node, "count_include_pad", 0) === 1 ? pads : { before: 0, after: 0 };
    const sizeOf = (v: Value): Value => op.Squeeze(op.Slice(shapeOf(op, v), [i + 2], [i + 3], [0]), [0]);
    const count = sizeOf(dy);
    const starts = op.Sub(op.Mul(op.Range(op.scalar(0, count), count, op.scalar(1, count)), op.ints([window.strides[i] ?? 1])), op.ints([pads.before]));
    const places = op.Add(op.Unsqueeze(starts, [1]), op.ints(Array.from({ length: size }, (_, k) => k * (window.dilations[i] ?? 1))));
    const inside = op.And(op.Greater(places, op.ints([-included.before - 1])), op.Less(places, op.Add(sizeOf(x), op.ints([included.after]))));
    const counts = op.ReduceSum(op.Cast(inside, { to: dy.dataType }), [1], { keepdims: 0 });
    const trailing = window.kernel.length - 1 - i;
    return op.Div(sum, trailing === 0 ? counts : op.Unsqueeze(counts, Array.from({ length: trailing }, (_, k) => k + 1)));
  }, dy);
}

/**
 * y = the largest of each window, and where it stands in x laid flat. dx = zeros with dy put there; where windows overlap it adds up, which
 * needs the ScatterElements of opset 16.
 */
export const MaxPool = defineOp({
  name: "MaxPool", opsets: [1, 8, 10, 11, 12, 22], inputs: ["X"], outputs: ["Y", "Indices"], flops: windowed,
  shape: (c) => [{ dataType: c.dataType(0), shape: pooledShape(c) }, { dataType: DataType.INT64, shape: pooledShape(c) }],
  gradient: {
    X: ({ op, node, in: { X }, out: { Indices }, grad: { Y } }) => {
      if (intOf(node, "storage_order", 0) === 1) throw new TypeError("its places are numbered column by column (storage_order 1)");
      const window = poolWindow(node, X);
      const apart = window.kernel.every((k, i) => (window.strides[i] ?? 1) > (Number(k) - 1) * (window.dilations[i] ?? 1));
      const zeros = op.Reshape(zerosLike(op, X), [-1]);
      const flat = op.ScatterElements(zeros, op.Reshape(Indices, [-1]), op.Reshape(Y, [-1]), { axis: 0, ...(apart ? {} : { reduction: "add" }) });
      return op.Reshape(flat, restoredShape(op, X, flat));
    },
  },
});

/** |x|ᵖ⁻¹ with x's sign, and yᵖ⁻¹ for p-norms y, 1 where y is 0: d‖x‖/dx is the one over the other. */
function normSlopes(op: OpBuilder, p: number, x: Value, y: Value): { slope: Value; divisor: Value } {
  const power = (v: Value): Value => (p === 1 ? op.Sign(v) : p === 2 ? v : op.Mul(op.Sign(v), op.Pow(op.Abs(v), op.scalar(p - 1, v))));
  return { slope: power(x), divisor: power(op.Where(op.Equal(y, op.scalar(0, y)), op.scalar(1, y), y)) };
}

/** y = (Σ |x|ᵖ)^(1/p) over each window. dx = sign x ⊙ |x|ᵖ⁻¹ ⊙ dy / yᵖ⁻¹ spread back. */
export const LpPool = defineOp({
  name: "LpPool", opsets: [2, 11, 18, 22], inputs: ["X"], outputs: ["Y"], shape: pooled, flops: windowed,
  gradient: {
    X: ({ op, node, in: { X }, out, grad: { Y } }) => {
      const { slope, divisor } = normSlopes(op, intOf(node, "p", 2), X, out.Y);
      return op.Mul(slope, spreadEvenly(op, node, op.Div(Y, divisor), X));
    },
  },
});

type GlobalDerivative = (op: OpBuilder, x: Value, y: Value, dy: Value, node: Node) => Value;

/** A pool over everything: [N, C, d..] → [N, C, 1..]. Its derivative is a formula over the axes laid flat, [N, C, L] with y and dy as [N, C, 1]. */
function global(name: string, opsets: readonly number[], derivative: GlobalDerivative): OpDefinition<"X", "Y"> {
  return defineOp({
    name, opsets, inputs: ["X"], outputs: ["Y"], flops: (c) => elements({ dataType: 0, shape: c.shape(0) }),
    shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0)?.map((d, i) => (i < 2 ? d : 1)) }],
    gradient: {
      X: ({ op, node, in: { X }, out, grad }) => {
        const flat = (v: Value): Value => op.Reshape(v, [0, 0, -1]);
        const dx = derivative(op, flat(X), flat(out.Y), flat(grad.Y), node);
        return op.Reshape(dx, restoredShape(op, X, dx));
      },
    },
  });
}

/** y = the mean. dx = dy / L. */
export const GlobalAveragePool = global("GlobalAveragePool", [1, 22], (op, x, y, dy) =>
  op.Expand(op.Div(dy, op.Cast(op.Div(op.Size(x), op.Size(y)), { to: x.dataType })), shapeOf(op, x)));

/** y = the largest. dx = dy shared by the elements that are equal to it. */
export const GlobalMaxPool = global("GlobalMaxPool", [1, 22], (op, x, y, dy) => {
  const hit = op.Cast(op.Equal(x, y), { to: x.dataType });
  return op.Mul(hit, op.Div(dy, op.ReduceSum(hit, [2], { keepdims: 1 })));
});

/** y = (Σ |x|ᵖ)^(1/p). dx = sign x ⊙ |x|ᵖ⁻¹ ⊙ dy / yᵖ⁻¹. */
export const GlobalLpPool = global("GlobalLpPool", [2, 22], (op, x, y, dy, node) => {
  const { slope, divisor } = normSlopes(op, intOf(node, "p", 2), x, y);
  return op.Mul(slope, op.Div(dy, divisor));
});

/** y = zeros with x put back where a MaxPool found it. */
export const MaxUnpool = defineOp({
  name: "MaxUnpool", opsets: [9, 11, 22], inputs: ["X", "I", "output_shape"], outputs: ["output"],
  shape: (c) => {
    const [x, window] = [c.shape(0), windowOf(c.node, c.shape(0))];
    if (c.has(2)) return [{ dataType: c.dataType(0), shape: c.ints(2) ?? x?.map(() => undefined) }];
    const sizes = window?.kernel.map((k, i): Dim => {
      const [d, pads] = [x?.[i + 2], window.pads[i]];
      return typeof d === "number" && pads !== undefined ? (d - 1) * (window.strides[i] ?? 1) + Number(k) - pads.before - pads.after : undefined;
    });
    return [{ dataType: c.dataType(0), shape: x === undefined || sizes === undefined ? undefined : [x[0], x[1], ...sizes] }];
  },
  gradient: { X: "unwritten", I: "none", output_shape: "none" },
});

/** y [R, C, h, w] = the largest of each cell of each region. */
export const MaxRoiPool = defineOp({
  name: "MaxRoiPool", opsets: [1, 22], inputs: ["X", "rois"], outputs: ["Y"],
  shape: (c) => {
    const sizes: readonly Dim[] = intsOf(c.node, "pooled_shape") ?? [undefined, undefined];
    return [{ dataType: c.dataType(0), shape: [c.shape(1)?.[0], c.shape(0)?.[1], ...sizes] }];
  },
  gradient: { X: "unwritten", rois: "none" },
});

/** y [R, C, h, w] = means (or maxima) of points read off x between its elements, in each cell of each region. */
export const RoiAlign = defineOp({
  name: "RoiAlign", opsets: [10, 16, 22], inputs: ["X", "rois", "batch_indices"], outputs: ["Y"],
  shape: (c) => [{ dataType: c.dataType(0), shape: [c.shape(1)?.[0], c.shape(0)?.[1], intOf(c.node, "output_height", 1), intOf(c.node, "output_width", 1)] }],
  gradient: { X: "unwritten", rois: "unwritten", batch_indices: "none" },
});
