import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { differentiate } from "../../src/passes/differentiate.ts";
import { splitVector } from "../../src/passes/flat-vector.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { numbersOf } from "../ops/run-graph.ts";
import { outputsOf, randomFloats, workbench } from "./workbench.ts";

/** A vector cut into parts of these lengths, each summed with a weight of its own, and the gradient of that sum. */
async function cutInto(sizes: readonly number[]): Promise<{ parts: number[][]; gradient: number[]; vector: number[]; widest: number; rows: number[] }> {
  const { model, graph, op, input, output } = workbench();
  const length = sizes.reduce((a, b) => a + b, 0);
  const x = input("x", [length]);
  const parts = splitVector(op, x, sizes).map((part, i) => op.Reshape(part, [sizes[i] ?? 0]));
  parts.forEach((part, i) => output(part, `part ${String(i)}`));
  const sums = parts.map((part, i) => op.Mul(op.ReduceSum(part, undefined, { keepdims: 0 }), op.scalar(i + 1)));
  const sum = sums.reduce((a, b) => op.Add(a, b));
  output(sum, "sum");
  inferGraph(graph, model.opsets);
  const gradients = differentiate(graph, { opsets: model.opsets, loss: sum, seed: op.scalar(1), wrt: [x] });
  const dx = gradients.get(x);
  assert.ok(dx);
  graph.outputs.push(op.named(dx, "gradient"));
  inferGraph(graph, model.opsets);
  const vector = randomFloats([length]);
  const out = await outputsOf(model, { x: vector });
  const cuts = graph.nodes.filter(({ opType, outputs, inputs }) => (opType === "Split" || opType === "Concat") && [...inputs, ...outputs].some((v) => v?.dataType === DataType.FLOAT));
  const joined = cuts.map(({ opType, inputs, outputs }) => (opType === "Split" ? inputs[0] : outputs[0])?.shape?.[0]);
  return {
    parts: sizes.map((_, i) => out[`part ${String(i)}`] ?? []), gradient: out["gradient"] ?? [], vector: [...numbersOf(vector)],
    widest: Math.max(0, ...cuts.map(({ opType, inputs, outputs }) => (opType === "Split" ? outputs : inputs).length)), rows: joined.map(Number).sort((a, b) => b - a),
  };
}

describe("splitVector", () => {
  for (const [name, sizes, rows] of [
    ["one part", [5], []],
    ["equal parts", [4, 4, 4], [3, 3]],
    ["parts without a common divisor", [3, 5, 7], [15, 15]],
    ["a short last part, which is cut off first", [64, 32, 64, 2], [81, 81, 5, 5]],
    ["a last part longer than a row", [8, 16, 13], [37, 37, 3, 3]],
    ["more parts than one Split takes", [...Array.from({ length: 30 }, (_, i) => 16 * (1 + i % 3)), 3], [321, 321, 60, 60]],
  ] as const) {
    it(`${name}: the parts, their gradient, and rows as long as may be`, async () => {
      const cut = await cutInto(sizes);
      assert.deepEqual(cut.parts.flat(), cut.vector);
      assert.deepEqual(cut.parts.map((part) => part.length), sizes);
      assert.deepEqual(cut.gradient, sizes.flatMap((size, i) => new Array<number>(size).fill(i + 1)));
      assert.deepEqual(cut.rows.slice(0, rows.length), rows);
      assert.ok(cut.widest <= 7, `${String(cut.widest)} parts`);
    });
  }
});
