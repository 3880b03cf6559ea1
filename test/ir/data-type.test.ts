import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { bitsOf, byteLength, DataType, dataTypeName, fromBFloat16, fromFloat16, isFloating, toBFloat16, toFloat16 } from "../../src/ir/data-type.ts";

const view = new DataView(new ArrayBuffer(8));
const float32OfBits = (bits: number): number => { view.setUint32(0, bits); return view.getFloat32(0); };
const bitsOfFloat32 = (value: number): number => { view.setFloat32(0, value); return view.getUint32(0); };

/** All finite values of a 16-bit format in ascending order, by their bits: the oracle, which looks a value's neighbours up. */
function finiteValues(decode: (bits: number) => number, infinity: number): { bits: number; value: number }[] {
  return Array.from({ length: infinity }, (_, bits) => ({ bits, value: decode(bits) }));
}

/** The nearest of the format's values, to even bits where two are as near; beyond the largest by half a step it is infinity. */
function nearestBits(values: readonly { bits: number; value: number }[], magnitude: number, infinity: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((values[middle]?.value ?? NaN) <= magnitude) low = middle;
    else high = middle - 1;
  }
  const below = values[low] ?? { bits: 0, value: 0 };
  // The step behind the largest value is as wide as the one before it.
  const above = values[low + 1] ?? { bits: infinity, value: below.value + (below.value - (values[low - 1]?.value ?? NaN)) };
  const [down, up] = [magnitude - below.value, above.value - magnitude];
  return down < up ? below.bits : up < down ? above.bits : below.bits % 2 === 0 ? below.bits : above.bits;
}

const FORMATS = [
  { name: "float16", from: fromFloat16, to: toFloat16, infinity: 0x7c00, nan: 0x7e00,
    // sign · 2^(e − 25) · (1024 + f) for e > 0, sign · 2^−24 · f else
    exact: (h: number): number => { const [e, f] = [(h >> 10) & 31, h & 1023]; return e === 31 ? (f === 0 ? Infinity : NaN) : e === 0 ? f * 2 ** -24 : (1024 + f) * 2 ** (e - 25); } },
  { name: "bfloat16", from: fromBFloat16, to: toBFloat16, infinity: 0x7f80, nan: 0x7fc0, exact: (b: number): number => float32OfBits((b & 0x7fff) * 65536) },
];

for (const { name, from, to, infinity, nan, exact } of FORMATS) {
  describe(name, () => {
    it("reads all 65,536 values, and writes each back as it was", () => {
      for (let bits = 0; bits < 65536; bits += 1) {
        const magnitude = exact(bits & 0x7fff);
        const value = from(bits);
        assert.ok(Object.is(value, bits < 0x8000 ? magnitude : -magnitude), `${String(bits)}: ${String(value)}`);
        assert.equal(to(value) & 0x7fff, Number.isNaN(value) ? nan : bits & 0x7fff, String(bits));
        if (!Number.isNaN(value)) assert.equal(to(value), bits);
      }
    });

    it("rounds to nearest: halfway to even, just off it to the nearer side, for all neighbours", () => {
      const values = finiteValues(from, infinity);
      for (let bits = 0; bits + 1 < infinity; bits += 1) {
        const [low, high] = [from(bits), from(bits + 1)];
        const middle = (low + high) / 2;
        const half = bitsOfFloat32(middle);
        // Half of bfloat16's smallest subnormal step is a float32 too.
        assert.equal(float32OfBits(half), middle);
        for (const [value, expected] of [[middle, bits % 2 === 0 ? bits : bits + 1], [float32OfBits(half - 1), bits], [float32OfBits(half + 1), bits + 1]] as const) {
          assert.equal(to(value), expected, String(value));
          assert.equal(to(-value), expected + 0x8000, String(-value));
        }
        if (bits % 977 === 0) assert.equal(nearestBits(values, middle, infinity), bits % 2 === 0 ? bits : bits + 1, "the oracle of the next test");
      }
    });

    it("rounds 200,000 float32 values spread over all bits as the table of its values says", () => {
      const values = finiteValues(from, infinity);
      for (let i = 0; i < 200_000; i += 1) {
        const value = float32OfBits(Math.imul(i, 0x9e3779b1) >>> 0);
        const expected = Number.isNaN(value) ? nan : !Number.isFinite(value) ? infinity : nearestBits(values, Math.abs(value), infinity);
        assert.equal(to(value) & 0x7fff, expected, String(value));
        if (!Number.isNaN(value)) assert.equal(to(value) >> 15, Number(value < 0 || Object.is(value, -0)), String(value));
      }
    });

    it("overflows to infinity half a step beyond the largest value", () => {
      const largest = from(infinity - 1);
      const half = (largest - from(infinity - 2)) / 2;
      assert.equal(to(float32OfBits(bitsOfFloat32(largest + half) - 1)), infinity - 1);
      assert.equal(to(largest + half), infinity);
      assert.deepEqual([to(Infinity), to(-Infinity), to(3.4028234663852886e38), to(NaN)], [infinity, infinity + 0x8000, name === "float16" ? infinity : 0x7f80, nan]);
    });
  });
}

describe("element types", () => {
  it("have the sizes that raw_data packs them in", () => {
    assert.deepEqual([DataType.FLOAT, DataType.BFLOAT16, DataType.BOOL, DataType.COMPLEX128, DataType.INT4, DataType.FLOAT6E2M3].map((t) => byteLength(t, 3)), [12, 6, 3, 48, 2, 3]);
    assert.deepEqual([byteLength(DataType.STRING, 3), byteLength(99, 3), bitsOf(DataType.UINT2), bitsOf(99)], [undefined, undefined, 2, undefined]);
  });

  it("have names, unknown ones too", () => {
    assert.deepEqual([1, 16, 99].map(dataTypeName), ["float", "bfloat16", "type 99"]);
    assert.deepEqual([1, 10, 16, 11, 7, 17].map(isFloating), [true, true, true, true, false, false]);
  });
});
