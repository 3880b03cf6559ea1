import { describe } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles } from "./run-graph.ts";

const positive = (v: number): number => Math.abs(v) + 0.5;

describe("gradients of arithmetic", () => {
  for (const op of ["Add", "Sub", "Mul"]) {
    gradcheck(op, { A: [2, 3], B: [2, 3] });
    gradcheck(op, { A: [2, 1, 5], B: [3, 1] });
    gradcheck(op, { A: [3, 1], B: [2, 1, 5] });
    gradcheck(op, { A: [], B: [2, 3] });
    gradcheck(op, { A: [4], B: [1] });
    gradcheck(op, { A: [1, 1], B: [4] });
  }
  gradcheck("Div", { A: [2, 3], B: [2, 3] }, { domain: positive });
  gradcheck("Div", { A: [2, 1, 5], B: [3, 1] }, { domain: positive });
  gradcheck("Div", { A: [3], B: [2, 2, 3] }, { domain: (v) => Math.sign(v) * positive(v) });
  gradcheck("Div", { A: [], B: [2, 3] }, { domain: positive });

  gradcheck("Pow", { X: [2, 1, 3], Y: [2, 1] }, { domain: (v, name) => (name === "X" ? positive(v) : v) });
  gradcheck("Pow", { X: [3], Y: [2, 3] }, { domain: (v, name) => (name === "X" ? positive(v) : v) });
  for (const exponent of [0, 1, 2, 3, 5]) gradcheck("Pow", { X: [2, 3] }, { fixed: { Y: doubles([], [exponent]) }, domain: (v) => Math.sign(v) * positive(v) });
  for (const exponent of [0.5, -1.5]) gradcheck("Pow", { X: [2, 3] }, { fixed: { Y: doubles([1, 1, 1], [exponent]) }, domain: positive });
  gradcheck("Pow", { X: [2, 3] }, { fixed: { Y: Tensor.ints([3], [2, 3, 1]) }, domain: positive });

  for (const op of ["Max", "Min"]) {
    gradcheck(op, { a: [2, 3], b: [2, 3] });
    gradcheck(op, { a: [2, 1, 3], b: [2, 1], c: [] });
    gradcheck(op, { a: [4] });
    gradcheck(op, { a: [2, 3] }, { fixed: { b: doubles([], [0.123]) } });
  }
  gradcheck("Sum", { a: [2, 3], b: [2, 3] });
  gradcheck("Sum", { a: [2, 1, 3], b: [2, 1], c: [] });
  gradcheck("Sum", { a: [4] });

  gradcheck("Mean", { a: [2, 3], b: [2, 3] }, { floatOnly: "ONNX Runtime's Mean" });
  gradcheck("Mean", { a: [2, 1, 3], b: [2, 1], c: [] }, { floatOnly: "ONNX Runtime's Mean" });

  gradcheck("Neg", { X: [2, 3] });
  gradcheck("Abs", { X: [2, 3] });
  gradcheck("Sqrt", { X: [2, 3] }, { domain: positive });
  gradcheck("Reciprocal", { X: [2, 3] }, { domain: (v) => Math.sign(v) * positive(v) });
  gradcheck("Exp", { input: [2, 3] });
  gradcheck("Log", { input: [2, 3] }, { domain: positive });
});
