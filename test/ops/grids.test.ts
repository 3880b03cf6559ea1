import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);

describe("gradients of columns", () => {
  const floatOnly = "ONNX Runtime's Col2Im";
  // The sizes of the image and of the window are read off constants.
  const refuses = ["own names", "unknown"] as const;
  const plane = { image_shape: vector(4, 3), block_shape: vector(2, 2) };
  gradcheck("Col2Im", { input: [2, 8, 6] }, { fixed: plane, floatOnly, opsets: [18, 21], refuses });
  gradcheck("Col2Im", { input: [1, 4, 6] }, { attributes: { pads: [1, 0, 1, 1], strides: [2, 2], dilations: [1, 1] }, fixed: plane, floatOnly, opsets: [18, 21], refuses });
  gradcheck("Col2Im", { input: [1, 4, 2] }, { attributes: { dilations: [2, 2] }, fixed: plane, floatOnly, opsets: [18, 21], constant: ["image_shape", "block_shape"] });
});
