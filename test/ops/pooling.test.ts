import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

const floatOnly = "ONNX Runtime's pools";
/** Padding by the size needs the size, where the counts depend on it. */
const refuses = ["named", "own names", "unknown"] as const;

describe("gradients of pools", () => {
  const plane = { X: [2, 2, 5, 4] };
  for (const count_include_pad of [0, 1]) {
    for (const attributes of [{}, { strides: [2, 3] }, { pads: [1, 0, 1, 1] }, { pads: [1, 1, 0, 1], strides: [2, 2] }]) {
      gradcheck("AveragePool", plane, { attributes: { kernel_shape: [3, 2], count_include_pad, ...attributes }, floatOnly, opsets: [11, 17, 22] });
    }
    for (const auto_pad of ["SAME_UPPER", "SAME_LOWER"]) {
      gradcheck("AveragePool", plane, { attributes: { kernel_shape: [3, 2], auto_pad, count_include_pad, strides: [2, 2] }, floatOnly, opsets: [11, 22], refuses });
    }
    gradcheck("AveragePool", { X: [1, 2, 7] }, { attributes: { kernel_shape: [3], ceil_mode: 1, count_include_pad, strides: [3], pads: [1, 0] }, floatOnly, opsets: [11, 19, 22] });
    gradcheck("AveragePool", { X: [1, 2, 9] }, { attributes: { kernel_shape: [3], dilations: [2], pads: [1, 2], count_include_pad }, floatOnly, opsets: [19, 22] });
  }
  gradcheck("AveragePool", { X: [1, 1, 3, 3, 4] }, { attributes: { kernel_shape: [2, 2, 2] }, floatOnly, opsets: [11, 22] });

  const maximum = { outputs: 2, reached: [0] };
  for (const attributes of [{ strides: [3, 2] }, { strides: [3, 2], pads: [1, 0, 1, 1] }]) {
    gradcheck("MaxPool", plane, { attributes: { kernel_shape: [3, 2], ...attributes }, opsets: [11, 12, 17, 22], ...maximum });
  }
  for (const attributes of [{}, { strides: [2, 1], pads: [1, 1, 1, 0] }, { dilations: [2, 2] }, { ceil_mode: 1, strides: [2, 2] }, { auto_pad: "SAME_LOWER", strides: [2, 2] }]) {
    gradcheck("MaxPool", plane, { attributes: { kernel_shape: [3, 2], ...attributes }, opsets: [17, 22] });
  }
  gradcheck("MaxPool", { X: [2, 1, 6] }, { attributes: { kernel_shape: [3] }, opsets: [17, 22] });
  gradcheck("MaxPool", { X: [1, 1, 4, 4] }, { attributes: { kernel_shape: [2, 2], storage_order: 1 }, opsets: [17], refuses: ["known", ...refuses] });

  // Steps of float32 are wide: values stay that far from 0, and the largest from the others.
  const domain = (v: number): number => v + Math.sign(v);
  for (const p of [1, 2, 3]) {
    gradcheck("LpPool", plane, { attributes: { p, kernel_shape: [3, 2], pads: [1, 0, 1, 0], strides: [2, 1] }, floatOnly, domain, opsets: [11, 18, 22] });
    gradcheck("GlobalLpPool", plane, { attributes: { p }, floatOnly, domain, opsets: [11, 17] });
  }
  gradcheck("LpPool", { X: [1, 2, 9] }, { attributes: { kernel_shape: [2], dilations: [3], strides: [2] }, floatOnly, domain, opsets: [18, 22] });
  gradcheck("GlobalAveragePool", plane, { floatOnly, opsets: [11, 17, 22] });
  gradcheck("GlobalAveragePool", { X: [2, 3, 4] }, { floatOnly, opsets: [11, 22] });
  gradcheck("GlobalMaxPool", plane, { floatOnly, domain: (v) => 10 * v, opsets: [11, 17, 22] });
  gradcheck("GlobalMaxPool", { X: [2, 3, 4] }, { floatOnly, domain: (v) => 5 * v, opsets: [11, 22] });
});
