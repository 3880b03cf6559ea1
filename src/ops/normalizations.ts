/** Layer normalization, and dropout as inference has it. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims, type Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { elements, unbroadcast } from "./broadcast.ts";
import { defineOp, type GradientContext } from "./define.ts";

type LayerNorm = GradientContext<"X" | "Scale" | "B", "Y" | "Mean" | "InvStdDev">;

/** (x − mean) / σ, from the statistics that the forward kernel gives as outputs 2 and 3. */
function normalized({ op, in: { X }, out }: LayerNorm): Value {
  return op.Mul(op.Sub(X, out.Mean), out.InvStdDev);
}

/**
 * y = x̂ ⊙ scale + b with x̂ = (x − mean) / σ over the axes from `axis` on.
 * dx = (g − mean(g) − x̂ ⊙ mean(g ⊙ x̂)) / σ with g = dy ⊙ scale; dscale = Σ dy ⊙ x̂; db = Σ dy.
 */
export const LayerNormalization = defineOp({
  name: "LayerNormalization", purpose: "normalization", opsets: [17], inputs: ["X", "Scale", "B"], outputs: ["Y", "Mean", "InvStdDev"],
  shape: (c) => {
    const shape = c.shape(0);
    const axis = intOf(c.node, "axis", -1);
    const at = shape !== undefined && axis < 0 ? axis + shape.length : axis;
    const statistics = { dataType: intOf(c.node, "stash_type", DataType.FLOAT), shape: shape?.map((d, i): Dim => (i < at ? d : 1)) };
    return [{ dataType: c.dataType(0), shape }, statistics, statistics];
  },
  flops: (_, [out]) => mulDims(8, elements(out)),
  gradient: {
    X: (g) => {
      const { op, node, in: { X, Scale }, out, grad: { Y } } = g;
      const rank = X.shape?.length ?? 0;
      const axis = intOf(node, "axis", -1);
      const axes = Array.from({ length: rank }, (_, i) => i).slice(axis);
      const scaled = op.Mul(Y, Scale);
      const x = normalized(g);
      const along = op.Mul(x, op.ReduceMean(op.Mul(scaled, x), axes, { keepdims: 1 }));
      return op.Mul(op.Sub(op.Sub(scaled, op.ReduceMean(scaled, axes, { keepdims: 1 })), along), out.InvStdDev);
    },
    Scale: (g) => unbroadcast(g.op, g.op.Mul(g.grad.Y, normalized(g)), g.in.Scale),
    B: ({ op, in: { B }, grad: { Y } }) => unbroadcast(op, Y, B),
  },
});

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
