/** Layer normalization, its form without a mean, and dropout as inference has it. */
import { floatOf, intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims, type Dim } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { fromStart } from "../ir/sizes.ts";
import { elements, likeFirst, unbroadcast } from "./broadcast.ts";
import { defineOp, type GradientContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

type LayerNorm = GradientContext<"X" | "Scale" | "B", "Y" | "Mean" | "InvStdDev">;

/** Mean and 1/σ, which the forward kernel gives as outputs 2 and 3 in a type of their own (`stash_type`), in that of x. */
function statistics({ op, in: { X }, out }: LayerNorm): { mean: Value; inverse: Value } {
  const typed = (v: Value): Value => (v.dataType === X.dataType ? v : op.Cast(v, { to: X.dataType }));
  return { mean: typed(out.Mean), inverse: typed(out.InvStdDev) };
}

/** x̂ = (x − mean) / σ. */
function normalized(g: LayerNorm): Value {
  const { mean, inverse } = statistics(g);
  return g.op.Mul(g.op.Sub(g.in.X, mean), inverse);
}

/** Most axes of a value whose rank is unknown; real ones have up to 8. */
const MAX_AXES = 64;

/** The axes from `axis` on; counted from the end where the node counts so, which needs no rank. */
function normalizedAxes(node: Node, x: Value): number[] {
  const axis = intOf(node, "axis", -1);
  const rank = axis < 0 ? 0 : x.shape?.length;
  if (rank === undefined) throw new TypeError(`the rank of "${x.name}" must be known`);
  if (rank - axis < 1 || rank - axis > (x.shape?.length ?? MAX_AXES)) throw new TypeError(`its axis ${String(axis)} is none of "${x.name}"`);
  return Array.from({ length: rank - axis }, (_, i) => axis + i);
}

/**
 * y = x̂ ⊙ scale + b with x̂ = (x − mean) / σ over the axes from `axis` on.
 * dx = (g − mean(g) − x̂ ⊙ mean(g ⊙ x̂)) / σ with g = dy ⊙ scale; dscale = Σ dy ⊙ x̂; db = Σ dy.
 * With c = x − mean and x̂ = c/σ, x̂ ⊙ mean(g ⊙ x̂) is c ⊙ mean(g ⊙ c)/σ², whose quotient is a number a row: seven full-size nodes. On [32, 64, 384]
 * that takes 2.4 ms, the formula with x̂ (eight) 2.9, and g/σ − s ⊙ x + t, s and t numbers a row (six, but fewer in place), 2.4 with more rounding.
 */
export const LayerNormalization = defineOp({
  name: "LayerNormalization", purpose: "normalization", opsets: [17], inputs: ["X", "Scale", "B"], outputs: ["Y", "Mean", "InvStdDev"],
  parameters: [undefined, "weight", "bias"],
  shape: (c) => {
    const shape = c.shape(0);
    const axis = intOf(c.node, "axis", -1);
    const at = fromStart(axis, shape?.length);
    const row = { dataType: intOf(c.node, "stash_type", DataType.FLOAT), shape: shape?.map((d, i): Dim => (i < at ? d : 1)) };
    return [{ dataType: c.dataType(0), shape }, row, row];
  },
  flops: (_, [out]) => mulDims(8, elements(out)),
  gradient: {
    X: (g) => {
      const { op, node, in: { X, Scale }, grad: { Y } } = g;
      const axes = normalizedAxes(node, X);
      const { mean, inverse } = statistics(g);
      const scaled = op.Mul(Y, Scale);
      const centred = op.Sub(X, mean);
      const slope = op.Mul(op.ReduceMean(op.Mul(scaled, centred), axes, { keepdims: 1 }), op.Mul(inverse, inverse));
      return op.Mul(op.Sub(op.Sub(scaled, op.ReduceMean(scaled, axes, { keepdims: 1 })), op.Mul(centred, slope)), inverse);
    },
    Scale: (g) => unbroadcast(g.op, g.op.Mul(g.grad.Y, normalized(g)), g.in.Scale),
    B: ({ op, in: { B }, grad: { Y } }) => unbroadcast(op, Y, B),
  },
});

/**
 * y = x / rms ⊙ scale, rms = √(mean(x²) + ε) over the axes from `axis` on. dx = (g − x̂ ⊙ mean(g ⊙ x̂)) / rms with x̂ = x / rms and
 * g = dy ⊙ scale; dscale = Σ dy ⊙ x̂.
 */
export const RMSNormalization = defineOp({
  name: "RMSNormalization", purpose: "normalization", opsets: [23], inputs: ["X", "scale"], outputs: ["Y"], shape: likeFirst,
  parameters: [undefined, "weight"], flops: (_, [out]) => mulDims(5, elements(out)),
  gradient: {
    X: ({ op, node, in: { X, scale }, grad: { Y } }) => {
      const axes = normalizedAxes(node, X);
      const { hat, inverse } = rootMeanSquare(op, node, X, axes);
      const g = op.Mul(Y, scale);
      return op.Mul(op.Sub(g, op.Mul(hat, op.ReduceMean(op.Mul(g, hat), axes, { keepdims: 1 }))), inverse);
    },
    scale: ({ op, node, in: { X, scale }, grad: { Y } }) => unbroadcast(op, op.Mul(Y, rootMeanSquare(op, node, X, normalizedAxes(node, X)).hat), scale),
  },
});

function rootMeanSquare(op: OpBuilder, node: Node, x: Value, axes: readonly number[]): { hat: Value; inverse: Value } {
  const inverse = op.Reciprocal(op.Sqrt(op.Add(op.ReduceMean(op.Mul(x, x), axes, { keepdims: 1 }), op.scalar(floatOf(node, "epsilon", 1e-5), x))));
  return { hat: op.Mul(x, inverse), inverse };
}

/** Inference: y = x. Training (opset ≥ 12, training_mode true): dx = dy ⊙ mask / (1 − ratio), the mask being output 2. */
export const Dropout = defineOp({
  name: "Dropout", opsets: [7, 10, 12, 13, 22], inputs: ["data", "ratio", "training_mode"], outputs: ["output", "mask"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0) }, { dataType: DataType.BOOL, shape: c.shape(0) }],
  gradient: {
    data: ({ has, in: inputs, grad: { output }, node }) => {
      if (!has("training_mode")) return output;
      const training = inputs.training_mode.initializer?.toNumbers()?.[0];
      if (training === 0) return output;
      throw new TypeError(`Dropout "${node.name}" in training mode is not supported: its mask would have to be an output`);
    },
    ratio: "none", training_mode: "none",
  },
});
