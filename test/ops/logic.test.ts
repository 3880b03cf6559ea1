import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { differentiate } from "../../src/passes/differentiate.ts";
import { gradcheck } from "./gradcheck.ts";
import { doubles, numbersOf, runGraph } from "./run-graph.ts";

describe("gradients of choice", () => {
  gradcheck("Where", { X: [2, 3], Y: [2, 3] }, { fixed: { condition: Tensor.bools([2, 3], [true, false, true, false, false, true]) }, refusesBefore13: ["unknown"] });
  gradcheck("Where", { X: [3], Y: [2, 1] }, { fixed: { condition: Tensor.bools([2, 1, 3], [true, false, true, false, false, true]) }, refusesBefore13: ["unknown"] });
  gradcheck("Where", { X: [2, 3], Y: [] }, { fixed: { condition: Tensor.bools([1], [true]) }, refusesBefore13: ["unknown"] });
  gradcheck("Where", { X: [2, 3] }, { fixed: { condition: Tensor.bools([3], [true, false, true]), Y: doubles([], [-1e4]) }, refusesBefore13: ["unknown"] });

  it("Where stops the NaN of a softmax over a row that is masked whole, as exported attention has it", async () => {
    const graph = new Graph();
    const opsets = new Map([["", 17]]);
    const op = new OpBuilder(graph, { opsets, origin: "test" });
    const x = graph.addInput("x", { dataType: DataType.DOUBLE, shape: [2, 3] });
    const mask = op.constant("mask", Tensor.bools([2, 3], [true, true, false, false, false, false]));
    const softmax = op.Softmax(op.Where(mask, x, op.scalar(-Infinity, x)));
    const guarded = op.Where(op.IsNaN(softmax), op.scalar(0, x), softmax);
    const loss = op.ReduceSum(op.Mul(guarded, op.constant("weights", doubles([2, 3], [1, 2, 3, 4, 5, 6]))), undefined, { keepdims: 0 });
    const gradient = differentiate(graph, { opsets, loss, wrt: [x] }).get(x);
    assert.ok(gradient !== undefined);
    graph.outputs.push(gradient);
    const result = await runGraph(graph, 17, { x: doubles([2, 3], [1, 1, 1, 1, 1, 1]) });
    assert.deepEqual([...numbersOf(result[gradient.name])], [-0.25, 0.25, 0, 0, 0, 0]);
  });

  // ONNX Runtime's Clip in double begins with opset 12; in 11 it is float32's.
  const opsets = [12, 13, 20, 23];
  const wide = { domain: (v: number, name: string): number => (name === "input" ? 2 * v : v), floatOnly: "ONNX Runtime's Clip of opset 11", opsets: [11] };
  gradcheck("Clip", { input: [2, 5] }, { fixed: { min: Tensor.floats([], [-0.61]), max: Tensor.floats([], [0.61]) }, ...wide });
  gradcheck("Clip", { input: [2, 5] }, { opsets });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { min: doubles([], [-0.5123]) }, opsets });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { max: doubles([], [0.5123]) }, opsets });
  gradcheck("Clip", { input: [2, 5] }, { fixed: { min: doubles([], [-0.5123]), max: doubles([], [0.5123]) }, opsets });
  gradcheck("Clip", { input: [2, 7], min: [], max: [] }, { domain: (v, name) => (name === "min" ? -0.5123 : name === "max" ? 0.5123 : v), opsets });
});
