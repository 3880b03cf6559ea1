/** Activations in pieces: the derivative jumps or bends where they meet. */
import { floatOf } from "../ir/attribute.ts";
import type { Value } from "../ir/graph.ts";
import { perElement } from "./activations.ts";
import { likeFirst, unbroadcast } from "./broadcast.ts";
import { defineOp } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** dy where the condition holds, 0 elsewhere: a product, which is faster than a Where. */
function onlyWhere(op: OpBuilder, condition: Value, dy: Value): Value {
  return op.Mul(dy, op.Cast(condition, { to: dy.dataType }));
}

const isPositive = (op: OpBuilder, x: Value): Value => op.Greater(x, op.scalar(0, x));

/** y = x where x ≥ 0, else αx. dx = dy there, α dy elsewhere. */
export const LeakyRelu = defineOp({
  name: "LeakyRelu", purpose: "activation", opsets: [1, 6, 16], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(2),
  gradient: {
    X: ({ op, node, in: { X }, grad: { Y } }) =>
      op.Where(op.Less(X, op.scalar(0, X)), op.Mul(Y, op.scalar(floatOf(node, "alpha", Math.fround(0.01)), Y)), Y),
  },
});

/** y = x where x ≥ 0, else s ⊙ x, s broadcast to x. dx = dy there, s ⊙ dy elsewhere; ds = Σ dy ⊙ x where x < 0. */
export const PRelu = defineOp({
  name: "PRelu", purpose: "activation", opsets: [1, 6, 7, 9, 16], inputs: ["X", "slope"], outputs: ["Y"], shape: likeFirst, flops: perElement(2),
  gradient: {
    X: ({ op, in: { X, slope }, grad: { Y } }) => op.Where(op.Less(X, op.scalar(0, X)), op.Mul(Y, slope), Y),
    slope: ({ op, in: { X, slope }, grad: { Y } }) => unbroadcast(op, op.Mul(Y, op.Min([X, op.scalar(0, X)])), slope),
  },
});

/** y = x where x > 0, else α(eˣ − 1). dx = dy there, dy ⊙ (y + α) elsewhere. */
export const Elu = defineOp({
  name: "Elu", purpose: "activation", opsets: [1, 6, 22], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(5),
  gradient: {
    X: ({ op, node, in: { X }, out: { Y: y }, grad: { Y } }) =>
      op.Where(isPositive(op, X), Y, op.Mul(Y, op.Add(y, op.scalar(floatOf(node, "alpha", 1), y)))),
  },
});

/** y = x where x > 0, else α(e^(x/α) − 1). dx = dy there, dy ⊙ (y/α + 1) elsewhere. */
export const Celu = defineOp({
  name: "Celu", purpose: "activation", opsets: [12], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(6),
  gradient: {
    X: ({ op, node, in: { X }, out: { Y: y }, grad: { Y } }) =>
      op.Where(isPositive(op, X), Y, op.Mul(Y, op.Add(op.Mul(y, op.scalar(1 / floatOf(node, "alpha", 1), y)), op.scalar(1, y)))),
  },
});

/** y = γx where x > 0, else γα(eˣ − 1). dx = γ dy there, dy ⊙ (y + γα) elsewhere. */
export const Selu = defineOp({
  name: "Selu", purpose: "activation", opsets: [1, 6, 22], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(6),
  gradient: {
    X: ({ op, node, in: { X }, out: { Y: y }, grad: { Y } }) => {
      const alpha = floatOf(node, "alpha", 1.67326319217681884765625);
      const gamma = floatOf(node, "gamma", 1.05070102214813232421875);
      return op.Mul(Y, op.Where(isPositive(op, X), op.scalar(gamma, X), op.Add(y, op.scalar(gamma * alpha, y))));
    },
  },
});

/** y = x where x > α, else 0. dx = dy ⊙ [x > α]. */
export const ThresholdedRelu = defineOp({
  name: "ThresholdedRelu", purpose: "activation", opsets: [10, 22], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise",
  gradient: { X: ({ op, node, in: { X }, grad: { Y } }) => onlyWhere(op, op.Greater(X, op.scalar(floatOf(node, "alpha", 1), X)), Y) },
});

/** y = x moved towards 0 by `bias` where |x| > λ, else 0. dx = dy ⊙ [|x| > λ]. */
export const Shrink = defineOp({
  name: "Shrink", opsets: [9], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: "elementwise",
  gradient: {
    input: ({ op, node, in: { input: x }, grad: { output } }) => onlyWhere(op, op.Greater(op.Abs(x), op.scalar(floatOf(node, "lambd", 0.5), x)), output),
  },
});

/** y = αx + β between 0 and 1. dx = α dy ⊙ [0 < y < 1]. */
export const HardSigmoid = defineOp({
  name: "HardSigmoid", purpose: "activation", opsets: [1, 6, 22], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(3),
  gradient: {
    X: ({ op, node, out: { Y: y }, grad: { Y } }) => {
      const inside = op.And(isPositive(op, y), op.Less(y, op.scalar(1, y)));
      return onlyWhere(op, inside, op.Mul(Y, op.scalar(floatOf(node, "alpha", Math.fround(0.2)), Y)));
    },
  },
});

/** y = x ⊙ h with h = x/6 + ½ between 0 and 1. dx = dy ⊙ (h + x/6 ⊙ [0 < h < 1]). */
export const HardSwish = defineOp({
  name: "HardSwish", purpose: "activation", opsets: [14, 22], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(4),
  gradient: {
    X: ({ op, in: { X }, grad: { Y } }) => {
      const sixth = op.Mul(X, op.scalar(1 / 6, X));
      const h = op.Clip(op.Add(sixth, op.scalar(0.5, X)), op.scalar(0, X), op.scalar(1, X));
      return op.Mul(Y, op.Add(h, onlyWhere(op, op.Less(op.Abs(X), op.scalar(3, X)), sixth)));
    },
  },
});
