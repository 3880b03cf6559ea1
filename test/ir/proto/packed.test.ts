import assert from "node:assert/strict";
import { HutError } from "../../../src/errors/hut-error.ts";
import { pack, unpack } from "../../../src/ir/proto/packed.ts";
import { ByteRange, memorySource } from "../../../src/ir/source.ts";

describe("packed fields", () => {
  it("come back as they were packed, extremes included", () => {
    const int64 = BigInt64Array.of(0n, 1n, 127n, 128n, 2n ** 28n, 2n ** 32n - 1n, 2n ** 35n, -1n, 2n ** 63n - 1n, -(2n ** 63n));
    const uint64 = BigUint64Array.of(0n, 2n ** 63n, 2n ** 64n - 1n);
    const int32 = Int32Array.of(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 300);
    assert.deepEqual(unpack("int64", pack(int64)), int64);
    assert.deepEqual(unpack("uint64", pack(uint64)), uint64);
    assert.deepEqual(unpack("int32", pack(int32)), int32);
    assert.deepEqual(unpack("float", pack(Float32Array.of(1.5, -0, NaN))), Float32Array.of(1.5, -0, NaN));
    assert.deepEqual(unpack("double", pack(Float64Array.of(0.1, Infinity))), Float64Array.of(0.1, Infinity));
    assert.deepEqual(unpack("int64", new Uint8Array(0)), new BigInt64Array(0));
  });

  it("are in protobuf's own form: shortest varints, negative ones ten bytes long", () => {
    assert.deepEqual([...pack(Int32Array.of(300, -1))], [0xac, 0x02, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    assert.deepEqual([...pack(Float32Array.of(1))], [0, 0, 0x80, 0x3f]);
  });

  it("are read from bytes that are not aligned", () => {
    assert.deepEqual(unpack("double", Uint8Array.of(9, ...pack(Float64Array.of(0.1))).subarray(1)), Float64Array.of(0.1));
  });

  it("keep the low 32 bits of a longer number in an int32", () => {
    assert.deepEqual([...unpack("int32", pack(BigInt64Array.of(2n ** 32n + 5n)))], [5]);
  });

  it("are checked when they are read from a file", () => {
    const source = memorySource("m.onnx", Uint8Array.of(1, 2, 0x80));
    assert.throws(() => unpack("int64", new ByteRange(source, 1, 2)), (error) => error instanceof HutError
      && /"m\.onnx" is broken: its last number is incomplete .*byte 1/.test(error.message));
    assert.throws(() => unpack("int64", new Uint8Array(11).fill(0x80)), { code: "MALFORMED_MODEL" });
    assert.throws(() => unpack("float", new Uint8Array(3)), { code: "MALFORMED_MODEL" });
  });
});
