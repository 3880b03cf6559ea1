import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles } from "./run-graph.ts";

describe("gradients of choice", () => {
  gradcheck("Where", { X: [2, 3], Y: [2, 3] }, { fixed: { condition: Tensor.bools([2, 3], [true, false, true, false, false, true]) } });
  gradcheck("Where", { X: [3], Y: [2, 1] }, { fixed: { condition: Tensor.bools([2, 1, 3], [true, false, true, false, false, true]) } });
  gradcheck("Where", { X: [2, 3], Y: [] }, { fixed: { condition: Tensor.bools([1], [true]) } });
  gradcheck("Where", { X: [2, 3] }, { fixed: { condition: Tensor.bools([3], [true, false, true]), Y: doubles([], [-1e4]) } });

  gradcheck("Clip", { input: [2, 5] });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { min: doubles([], [-0.5123]) } });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { max: doubles([], [0.5123]) } });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { min: doubles([], [-0.5123]), max: doubles([], [0.5123]) } });
});
