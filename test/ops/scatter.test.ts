import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles, int32s } from "./run-graph.ts";

/** Equal indices add up by ScatterND and ScatterElements with a reduction, which they have since opset 16. */
const opsets = [16, 17, 20];

describe("gradients of gathers and scatters", () => {
  gradcheck("GatherElements", { data: [3, 2] }, { fixed: { indices: Tensor.ints([2, 2], [0, -1, 0, 1]) }, opsets });
  gradcheck("GatherElements", { data: [2, 3] }, { attributes: { axis: 1 }, fixed: { indices: Tensor.ints([2, 2], [0, 0, -1, 1]) }, opsets });
  gradcheck("GatherElements", { data: [2, 3] }, { attributes: { axis: -1 }, fixed: { indices: int32s([2, 1], [2, 0]) }, opsets });

  gradcheck("GatherND", { data: [3, 2] }, { fixed: { indices: Tensor.ints([3, 1], [2, 0, 2]) }, opsets });
  gradcheck("GatherND", { data: [3, 2] }, { fixed: { indices: Tensor.ints([2, 2], [2, 0, -1, 1]) }, opsets });
  gradcheck("GatherND", { data: [2, 3, 2] }, { fixed: { indices: Tensor.ints([2, 2, 2], [0, 1, 1, 2, 0, 1, 1, 0]) }, opsets });
  gradcheck("GatherND", { data: [2, 3, 2] }, { attributes: { batch_dims: 1 }, fixed: { indices: Tensor.ints([2, 1], [1, 0]) }, opsets });
  gradcheck("GatherND", { data: [2, 3, 2] }, { attributes: { batch_dims: 1 }, fixed: { indices: Tensor.ints([2, 2, 1], [1, 0, 2, 2]) }, opsets });
  gradcheck("GatherND", { data: [2, 2, 3] }, { attributes: { batch_dims: 2 }, fixed: { indices: Tensor.ints([2, 2, 1], [1, 0, 2, -1]) }, opsets });

  for (const reduction of ["none", "add"]) {
    const attributes = { reduction };
    gradcheck("ScatterND", { data: [4, 2], updates: [2, 2] }, { attributes, fixed: { indices: Tensor.ints([2, 1], [3, 1]) }, opsets });
    gradcheck("ScatterND", { data: [2, 3], updates: [2] }, { attributes, fixed: { indices: Tensor.ints([2, 2], [0, 1, -1, 2]) }, opsets });
    gradcheck("ScatterElements", { data: [3, 2], updates: [2, 2] }, { attributes, fixed: { indices: Tensor.ints([2, 2], [0, 2, 1, -2]) }, opsets });
    gradcheck("ScatterElements", { data: [2, 3], updates: [2, 1] }, { attributes: { reduction, axis: 1 }, fixed: { indices: int32s([2, 1], [2, 0]) }, opsets });
  }
  gradcheck("ScatterND", { data: [3, 2], updates: [2, 2] }, { fixed: { indices: Tensor.ints([2, 1], [2, 0]) }, opsets: [11, 13] });
  gradcheck("ScatterElements", { data: [3, 2], updates: [1, 2] }, { fixed: { indices: Tensor.ints([1, 2], [2, 0]) }, opsets: [11, 13] });
  gradcheck("ScatterND", { data: [4], updates: [3] }, { attributes: { reduction: "add" }, fixed: { indices: Tensor.ints([3, 1], [3, 1, 3]) }, opsets });
  const never = ["known", "named", "own names", "unknown"] as const;
  gradcheck("ScatterND", { data: [4], updates: [2] }, { attributes: { reduction: "mul" }, fixed: { indices: Tensor.ints([2, 1], [3, 1]) }, opsets, refuses: never });
  gradcheck("ScatterElements", { data: [4], updates: [2] }, { attributes: { reduction: "max" }, fixed: { indices: Tensor.ints([2], [3, 1]) }, opsets: [18, 20], refuses: never });

  for (const largest of [0, 1]) {
    gradcheck("TopK", { X: [2, 5] }, { attributes: { largest }, fixed: { K: Tensor.ints([1], [2]) }, outputs: 2, reached: [0], opsets: [11, 17, 24] });
    gradcheck("TopK", { X: [4, 2] }, { attributes: { largest, axis: 0, sorted: 0 }, fixed: { K: Tensor.ints([1], [3]) }, outputs: 2, reached: [0], opsets: [11, 17, 24] });
  }
  gradcheck("ReverseSequence", { input: [3, 2, 2] }, { fixed: { sequence_lens: Tensor.ints([2], [3, 2]) } });
  gradcheck("ReverseSequence", { input: [2, 3] }, { attributes: { batch_axis: 0, time_axis: 1 }, fixed: { sequence_lens: Tensor.ints([2], [1, 3]) } });

  for (const mode of ["linear", "circular"]) {
    const write_indices = Tensor.ints([2], mode === "linear" ? [1, 0] : [3, 1]);
    gradcheck("TensorScatter", { past_cache: [2, 2, 4, 2], update: [2, 2, 2, 2] }, { attributes: { mode }, fixed: { write_indices }, opsets: [24], refuses: ["unknown"] });
    gradcheck("TensorScatter", { past_cache: [2, 4, 2], update: [2, 3, 2] }, { attributes: { mode, axis: 1 }, opsets: [24], refuses: ["unknown"] });
  }
  gradcheck("Scatter", { data: [3, 2] }, { fixed: { indices: Tensor.ints([1, 2], [2, 0]), updates: doubles([1, 2], [0.5, 2]) }, opsets: [9, 10] });
});
