/** HUT, the Hadamard Updated Transformation (arXiv 2409.13501): W' = W ⊙ (1 + s·A·B), s = alpha / r. PEFT's HiRA is the same function. */
import { DataType } from "../ir/data-type.ts";
import type { UpdatedTransformation } from "./updated-transformation.ts";

/**
 * W [k, n], A [k, r], B [r, n]. M = 1 + s·A·B is one Gemm, W' = W ⊙ M one Mul: 2rkn + kn operations, whatever the number of tokens.
 * A starts Kaiming-uniform and B at 0, so U is exactly the identity before the first step.
 */
export const hut: UpdatedTransformation = {
  name: "hut",
  summary: "W' = W ⊙ (1 + s·A·B): the Hadamard updated transformation; HiRA in PEFT",
  peftType: "HIRA",
  defaultLearningRate: 5e-3,
  scale: ({ alpha, rank }) => alpha / rank,
  peftScale: () => 1,
  parameters: ({ k, n, rank }) => [
    { name: "hut_A", shape: [k, rank], start: { kind: "kaiming-uniform", fanIn: k }, peft: { name: "hira_A", transposed: true, scaled: false, side: "in" } },
    { name: "hut_B", shape: [rank, n], start: { kind: "zeros" }, peft: { name: "hira_B", transposed: true, scaled: true, side: "out" } },
  ],
  apply(op, w, [a, b], weight, stored) {
    if (a === undefined || b === undefined) throw new TypeError("HUT has two parameters");
    // As [1]: ONNX Runtime's Gemm on WebGPU (1.30) ends the whole runtime at a C without axes.
    const one = op.floats([1]);
    const alpha = this.scale(weight);
    const multiplier = stored === "kn" ? op.Gemm(a, b, one, { alpha }) : op.Gemm(b, a, one, { alpha, transA: 1, transB: 1 });
    if (w.dataType === DataType.FLOAT) return op.Mul(w, multiplier);
    return op.Cast(op.Mul(op.Cast(w, { to: DataType.FLOAT }), multiplier), { to: w.dataType });
  },
  flops: ({ k, n, rank }) => 2 * rank * k * n + k * n,
};
