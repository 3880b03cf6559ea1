import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles } from "./run-graph.ts";

const positive = (v: number): number => Math.abs(v) + 0.5;

/** Two inputs: alike, each with axes that the other lacks, a scalar on either side, a single element against many and against more axes. */
const FORMS = [[[2, 3], [2, 3]], [[2, 1, 5], [3, 1]], [[3, 1], [2, 1, 5]], [[3], [2, 2, 3]], [[], [2, 3]], [[2, 3], []], [[4], [1]], [[1, 1], [4]]] as const;
const broadcast = { refusesBefore13: ["unknown"] } as const;

describe("gradients of arithmetic", () => {
  for (const [A, B] of FORMS) {
    for (const op of ["Add", "Sub", "Mul"]) gradcheck(op, { A, B }, broadcast);
    gradcheck("Div", { A, B }, { ...broadcast, domain: (v) => Math.sign(v) * positive(v) });
    gradcheck("Pow", { X: A, Y: B }, { ...broadcast, domain: (v, name) => (name === "X" ? positive(v) : v) });
    for (const op of ["Max", "Min", "Sum"]) gradcheck(op, { a: A, b: B }, broadcast);
    gradcheck("Mean", { a: A, b: B }, { ...broadcast, floatOnly: "ONNX Runtime's Mean" });
  }

  for (const exponent of [0, 1, 2, 3, 5]) gradcheck("Pow", { X: [2, 3] }, { ...broadcast, fixed: { Y: doubles([], [exponent]) }, domain: (v) => Math.sign(v) * positive(v) });
  for (const exponent of [0.5, -1.5]) gradcheck("Pow", { X: [2, 3] }, { ...broadcast, fixed: { Y: doubles([1, 1, 1], [exponent]) }, domain: positive });
  // An exponent of another type than x came with opset 12.
  gradcheck("Pow", { X: [2, 3] }, { fixed: { Y: Tensor.ints([3], [2, 3, 1]) }, domain: positive, opsets: [13, 17, 20, 23] });

  for (const op of ["Max", "Min"]) gradcheck(op, { a: [2, 3] }, { ...broadcast, fixed: { b: doubles([], [0.123]) } });
  for (const op of ["Max", "Min", "Sum"]) {
    gradcheck(op, { a: [2, 1, 3], b: [2, 1], c: [] }, broadcast);
    gradcheck(op, { a: [4] }, broadcast);
  }
  gradcheck("Mean", { a: [2, 1, 3], b: [2, 1], c: [] }, { ...broadcast, floatOnly: "ONNX Runtime's Mean" });

  gradcheck("Neg", { X: [2, 3] });
  gradcheck("Abs", { X: [2, 3] });
  gradcheck("Sqrt", { X: [2, 3] }, { domain: positive });
  gradcheck("Reciprocal", { X: [2, 3] }, { domain: (v) => Math.sign(v) * positive(v) });
  gradcheck("Exp", { input: [2, 3] });
  gradcheck("Log", { input: [2, 3] }, { domain: positive });
});
