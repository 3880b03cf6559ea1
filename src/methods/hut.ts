/** HUT, the Hadamard Updated Transformation (arXiv 2409.13501): W' = W ⊙ (1 + s·A·B), s = alpha / r. PEFT's HiRA is the same function. */
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";
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
    return times(op, w, stored === "kn" ? op.Gemm(a, b, one, { alpha }) : op.Gemm(b, a, one, { alpha, transA: 1, transB: 1 }));
  },
  /** A [rows, k, r], B [rows, r, n]. Gemm has no such axis: M = 1 + s·A·B is a MatMul, a Mul unless s = 1, and an Add, kn more for each row. */
  applyRows(op, w, [a, b], weight, stored) {
    if (a === undefined || b === undefined) throw new TypeError("HUT has two parameters");
    const scale = this.scale(weight);
    const product = op.MatMul(a, b);
    const multiplier = op.Add(scale === 1 ? product : op.Mul(product, op.scalar(scale)), op.floats([1]));
    return times(op, w, stored === "kn" ? multiplier : op.Transpose(multiplier, { perm: [0, 2, 1] }));
  },
  flops: ({ k, n, rank }) => 2 * rank * k * n + k * n,
};

/** W ⊙ M in float32, in W's own type. */
function times(op: OpBuilder, w: Value, multiplier: Value): Value {
  if (w.dataType === DataType.FLOAT) return op.Mul(w, multiplier);
  return op.Cast(op.Mul(op.Cast(w, { to: DataType.FLOAT }), multiplier), { to: w.dataType });
}
