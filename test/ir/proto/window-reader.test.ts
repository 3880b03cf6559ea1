import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { WindowReader } from "../../../src/ir/proto/window-reader.ts";
import { memorySource } from "../../../src/ir/source.ts";

function readerOf(bytes: Uint8Array): WindowReader {
  return new WindowReader(memorySource("x", bytes), (kind, problem, offset) => new Error(`${kind} at ${String(offset)}: ${problem}`));
}

describe("WindowReader", () => {
  it("reads uint64 and int64 exactly", () => {
    const writer = new protobuf.Writer();
    for (const value of ["18446744073709551615", "9007199254740991", "9223372036854775808"]) writer.uint64(value);
    const bytes = writer.finish();
    const unsigned = readerOf(bytes);
    assert.deepEqual([1, 2, 3].map(() => unsigned.uint64(bytes.length)), [2n ** 64n - 1n, 2 ** 53 - 1, 2n ** 63n]);
    const signed = readerOf(bytes);
    assert.deepEqual([1, 2, 3].map(() => signed.int64(bytes.length)), [-1, 2 ** 53 - 1, -(2n ** 63n)]);
  });

  it("reads what lies across its windows, forward and back", () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const reader = readerOf(bytes);
    for (const [offset, length] of [[0, 5], [4090, 20], [250_000, 50_000], [100, 70_000], [299_999, 1]] as const) {
      reader.seek(offset);
      assert.deepEqual(reader.bytes(length, bytes.length), bytes.slice(offset, offset + length));
      assert.equal(reader.position, offset + length);
    }
  });

  it("lets no value go beyond the end it is given, though the source goes on", () => {
    const reader = readerOf(Uint8Array.of(0x80, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    assert.throws(() => reader.int32(2), /overrun at 0: a number is incomplete/);
    reader.seek(0);
    assert.throws(() => reader.float(3), /overrun at 0: 4 bytes should follow, there are 3/);
    assert.throws(() => { reader.skip(4, 3); }, /overrun/);
    assert.equal(reader.int32(3), 16384);
  });
});
