/** Matrix products. */
import { floatOf, intOf } from "../ir/attribute.ts";
import { mulDims, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { broadcastShapes, elements, unbroadcast } from "./broadcast.ts";
import { defineOp } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** y = a · b over the last two axes, the others broadcast. [.., T, k] · [.., k, n] → [.., T, n]. da = dy · bᵀ, db = aᵀ · dy. */
export const MatMul = defineOp({
  name: "MatMul", opsets: [1, 9, 13], inputs: ["A", "B"], outputs: ["Y"], weight: () => ({ index: 1, layout: "kn" }), plain: "itself",
  shape: (c) => [{ dataType: c.dataType(0), shape: matMulShape(c.shape(0), c.shape(1)) }],
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), c.shape(0)?.at(-1) ?? c.shape(1)?.at(-2))),
  gradient: {
    A: ({ op, in: { A, B }, grad: { Y } }) => (B.shape?.length === 2 && (A.shape?.length ?? 0) >= 2 ? timesTransposed(op, Y, A, B) : matMulGradientA(op, Y, A, B)),
    B: ({ op, in: { A, B }, grad: { Y } }) => (B.shape?.length === 2 && (A.shape?.length ?? 0) >= 2 ? transposedTimes(op, A, Y) : matMulGradientB(op, Y, A, B)),
  },
});

/** The shape of a · b over the last two axes, the others broadcast; a vector side gives no axis. */
export function matMulShape(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)]) ?? [];
  const rows: Dim[] = a.length > 1 ? [a.at(-2)] : [];
  const columns: Dim[] = b.length > 1 ? [b.at(-1)] : [];
  return [...batch, ...rows, ...columns];
}

/** The last axis kept, all others one: [.., k] → [T, k]. */
function rows(op: OpBuilder, x: Value): Value {
  const width = x.shape?.at(-1);
  return x.shape?.length === 2 ? x : op.Reshape(x, typeof width === "number" ? [-1, width] : op.Concat([op.ints([-1]), lastSize(op, x)], { axis: 0 }));
}

function lastSize(op: OpBuilder, x: Value): Value {
  return op.Slice(op.Shape(x), [-1], [Number.MAX_SAFE_INTEGER], [0]);
}

/**
 * dX = dY · Wᵀ for W [k, n], as one Gemm(transB) on [T, n]: a Transpose of a constant W would be folded and kept a second time, and a batched
 * product with a transposed right side runs row block by row block.
 */
function timesTransposed(op: OpBuilder, dy: Value, x: Value, w: Value): Value {
  const flat = op.Gemm(rows(op, dy), w, undefined, { transB: 1 });
  return x.shape?.length === 2 ? flat : op.Reshape(flat, restoredShape(op, x, flat));
}

/**
 * The target of a Reshape that gives `from` the shape of x: a constant where at most one size is neither a number nor that of `from` at the
 * same place (a 0 copies it), else x's own Shape.
 */
export function restoredShape(op: OpBuilder, x: Value, from: Value): Value {
  const target = x.shape?.map((d, i) => (typeof d === "number" ? d : sameDim(d, from.shape?.[i]) ? 0 : -1));
  if (target === undefined || target.filter((d) => d === -1).length > 1 || x.shape?.includes(0) === true) return op.Shape(x);
  return op.ints(target);
}

/** dW = Xᵀ · dY over all rows at once, as one Gemm(transA): [T, k]ᵀ · [T, n] → [k, n]. */
function transposedTimes(op: OpBuilder, x: Value, dy: Value): Value {
  return op.Gemm(rows(op, x), rows(op, dy), undefined, { transA: 1 });
}

/** A vector side means another formula, and a Transpose names all axes: neither can wait for the run. */
function rankOf(x: Value): number {
  if (x.shape === undefined) throw new TypeError(`the rank of "${x.name}" must be known`);
  return x.shape.length;
}

/** The last two axes swapped. ONNX Runtime fuses it into the product that reads it. */
function swapped(op: OpBuilder, x: Value): Value {
  const rank = rankOf(x);
  const axes = Array.from({ length: rank }, (_, i) => i);
  return op.Transpose(x, { perm: [...axes.slice(0, -2), rank - 1, rank - 2] });
}

