/** Memory counted from shapes. */
import assert from "node:assert/strict";
import { Model } from "../../src/ir/model.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { symbol } from "../../src/ir/dim.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { sizesOfFeeds } from "../../src/runtime/batch-sizes.ts";
import { estimateMemory, processMemory } from "../../src/runtime/memory-estimate.ts";

describe("a graph's memory", () => {
  it("is what is alive at once, views left out, for the sizes of a batch", () => {
    const model = new Model(8, new Map([["", 20]]));
    const x = model.graph.addInput("x", { dataType: DataType.FLOAT, shape: [symbol("batch"), 100] });
    const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test" });
    const w = model.graph.addInitializer("w", Tensor.fromFloat32(DataType.FLOAT, [100, 1000], new Float32Array(100_000)));
    const wide = op.MatMul(x, w);
    const view = op.Reshape(op.Relu(wide), [-1, 500]);
    model.graph.outputs.push(op.ReduceSum(view, undefined, { keepdims: 0 }));
    const estimate = estimateMemory(model, sizesOfFeeds(model, new Map([["x", { dataType: DataType.FLOAT, dims: [8, 100], data: new Float32Array(800) }]])));
    const [input, activation] = [8 * 100 * 4, 8 * 1000 * 4];
    assert.ok(estimate.weights >= 400_000 && estimate.weights < 400_100);
    // The product and its Relu, at the Relu; the view costs nothing.
    assert.equal(estimate.activations, input + 2 * activation);
    assert.equal(estimate.unknown, 0);
    assert.ok(processMemory(estimate) > 130e6);
  });

  it("says how much it doesn't know", () => {
    const model = new Model(8, new Map([["", 20]]));
    const x = model.graph.addInput("x", { dataType: DataType.FLOAT, shape: [symbol("batch"), 100] });
    const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test" });
    model.graph.outputs.push(op.Relu(x));
    assert.equal(estimateMemory(model, {}).unknown, 2);
  });
});
