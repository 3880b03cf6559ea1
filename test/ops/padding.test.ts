import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);

describe("gradients of padding", () => {
  gradcheck("Pad", { data: [2, 3] }, { fixed: { pads: vector(0, 1, 2, 0) } });
  gradcheck("Pad", { data: [2, 3] }, { fixed: { pads: vector(0, 1, 2, 0) }, opsets: [11, 12] });
  gradcheck("Pad", { data: [2, 3], constant_value: [] }, { fixed: { pads: vector(1, 1, 0, 2) } });
  gradcheck("Pad", { data: [3, 4] }, { fixed: { pads: vector(-1, 1, 0, -2) } });
  gradcheck("Pad", { data: [2, 3] }, { fixed: { pads: vector(1, 2), axes: vector(1) }, opsets: [18, 20] });
  gradcheck("Pad", { data: [2, 3, 2], constant_value: [] }, { fixed: { pads: vector(1, 0, 2, 1), axes: vector(-1, 0) }, opsets: [18, 21, 24] });
  for (const mode of ["reflect", "edge"]) {
    gradcheck("Pad", { data: [2, 3] }, { attributes: { mode }, fixed: { pads: vector(0, 2, 1, 1) }, opsets: [16, 18, 20] });
    gradcheck("Pad", { data: [3] }, { attributes: { mode }, fixed: { pads: vector(1, 2), axes: vector(0) }, opsets: [18, 20] });
  }
  gradcheck("Pad", { data: [2, 3] }, { attributes: { mode: "wrap" }, fixed: { pads: vector(0, 2, 1, 1) }, opsets: [19, 21] });

  for (const shape of [vector(2, 5), vector(5, 2), vector(6, 3)]) gradcheck("CenterCropPad", { input_data: [3, 4] }, { fixed: { shape }, opsets: [18, 20] });
  gradcheck("CenterCropPad", { input_data: [3, 4, 2] }, { attributes: { axes: [1] }, fixed: { shape: vector(7) }, opsets: [18, 20] });
  gradcheck("CenterCropPad", { input_data: [3, 4, 2] }, { attributes: { axes: [-3, 1] }, fixed: { shape: vector(2, 1) }, opsets: [18, 20], refuses: ["unknown"] });
});