function matMulGradientA(op: OpBuilder, dy: Value, a: Value, b: Value): Value {
  if (rankOf(a) === 1 && rankOf(b) === 1) return op.Mul(dy, b);
  const [column, grad] = rankOf(b) === 1 ? [op.Unsqueeze(b, [1]), op.Unsqueeze(dy, [-1])] : [b, dy];
  if (rankOf(a) === 1) return unbroadcast(op, op.Squeeze(op.MatMul(op.Unsqueeze(grad, [-2]), swapped(op, column)), [-2]), a);
  return unbroadcast(op, op.MatMul(grad, swapped(op, column)), a);
}

function matMulGradientB(op: OpBuilder, dy: Value, a: Value, b: Value): Value {
  if (rankOf(a) === 1 && rankOf(b) === 1) return op.Mul(dy, a);
  const [row, grad] = rankOf(a) === 1 ? [op.Unsqueeze(a, [0]), op.Unsqueeze(dy, [-2])] : [a, dy];
  if (rankOf(b) === 1) return unbroadcast(op, op.Squeeze(op.MatMul(swapped(op, row), op.Unsqueeze(grad, [-1])), [-1]), b);
  return unbroadcast(op, op.MatMul(swapped(op, row), grad), b);
}

/** y = alpha · op(a) · op(b) + beta · c, op transposing where transA, transB say so. a [T, k], b [k, n], c broadcast to [T, n]. */
export const Gemm = defineOp({
  name: "Gemm", opsets: [7, 9, 11, 13], inputs: ["A", "B", "C"], outputs: ["Y"],
  weight: (node) => ({ index: 1, layout: intOf(node, "transB", 0) === 1 ? "nk" : "kn", ...(floatOf(node, "beta", 1) === 1 ? { bias: 2 } : {}) }),
  shape: (c) => {
    const [a, b] = [c.shape(0), c.shape(1)];
    const shape = a?.length === 2 && b?.length === 2 ? [a[intOf(c.node, "transA", 0)], b[1 - intOf(c.node, "transB", 0)]] : [undefined, undefined];
    return [{ dataType: c.dataType(0), shape }];
  },
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), c.shape(0)?.[1 - intOf(c.node, "transA", 0)])),
  plain: { weight: (op, node) => side(op, node, 1), product: plainGemm },
  gradient: {
    A: ({ op, node, in: { B }, grad: { Y } }) => {
      const [transA, transB, alpha] = gemmAttributes(node);
      return transA === 1 ? op.Gemm(B, Y, undefined, { transA: transB, transB: 1, alpha }) : op.Gemm(Y, B, undefined, { transB: 1 - transB, alpha });
    },
    B: ({ op, node, in: { A }, grad: { Y } }) => {
      const [transA, transB, alpha] = gemmAttributes(node);
      return transB === 1 ? op.Gemm(Y, A, undefined, { transA: 1, transB: transA, alpha }) : op.Gemm(A, Y, undefined, { transA: 1 - transA, alpha });
    },
    C: ({ op, node, in: { C }, grad: { Y } }) => {
      const beta = floatOf(node, "beta", 1);
      const sum = unbroadcast(op, Y, C);
      return beta === 1 ? sum : op.Mul(sum, op.scalar(beta, sum));
    },
  },
});

/** a or b of a Gemm, transposed where it says so. */
function side(op: OpBuilder, node: Node, index: 0 | 1): Value {
  const value = node.inputs[index];
  if (value === undefined) throw new TypeError("a Gemm of less than two matrices");
  return intOf(node, index === 0 ? "transA" : "transB", 0) === 1 ? op.Transpose(value, { perm: [1, 0] }) : value;
}

function plainGemm(op: OpBuilder, node: Node, weight: Value): Value {
  const [alpha, beta] = [floatOf(node, "alpha", 1), floatOf(node, "beta", 1)];
  const product = op.MatMul(side(op, node, 0), weight);
  const y = alpha === 1 ? product : op.Mul(product, op.scalar(alpha, product));
  const c = node.inputs[2];
  if (c === undefined) return y;
  return op.Add(y, beta === 1 ? c : op.Mul(c, op.scalar(beta, c)));
}

function gemmAttributes(node: Node): [number, number, number | undefined] {
  const alpha = floatOf(node, "alpha", 1);
  return [intOf(node, "transA", 0), intOf(node, "transB", 0), alpha === 1 ? undefined : alpha];
}
