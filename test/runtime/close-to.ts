/** Numbers compared with an oracle's. */
import assert from "node:assert/strict";

/** As many numbers, each within `tolerance`; NaN never is. */
export function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i += 1) {
    assert.ok(Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)) <= tolerance, `${what}[${String(i)}]: ${String(actual[i])} for ${String(expected[i])}`);
  }
}
