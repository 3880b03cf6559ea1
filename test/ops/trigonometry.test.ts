import { describe } from "mocha";
import { gradcheck } from "./gradcheck.ts";

describe("gradients of trigonometry", () => {
  const inside = (v: number): number => v / 2;
  for (const op of ["Sin", "Cos"]) gradcheck(op, { input: [2, 3] });
  for (const [op, domain] of [["Tan", inside], ["Asin", inside], ["Acos", inside], ["Atan", inside], ["Sinh", inside], ["Cosh", inside], ["Asinh", inside],
    ["Acosh", (v: number): number => Math.abs(v) + 1.5], ["Atanh", (v: number): number => v / 3]] as const) {
    gradcheck(op, { input: [2, 3] }, { domain, floatOnly: `ONNX Runtime's ${op}` });
  }
});
