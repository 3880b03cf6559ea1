import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

describe("gradients of normalizations", () => {
  // The kernel gives mean and 1/σ in float32 even where x is in double, and dx is made of them.
  const tolerance = 1e-6;
  for (const domain of [(v: number): number => v, (v: number): number => 0.3 * v + 1]) {
    gradcheck("LayerNormalization", { X: [2, 3, 4], Scale: [4] }, { tolerance, domain });
    gradcheck("LayerNormalization", { X: [2, 3, 4], Scale: [4], B: [4] }, { attributes: { axis: -1, epsilon: 0.01 }, tolerance, domain });
    gradcheck("LayerNormalization", { X: [2, 3, 4], Scale: [3, 4], B: [3, 4] }, { attributes: { axis: -2 }, tolerance, domain });
  }
  gradcheck("LayerNormalization", { X: [2, 3, 4], Scale: [3, 4] }, { attributes: { axis: 1 }, tolerance, refuses: ["unknown"] });
  gradcheck("LayerNormalization", { X: [5], Scale: [5], B: [5] }, { tolerance });

  gradcheck("RMSNormalization", { X: [2, 3, 4], scale: [4] });
  gradcheck("RMSNormalization", { X: [2, 3, 4], scale: [3, 4] }, { attributes: { axis: -2, epsilon: 0.125 } });
  gradcheck("RMSNormalization", { X: [2, 3, 4], scale: [3, 4] }, { attributes: { axis: 1 }, refuses: ["unknown"] });

  gradcheck("Dropout", { data: [2, 3] });
  gradcheck("Dropout", { data: [2, 3] }, { fixed: { ratio: Tensor.floats([], [0.5]), training_mode: Tensor.bools([], [false]) }, constant: ["ratio", "training_mode"], opsets: [12, 13, 20, 22] });
});
