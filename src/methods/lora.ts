/** LoRA (arXiv 2106.09685): W' = W + s·A·B, s = alpha / r, or alpha / √r with rank stabilization (rsLoRA, arXiv 2312.03732). */
import { inFloat, kaimingUniform, named, parameter, product, stabilizedScale, ZEROS, type ParameterSpec, type PeftForm, type UpdatedTransformation, type WeightShape } from "./updated-transformation.ts";

/** PEFT's LORA without what would change the numbers. */
export const LORA_FORM: PeftForm = {
  type: "LORA", alpha: "lora_alpha", variant: { use_dora: false }, dropout: "lora_dropout", fields: { bias: "none", init_lora_weights: true }, lacks: [], kernels: "spread", packed: "stacked",
};

/** A [k, r] and B [r, n], named as PEFT and Olive name them. */
export function loraFactors(weight: WeightShape): ParameterSpec[] {
  return [
    parameter(weight, "lora_A.weight", ["in", "rank"], kaimingUniform(weight.k), { name: "lora_A.weight", axes: ["rank", "in"] }),
    parameter(weight, "lora_B.weight", ["rank", "out"], ZEROS, { name: "lora_B.weight", axes: ["out", "rank"] }, true),
  ];
}

/** W' is one Gemm with C = W: 2rkn + kn operations, whatever the number of tokens. */
export const lora: UpdatedTransformation = {
  name: "lora",
  summary: "W' = W + s·A·B: low-rank adaptation; with --rslora s = alpha / √r",
  numbers: "r·(k + n)",
  peft: LORA_FORM,
  defaultLearningRate: 1e-3,
  takes: ["rank", "alpha", "rslora"],
  scale: stabilizedScale,
  parameters: loraFactors,
  apply(op, w, values, { scale }, stored) {
    const { a, b } = named(["a", "b"], values);
    return inFloat(op, w, (own) => product(op, a, b, own, stored, scale));
  },
  swappable: true,
  /** A [rows, k, r], B [rows, r, n]: a MatMul, a Mul unless s = 1, and an Add, kn more for each row. */
  applyRows(op, w, values, { scale }, stored) {
    const { a, b } = named(["a", "b"], values);
    const low = op.MatMul(a, b);
    const scaled = scale === 1 ? low : op.Mul(low, op.scalar(scale));
    return inFloat(op, w, (own) => op.Add(own, stored === "kn" ? scaled : op.Transpose(scaled, { perm: [0, 2, 1] })));
  },
  flops: ({ k, n, rank }) => 2 * rank * k * n + k * n,
};
