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
  // ONNX Runtime 1.30 has no kernel for it, and opens it in the one opset.
  gradcheck("Swish", { X: [2, 5] }, { opsets: [24] });
  // ONNX Runtime 1.30 has no kernel for it, and opens it in the one opset.
  gradcheck("Swish", { X: [2, 5] }, { attributes: { alpha: 1.5 }, opsets: [24] });
  gradcheck("Mish", { X: [2, 5] }, { domain: (v) => 2 * v, floatOnly: "ONNX Runtime's Mish" });
  gradcheck("Softplus", { X: [2, 5] }, { domain: (v) => 2 * v, floatOnly: "ONNX Runtime's Softplus" });
  gradcheck("Softsign", { input: [2, 5] }, { domain: (v) => v + Math.sign(v) / 2, floatOnly: "ONNX Runtime's Softsign" });
});
