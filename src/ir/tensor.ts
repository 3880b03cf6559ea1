/** A constant tensor: element type, dimensions, and bytes that are read when asked for. */
import { type Bytes, ByteRange, ComputedBytes, fetchBytes, readBytes } from "./source.ts";
import { byteLength, DataType, dataTypeName, fromBFloat16, fromFloat16, toBFloat16, toFloat16 } from "./data-type.ts";
import { packHalfBytes, unpackHalfBytes } from "./half-bytes.ts";
import type { TensorProto } from "./proto/generated/schema.ts";
import { elementCount } from "./sizes.ts";

/** Typed arrays that hold numbers, as ONNX Runtime takes and gives them. */
export type NumberArray = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;

/** A tensor's value. Immutable; `bytes` are little-endian, row-major, packed as ONNX's raw_data is. */
export class Tensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  /** The bytes, or where they lie; undefined for strings, which only `carried` holds. */
  readonly data: Bytes | undefined;
  /** The message this was read from, kept so that saving loses nothing. */
  readonly carried: TensorProto | undefined;
  /** Whether `carried` still holds the value; else only its name, doc string and metadata count. */
  readonly unchanged: boolean;

  constructor(dataType: number, dims: readonly number[], data: Bytes | undefined, carried?: TensorProto, unchanged: boolean = carried !== undefined) {
    this.unchanged = unchanged;
    this.dataType = dataType;
    this.dims = dims;
    this.data = data;
    this.carried = carried;
  }

  static floats(dims: readonly number[], values: ArrayLike<number>): Tensor {
    return new Tensor(DataType.FLOAT, dims, bytesOf(Float32Array.from(values)));
  }

  static ints(dims: readonly number[], values: readonly (number | bigint)[]): Tensor {
    return new Tensor(DataType.INT64, dims, bytesOf(BigInt64Array.from(values, BigInt)));
  }

  static bools(dims: readonly number[], values: readonly boolean[]): Tensor {
    return new Tensor(DataType.BOOL, dims, Uint8Array.from(values, Number));
  }

  /** The number of elements. */
  get size(): number {
    return elementCount(this.dims);
  }

  /** Bytes the value takes, whether they are read or not. */
  get byteLength(): number {
    return this.data?.length ?? byteLength(this.dataType, this.size) ?? 0;
  }

  /** The bytes, read now if they lie in a file. */
  bytes(): Uint8Array {
    if (this.data === undefined) throw new TypeError(`a tensor of ${dataTypeName(this.dataType)} has no bytes`);
    return readBytes(this.data);
  }

  /** The same with its bytes at hand, computed where they must be. */
  async resolved(): Promise<Tensor> {
    const { dataType, dims, data, carried, unchanged } = this;
    return data instanceof ComputedBytes ? new Tensor(dataType, dims, await fetchBytes(data), carried, unchanged) : this;
  }

  /** Whether the value is small enough to be at hand: reading it costs no file access. */
  get atHand(): boolean {
    return this.data !== undefined && !(this.data instanceof ByteRange);
  }

  /** The elements as JavaScript numbers, 16-bit floats widened; int64 beyond 2^53 loses its low bits. Undefined for types without numbers. */
  toNumbers(): Float32Array | Float64Array | undefined {
    const { dataType } = this;
    if (this.data === undefined) return undefined;
    if (isHalfByte(dataType)) return unpackHalfBytes(this.bytes(), this.size, dataType === DataType.INT4);
    const view = typedView(dataType, this.bytes());
    if (view === undefined) return undefined;
    if (dataType === DataType.FLOAT16) return Float32Array.from(view as Uint16Array, fromFloat16);
    if (dataType === DataType.BFLOAT16) return Float32Array.from(view as Uint16Array, fromBFloat16);
    if (view instanceof Float32Array || view instanceof Float64Array) return view;
    return view instanceof BigInt64Array || view instanceof BigUint64Array ? Float64Array.from(view, Number) : new Float64Array(view);
  }

  /** Single elements as numbers, each read alone where the bytes lie in a file. Undefined for types without numbers. */
  numbersAt(positions: readonly number[]): number[] | undefined {
    const { data } = this;
    const size = byteLength(this.dataType, 1);
    if (isHalfByte(this.dataType) && data instanceof ByteRange && data.verbatim) {
      return positions.map((p) => new Tensor(this.dataType, [2], data.source.read(data.offset + Math.floor(p / 2), 1)).toNumbers()?.[p % 2] ?? NaN);
    }
    if (!isHalfByte(this.dataType) && typedView(this.dataType, new Uint8Array()) === undefined) return undefined;
    if (!(data instanceof ByteRange) || !data.verbatim || size === undefined) {
      const all = this.toNumbers();
      return all === undefined ? undefined : positions.map((p) => all[p] ?? NaN);
    }
    return positions.map((p) => new Tensor(this.dataType, [], data.source.read(data.offset + p * size, size)).toNumbers()?.[0] ?? NaN);
  }

  /** A float tensor of the given type from float32 values: 16-bit types are rounded once, to nearest, ties to even. */
  static fromFloat32(dataType: number, dims: readonly number[], values: Float32Array): Tensor {
    switch (dataType) {
      case DataType.FLOAT: return new Tensor(dataType, dims, bytesOf(values));
      case DataType.DOUBLE: return new Tensor(dataType, dims, bytesOf(Float64Array.from(values)));
      case DataType.FLOAT16: return new Tensor(dataType, dims, bytesOf(Uint16Array.from(values, toFloat16)));
      case DataType.BFLOAT16: return new Tensor(dataType, dims, bytesOf(Uint16Array.from(values, toBFloat16)));
      default: throw new TypeError(`${dataTypeName(dataType)} is not a float type`);
    }
  }

  /** An integer tensor of 4 to 16 bits from whole numbers in the type's range. */
  static fromIntegers(dataType: number, dims: readonly number[], values: ArrayLike<number>): Tensor {
    switch (dataType) {
      case DataType.INT8: return new Tensor(dataType, dims, bytesOf(new Int8Array(values)));
      case DataType.UINT8: return new Tensor(dataType, dims, bytesOf(new Uint8Array(values)));
      case DataType.INT16: return new Tensor(dataType, dims, bytesOf(new Int16Array(values)));
      case DataType.UINT16: return new Tensor(dataType, dims, bytesOf(new Uint16Array(values)));
      case DataType.INT4: case DataType.UINT4: return new Tensor(dataType, dims, packHalfBytes(values));
      default: throw new TypeError(`${dataTypeName(dataType)} is not an integer type of 4 to 16 bits`);
    }
  }
}

function isHalfByte(dataType: number): boolean {
  return dataType === DataType.INT4 || dataType === DataType.UINT4;
}

/** The bytes under a typed array, without a copy. */
export function bytesOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Bytes as the typed array of an element type (half floats as Uint16Array); copied where they don't lie aligned. Undefined for packed and string types. */
export function typedView(dataType: number, bytes: Uint8Array): NumberArray | undefined {
  const make = <T>(type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number }): T => {
    const size = type.BYTES_PER_ELEMENT;
    // A Buffer's own slice would be a view.
    const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
    return new type(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / size));
  };
  switch (dataType) {
    case DataType.FLOAT: return make(Float32Array);
    case DataType.DOUBLE: return make(Float64Array);
    case DataType.INT64: return make(BigInt64Array);
    case DataType.UINT64: return make(BigUint64Array);
    case DataType.INT32: return make(Int32Array);
    case DataType.UINT32: return make(Uint32Array);
    case DataType.INT16: return make(Int16Array);
    case DataType.INT8: return make(Int8Array);
    case DataType.UINT16: case DataType.FLOAT16: case DataType.BFLOAT16: return make(Uint16Array);
    case DataType.UINT8: case DataType.BOOL: return make(Uint8Array);
    default: return undefined;
  }
}
