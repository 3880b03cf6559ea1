/** ONNX element types: their numbers, names, sizes, and the conversions of the 16-bit floats. */

/** ONNX's numbering of element types (TensorProto.DataType). */
export const DataType = {
  UNDEFINED: 0, FLOAT: 1, UINT8: 2, INT8: 3, UINT16: 4, INT16: 5, INT32: 6, INT64: 7, STRING: 8, BOOL: 9, FLOAT16: 10, DOUBLE: 11,
  UINT32: 12, UINT64: 13, COMPLEX64: 14, COMPLEX128: 15, BFLOAT16: 16, FLOAT8E4M3FN: 17, FLOAT8E4M3FNUZ: 18, FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20, UINT4: 21, INT4: 22, FLOAT4E2M1: 23, FLOAT8E8M0: 24, UINT2: 25, INT2: 26, FLOAT6E2M3: 27, FLOAT6E3M2: 28,
} as const;
/** One of ONNX's element type numbers. A file may hold a number that no schema knows, so values read from files are plain `number`. */
export type DataType = (typeof DataType)[keyof typeof DataType];

const BITS: Readonly<Record<number, number>> = {
  1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8,
  21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2, 27: 6, 28: 6,
};

const NAMES = new Map<number, string>(Object.entries(DataType).map(([name, number]) => [number, name.toLowerCase()]));

/** Bits per element as raw_data packs them; undefined for strings and for types this version doesn't know. */
export function bitsOf(type: number): number | undefined {
  return BITS[type];
}

/** Bytes that `count` elements of a type take in raw_data; undefined where the type has no fixed size. */
export function byteLength(type: number, count: number): number | undefined {
  const bits = BITS[type];
  return bits === undefined ? undefined : Math.ceil((bits * count) / 8);
}

/** The type's name in lower case ("float", "int64"); "type 99" for a number unknown here. */
export function dataTypeName(type: number): string {
  return NAMES.get(type) ?? `type ${String(type)}`;
}

/** float, float16, bfloat16 or double: what a gradient can flow through. */
export function isFloating(type: number): boolean {
  return type === DataType.FLOAT || type === DataType.FLOAT16 || type === DataType.BFLOAT16 || type === DataType.DOUBLE;
}

const INTEGER_RANGES: Readonly<Record<number, readonly [least: number, greatest: number]>> = {
  [DataType.INT4]: [-8, 7], [DataType.UINT4]: [0, 15], [DataType.INT8]: [-128, 127], [DataType.UINT8]: [0, 255],
  [DataType.INT16]: [-32768, 32767], [DataType.UINT16]: [0, 65535],
};

/** The least and the greatest number of an integer type that weights are quantized to; undefined for other types. */
export function integerRange(type: number): readonly [least: number, greatest: number] | undefined {
  return INTEGER_RANGES[type];
}

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE 754 half → number, exact. */
export function fromFloat16(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 0x1f;
  const fraction = h & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 bits rounded to their upper `32 - drop` bits, to nearest, ties to even. */
function roundBits(bits: number, drop: number): number {
  const half = 2 ** (drop - 1);
  const unit = 2 ** drop;
  const low = bits % unit;
  const high = (bits - low) / unit;
  return low > half || (low === half && high % 2 === 1) ? high + 1 : high;
}

/** A float32 value → IEEE 754 half, rounded once, to nearest, ties to even, as a Cast does. */
export function toFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | roundBits(magnitude - 0x38000000, 13);
  // Subnormal halves are multiples of 2^-24; multiplying a float32 by 2^24 is exact in a double.
  scratch.setUint32(0, magnitude);
  const scaled = scratch.getFloat32(0) * 2 ** 24;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}

/** bfloat16 → number, exact. */
export function fromBFloat16(b: number): number {
  scratch.setUint32(0, (b & 0xffff) * 65536);
  return scratch.getFloat32(0);
}

/** A float32 value → bfloat16, rounded once, to nearest, ties to even. */
export function toBFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) & 0x8000) | 0x7fc0;
  return roundBits(bits, 16);
}
