/** Reductions over axes. Since opset 18 (ReduceSum: 13) the axes are an input, before an attribute. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { divideExactly, mulDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { fromStart } from "../ir/sizes.ts";
import { elements, shapeOf } from "./broadcast.ts";
import { defineOp, type GradientContext, type InferContext, type OpDefinition, type ShapeRule } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** The axes a reduction sums over, counted from 0; undefined where unknown. */
function reducedAxes(c: InferContext): readonly number[] | undefined {
  const rank = c.shape(0)?.length;
  const given = c.axes("axes", 1);
  if (given === undefined && c.has(1)) return undefined;
  if ((given === undefined || given.length === 0)) {
    if (intOf(c.node, "noop_with_empty_axes", 0) === 1) return [];
    return rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => i);
  }
  return rank === undefined ? undefined : given.map((a) => fromStart(a, rank));
}

const reduced: ShapeRule = (c) => {
  const shape = c.shape(0);
  const keep = intOf(c.node, "keepdims", 1) === 1;
  const axes = reducedAxes(c);
  if (shape === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
  if (axes === undefined) return [{ dataType: c.dataType(0), shape: keep ? shape.map(() => undefined) : undefined }];
  const result: Shape = keep ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
  const ints = c.ints(0);
  return [{ dataType: c.dataType(0), shape: result, ...(c.node.opType === "ReduceProd" && ints !== undefined && axes.length > 0 ? { ints: [ints.reduce<Dim>(mulDims, 1)] } : {}) }];
};

/** The axes as the node gives them: an input or, in older opsets, an attribute. */
function givenAxes(node: Node): Value | readonly number[] | undefined {
  return node.inputs[1] ?? intsOf(node, "axes");
}

/**
 * A value of the reduced shape, with the reduced axes back as size 1 so that it broadcasts against the input. Where the node names no axes
 * the value is a scalar, or has the input's own shape (noop_with_empty_axes), and broadcasts as it is.
 */
function withAxes(op: OpBuilder, node: Node, reducedValue: Value): Value {
  const axes = givenAxes(node);
  return intOf(node, "keepdims", 1) === 1 || axes === undefined ? reducedValue : op.Unsqueeze(reducedValue, axes);
}

const elementsIn = (c: InferContext): Dim => elements({ dataType: 0, shape: c.shape(0) });

/** y = Σ x over axes. dx = dy, broadcast to x. */
export const ReduceSum = defineOp({
  name: "ReduceSum", opsets: [1, 11, 13], inputs: ["data", "axes"], outputs: ["reduced"], shape: reduced, flops: elementsIn,
  gradient: { data: ({ op, node, in: { data }, grad: { reduced: dy } }) => op.Expand(withAxes(op, node, dy), shapeOf(op, data)), axes: "none" },
});

/** y = mean of x over axes. dx = dy / n, broadcast to x. */
export const ReduceMean = defineOp({
  name: "ReduceMean", purpose: "normalization", opsets: [1, 11, 13, 18], inputs: ["data", "axes"], outputs: ["reduced"], shape: reduced, flops: elementsIn,
  gradient: {
    data: ({ op, node, in: { data }, out: { reduced: y }, grad: { reduced: dy } }) => {
      const known = divideExactly(elements(data.facts), elements(y.facts));
      const share = typeof known === "number" && known > 0 ? op.Mul(dy, op.scalar(1 / known, dy))
        : op.Div(dy, op.Cast(op.Div(op.Size(data), op.Size(y)), { to: data.dataType }));
      return op.Expand(withAxes(op, node, share), shapeOf(op, data));
    },
    axes: "none",
  },
});

/** The extremum over axes; dx = dy shared by the elements that are equal to it. */
function reducedExtremum(name: string, opsets: readonly number[]): ReturnType<typeof defineOp<"data" | "axes", "reduced">> {
  return defineOp({
    name, opsets, inputs: ["data", "axes"], outputs: ["reduced"], shape: reduced, flops: elementsIn,
    gradient: {
      data: ({ op, node, in: { data }, out: { reduced: y }, grad: { reduced: dy } }) => {
        const hit = op.Cast(op.Equal(data, withAxes(op, node, y)), { to: data.dataType });
        const noop = intOf(node, "noop_with_empty_axes", 0);
        return op.Mul(hit, op.Div(withAxes(op, node, dy), op.ReduceSum(hit, givenAxes(node), { keepdims: 1, ...(noop === 1 ? { noop_with_empty_axes: 1 } : {}) })));
      },
      axes: "none",
    },
  });
}

export const ReduceMax = reducedExtremum("ReduceMax", [1, 11, 12, 13, 18, 20]);
export const ReduceMin = reducedExtremum("ReduceMin", [1, 11, 12, 13, 18, 20]);

/** A smooth reduction by its derivative, of x, of y and dy with the reduced axes back as size 1. */
function smooth(name: string, opsets: readonly number[], cost: number, derivative: (op: OpBuilder, x: Value, y: Value, dy: Value, g: Reduction) => Value): OpDefinition<"data" | "axes", "reduced"> {
  return defineOp({
    name, opsets, inputs: ["data", "axes"], outputs: ["reduced"], shape: reduced, flops: (c) => mulDims(cost, elementsIn(c)),
    gradient: {
      data: (g) => {
        const { op, node, in: { data }, out, grad } = g;
        return derivative(op, data, withAxes(op, node, out.reduced), withAxes(op, node, grad.reduced), g);
      },
      axes: "none",
    },
  });
}
type Reduction = GradientContext<"data" | "axes", "reduced">;

/** y = Σ |x|. dx = dy ⊙ sign x. */
export const ReduceL1 = smooth("ReduceL1", [1, 11, 13, 18], 2, (op, x, _, dy) => op.Mul(op.Sign(x), dy));

/** y = √Σ x². dx = dy ⊙ x / y, and 0 where y is 0, as PyTorch has it. */
export const ReduceL2 = smooth("ReduceL2", [1, 11, 13, 18], 2, (op, x, y, dy) =>
  op.Mul(x, op.Div(dy, op.Where(op.Equal(y, op.scalar(0, y)), op.scalar(1, y), y))));

/** y = Σ x². dx = 2 dy ⊙ x. */
export const ReduceSumSquare = smooth("ReduceSumSquare", [1, 11, 13, 18], 2, (op, x, _, dy) => op.Mul(x, op.Mul(dy, op.scalar(2, dy))));

/** y = ln Σ x. dx = dy / Σ x = dy ⊙ e^(−y), broadcast to x. */
export const ReduceLogSum = smooth("ReduceLogSum", [1, 11, 13, 18], 2, (op, x, y, dy) => op.Expand(op.Mul(dy, op.Exp(op.Neg(y))), shapeOf(op, x)));

/** y = ln Σ eˣ. dx = dy ⊙ e^(x − y). */
export const ReduceLogSumExp = smooth("ReduceLogSumExp", [1, 11, 13, 18], 5, (op, x, y, dy) => op.Mul(dy, op.Exp(op.Sub(x, y))));

/** y = Π x. dx = dy ⊙ the product of the others: y / x where no x is 0; where one alone is, the rest's product for that one and 0 for the others. */
export const ReduceProd = smooth("ReduceProd", [1, 11, 13, 18], 1, (op, x, _, dy, { node }) => {
  const [zero, one] = [op.scalar(0, x), op.scalar(1, x)];
  const isZero = op.Equal(x, zero);
  const filled = op.Where(isZero, one, x);
  const whole = { keepdims: 1, ...(intOf(node, "noop_with_empty_axes", 0) === 1 ? { noop_with_empty_axes: 1 } : {}) };
  const zeros = op.ReduceSum(op.Cast(isZero, { to: x.dataType }), givenAxes(node), whole);
  const rest = op.ReduceProd(filled, givenAxes(node), whole);
  const ofZero = op.Where(op.Equal(zeros, one), rest, zero);
  return op.Mul(dy, op.Where(isZero, ofZero, op.Div(op.Where(op.Equal(zeros, zero), rest, zero), filled)));
});

/** Where along one axis the extremum stands. */
function position(name: string): OpDefinition<"data", "reduced"> {
  return defineOp({
    name, opsets: [1, 11, 12, 13], inputs: ["data"], outputs: ["reduced"], flops: elementsIn, gradient: { data: "none" },
    shape: (c) => {
      const shape = c.shape(0);
      const axis = intOf(c.node, "axis", 0);
      const at = fromStart(axis, shape?.length);
      return [{ dataType: DataType.INT64, shape: intOf(c.node, "keepdims", 1) === 1 ? shape?.map((d, i) => (i === at ? 1 : d)) : shape?.toSpliced(at, 1) }];
    },
  });
}

export const ArgMax = position("ArgMax");
export const ArgMin = position("ArgMin");
