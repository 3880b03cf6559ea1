/** VeRA (arXiv 2310.11454): W' = W + (A·diag(d)·B) ⊙ b, A and B random, frozen and the same for all weights, d [r] and b [n] trained. */
import { inFloat, named, parameter, product, ZEROS, type UpdatedTransformation } from "./updated-transformation.ts";

/** What d starts as, in PEFT too. */
const D_INITIAL = 0.1;

/** torch's kaiming_uniform_ with a = 0, as PEFT draws the frozen matrices. */
const kaimingReLU = (fanIn: number): { readonly kind: "uniform"; readonly bound: number } => ({ kind: "uniform", bound: Math.sqrt(6 / fanIn) });

/** A and B are as large as the largest weight needs them; another takes their first rows and columns. */
export const vera: UpdatedTransformation = {
  name: "vera",
  summary: "W' = W + (A·diag(d)·B) ⊙ b, A and B random, frozen and shared: vector-based random matrix adaptation",
  numbers: "r + n",
  peft: {
    type: "VERA", fields: { bias: "none", d_initial: D_INITIAL, init_weights: true, projection_prng_key: 0, save_projection: true }, dropout: "vera_dropout",
    lacks: ["exclude_modules", "rank_pattern"], kernels: "none", packed: "whole",
  },
  defaultLearningRate: 1e-3,
  takes: ["rank"],
  scale: () => 1,
  parameters: (weight) => [
    parameter(weight, "vera_lambda_b", ["out"], ZEROS, { name: "vera_lambda_b", axes: ["out"] }),
    parameter(weight, "vera_lambda_d", ["rank"], { kind: "constant", value: D_INITIAL }, { name: "vera_lambda_d", axes: ["rank"] }),
  ],
  shared: (largest) => [
    parameter(largest, "vera_A", ["in", "rank"], kaimingReLU(largest.k), { name: "vera_A", axes: ["rank", "in"] }),
    parameter(largest, "vera_B", ["rank", "out"], kaimingReLU(largest.rank), { name: "vera_B", axes: ["out", "rank"] }),
  ],
  apply(op, w, values, { k, n }, stored) {
    const { b, d, A, B } = named(["b", "d", "A", "B"], values);
    const [own, theirs] = [A.shape?.[0] === k ? A : op.Slice(A, [0], [k], [0]), B.shape?.[1] === n ? B : op.Slice(B, [0], [n], [1])];
    return inFloat(op, w, (base) => product(op, op.Mul(own, d), op.Mul(theirs, b), base, stored));
  },
  swappable: false,
  flops: ({ k, n, rank }) => 2 * rank * k * n + k * n + rank * (k + n),
};
