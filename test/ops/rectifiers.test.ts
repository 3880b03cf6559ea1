import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

/** In float32 the points of the differences lie 0.1 apart: kept to one side of every bend. */
const off = (bends: readonly number[]) => (v: number): number => bends.reduce((x, bend) => (x >= bend ? x + 0.3 : x), 3 * v);

describe("gradients of rectifiers", () => {
  const domain = (v: number): number => v + Math.sign(v) / 2;
  // From opset 16 on these are functions in ONNX, which the runtime opens in double or not depending on the graph around them: checked in 13.
  const options = { opsets: [13], floatOnly: "ONNX Runtime's LeakyRelu and PRelu", domain };
  gradcheck("LeakyRelu", { X: [2, 3] }, { ...options, attributes: { alpha: 0.125 } });
  gradcheck("LeakyRelu", { X: [2, 3] }, options);
  for (const slope of [[2, 3, 4], [4], [3, 1], [1], []]) gradcheck("PRelu", { X: [2, 3, 4], slope }, options);
  for (const given of [{}, { attributes: { alpha: 0.5 } }]) {
    const side = off([-0.1]);
    gradcheck("Elu", { X: [2, 5] }, { ...given, domain: side, floatOnly: "ONNX Runtime's Elu" });
    gradcheck("Celu", { X: [2, 5] }, { ...given, domain: side, floatOnly: "ONNX Runtime's Celu" });
    gradcheck("Selu", { X: [2, 5] }, { ...given, domain: side, floatOnly: "ONNX Runtime's Selu" });
    gradcheck("ThresholdedRelu", { X: [2, 5] }, { ...given, domain: off([0.35, 0.85]), floatOnly: "ONNX Runtime's ThresholdedRelu" });
    gradcheck("HardSigmoid", { X: [2, 7] }, { ...given, domain: off([-2.6, -1.15, 0.85, 2.35]), floatOnly: "ONNX Runtime's HardSigmoid" });
  }
  // The kernel rounds to float32 on its way, which the narrow steps of a check in double magnify.
  gradcheck("Shrink", { input: [2, 5] }, { domain: off([-0.6, 0.4]), tolerance: 5e-4 });
  gradcheck("Shrink", { input: [2, 5] }, { attributes: { lambd: 1, bias: 0.25 }, domain: off([-1.1, 0.9]), tolerance: 5e-4 });
  gradcheck("HardSwish", { X: [2, 7] }, { domain: off([-3.1, 2.9]), floatOnly: "ONNX Runtime's HardSwish" });
});
