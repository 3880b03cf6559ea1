import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { planBatches, restoreOrder } from "../../../src/runtime/data/batches.ts";
import { Random } from "../../../src/runtime/random.ts";

const random = new Random(7);
const lengths = Array.from({ length: 1003 }, () => 1 + random.below(60));
const plan = { batchSize: 8, shuffle: true, seed: 1, epoch: 0, byLength: true };
const sizes = (batches: readonly (readonly number[])[]): number[] => batches.map((batch) => batch.length);
const longest = (batch: readonly number[]): number => Math.max(...batch.map((i) => lengths[i] ?? 0));
const padded = (batches: readonly (readonly number[])[]): number => batches.reduce((sum, batch) => sum + batch.length * longest(batch), 0);

describe("planBatches", () => {
  it("puts every record into one batch, the short batch last", () => {
    for (const shuffle of [true, false]) {
      for (const byLength of [true, false]) {
        const batches = planBatches(lengths, { ...plan, shuffle, byLength });
        assert.deepEqual(batches.flat().sort((a, b) => a - b), lengths.map((_, i) => i));
        assert.deepEqual(sizes(batches), [...Array.from({ length: 125 }, () => 8), 3]);
      }
    }
    assert.deepEqual(sizes(planBatches([5, 5, 5, 5], { ...plan, batchSize: 2 })), [2, 2]);
    assert.deepEqual(planBatches([], plan), []);
  });

  it("keeps the order of the file without shuffling", () => {
    assert.deepEqual(planBatches([9, 1, 5, 7, 3], { ...plan, batchSize: 2, shuffle: false, byLength: false }), [[0, 1], [2, 3], [4]]);
  });

  it("gives the same order for the same seed and epoch, another for others", () => {
    const first = planBatches(lengths, plan);
    assert.deepEqual(planBatches(lengths, plan), first);
    assert.notDeepEqual(planBatches(lengths, { ...plan, epoch: 1 }), first);
    assert.notDeepEqual(planBatches(lengths, { ...plan, seed: 2 }), first);
  });

  it("pads little, yet neither the records of a batch nor the order of lengths stay the same", () => {
    const [first, second] = [planBatches(lengths, plan), planBatches(lengths, { ...plan, epoch: 1 })];
    const total = lengths.reduce((a, b) => a + b, 0);
    assert.ok(padded(first) < 1.1 * total, "grouped by length");
    assert.ok(padded(planBatches(lengths, { ...plan, byLength: false })) > 1.5 * total, "not grouped: the check above can fail");
    const drops = first.slice(1).filter((batch, i) => longest(batch) < longest(first[i] ?? [])).length;
    assert.ok(drops > 40 && drops < 85, `${String(drops)} of 125 batches are shorter than the one before`);
    const keys = new Set(first.map((batch) => batch.toSorted((a, b) => a - b).join()));
    assert.ok(second.every((batch) => !keys.has(batch.toSorted((a, b) => a - b).join())));
  });

  it("sorts an evaluation by length, and its results back", () => {
    const batches = planBatches(lengths, { ...plan, shuffle: false });
    const order = batches.flat().map((i) => lengths[i] ?? 0);
    assert.deepEqual(order, lengths.toSorted((a, b) => b - a));
    assert.deepEqual(restoreOrder(batches, batches.map((batch) => batch.map((i) => lengths[i]))), lengths);
  });
});
