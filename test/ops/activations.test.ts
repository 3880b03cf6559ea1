import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

describe("gradients of activations", () => {
  gradcheck("Erf", { input: [2, 7] }, { floatOnly: "ONNX Runtime's Erf" });
  gradcheck("Tanh", { input: [2, 3] });
  gradcheck("Sigmoid", { X: [2, 3] });
  gradcheck("Relu", { X: [2, 3] });
  gradcheck("Gelu", { X: [2, 7] }, { floatOnly: "ONNX Runtime's Gelu", domain: (v) => 2 * v });
  gradcheck("Gelu", { X: [2, 7] }, { attributes: { approximate: "none" }, floatOnly: "ONNX Runtime's Gelu" });
  // The kernel opens the formula with its constants in float32, whatever x is in.
  gradcheck("Gelu", { X: [2, 7] }, { attributes: { approximate: "tanh" }, tolerance: 1e-7, domain: (v) => 2 * v });
  for (const op of ["Softmax", "LogSoftmax"]) {
    gradcheck(op, { input: [2, 3, 4] });
    for (const axis of [-1, 0, 1, 2, -2]) gradcheck(op, { input: [2, 3, 4] }, { attributes: { axis } });
  }
});
