import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

const scalar = (value: number): Tensor => Tensor.ints([], [value]);
const both = { opsets: [17, 20, 23] };
/** ONNX Runtime's kernel is exact to 3e-8 where the length is no power of 2: it goes by π in float32 there, in double too. */
const otherLengths = { tolerance: 2e-7 };

describe("gradients of Fourier transforms", () => {
  for (const last of [1, 2]) {
    const input = [2, 4, last];
    for (const inverse of [0, 1]) {
      gradcheck("DFT", { input }, { ...both, attributes: { inverse } });
      gradcheck("DFT", { input: [1, 5, last] }, { ...both, ...otherLengths, attributes: { inverse } });
      // The signal cut off, and padded.
      for (const dft_length of [scalar(2), scalar(8)]) gradcheck("DFT", { input }, { ...both, attributes: { inverse }, fixed: { dft_length } });
      gradcheck("DFT", { input }, { ...both, ...otherLengths, attributes: { inverse }, fixed: { dft_length: scalar(3) } });
    }
  }

  gradcheck("DFT", { input: [2, 4, 1] }, { ...both, attributes: { onesided: 1 } });
  gradcheck("DFT", { input: [1, 5, 1] }, { ...both, ...otherLengths, attributes: { onesided: 1 } });
  for (const dft_length of [scalar(2), scalar(8)]) gradcheck("DFT", { input: [2, 4, 1] }, { ...both, attributes: { onesided: 1 }, fixed: { dft_length } });
  for (const dft_length of [scalar(3), scalar(7)]) gradcheck("DFT", { input: [2, 4, 1] }, { ...both, ...otherLengths, attributes: { onesided: 1 }, fixed: { dft_length } });

  for (const axis of [0, 2, -2, -4]) {
    gradcheck("DFT", { input: [2, 1, 4, 1] }, { opsets: [17], attributes: { axis } });
    gradcheck("DFT", { input: [2, 1, 4, 2] }, { opsets: [20, 23], fixed: { axis: scalar(axis) } });
    gradcheck("DFT", { input: [2, 1, 4, 1] }, { opsets: [17], attributes: { axis, onesided: 1 }, fixed: { dft_length: scalar(2) } });
    gradcheck("DFT", { input: [2, 1, 4, 1] }, { opsets: [20], attributes: { onesided: 1 }, fixed: { axis: scalar(axis) } });
    gradcheck("DFT", { input: [2, 1, 4, 1] }, { opsets: [20], attributes: { onesided: 1 }, fixed: { axis: scalar(axis), dft_length: scalar(8) }, constant: ["axis"] });
    // Where the signal was padded is known only while the graph runs.
    gradcheck("DFT", { input: [2, 1, 4, 1] }, { opsets: [20], fixed: { axis: scalar(axis), dft_length: scalar(2) }, refuses: ["own names", "unknown"] });
  }
});
