import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles, int32s } from "./run-graph.ts";

describe("gradients of losses", () => {
  const labels = Tensor.ints([4], [2, 0, 1, 2]);
  const places = Tensor.ints([2, 3], [2, 0, 1, -1, 2, 0]);
  const weights = doubles([3], [0.5, 1.5, 2]);
  for (const reduction of ["none", "sum", "mean"]) {
    for (const [name, x, t, w, opsets] of [["NegativeLogLikelihoodLoss", "input", "target", "weight", [12, 17, 22]], ["SoftmaxCrossEntropyLoss", "scores", "labels", "weights", [12, 13, 20]]] as const) {
      gradcheck(name, { [x]: [4, 3] }, { attributes: { reduction }, fixed: { [t]: labels }, opsets });
      gradcheck(name, { [x]: [4, 3] }, { attributes: { reduction, ignore_index: 2 }, fixed: { [t]: labels, [w]: weights }, opsets });
      gradcheck(name, { [x]: [2, 3, 3] }, { attributes: { reduction, ignore_index: -1 }, fixed: { [t]: places }, opsets });
      gradcheck(name, { [x]: [2, 3, 1, 2] }, { attributes: { reduction }, fixed: { [t]: int32s([2, 1, 2], [2, 0, 1, 1]), [w]: weights }, opsets });
    }
    gradcheck("SoftmaxCrossEntropyLoss", { scores: [2, 3, 3] }, { attributes: { reduction, ignore_index: -1 }, fixed: { labels: places, weights }, outputs: 2, opsets: [12, 13, 20] });
    gradcheck("SoftmaxCrossEntropyLoss", { scores: [4, 3] }, { attributes: { reduction }, fixed: { labels }, outputs: 2, reached: [1], opsets: [13, 20] });
  }
});
