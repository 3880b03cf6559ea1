import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { ByteRange, memorySource } from "../../src/ir/source.ts";
import { bytesOf, Tensor, typedView, type NumberArray } from "../../src/ir/tensor.ts";

describe("Tensor", () => {
  it("gives numbers of every type that has some, wherever the bytes lie", () => {
    const rows: [type: number, elements: NumberArray, numbers: number[]][] = [
      [DataType.FLOAT, Float32Array.of(1.5, -0), [1.5, -0]], [DataType.DOUBLE, Float64Array.of(0.1, 1e300), [0.1, 1e300]],
      [DataType.INT64, BigInt64Array.of(-1n, 2n ** 53n), [-1, 2 ** 53]], [DataType.UINT64, BigUint64Array.of(1n, 2n ** 64n - 1n), [1, 2 ** 64]],
      [DataType.INT32, Int32Array.of(-1, 2), [-1, 2]], [DataType.UINT32, Uint32Array.of(1, 4294967295), [1, 4294967295]],
      [DataType.INT16, Int16Array.of(-1, 2), [-1, 2]], [DataType.UINT16, Uint16Array.of(1, 65535), [1, 65535]],
      [DataType.INT8, Int8Array.of(-1, 2), [-1, 2]], [DataType.UINT8, Uint8Array.of(1, 255), [1, 255]], [DataType.BOOL, Uint8Array.of(0, 1), [0, 1]],
      [DataType.FLOAT16, Uint16Array.of(0x3c00, 0xc000), [1, -2]], [DataType.BFLOAT16, Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ];
    for (const [type, elements, numbers] of rows) {
      const bytes = bytesOf(elements);
      // At an odd place, so that no view fits without a copy.
      const shifted = Uint8Array.of(9, ...bytes);
      for (const data of [bytes, shifted.subarray(1), new ByteRange(memorySource("w", shifted), 1, bytes.length)]) {
        const tensor = new Tensor(type, [2], data);
        assert.deepEqual([...tensor.toNumbers() ?? []], numbers);
        assert.deepEqual(tensor.numbersAt([1, 0, 1]), [numbers[1], numbers[0], numbers[1]]);
        assert.deepEqual([tensor.size, tensor.byteLength, tensor.atHand], [2, bytes.length, data instanceof Uint8Array]);
      }
    }
  });

  it("reads integers of 4 bits, the low half of a byte first, and packs them again", () => {
    const bytes = Uint8Array.of(0x81, 0x7f, 0x03);
    for (const [type, numbers] of [[DataType.INT4, [1, -8, -1, 7, 3]], [DataType.UINT4, [1, 8, 15, 7, 3]]] as const) {
      for (const data of [bytes, new ByteRange(memorySource("w", Uint8Array.of(9, ...bytes)), 1, 3)]) {
        const tensor = new Tensor(type, [5], data);
        assert.deepEqual([...tensor.toNumbers() ?? []], numbers);
        assert.deepEqual(tensor.numbersAt([4, 1, 2]), [numbers[4], numbers[1], numbers[2]]);
        assert.equal(tensor.byteLength, 3);
      }
      assert.deepEqual(Tensor.fromIntegers(type, [5], Float64Array.from(numbers)).bytes(), bytes);
    }
  });

  it("is made of whole numbers in the integer types of weights", () => {
    for (const [type, numbers] of [[DataType.INT8, [-128, 127]], [DataType.UINT8, [0, 255]], [DataType.INT16, [-32768, 32767]], [DataType.UINT16, [0, 65535]]] as const) {
      assert.deepEqual([...Tensor.fromIntegers(type, [2], Float64Array.from(numbers)).toNumbers() ?? []], numbers);
    }
    assert.throws(() => Tensor.fromIntegers(DataType.INT64, [1], Float64Array.of(1)), /int64 is not an integer type of 4 to 16 bits/);
  });

  it("has no numbers where the type has none", () => {
    for (const data of [Uint8Array.of(0x21), new ByteRange(memorySource("w", Uint8Array.of(0x21)), 0, 1)]) {
      const tensor = new Tensor(DataType.FLOAT8E4M3FN, [1], data);
      assert.deepEqual([tensor.toNumbers(), tensor.numbersAt([0]), tensor.byteLength], [undefined, undefined, 1]);
    }
    const strings = new Tensor(DataType.STRING, [2], undefined);
    assert.deepEqual([strings.toNumbers(), strings.numbersAt([0]), strings.atHand], [undefined, undefined, false]);
    assert.throws(() => strings.bytes(), /a tensor of string has no bytes/);
    assert.equal(typedView(DataType.FLOAT8E4M3FN, Uint8Array.of(1)), undefined);
  });

  it("reads single elements without the others", () => {
    const reads: [number, number][] = [];
    const bytes = bytesOf(Float32Array.from({ length: 1000 }, (_, i) => i));
    const source = { name: "w", size: bytes.length, read: (offset: number, length: number) => { reads.push([offset, length]); return bytes.subarray(offset, offset + length); } };
    const tensor = new Tensor(DataType.FLOAT, [1000], new ByteRange(source, 0, bytes.length));
    assert.deepEqual(tensor.numbersAt([7, 999]), [7, 999]);
    assert.deepEqual(reads, [[28, 4], [3996, 4]]);
  });

  it("is made of float32 in every float type, rounded once", () => {
    const values = Float32Array.of(1 / 3, 65520, -1e-8);
    const numbers = (type: number): number[] => [...Tensor.fromFloat32(type, [3], values).toNumbers() ?? []];
    assert.deepEqual(numbers(DataType.FLOAT), [...values]);
    assert.deepEqual(numbers(DataType.DOUBLE), [...values]);
    assert.deepEqual(numbers(DataType.FLOAT16), [0.333251953125, Infinity, -0]);
    assert.deepEqual(numbers(DataType.BFLOAT16), [0.333984375, 65536, -1.0011717677116394e-8]);
    assert.throws(() => Tensor.fromFloat32(DataType.INT8, [3], values), /int8 is not a float type/);
  });
});
