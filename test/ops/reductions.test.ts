import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";

/** Sets single elements to 0, counted as the values are asked for. */
function zeroed(places: readonly number[]): (v: number) => number {
  let count = -1;
  return (v) => {
    count += 1;
    return places.includes(count % 9) ? 0 : v;
  };
}

const axes = (...values: number[]): { readonly axes: Tensor } => ({ axes: Tensor.ints([values.length], values) });

describe("gradients of reductions", () => {
  for (const op of ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare", "ReduceProd"]) {
    const options = { domain: (v: number): number => (op === "ReduceLogSum" ? Math.abs(v) + 0.5 : v + Math.sign(v) / 3) };
    for (const keepdims of [0, 1]) {
      gradcheck(op, { data: [2, 3, 2] }, { ...options, attributes: { keepdims } });
      gradcheck(op, { data: [2, 3, 2] }, { ...options, attributes: { keepdims }, fixed: axes(1) });
      gradcheck(op, { data: [2, 3, 2] }, { ...options, attributes: { keepdims }, fixed: axes(-1, 0) });
      gradcheck(op, { data: [2, 1, 3] }, { ...options, attributes: { keepdims }, fixed: axes(1), opsets: [11, 17, 18] });
    }
  }
  // A factor that is 0, two of them, and none.
  gradcheck("ReduceProd", { data: [3, 3] }, { fixed: axes(1), domain: zeroed([0, 4, 5]) });

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
