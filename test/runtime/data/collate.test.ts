import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../../src/ir/data-type.ts";
import { collate } from "../../../src/runtime/data/collate.ts";
import type { Example } from "../../../src/runtime/data/examples.ts";
import type { InputSpec } from "../../../src/runtime/data/field.ts";

const ids = (dtype: number, length: number | string = "sequence"): InputSpec[] => [
  { name: "input_ids", dtype, shape: ["batch", length] },
  { name: "attention_mask", dtype, shape: ["batch", length] },
];
const example = (values: number[], mask: number[], label?: number): Example => ({
  fields: new Map([["input_ids", { dims: [values.length], values }], ["attention_mask", { dims: [mask.length], values: mask }]]),
  ...(label === undefined ? {} : { labels: { dims: [], values: [label] } }),
  length: values.length,
  tokens: mask.filter(Boolean).length,
  line: 1,
});
const three = [example([5, 6, 7], [1, 1, 1], 1), example([8], [1], -100), example([9, 9], [1, 0])];

describe("collate", () => {
  it("pads to the longest of the batch, ids with the pad id and the rest with 0", () => {
    const batch = collate(three, [1, 0, 2], ids(DataType.INT64), { input_ids: 4 });
    assert.deepEqual(batch.feeds.get("input_ids"), { dataType: DataType.INT64, dims: [3, 3], data: BigInt64Array.from([8n, 4n, 4n, 5n, 6n, 7n, 9n, 9n, 4n]) });
    assert.deepEqual(batch.feeds.get("attention_mask")?.data, BigInt64Array.from([1n, 0n, 0n, 1n, 1n, 1n, 1n, 0n, 0n]));
    assert.deepEqual([batch.size, batch.tokens, batch.paddedTokens, batch.indices], [3, 5, 9, [1, 0, 2]]);
    assert.deepEqual(batch.labels, { dataType: DataType.INT64, dims: [3], data: BigInt64Array.from([-100n, 1n, -100n]) });
    assert.deepEqual(collate(three, [1], ids(DataType.INT64), { input_ids: 4 }).feeds.get("input_ids")?.dims, [1, 1]);
  });

  it("pads to the length that the graph fixes", () => {
    const batch = collate(three, [1], ids(DataType.INT64, 4), { input_ids: 0 });
    assert.deepEqual([batch.feeds.get("input_ids")?.dims, batch.paddedTokens, batch.tokens], [[1, 4], 4, 1]);
  });

  it("feeds each input in its own type", () => {
    const data = (dtype: number): unknown => collate([example([1, 0], [1, 1])], [0], ids(dtype), { input_ids: 0 }).feeds.get("input_ids")?.data;
    assert.deepEqual(data(DataType.INT32), Int32Array.from([1, 0]));
    assert.deepEqual(data(DataType.FLOAT), Float32Array.from([1, 0]));
    assert.deepEqual(data(DataType.BOOL), Uint8Array.from([1, 0]));
    assert.deepEqual(data(DataType.FLOAT16), Uint16Array.from([0x3c00, 0]));
  });

  it("stacks nested arrays and single numbers", () => {
    const inputs: InputSpec[] = [{ name: "pixel_values", dtype: DataType.FLOAT, shape: ["batch", 1, 2] },
      { name: "scale", dtype: DataType.FLOAT, shape: ["batch"] }];
    const image = (a: number): Example => ({
      fields: new Map([["pixel_values", { dims: [1, 2], values: [a, 0.5] }], ["scale", { dims: [], values: [a] }]]), length: 1, tokens: 1, line: 1,
    });
    const batch = collate([image(1), image(2)], [0, 1], inputs, { input_ids: 3 });
    assert.deepEqual(batch.feeds.get("pixel_values"), { dataType: DataType.FLOAT, dims: [2, 1, 2], data: Float32Array.from([1, 0.5, 2, 0.5]) });
    assert.deepEqual(batch.feeds.get("scale"), { dataType: DataType.FLOAT, dims: [2], data: Float32Array.from([1, 2]) });
    assert.equal(batch.paddedTokens, 2);
  });
});
