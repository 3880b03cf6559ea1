import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Random } from "../../src/runtime/random.ts";

describe("Random", () => {
  it("is sfc32: the numbers of a reference in 64-bit arithmetic", () => {
    // Written after the published C code, in BigInt, so that no 32-bit operator of JavaScript is shared with the generator.
    const mask = 0xffffffffn;
    let [a, b, c, counter] = [3n, 123n, 1n, 1n];
    const next = (): bigint => {
      const result = (a + b + counter) & mask;
      counter = (counter + 1n) & mask;
      a = b ^ (b >> 9n);
      b = (c + (c << 3n)) & mask;
      c = ((((c << 21n) | (c >> 11n)) & mask) + result) & mask;
      return result;
    };
    for (let i = 0; i < 20; i++) next();
    const random = new Random(2 ** 32 + 123, 3);
    for (let i = 0; i < 1000; i++) assert.equal(random.below(2 ** 32), Number(next()));
  });

  it("gives the same numbers for the same seed and stream, others for others", () => {
    const draw = (seed: number, stream?: number): number[] => {
      const random = new Random(seed, stream);
      return Array.from({ length: 8 }, () => random.uniform());
    };
    assert.deepEqual(draw(5), draw(5, 0));
    const all = [[0, 0], [0, 1], [1, 0], [2 ** 32, 0], [2 ** 53 - 1, 0]].map(([seed = 0, stream]) => draw(seed, stream).join());
    assert.equal(new Set(all).size, all.length);
  });

  it("goes on from a kept state", () => {
    const random = new Random(3);
    random.permutation(10);
    const state = random.state;
    const expected = [random.uniform(), random.below(1000), ...random.permutation(20)];
    const resumed = new Random(99);
    resumed.state = JSON.parse(JSON.stringify(state)) as typeof state;
    assert.deepEqual([resumed.uniform(), resumed.below(1000), ...resumed.permutation(20)], expected);
  });

  it("draws evenly", () => {
    const random = new Random(11);
    const draws = Array.from({ length: 20000 }, () => random.uniform(-1, 3));
    assert.ok(draws.every((x) => x >= -1 && x < 3));
    const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
    assert.ok(Math.abs(mean - 1) < 0.04, `mean ${String(mean)}`);
    const firsts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 12000; i++) {
      const permutation = random.permutation(3);
      const rank = (permutation[0] ?? 0) * 2 + ((permutation[1] ?? 0) > (permutation[2] ?? 0) ? 1 : 0);
      firsts[rank] = (firsts[rank] ?? 0) + 1;
    }
    assert.ok(firsts.every((count) => Math.abs(count - 2000) < 200), firsts.join());
  });
});
