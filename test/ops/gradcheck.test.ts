import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Node } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { unbroadcast } from "../../src/ops/broadcast.ts";
import type { GradientRule, OpDefinition } from "../../src/ops/define.ts";
import { definitionOf } from "../../src/ops/registry.ts";
import { checkGradient, type GradcheckOptions } from "./gradcheck.ts";

/** The registry with one rule replaced. */
function planted(opType: string, input: string, rule: GradientRule): GradcheckOptions["definitions"] {
  return (node: Node): OpDefinition | undefined => {
    const definition = definitionOf(node);
    if (definition === undefined || node.opType !== opType || typeof definition.gradient === "string" || !node.name.startsWith("test/")) return definition;
    return { ...definition, gradient: { ...definition.gradient, [input]: rule } };
  };
}

const at = <T>(record: Readonly<Record<string, T>>, name: string): T => {
  const found = record[name];
  assert.ok(found !== undefined);
  return found;
};

const rejects = (opType: string, inputs: Readonly<Record<string, readonly number[]>>, options: GradcheckOptions, message: RegExp): Promise<void> =>
  assert.rejects(checkGradient(opType, inputs, { ...options, opsets: [17] }), (error: Error) => { assert.match(error.message, message); return true; });

describe("gradcheck sees", () => {
  it("a wrong sign", () => rejects("Div", { A: [2, 3], B: [2, 3] }, {
    domain: (v) => Math.abs(v) + 0.5,
    definitions: planted("Div", "B", ({ op, in: inputs, out, grad }) => op.Div(op.Mul(at(grad, "C"), at(out, "C")), at(inputs, "B"))),
  }, /Div, opset 17, shapes known: the gradient of input B is off by/));

  it("a broadcast that isn't undone, where the shapes tell", () => rejects("Add", { A: [2, 3], B: [3] }, {
    definitions: planted("Add", "B", ({ grad }) => at(grad, "C")),
  }, /made something of the wrong shape/));

  it("a broadcast that isn't undone, where they don't", () => rejects("Add", { A: [2, 3], B: [1, 3] }, {
    // Right for every shape that is known beforehand.
    definitions: planted("Add", "B", ({ op, in: inputs, grad }) => (at(inputs, "B").shape?.[0] === 1 ? unbroadcast(op, at(grad, "C"), at(inputs, "B")) : at(grad, "C"))),
  }, /Add, opset 17, shapes own names: the gradient of input B has another shape/));

  it("the wrong input in a formula", () => rejects("Mul", { A: [2, 3], B: [2, 3] }, {
    definitions: planted("Mul", "A", ({ op, in: inputs, grad }) => op.Mul(at(grad, "C"), at(inputs, "A"))),
  }, /the gradient of input A is off by/));

  it("a factor that is off by one part in ten million", () => rejects("Neg", { X: [2, 3] }, {
    definitions: planted("Neg", "X", ({ op, grad }) => op.Mul(at(grad, "Y"), op.scalar(-1 - 1e-7, at(grad, "Y")))),
  }, /the gradient of input X is off by/));

  it("a formula of the right shape and the wrong curve, in float32 too", () => rejects("Erf", { input: [2, 3] }, {
    floatOnly: "ONNX Runtime's Erf",
    definitions: planted("Erf", "input", ({ op, in: inputs, grad }) => op.Mul(at(grad, "output"), op.Exp(op.Neg(op.Abs(at(inputs, "input")))))),
  }, /the gradient of input input is off by/));

  it("a rule that reads an index as if it were a constant", () => rejects("Gather", { data: [3, 2] }, {
    fixed: { indices: Tensor.ints([2], [2, 0]) },
    definitions: planted("Gather", "data", ({ op, in: inputs, grad }) => {
      const rows = at(inputs, "indices").facts?.ints?.map(Number) ?? [0, 1];
      return op.ScatterND(op.Mul(at(inputs, "data"), op.scalar(0, at(inputs, "data"))), op.Unsqueeze(op.ints(rows), [-1]), at(grad, "output"), { reduction: "add" });
    }),
  }, /Gather, opset 17, shapes own names: the gradient of input data is off by/));

  it("a rule that doesn't refuse what it is said to refuse", () => rejects("Neg", { X: [2, 3] }, { refuses: ["unknown"] }, /shapes unknown: the rule should refuse/));

  it("a kernel in double where a row says there is none", () => rejects("Neg", { X: [2, 3] }, { floatOnly: "so it says" }, /has a kernel in double now/));
});
