import { describe } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles } from "./run-graph.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);

describe("gradients of shaping", () => {
  gradcheck("Identity", { input: [2, 3] });
  gradcheck("Cast", { input: [2, 3] }, { attributes: { to: DataType.DOUBLE } });

  gradcheck("Reshape", { data: [2, 3, 4] }, { fixed: { shape: vector(6, 4) } });
  gradcheck("Reshape", { data: [2, 3, 4] }, { fixed: { shape: vector(0, -1) } });
  gradcheck("Reshape", { data: [2, 3] }, { fixed: { shape: vector(-1) } });
  gradcheck("Reshape", { data: [1] }, { fixed: { shape: vector() } });
  gradcheck("Flatten", { input: [2, 3, 2] });
  for (const axis of [0, 2, -1, 3]) gradcheck("Flatten", { input: [2, 3, 2] }, { attributes: { axis } });

  gradcheck("Transpose", { data: [2, 3, 4] });
  gradcheck("Transpose", { data: [2, 3, 4] }, { attributes: { perm: [1, 2, 0] } });
  gradcheck("Transpose", { data: [2, 3, 1, 2] }, { attributes: { perm: [0, 2, 1, 3] } });

  gradcheck("Squeeze", { data: [2, 1, 3, 1] }, { fixed: { axes: vector(1, -1) } });
  gradcheck("Squeeze", { data: [2, 1, 3, 1] });
  gradcheck("Unsqueeze", { data: [2, 3] }, { fixed: { axes: vector(-1, 1) } });
  gradcheck("Unsqueeze", { data: [] }, { fixed: { axes: vector(0) } });

  gradcheck("Expand", { input: [3, 1] }, { fixed: { shape: vector(2, 1, 4) }, refusesBefore13: ["own names", "unknown"] });
  gradcheck("Expand", { input: [2, 3] }, { fixed: { shape: vector(2, 3) }, refusesBefore13: ["own names", "unknown"] });
  gradcheck("Expand", { input: [] }, { fixed: { shape: vector(2) }, refusesBefore13: ["own names", "unknown"] });
  gradcheck("Expand", { input: [2, 1, 3] }, { fixed: { shape: vector(1) }, refusesBefore13: ["own names", "unknown"] });

  gradcheck("Concat", { a: [2, 3] }, { attributes: { axis: 0 } });
  gradcheck("Concat", { a: [2, 3], b: [2, 1], c: [2, 2] }, { attributes: { axis: 1 } });
  gradcheck("Concat", { a: [2, 3, 1], b: [2, 2, 1] }, { attributes: { axis: -2 } });

  gradcheck("Split", { input: [2, 6] }, { attributes: { axis: 1 }, fixed: { split: vector(1, 2, 3) }, outputs: 3 });
  gradcheck("Split", { input: [2, 6] }, { attributes: { axis: -1 }, fixed: { split: vector(1, 2, 3) }, outputs: 3, reached: [1] });
  gradcheck("Split", { input: [4, 2] }, { outputs: 2, opsets: [11, 13, 17] });
  gradcheck("Split", { input: [4, 2] }, { attributes: { num_outputs: 2 }, outputs: 2, opsets: [18, 20] });
  gradcheck("Split", { input: [5, 2] }, { attributes: { num_outputs: 2 }, outputs: 2, reached: [1], opsets: [18, 20] });

  gradcheck("CastLike", { input: [2, 3] }, { fixed: { target_type: doubles([1], [0]) }, opsets: [15, 20] });

  gradcheck("Tile", { input: [2, 3] }, { fixed: { repeats: vector(2, 1) }, refuses: ["unknown"] });
  gradcheck("Tile", { input: [2, 1, 2] }, { fixed: { repeats: vector(1, 3, 2) }, refuses: ["unknown"] });
  gradcheck("Tile", { input: [3] }, { fixed: { repeats: vector(2) }, refuses: ["unknown"] });

  gradcheck("Trilu", { input: [2, 3, 4] });
  gradcheck("Trilu", { input: [3, 3] }, { attributes: { upper: 0 } });
  gradcheck("Trilu", { input: [3, 4] }, { attributes: { upper: 0 }, fixed: { k: Tensor.ints([], [-1]) } });
});
