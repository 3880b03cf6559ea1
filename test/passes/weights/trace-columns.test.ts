import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Value } from "../../../src/ir/graph.ts";
import { columnsReaching } from "../../../src/passes/weights/trace-columns.ts";
import { BATCH, SEQUENCE, workbench, type Workbench } from "../workbench.ts";

/** x · W, W [4, 12] packed; `parts` takes the product apart. */
function columns(parts: (bench: Workbench, product: Value) => Readonly<Record<string, Value>>): Record<string, number[]> | undefined {
  const bench = workbench(20);
  const product = bench.op.MatMul(bench.input("x", [BATCH, SEQUENCE, 4]), bench.weight("w", [4, 12]));
  const goals = new Map(Object.entries(parts(bench, product)));
  const node = product.producer;
  assert.ok(node !== undefined);
  const found = columnsReaching(bench.graph, node, 12, goals);
  return found === undefined ? undefined : Object.fromEntries(found);
}

const split = (op: Workbench["op"], x: Value, sizes: number[], axis = -1): [Value, Value, Value] => op.Split(x, sizes, { axis }, 3) as [Value, Value, Value];

describe("columnsReaching", () => {
  it("follows a Split, unequal ones too", () => {
    assert.deepEqual(columns(({ op }, y) => { const [q, k, v] = split(op, y, [6, 2, 4]); return { q, k, v }; }),
      { q: [0, 1, 2, 3, 4, 5], k: [6, 7], v: [8, 9, 10, 11] });
  });

  it("follows heads that each hold their own q, k and v", () => {
    // [b, s, 2 heads, 3, 2]
    const found = columns(({ op }, y) => {
      const heads = op.Transpose(op.Reshape(y, [0, 0, 2, 3, 2]), { perm: [3, 0, 2, 1, 4] });
      const [q, k, v] = split(op, heads, [1, 1, 1], 0).map((part) => op.Squeeze(part, [0])) as [Value, Value, Value];
      return { q: op.Mul(q, op.scalar(0.5)), k: op.Transpose(k, { perm: [0, 1, 3, 2] }), v };
    });
    assert.deepEqual(found, { q: [0, 1, 6, 7], k: [2, 3, 8, 9], v: [4, 5, 10, 11] });
  });

  it("follows slices with steps from the end, and rows picked by index", () => {
    const found = columns(({ op }, y) => ({
      q: op.Slice(y, [-1], [-7], [2], [-2]),
      k: op.Gather(op.Reshape(y, [0, 0, 3, 4]), op.ints([0]), { axis: 2 }),
    }));
    assert.deepEqual(found, { q: [7, 9, 11], k: [0, 1, 2, 3] });
  });

  it("follows a rotation: halves swapped, signs changed, the rest as it is", () => {
    const found = columns(({ op, weight }, y) => {
      const [q, k, v] = split(op, y, [4, 4, 4]);
      const turned = op.Concat([op.Neg(op.Slice(q, [2], [4], [2])), op.Slice(q, [0], [2], [2])], { axis: 2 });
      return { q: op.Add(op.Mul(q, weight("cos", [4])), op.Mul(turned, weight("sin", [4]))), k, v };
    });
    assert.deepEqual(found, { q: [0, 1, 2, 3], k: [4, 5, 6, 7], v: [8, 9, 10, 11] });
  });

  it("adds a bias, repeats heads, and goes through a flat view", () => {
    const found = columns(({ op, weight }, y) => {
      const flat = op.Reshape(op.Add(y, weight("bias", [12])), [-1, 12]);
      const [q, k] = op.Split(flat, [8, 4], { axis: 1 }, 2) as [Value, Value];
      return { q, k: op.Expand(op.Unsqueeze(k, [1]), op.ints([1, 2, 4])) };
    });
    assert.deepEqual(found, { q: [0, 1, 2, 3, 4, 5, 6, 7], k: [8, 9, 10, 11] });
  });

  it("doesn't go through another product", () => {
    assert.equal(columns(({ op, weight }, y) => ({ q: op.MatMul(y, weight("other", [12, 12])) })), undefined);
  });
});
