/** HUT, the Hadamard Updated Transformation (arXiv 2409.13501): W' = W ⊙ (1 + s·A·B), s = alpha / r. PEFT's HiRA is the same function. */
import { alphaOverRank, inFloat, kaimingUniform, named, parameter, product, ZEROS, type UpdatedTransformation } from "./updated-transformation.ts";

/**
 * W [k, n], A [k, r], B [r, n]. M = 1 + s·A·B is one Gemm, W' = W ⊙ M one Mul: 2rkn + kn operations, whatever the number of tokens.
 * A starts Kaiming-uniform and B at 0, so U is exactly the identity before the first step.
 */
export const hut: UpdatedTransformation = {
  name: "hut",
  summary: "W' = W ⊙ (1 + s·A·B): the Hadamard updated transformation; HiRA in PEFT",
  numbers: "r·(k + n)",
  peft: { type: "HIRA", dropout: "hira_dropout", fields: { init_weights: true }, lacks: [], kernels: "spread", packed: "stacked" },
  defaultLearningRate: 5e-3,
  takes: ["rank", "alpha"],
  scale: alphaOverRank,
  parameters: (weight) => [
    parameter(weight, "hut_A", ["in", "rank"], kaimingUniform(weight.k), { name: "hira_A", axes: ["rank", "in"] }),
    parameter(weight, "hut_B", ["rank", "out"], ZEROS, { name: "hira_B", axes: ["out", "rank"] }, true),
  ],
  apply(op, w, values, { scale }, stored) {
    const { a, b } = named(["a", "b"], values);
    // As [1]: ONNX Runtime's Gemm on WebGPU (1.30) ends the whole runtime at a C without axes.
    const multiplier = product(op, a, b, op.floats([1]), stored, scale);
    return inFloat(op, w, (own) => op.Mul(own, multiplier));
  },
  swappable: true,
  /** A [rows, k, r], B [rows, r, n]. Gemm has no such axis: M = 1 + s·A·B is a MatMul, a Mul unless s = 1, and an Add, kn more for each row. */
  applyRows(op, w, values, { scale }, stored) {
    const { a, b } = named(["a", "b"], values);
    const low = op.MatMul(a, b);
    const multiplier = op.Add(scale === 1 ? low : op.Mul(low, op.scalar(scale)), op.floats([1]));
    return inFloat(op, w, (own) => op.Mul(own, stored === "kn" ? multiplier : op.Transpose(multiplier, { perm: [0, 2, 1] })));
  },
  flops: ({ k, n, rank }) => 2 * rank * k * n + k * n,
};
