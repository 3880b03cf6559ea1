import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { differentiate } from "../../src/passes/differentiate.ts";
import { failure, workbench } from "../passes/workbench.ts";

describe("what an old opset can't say", () => {
  it("is an error of the model, not of the caller: a loss needed Where in a model of opset 8", () => {
    const { op, input } = workbench(8);
    const x = input("x", [2]);
    assert.throws(() => op.Where(input("c", [2], DataType.BOOL), x, x), failure("OPSET_LACKS", /^The graph speaks opset 8, in which Where does not exist\. Convert the model to opset 17 or newer/));
  });

  it("is told with the attribute that was of another kind: Cast took a text in opset 1", () => {
    const { op, input } = workbench(1);
    assert.throws(() => op.Cast(input("x", [2]), { to: DataType.FLOAT }), failure("OPSET_LACKS", /Cast has no attribute "to" that could hold what is written/));
  });

  it("is told where sizes that the graph computes would have to be constants", () => {
    const { op, input } = workbench(12);
    assert.throws(() => op.Unsqueeze(input("x", [2]), input("axes", [1], DataType.INT64)), failure("OPSET_LACKS", /"axes" would have to be a constant/));
  });

  it("fails a gradient rule with the node's name", () => {
    const { model, graph, op, input, output } = workbench(8);
    const x = input("x", [2, 3]);
    const loss = output(op.ReduceSum(op.Abs(x), undefined, { keepdims: 0 }), "loss");
    assert.throws(() => differentiate(graph, { opsets: model.opsets, loss, wrt: [x] }), failure("RULE_FAILED", /Abs, node .* can't be differentiated here: The graph speaks opset 8/));
  });
});
