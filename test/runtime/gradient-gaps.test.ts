import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { gradientGaps } from "../../src/runtime/gradient-gaps.ts";
import { workbench } from "../passes/workbench.ts";

describe("gradientGaps", () => {
  it("tells an axis of a normalization that is none: as many axes as it said were counted one by one", () => {
    for (const axis of [-4, 3, -(2 ** 31)]) {
      const { model, op, input, weight, output } = workbench(20);
      const [normed] = op.LayerNormalization(op.MatMul(input("x", [2, 4]), weight("w", [4, 3])), weight("scale", [3]), undefined, { axis });
      const y = output(normed ?? input("none", [1]), "y");
      assert.match(gradientGaps(model, y)[0]?.why ?? "", /its axis -?\d+ is none of/, String(axis));
    }
  });

  it("counts no places of a window that is longer than its image: 2^53 of them were begun", () => {
    const { model, op, input, weight, output } = workbench(20);
    const y = output(op.Col2Im(op.MatMul(input("x", [1, 5, 4]), weight("w", [4, 5])), [5, 5], [1, 2 ** 53 - 1]), "y");
    assert.doesNotThrow(() => gradientGaps(model, y));
  });

  it("tells a number that no integer is: an epsilon beside statistics in integers", () => {
    const { op, input } = workbench(20);
    assert.throws(() => op.scalar(1e-5, input("x", [2], DataType.INT64)), { name: "TypeError", message: /0\.00001 among integers/ });
  });

  it("has nothing to say of a weight that reaches the output by indices alone", () => {
    const { model, op, input, weight, output } = workbench(20);
    const best = op.ArgMax(op.MatMul(input("x", [2, 4]), weight("w", [4, 3])), { axis: 1 });
    const y = output(op.Cast(best, { to: DataType.FLOAT }), "y");
    assert.deepEqual(gradientGaps(model, y), []);
  });

  it("tells a rule that does not fit what it finds, though every operator has one", () => {
    const { model, op, input, weight, output } = workbench(20);
    const product = op.MatMul(input("x", [2, 4]), weight("w", [4, 3]));
    const y = output(op.ScatterElements(product, op.constant("at", Tensor.ints([1, 3], [0, 0, 0])), op.Slice(product, [0], [1], [0]), { axis: 0, reduction: "mul" }), "y");
    const [gap, ...others] = gradientGaps(model, y);
    assert.deepEqual([gap?.node.opType, others.length], ["ScatterElements", 0]);
    assert.match(gap?.why ?? "", /reduction "mul" is not written/);
  });
});
