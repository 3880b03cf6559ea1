import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { differences, sameBytes } from "../../src/ir/compare.ts";
import { ByteRange } from "../../src/ir/source.ts";
import { everything } from "./everything.ts";

describe("differences", () => {
  it("finds none between a message and its like", () => {
    assert.deepEqual(differences(everything(), everything()), []);
  });

  it("names the place of every one, by the names of what stands there", () => {
    const changed = everything();
    const graph = changed.graph;
    const [choose, many] = graph?.node ?? [];
    assert.ok(graph && choose && many);
    changed.producerVersion = "2";
    changed.domain = undefined;
    const raw = graph.initializer[0]?.rawData;
    assert.ok(raw instanceof Uint8Array);
    raw[7] = 1;
    choose.input.push("more");
    const [f] = many.attribute;
    assert.ok(f);
    f.f = 0; // it was −0
    assert.deepEqual(differences(everything(), changed), ["producerVersion", "domain", "graph.node[if].input (1 entries against 2)", "graph.node[many].attribute[f].f", "graph.initializer[w].rawData"]);
    assert.deepEqual(differences(changed, everything(), 2), ["producerVersion", "domain"]);
  });

  it("tells absent from empty, a number from a text, bytes from what isn't", () => {
    assert.deepEqual(differences({ a: "", b: 1, c: Uint8Array.of(1), d: [] }, { b: "1", c: [1], d: [] }), ["a", "b", "c"]);
    assert.deepEqual(differences({ a: NaN, b: undefined }, { a: NaN }), []);
  });
});

describe("sameBytes", () => {
  it("compares bytes at hand with bytes in a file, piece by piece", () => {
    const bytes = Uint8Array.from({ length: 9 * 1024 * 1024 }, (_, i) => i * 31);
    let longest = 0;
    const source = { name: "w", size: bytes.length, read: (offset: number, length: number) => { longest = Math.max(longest, length); return bytes.subarray(offset, offset + length); } };
    assert.ok(sameBytes(bytes, new ByteRange(source, 0, bytes.length)));
    assert.ok(longest <= 4 * 1024 * 1024);
    for (const at of [0, 4 * 1024 * 1024, bytes.length - 1]) {
      const other = bytes.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      assert.ok(!sameBytes(other, new ByteRange(source, 0, bytes.length)));
      assert.ok(!sameBytes(new ByteRange(source, 0, bytes.length), other));
    }
    assert.ok(!sameBytes(bytes, bytes.subarray(1)));
  });
});
