import assert from "node:assert/strict";
import { symbol } from "../../src/ir/dim.ts";
import { allNumbers, elementCount, fromStart, stridesOf } from "../../src/ir/sizes.ts";

describe("sizes", () => {
  it("count elements and tell their places in row-major order", () => {
    assert.equal(elementCount([2, 3, 4]), 24);
    assert.equal(elementCount([]), 1);
    assert.deepEqual(stridesOf([2, 3, 4]), [12, 4, 1]);
    assert.deepEqual(stridesOf([]), []);
  });

  it("are all numbers, or not known to be", () => {
    assert.deepEqual(allNumbers([2, 3]), [2, 3]);
    assert.deepEqual(allNumbers([]), []);
    for (const dims of [undefined, [2, undefined], [symbol("batch"), 3]]) assert.equal(allNumbers(dims), undefined);
  });

  it("count from the start what is counted from the end", () => {
    assert.deepEqual([fromStart(-1, 3), fromStart(1, 3), fromStart(-1, undefined)], [2, 1, -1]);
  });
});
