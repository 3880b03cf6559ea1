import { describe } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { gradcheck } from "./gradcheck.ts";

const never = ["known", "named", "own names", "unknown"] as const;

describe("gradients of normalizations over channels", () => {
  const channels = { scale: [4], B: [4] };
  for (const X of [[2, 4, 3, 2], [1, 4, 5]]) {
    const floatOnly = "ONNX Runtime's InstanceNormalization";
    gradcheck("InstanceNormalization", { input: X, ...channels }, { floatOnly, opsets: [11, 17, 22] });
    gradcheck("InstanceNormalization", { input: X, ...channels }, { attributes: { epsilon: 0.125 }, floatOnly, opsets: [11, 22] });
    gradcheck("GroupNormalization", { X, scale: [2], bias: [2] }, { attributes: { num_groups: 2 }, opsets: [18, 20] });
    gradcheck("GroupNormalization", { X, scale: [4], bias: [4] }, { attributes: { num_groups: 2, epsilon: 0.125, stash_type: DataType.DOUBLE }, opsets: [21, 23] });
    const statistics = { ...channels, input_mean: [4], input_var: [4] };
    const domain = (v: number, name: string): number => (name === "input_var" ? Math.abs(v) + 0.5 : v);
    gradcheck("BatchNormalization", { X, ...statistics }, { domain, opsets: [9, 11, 14, 15, 20] });
    gradcheck("BatchNormalization", { X, ...statistics }, { attributes: { epsilon: 0.125 }, domain, opsets: [11, 20] });
    gradcheck("BatchNormalization", { X, ...statistics }, { attributes: { training_mode: 1 }, outputs: 3, reached: [0], wrt: ["X"], domain, opsets: [15], refuses: never });
  }
  gradcheck("BatchNormalization", { X: [3, 4], scale: [4], B: [4], input_mean: [4], input_var: [4] }, { domain: (v) => Math.abs(v) + 0.5, opsets: [9, 15] });

  for (const p of [1, 2]) {
    for (const axis of [-1, 1]) gradcheck("LpNormalization", { input: [2, 3, 2] }, { attributes: { p, axis }, opsets: [11, 17, 22] });
  }
  const floatOnly = "ONNX Runtime's MeanVarianceNormalization";
  gradcheck("MeanVarianceNormalization", { X: [2, 2, 3, 2] }, { floatOnly, opsets: [11, 13, 20] });
  gradcheck("MeanVarianceNormalization", { X: [2, 2, 3, 2] }, { attributes: { axes: [2, 3] }, floatOnly, opsets: [11, 13, 20] });

  for (const size of [1, 3, 5]) {
    gradcheck("LRN", { X: [1, 6, 2, 1] }, { attributes: { size, alpha: 0.5 }, floatOnly: "ONNX Runtime's LRN", opsets: [11, 13, 20] });
    gradcheck("LRN", { X: [2, 4, 1, 2] }, { attributes: { size, alpha: 0.5, beta: 0.6, bias: 1.5 }, floatOnly: "ONNX Runtime's LRN", opsets: [11, 20] });
  }
});
