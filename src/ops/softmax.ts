/** Softmax, its logarithm, and its limit. Before opset 13 the axes from `axis` on are one, and `axis` is 1 where the node doesn't say. */
import { intOf } from "../ir/attribute.ts";
import type { Node, Value } from "../ir/graph.ts";
import { perElement } from "./activations.ts";
import { likeFirst } from "./broadcast.ts";
import { defineOp } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { nanGuard } from "./logic.ts";
import { restoredShape } from "./products.ts";

/** The opset since which the sum goes over one axis alone. */
const ONE_AXIS = 13;

/** A gradient that sums along `axis`: over y and dy as they are or, in older opsets, as matrices whose rows are what sums to one. */
function alongAxis(op: OpBuilder, node: Node, y: Value, dy: Value, formula: (y: Value, dy: Value, axis: number) => Value): Value {
  if (op.opset >= ONE_AXIS) return formula(y, dy, intOf(node, "axis", -1));
  const axis = intOf(node, "axis", 1);
  if (axis === -1 || (y.shape !== undefined && axis === y.shape.length - 1)) return formula(y, dy, -1);
  const rows = formula(op.Flatten(y, { axis }), op.Flatten(dy, { axis }), -1);
  return op.Reshape(rows, restoredShape(op, y, rows));
}

/** y = softmax(x) along `axis`. dx = y ⊙ (dy − Σ dy ⊙ y). */
export const Softmax = defineOp({
  name: "Softmax", purpose: "softmax", opsets: [1, 11, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: perElement(5),
  gradient: {
    // A row that is masked out whole is 0/0. Exporters write zeros over it; with those for y, its gradient is 0 too, not NaN.
    input: ({ op, node, out, grad }) => alongAxis(op, node, nanGuard(out.output) ?? out.output, grad.output, (y, dy, axis) =>
      op.Mul(y, op.Sub(dy, op.ReduceSum(op.Mul(dy, y), [axis], { keepdims: 1 })))),
  },
});

/** y = ln softmax(x) along `axis`. dx = dy − e^y ⊙ Σ dy. */
export const LogSoftmax = defineOp({
  name: "LogSoftmax", opsets: [1, 11, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: perElement(6),
  gradient: {
    input: ({ op, node, out, grad }) => alongAxis(op, node, out.output, grad.output, (y, dy, axis) =>
      op.Sub(dy, op.Mul(op.Exp(y), op.ReduceSum(dy, [axis], { keepdims: 1 })))),
  },
});

/** A one where x is largest along `axis`: a step, through which nothing flows. */
export const Hardmax = defineOp({
  name: "Hardmax", opsets: [1, 11, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: "elementwise", gradient: { input: "none" },
});
