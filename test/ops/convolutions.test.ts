import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

const floatOnly = "ONNX Runtime's convolutions";
const opsets = [11, 17, 22];
/** Without a shape, nothing tells the number of axes where no attribute does. */
const refuses = ["unknown"] as const;

describe("gradients of convolutions", () => {
  const line = { X: [2, 2, 7], W: [3, 2, 3] };
  gradcheck("Conv", { ...line, B: [3] }, { floatOnly, opsets, refuses });
  for (const attributes of [{ pads: [1, 2] }, { strides: [2] }, { strides: [3], pads: [0, 1] }, { dilations: [2], pads: [2, 1] }, { strides: [2], dilations: [2], pads: [1, 0] }]) {
    gradcheck("Conv", line, { attributes, floatOnly, opsets });
  }
  const plane = { X: [1, 2, 5, 4], W: [2, 2, 3, 2] };
  for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"]) {
    gradcheck("Conv", plane, { attributes: { auto_pad, kernel_shape: [3, 2] }, floatOnly, opsets: [11, 22] });
    gradcheck("Conv", plane, { attributes: { auto_pad, strides: [2, 3] }, floatOnly, opsets: [11, 22] });
  }
  // A vision transformer's patches.
  gradcheck("Conv", { X: [2, 3, 4, 6], W: [4, 3, 2, 2], B: [4] }, { attributes: { strides: [2, 2], kernel_shape: [2, 2] }, floatOnly, opsets });
  gradcheck("Conv", { X: [2, 4, 5], W: [6, 2, 3], B: [6] }, { attributes: { group: 2, pads: [1, 1], strides: [2] }, floatOnly, opsets });
  gradcheck("Conv", { X: [2, 3, 4, 3], W: [3, 1, 3, 2] }, { attributes: { group: 3, pads: [1, 0, 1, 0], kernel_shape: [3, 2] }, floatOnly, opsets });
  gradcheck("Conv", { X: [1, 1, 3, 3, 3], W: [2, 1, 2, 2, 2] }, { attributes: { pads: [0, 0, 1, 0, 1, 0] }, floatOnly, opsets: [11, 22] });

  const back = { X: [2, 2, 4], W: [2, 3, 3] };
  gradcheck("ConvTranspose", { ...back, B: [3] }, { floatOnly, opsets, refuses });
  for (const attributes of [{ pads: [1, 2] }, { strides: [2] }, { strides: [3], pads: [0, 1], output_padding: [2] }, { dilations: [2], pads: [2, 1] }]) {
    gradcheck("ConvTranspose", back, { attributes, floatOnly, opsets });
  }
  for (const auto_pad of ["NOTSET", "SAME_UPPER", "SAME_LOWER"]) {
    const symbolic = ["named", "own names", "unknown"] as const;
    if (auto_pad !== "NOTSET") gradcheck("ConvTranspose", back, { attributes: { auto_pad, strides: [2] }, floatOnly, opsets: [11, 22], refuses: symbolic });
    gradcheck("ConvTranspose", back, { attributes: { auto_pad, output_shape: [8], strides: [2] }, floatOnly, opsets: [11, 22], refuses: symbolic });
  }
  gradcheck("ConvTranspose", { X: [1, 4, 2, 3], W: [4, 2, 2, 2], B: [4] }, { attributes: { group: 2, strides: [2, 1], kernel_shape: [2, 2] }, floatOnly, opsets });
});
