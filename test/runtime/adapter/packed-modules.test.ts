import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { hut } from "../../../src/methods/hut.ts";
import { columnsOf, rangesOf, stacked, unstacked } from "../../../src/runtime/adapter/packed-modules.ts";
import type { AdapterTensor } from "../../../src/runtime/adapter/peft-tensors.ts";
import { Random } from "../../../src/runtime/random.ts";

const [K, R, N] = [3, 2, 8];
const random = new Random(1);
const filled = (rows: number, columns: number): AdapterTensor => ({ shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, () => random.uniform(-1, 1)) });
/** PEFT's factors of a role: A [r, k], B [n, r]. */
const role = (columns: readonly number[]): { columns: readonly number[]; tensors: Map<string, AdapterTensor> } =>
  ({ columns, tensors: new Map([["hira_A", filled(R, K)], ["hira_B", filled(columns.length, R)]]) });
/** B·A at one place. */
const product = (tensors: ReadonlyMap<string, AdapterTensor>, row: number, column: number): number => {
  const [a, b] = [tensors.get("hira_A"), tensors.get("hira_B")];
  const rank = a?.shape[0] ?? 0;
  return Array.from({ length: rank }, (_, i) => (b?.data[row * rank + i] ?? NaN) * (a?.data[i * K + column] ?? NaN)).reduce((x, y) => x + y, 0);
};

describe("roles of a packed module", () => {
  const [q, v] = [role([0, 1, 4]), role([6, 7])];
  const whole = stacked(hut, { k: K, n: N, rank: R, scale: 1 }, [q, v]);

  it("are stacked so that PEFT's product has each role's in its own rows, and zeros elsewhere", () => {
    assert.deepEqual([...whole].map(([name, t]) => [name, t.shape]), [["hira_A", [2 * R, K]], ["hira_B", [N, 2 * R]]]);
    for (let row = 0; row < N; row += 1) {
      for (let column = 0; column < K; column += 1) {
        const owner = [q, v].find((r) => r.columns.includes(row));
        const expected = owner === undefined ? 0 : product(owner.tensors, owner.columns.indexOf(row), column);
        assert.ok(Math.abs(product(whole, row, column) - expected) < 1e-6, `${String(row)}, ${String(column)}`);
      }
    }
  });

  it("come out of the stack again", () => {
    for (const [i, one] of [q, v].entries()) assert.deepEqual(unstacked(hut, whole, i, 2, one.columns), one.tensors);
  });

  it("have their columns written as runs", () => {
    assert.deepEqual(rangesOf([0, 1, 4, 6, 7, 8]), [[0, 2], [4, 5], [6, 9]]);
    assert.deepEqual(columnsOf(rangesOf([0, 1, 4, 6, 7, 8])), [0, 1, 4, 6, 7, 8]);
    assert.deepEqual(rangesOf([]), []);
  });
});
