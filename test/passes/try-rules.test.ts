import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Tensor } from "../../src/ir/tensor.ts";
import { everyRuleFits } from "../../src/passes/try-rules.ts";
import { workbench } from "./workbench.ts";

describe("everyRuleFits", () => {
  /** Layers alike, x ← Add(x, MatMul(x, w)), of which one scatters too: by adding, which has a rule, or by multiplying, which has none. */
  const layers = (count: number, odd: number, reduction: "add" | "mul") => {
    const bench = workbench(20);
    const { op, input, weight, output } = bench;
    const first = weight("w0", [4, 4]);
    let x = op.MatMul(input("x", [2, 4]), first);
    for (let layer = 1; layer < count; layer += 1) {
      x = op.Add(x, op.MatMul(x, weight(`w${String(layer)}`, [4, 4])));
      if (layer === odd) x = op.ScatterElements(x, op.constant("at", Tensor.ints([1, 4], [0, 0, 0, 0])), op.Slice(x, [0], [1], [0]), { axis: 0, reduction });
    }
    return { ...bench, first, y: output(x, "y") };
  };

  it("says so where every rule gives a gradient, and leaves the graph its nodes", () => {
    const { graph, model, first, y } = layers(6, 4, "add");
    const before = [...graph.nodes];
    assert.equal(everyRuleFits(graph, y, [first], model.opsets), true);
    assert.deepEqual(graph.nodes, before);
  });

  it("finds the one node of many alike whose attribute no rule is written for", () => {
    for (const odd of [1, 5]) {
      const { graph, model, first, y } = layers(6, odd, "mul");
      assert.equal(everyRuleFits(graph, y, [first], model.opsets), false);
    }
  });

  it("asks no rule of what comes before the chosen value, or leads elsewhere", () => {
    const { op, graph, model, input, weight, output } = workbench(20);
    const before = op.ScatterElements(input("x", [2, 4]), op.constant("at", Tensor.ints([1, 4], [0, 0, 0, 0])), input("u", [1, 4]), { axis: 0, reduction: "mul" });
    const w = weight("w", [4, 3]);
    const y = output(op.MatMul(before, w), "y");
    op.ScatterElements(y, op.constant("at", Tensor.ints([1, 3], [0, 0, 0])), op.Slice(y, [0], [1], [0]), { axis: 0, reduction: "mul" });
    assert.equal(everyRuleFits(graph, y, [w], model.opsets), true);
  });
});
