/** LoHa (arXiv 2108.06098): W' = W + s·(A1·B1) ⊙ (A2·B2), s = alpha / r. */
import { alphaOverRank, inFloat, kaimingUniform, named, parameter, product, ZEROS, type UpdatedTransformation } from "./updated-transformation.ts";

/** Two pairs of factors, whose product has rank r² at most. PEFT's w1_a is B1ᵀ, w1_b A1ᵀ. Three start Kaiming-uniform, by PEFT's own fan-in, and A2 at 0. */
export const loha: UpdatedTransformation = {
  name: "loha",
  summary: "W' = W + s·(A1·B1) ⊙ (A2·B2): low-rank Hadamard product",
  numbers: "2r·(k + n)",
  peft: {
    type: "LOHA", alpha: "alpha", fields: { rank_dropout: 0, module_dropout: 0, use_effective_conv2d: false, init_weights: true }, lacks: ["fan_in_fan_out"], kernels: "flat", packed: "stacked",
  },
  defaultLearningRate: 1e-3,
  takes: ["rank", "alpha"],
  scale: alphaOverRank,
  parameters: (weight) => [
    parameter(weight, "hada_A1", ["in", "rank"], kaimingUniform(weight.k), { name: "hada_w1_b", axes: ["rank", "in"] }),
    parameter(weight, "hada_B1", ["rank", "out"], kaimingUniform(weight.rank), { name: "hada_w1_a", axes: ["out", "rank"] }, true),
    parameter(weight, "hada_A2", ["in", "rank"], ZEROS, { name: "hada_w2_b", axes: ["rank", "in"] }),
    parameter(weight, "hada_B2", ["rank", "out"], kaimingUniform(weight.rank), { name: "hada_w2_a", axes: ["out", "rank"] }),
  ],
  apply(op, w, values, { scale }, stored) {
    const { a1, b1, a2, b2 } = named(["a1", "b1", "a2", "b2"], values);
    const change = op.Mul(product(op, a1, b1, undefined, stored, scale), product(op, a2, b2, undefined, stored));
    return inFloat(op, w, (own) => op.Add(own, change));
  },
  swappable: false,
  flops: ({ k, n, rank }) => 4 * rank * k * n + 2 * k * n,
};
