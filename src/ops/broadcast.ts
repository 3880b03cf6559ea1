/** Broadcasting: the shape of a result, and the way back, for gradients. */
import { isCapped, numberOfElements, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Value } from "../ir/graph.ts";
import { allNumbers } from "../ir/sizes.ts";
import type { InferContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** The size of a result whose inputs have these sizes at one place. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1) return a;
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  if (sameDim(a, b) || isCapped(b, a)) return a;
  return isCapped(a, b) ? b : undefined;
}

/** The shape of an elementwise result; undefined where a rank is unknown. */
export function broadcastShapes(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  const known = shapes.filter((s) => s !== undefined);
  if (known.length < shapes.length) return undefined;
  const rank = Math.max(0, ...known.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => known.map((s): Dim => (i < rank - s.length ? 1 : s[i - (rank - s.length)])).reduce(broadcastDim, 1));
}

/** Shape rule: all inputs broadcast, the type is that of input `typed`. */
export function broadcasting(typed = 0): (c: InferContext) => Facts[] {
  return (c) => [{ dataType: c.dataType(typed), shape: broadcastShapes(c.node.inputs.map((_, i) => c.shape(i))) }];
}

/** Shape rule: the output is like input 0. */
export const likeFirst = (c: InferContext): Facts[] => [{ dataType: c.dataType(0), shape: c.shape(0) }];

/** The number of elements, for FLOPs; unknown where the rank is. */
export function elements(facts: Facts | undefined): Dim {
  return facts?.shape === undefined ? undefined : numberOfElements(facts.shape);
}

/** The sizes of a value as an int64 vector: a constant where they are numbers, else asked for at run time. */
export function shapeOf(op: OpBuilder, x: Value): Value {
  const sizes = allNumbers(x.shape);
  return sizes === undefined ? op.Shape(x) : op.ints(sizes);
}

/**
 * Sums a gradient that has the broadcast shape back to the shape of `input`: by axes known now where the shapes tell, else by axes that the
 * graph finds at run time (those where the input has size 1).
 */
export function unbroadcast(op: OpBuilder, grad: Value, input: Value): Value {
  const from = grad.shape;
  const to = input.shape;
  const axes = from === undefined || to === undefined ? undefined : staticAxes(from, to);
  if (axes === undefined || from === undefined || to === undefined) return dynamicUnbroadcast(op, grad, input);
  if (axes.length === 0) return grad;
  const lead = from.length - to.length;
  if (axes.every((a) => a < lead)) return op.ReduceSum(grad, axes, { keepdims: 0 });
  const sum = op.ReduceSum(grad, axes, { keepdims: 1 });
  return lead === 0 ? sum : op.Squeeze(sum, axes.slice(0, lead));
}

/** The axes of `from` to sum over; undefined where the shapes leave it open. */
function staticAxes(from: Shape, to: Shape): number[] | undefined {
  const lead = from.length - to.length;
  const axes: number[] = [];
  for (let i = 0; i < from.length; i += 1) {
    const have = from[i];
    const want = to[i - lead];
    if (i < lead) axes.push(i);
    else if (sameDim(have, want) || (typeof want === "number" && want !== 1)) continue;
    else if (want === 1) axes.push(i);
    else return undefined;
  }
  return axes;
}

/** The opset since which the axes of a ReduceSum may be computed. */
const COMPUTED_AXES = 13;

function dynamicUnbroadcast(op: OpBuilder, grad: Value, input: Value): Value {
  if (op.opset < COMPUTED_AXES) return foldedUnbroadcast(op, grad, input);
  const shape = op.Shape(input);
  const ones = op.Expand(op.ints([1]), op.Sub(op.Shape(op.Shape(grad)), op.Shape(shape)));
  const isOne = op.Equal(op.Concat([ones, shape], { axis: 0 }), op.ints([1]));
  const axes = op.Reshape(op.NonZero(isOne), op.ints([-1]));
  const sum = op.ReduceSum(grad, axes, { keepdims: 1, noop_with_empty_axes: 1 });
  return op.Reshape(sum, shape, op.opset >= 14 ? { allowzero: 1 } : {});
}

/**
 * For opsets in which the axes of a sum must be constants: every axis of size g becomes two, of the input's size t and of g / t, and the sum
 * goes over the second. It is 1 where the input has the axis whole.
 */
function foldedUnbroadcast(op: OpBuilder, grad: Value, input: Value): Value {
  const [from, to] = [grad.shape?.length, input.shape?.length];
  if (from === undefined || to === undefined) throw new TypeError(`the rank of "${input.name}" must be known before opset ${String(COMPUTED_AXES)}`);
  const shape = op.Shape(input);
  const lead = Array.from({ length: from - to }, () => 1);
  const sizes = lead.length === 0 ? shape : op.Concat([op.ints(lead), shape], { axis: 0 });
  const pairs = op.Concat([op.Unsqueeze(sizes, [1]), op.Unsqueeze(op.Div(op.Shape(grad), sizes), [1])], { axis: 1 });
  const sum = op.ReduceSum(op.Reshape(grad, op.Reshape(pairs, [-1])), Array.from({ length: from }, (_, i) => 2 * i + 1), { keepdims: 0 });
  return op.Reshape(sum, shape);
}
