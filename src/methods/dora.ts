/** DoRA (arXiv 2402.09353): W' = m ⊙ V / ‖V‖ with V = W + s·A·B, ‖V‖ the length of each of its columns, through which no gradient passes. */
import { detached } from "../ops/detached.ts";
import { LORA_FORM, loraFactors } from "./lora.ts";
import { along, inFloat, named, parameter, product, stabilizedScale, type UpdatedTransformation } from "./updated-transformation.ts";

/** LoRA's factors and a magnitude m [n], which starts as the lengths of W's columns. V is one Gemm; lengths, quotient and product with it take about 4kn more. */
export const dora: UpdatedTransformation = {
  name: "dora",
  summary: "W' = m ⊙ V / ‖V‖ by column, V = W + s·A·B: weight-decomposed low-rank adaptation; with --rslora s = alpha / √r",
  numbers: "r·(k + n) + n",
  peft: { ...LORA_FORM, variant: { use_dora: true }, kernels: "none", packed: "whole" },
  defaultLearningRate: 1e-3,
  takes: ["rank", "alpha", "rslora"],
  scale: stabilizedScale,
  parameters: (weight) => [
    ...loraFactors(weight),
    parameter(weight, "lora_magnitude_vector", ["out"], { kind: "column-norms" }, { name: "lora_magnitude_vector", axes: ["out"] }),
  ],
  apply(op, w, values, { scale }, stored) {
    const { a, b, m } = named(["a", "b", "m"], values);
    return inFloat(op, w, (own) => {
      const moved = product(op, a, b, own, stored, scale);
      const length = detached(op.ReduceL2(moved, [stored === "kn" ? 0 : 1], { keepdims: 1 }));
      return op.Mul(moved, op.Div(along(op, m, "out", stored), length));
    });
  },
  couples: "in",
  // At rank 0 the magnitudes would still have to be those of the base.
  swappable: false,
  flops: ({ k, n, rank }) => 2 * rank * k * n + 4 * k * n,
};
