/** (IA)³ (arXiv 2205.05638): W' = W ⊙ l, l a number for each output, or for each input of the second product of a feed-forward block. */
import { along, inFloat, named, ONES, parameter, type UpdatedTransformation } from "./updated-transformation.ts";

/** PEFT scales what the module gives, its bias with it: b' = b ⊙ l. What comes into a feed-forward module has no bias. */
export const ia3: UpdatedTransformation = {
  name: "ia3",
  summary: "W' = W ⊙ l, one number for each output, or for each input of weights with the role down; biases are scaled too",
  numbers: "n, or k",
  peft: {
    type: "IA3", fields: { init_ia3_weights: true, feedforward_modules: [] }, lacks: ["r", "rank_pattern", "layers_to_transform", "layers_pattern"], kernels: "none", packed: 1,
  },
  defaultLearningRate: 1e-3,
  takes: ["feedforward"],
  scale: () => 1,
  parameters: (weight) => [weight.feedforward === true
    ? parameter(weight, "ia3_l", ["in"], ONES, { name: "ia3_l", axes: [1, "in"] })
    : parameter(weight, "ia3_l", ["out"], ONES, { name: "ia3_l", axes: ["out", 1] })],
  apply(op, w, values, { feedforward }, stored) {
    const { l } = named(["l"], values);
    return inFloat(op, w, (own) => op.Mul(own, along(op, l, feedforward === true ? "in" : "out", stored)));
  },
  updatesBias: ({ feedforward }) => feedforward !== true,
  swappable: false,
  flops: ({ k, n }) => k * n,
};
