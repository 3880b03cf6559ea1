/** Elements of small integer tensors, followed through what moves them, against what ONNX Runtime computes. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { assertFactsFit } from "./declared.ts";
import { runGraph } from "./run-graph.ts";

const OPSET = 18;

/** Builds values, runs them, and compares; `followed` tells which of them have their elements known. */
function follows(title: string, followed: readonly boolean[], build: (op: OpBuilder, input: Value) => readonly Value[]): void {
  it(title, async () => {
    const graph = new Graph();
    const op = new OpBuilder(graph, { opsets: new Map([["", OPSET]]), origin: "test" });
    const data = graph.addInput("data", { dataType: 1, shape: [2, 3, 8, 8] });
    const values = build(op, data);
    assert.deepEqual(values.map((v) => v.facts?.ints?.every((d) => d !== undefined) === true), followed);
    const inferred = values.map((value) => value.facts);
    for (const value of values) value.facts = { dataType: value.dataType, shape: undefined };
    graph.outputs.push(...values);
    const real = await runGraph(graph, OPSET, { data: Tensor.floats([2, 3, 8, 8], new Array<number>(384).fill(0)) });
    values.forEach((value, i) => {
      value.facts = inferred[i];
      assertFactsFit(value, real[value.name], {}, title);
    });
  });
}

describe("elements of small integer tensors", () => {
  follows("are known of the pads that PyTorch's TorchScript exporter computes, and so is the padded shape", [true, true, true, true, false], (op, data) => {
    const missing = op.Sub(op.ints([12]), op.Gather(op.Shape(data), op.ints([3])));
    const pairs = op.Reshape(op.Concat([op.ints([0]), missing, op.ints([0, 1, 0, 0, 0, 0])], { axis: 0 }), [-1, 2]);
    const backwards = op.Slice(pairs, [-1], [-Number.MAX_SAFE_INTEGER], [0], [-1]);
    const swapped = op.Transpose(backwards, { perm: [1, 0] });
    const pads = op.Reshape(swapped, [-1]);
    const y = op.Pad(data, pads);
    assert.deepEqual(y.shape, [2, 3, 9, 12]);
    return [pairs, backwards, swapped, pads, y];
  });
  follows("are the right ones of a slice with steps on both axes", [true, true], (op) => {
    const matrix = op.Reshape(op.ints(Array.from({ length: 20 }, (_, i) => i)), [4, 5]);
    return [op.Slice(matrix, [3, 1], [0, 5], [0, 1], [-2, 3]), op.Transpose(op.Reshape(matrix, [2, 5, 2]), { perm: [1, 2, 0] })];
  });
  follows("are each part's own after a Split", [true, true, true], (op) => op.emit("Split", [op.ints([5, 6, 7, 8]), op.ints([1, 2, 1])], {}, 3));
  follows("are let go where a broadcast goes over two axes", [false, true, false], (op) => {
    const [column, row] = [op.Reshape(op.ints([1, 2]), [2, 1]), op.ints([10, 20])];
    const condition = op.Equal(op.Reshape(op.ints([1, 0, 0, 0]), [2, 2]), op.ints([1]));
    return [op.Add(column, row), op.Add(column, op.ints([5])), op.Where(condition, column, op.ints([7]))];
  });
});
