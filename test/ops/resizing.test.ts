import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);
const floats = (...values: number[]): Tensor => Tensor.floats([values.length], values);

describe("gradients of resizing", () => {
  const floatOnly = "ONNX Runtime's Resize";
  // The matrices are made of sizes when the graph is built.
  const refuses = ["named", "own names", "unknown"] as const;
  const constant = ["scales", "sizes", "roi"];
  const options = { floatOnly, refuses, constant };
  const plane = { X: [1, 2, 4, 3] };
  const roi = new Tensor(1, [0], new Uint8Array(0));
  const up = { roi, scales: floats(1, 1, 2, 1.6) };
  const to = { roi, scales: roi, sizes: vector(1, 2, 3, 7) };
  for (const coordinate_transformation_mode of ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]) {
    for (const mode of ["linear", "cubic", "nearest"]) {
      gradcheck("Resize", plane, { attributes: { mode, coordinate_transformation_mode }, fixed: up, opsets: [11, 13, 18, 19], ...options });
      gradcheck("Resize", plane, { attributes: { mode, coordinate_transformation_mode }, fixed: to, opsets: [11, 19], ...options });
    }
  }
  for (const nearest_mode of ["floor", "ceil", "round_prefer_ceil"]) gradcheck("Resize", plane, { attributes: { nearest_mode }, fixed: to, opsets: [11, 13, 19], ...options });
  gradcheck("Resize", plane, { attributes: { mode: "nearest", coordinate_transformation_mode: "tf_half_pixel_for_nn" }, fixed: up, opsets: [11], ...options });
  for (const mode of ["linear", "cubic"]) {
    gradcheck("Resize", plane, { attributes: { mode, coordinate_transformation_mode: "half_pixel_symmetric" }, fixed: { scales: floats(1, 1, 0.6, 1.7) }, opsets: [19, 22], ...options });
  }
  gradcheck("Resize", plane, { attributes: { mode: "cubic", exclude_outside: 1, cubic_coeff_a: -0.5 }, fixed: to, opsets: [11, 19], ...options });
  const region = { roi: floats(0, 0, 0.25, -0.5, 1, 1, 0.75, 1.25), scales: roi, sizes: vector(1, 2, 3, 4) };
  gradcheck("Resize", plane, { attributes: { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" }, fixed: region, opsets: [11, 13, 18], ...options });
  gradcheck("Resize", plane, { attributes: { mode: "linear", axes: [3, 2] }, fixed: { sizes: vector(5, 2) }, opsets: [18, 19], ...options });
  for (const keep_aspect_ratio_policy of ["not_larger", "not_smaller"]) {
    gradcheck("Resize", plane, { attributes: { mode: "linear", axes: [2, 3], keep_aspect_ratio_policy }, fixed: { sizes: vector(7, 6) }, opsets: [18, 19], ...options });
  }
  gradcheck("Resize", plane, { attributes: { mode: "linear", antialias: 1 }, fixed: to, opsets: [18, 19], ...options, refuses: ["known", ...refuses] });

  for (const mode of ["nearest", "linear"]) {
    gradcheck("Upsample", plane, { attributes: { mode }, fixed: { scales: floats(1, 1, 2, 1.5) }, opsets: [9], ...options, floatOnly: "ONNX Runtime's Upsample" });
    gradcheck("Resize", plane, { attributes: { mode }, fixed: { scales: floats(1, 1, 2, 1.5) }, opsets: [10], ...options });
  }

  for (const mode of ["DCR", "CRD"]) gradcheck("DepthToSpace", { input: [2, 12, 2, 3] }, { attributes: { mode, blocksize: 2 }, opsets: [11, 13, 20] });
  gradcheck("SpaceToDepth", { input: [2, 3, 4, 6] }, { attributes: { blocksize: 2 }, opsets: [11, 13, 20] });
});
