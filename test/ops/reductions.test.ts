import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

const axes = (...values: number[]): { readonly axes: Tensor } => ({ axes: Tensor.ints([values.length], values) });

describe("gradients of reductions", () => {
  for (const op of ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"]) {
    for (const keepdims of [0, 1]) {
      gradcheck(op, { data: [2, 3, 2] }, { attributes: { keepdims } });
      gradcheck(op, { data: [2, 3, 2] }, { attributes: { keepdims }, fixed: axes(1) });
      gradcheck(op, { data: [2, 3, 2] }, { attributes: { keepdims }, fixed: axes(-1, 0) });
      gradcheck(op, { data: [2, 1, 3] }, { attributes: { keepdims }, fixed: axes(1) });
      gradcheck(op, { data: [2, 3] }, { attributes: { keepdims, noop_with_empty_axes: 1 }, opsets: op === "ReduceSum" ? [13, 17, 20] : [18, 20] });
      gradcheck(op, { data: [2, 3] }, { attributes: { keepdims, noop_with_empty_axes: 1 }, fixed: axes(), opsets: op === "ReduceSum" ? [13, 17, 20] : [18, 20] });
      gradcheck(op, { data: [2, 3] }, { attributes: { keepdims }, fixed: axes(), opsets: op === "ReduceSum" ? [13, 17, 20] : [18, 20] });
    }
    gradcheck(op, { data: [] }, {});
  }
});
