import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { int32s } from "./run-graph.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);
/** Equal indices add up by ScatterND and ScatterElements with a reduction, which they have since opset 16. */
const opsets = [16, 17, 20];

describe("gradients of indexing", () => {
  for (const index of [0, 2, -1]) {
    gradcheck("Gather", { data: [2, 3, 2] }, { attributes: { axis: 1 }, fixed: { indices: Tensor.ints([], [index]) }, opsets: [13, 17, 20], refuses: ["unknown"] });
    gradcheck("Gather", { data: [2, 3, 2] }, { attributes: { axis: -2 }, fixed: { indices: vector(index) }, opsets, refuses: ["unknown"] });
  }
  gradcheck("Gather", { data: [3] }, { fixed: { indices: Tensor.ints([], [1]) }, opsets });
  gradcheck("Gather", { data: [4, 2] }, { fixed: { indices: vector(0, 3, 0, -1) }, opsets });
  gradcheck("Gather", { data: [4, 2] }, { fixed: { indices: int32s([2], [1, -3]) }, opsets });
  gradcheck("Gather", { data: [4, 2, 2] }, { fixed: { indices: Tensor.ints([2, 3], [0, 3, 0, -1, 1, 1]) }, opsets });
  gradcheck("Gather", { data: [2, 4, 2] }, { attributes: { axis: 1 }, fixed: { indices: Tensor.ints([2, 3], [0, 3, 0, -1, 1, 1]) }, opsets, refuses: ["unknown"] });
  gradcheck("Gather", { data: [2, 2, 4] }, { attributes: { axis: -1 }, fixed: { indices: int32s([3], [3, -1, 0]) }, opsets, refuses: ["unknown"] });

  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(1), ends: vector(4), axes: vector(1) } });
  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(0, 1), ends: vector(2, 9007199254740991) } });
  gradcheck("Slice", { data: [2, 5, 3] }, { fixed: { starts: vector(-3, -9), ends: vector(-1, 2), axes: vector(-2, 2), steps: vector(1, 1) } });
  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(0), ends: vector(5), axes: vector(1), steps: vector(2) } });
  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(-1, 4), ends: vector(-9, 0), axes: vector(0, 1), steps: vector(-1, -2) } });
  gradcheck("Slice", { data: [2, 3, 2] }, { fixed: { starts: vector(9), ends: vector(12), axes: vector(1) }, opsets: [13, 17, 20, 23] });
  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(1), ends: vector(4), axes: vector(1) }, constant: ["starts", "axes"] });
  gradcheck("Slice", { data: [2, 5] }, { fixed: { starts: vector(-2), ends: vector(9007199254740991), axes: vector(1) }, constant: ["starts", "axes", "ends"] });

  for (const exclusive of [0, 1]) {
    for (const reverse of [0, 1]) gradcheck("CumSum", { x: [2, 4] }, { attributes: { exclusive, reverse }, fixed: { axis: Tensor.ints([], [1]) } });
  }
  gradcheck("CumSum", { x: [3, 2] }, { fixed: { axis: int32s([], [-2]) } });

  const floatOnly = "ONNX Runtime's OneHot";
  const depth = Tensor.ints([], [4]);
  gradcheck("OneHot", { values: [2] }, { fixed: { indices: Tensor.ints([2, 3], [0, 3, 2, -1, 1, 9]), depth }, floatOnly });
  gradcheck("OneHot", { values: [2] }, { attributes: { axis: 1 }, fixed: { indices: Tensor.ints([2, 3], [0, 3, 2, 1, 1, 0]), depth }, floatOnly, opsets: [11, 17] });

  const condition = Tensor.bools([3], [true, false, true]);
  gradcheck("Compress", { input: [2, 3] }, { fixed: { condition }, opsets: [11, 17, 20] });
  gradcheck("Compress", { input: [3, 2] }, { attributes: { axis: 0 }, fixed: { condition }, opsets: [11, 17, 20] });
  gradcheck("Compress", { input: [2, 3, 2] }, { attributes: { axis: -2 }, fixed: { condition: Tensor.bools([2], [false, true]) }, opsets: [11, 17] });
});
