/** Operations counted by hand. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph } from "../../src/ir/graph.ts";
import type { Shape } from "../../src/ir/dim.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferContext } from "../../src/ops/infer.ts";
import { definitionOf } from "../../src/ops/registry.ts";

function counted(opType: string, inputs: readonly Shape[], attributes: Readonly<Record<string, number | readonly number[]>> = {}): unknown {
  const opsets = new Map([["", 20]]);
  const graph = new Graph();
  const op = new OpBuilder(graph, { opsets, origin: "test" });
  const values = op.emit(opType, inputs.map((shape, i) => graph.addInput(`x${String(i)}`, { dataType: DataType.FLOAT, shape })), attributes, 1);
  const node = values[0]?.producer;
  assert.ok(node !== undefined);
  const rule = definitionOf(node)?.flops;
  return typeof rule === "function" ? rule(inferContext(node, opsets), values.map((v) => v.facts)) : rule;
}

describe("FLOPs", () => {
  // 2 · 2 · 2 results, each of 3 · 2 · 2 products and sums.
  it("of a convolution", () => { assert.equal(counted("Conv", [[1, 3, 4, 4], [2, 3, 2, 2]], { strides: [2, 2] }), 192); });
  // 4 · 3 results, each of one channel's 3 places.
  it("of one in groups", () => { assert.equal(counted("Conv", [[1, 4, 5], [4, 1, 3]], { group: 4 }), 72); });
  // 2 · 4 elements, each spread over 3 channels' 3 places.
  it("of a transposed convolution", () => { assert.equal(counted("ConvTranspose", [[1, 2, 4], [2, 3, 3]]), 144); });
  // 2 · 2 · 2 windows of 4.
  it("of a pool", () => { assert.equal(counted("AveragePool", [[1, 2, 4, 4]], { kernel_shape: [2, 2], strides: [2, 2] }), 32); });
  it("of a pool over everything", () => { assert.equal(counted("GlobalAveragePool", [[1, 2, 4, 4]]), 32); });
  it("of a product of integers", () => { assert.equal(counted("MatMulInteger", [[2, 3, 4], [4, 5]]), 240); });
  // 5 steps of 2 rows, 4 gates of 6 on 3 inputs and 6 states.
  it("of an LSTM", () => { assert.equal(counted("LSTM", [[5, 2, 3], [1, 24, 3], [1, 24, 6]], { hidden_size: 6 }), 4320); });
});
