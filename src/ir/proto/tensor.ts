/** TensorProto → Tensor: the many ways a file may store numbers become one, bytes in raw_data's order, which stay where they lie. */
import { badExternalData, tensorMismatch } from "../../errors/graph.ts";
import { type HutError, plain, quote } from "../../errors/hut-error.ts";
import { byteLength, DataType, dataTypeName } from "../data-type.ts";
import { elementCount } from "../sizes.ts";
import { ByteRange, type Bytes, type Source } from "../source.ts";
import { bytesOf, Tensor } from "../tensor.ts";
import type { TensorProto } from "./generated/schema.ts";
import { unpack } from "./packed.ts";

/** Opens a file that external data names, after checking that it may be read. */
export type OpenExternal = (location: string) => Source;

/** Where a tensor comes from, for messages and for external data. */
export interface TensorContext {
  /** The model's file, as the user named it. */
  readonly file: string;
  readonly openExternal: OpenExternal | undefined;
}

/** Checks a tensor's dimensions, type and the length of its bytes, and gives it with its bytes unread where they were. Throws HutError. */
export function tensorFromProto(proto: TensorProto, context: TensorContext): Tensor {
  const { file } = context;
  const name = proto.name ?? "";
  const dims = proto.dims.map((d) => {
    if (typeof d !== "number" || d < 0) throw tensorMismatch(file, name, `has the dimension ${String(d)}`);
    return d;
  });
  const dataType = proto.dataType ?? DataType.UNDEFINED;
  const size = elementCount(dims);
  if (!Number.isSafeInteger(size)) throw tensorMismatch(file, name, `has the dimensions ${plain(dims.join(" × "))}, more elements than can be counted`);
  if (dataType === DataType.STRING) {
    if (proto.dataLocation === 1) throw badExternalData(file, name, "should hold strings, which can't lie in another file");
    if (proto.stringData.length !== size) throw tensorMismatch(file, name, `is string [${plain(dims.join(", "))}], ${String(size)} in all, but ${String(proto.stringData.length)} are stored`);
    return new Tensor(dataType, dims, undefined, proto);
  }
  const expected = byteLength(dataType, size);
  const mismatch = (stored: number): HutError => tensorMismatch(file, name,
    `is ${dataTypeName(dataType)} [${plain(dims.join(", "))}], ${String(expected)} bytes, but ${String(stored)} are stored`);
  const data = dataOf(proto, dataType, expected, mismatch, context);
  if (expected !== undefined && data !== undefined && data.length !== expected) throw mismatch(data.length);
  return new Tensor(dataType, dims, data, proto);
}

function dataOf(proto: TensorProto, dataType: number, expected: number | undefined, mismatch: (stored: number) => HutError, context: TensorContext): Bytes | undefined {
  if (proto.dataLocation === 1) return externalData(proto, expected, context);
  if (proto.rawData !== undefined) return proto.rawData;
  if (proto.floatData !== undefined) return proto.floatData;
  if (proto.doubleData !== undefined) return proto.doubleData;
  const packed = proto.int32Data ?? proto.int64Data ?? proto.uint64Data;
  if (packed === undefined) return expected === undefined ? undefined : new Uint8Array();
  if (packed instanceof ByteRange) return expected === undefined ? undefined : new PackedIntegers(packed, dataType, expected, mismatch);
  return unpacked(packed, dataType);
}

/** A packed field of varints that has not been read: as long as its numbers will be. */
class PackedIntegers extends ByteRange {
  readonly #payload: ByteRange;
  readonly #dataType: number;
  readonly #mismatch: (stored: number) => HutError;

  constructor(payload: ByteRange, dataType: number, length: number, mismatch: (stored: number) => HutError) {
    super(payload.source, payload.offset, length);
    this.#payload = payload;
    this.#dataType = dataType;
    this.#mismatch = mismatch;
  }

  override get verbatim(): boolean {
    return false;
  }

  /** Throws TENSOR_MISMATCH: how many numbers there are shows only now. */
  override read(): Uint8Array {
    const bytes = unpacked(this.#payload, this.#dataType);
    if (bytes.length !== this.length) throw this.#mismatch(bytes.length);
    return bytes;
  }
}

/** Varints → the bytes of the element type: int32_data holds every type of up to 32 bits, sign-extended or as bits. */
function unpacked(payload: Bytes, dataType: number): Uint8Array {
  switch (dataType) {
    case DataType.INT64: return bytesOf(unpack("int64", payload));
    case DataType.UINT64: case DataType.UINT32: return dataType === DataType.UINT64 ? bytesOf(unpack("uint64", payload)) : bytesOf(Uint32Array.from(unpack("uint64", payload), Number));
    case DataType.INT32: return bytesOf(unpack("int32", payload));
    case DataType.INT16: case DataType.UINT16: case DataType.FLOAT16: case DataType.BFLOAT16: return bytesOf(Uint16Array.from(unpack("int32", payload)));
    default: return Uint8Array.from(unpack("int32", payload));
  }
}

/** What a tensor that lies outside says of its place, unchecked; undefined where it doesn't. */
export function externalEntry({ externalData }: TensorProto, key: "location" | "offset" | "length"): string | undefined {
  return externalData.find((entry) => entry.key === key)?.value;
}

const EXTERNAL_KEYS = new Set(["location", "offset", "length", "checksum"]);

function externalData(proto: TensorProto, expected: number | undefined, { file, openExternal }: TensorContext): Bytes | undefined {
  const name = proto.name ?? "";
  const entries = new Map<string, string>();
  for (const { key = "", value = "" } of proto.externalData) {
    if (!EXTERNAL_KEYS.has(key)) throw badExternalData(file, name, `has the unknown key ${quote(key)}`);
    if (entries.has(key)) throw badExternalData(file, name, `has the key ${quote(key)} twice`);
    entries.set(key, value);
  }
  const location = entries.get("location");
  if (location === undefined || location === "") throw badExternalData(file, name, "names no file");
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) throw badExternalData(file, name, `has the ${key} ${quote(text)}, which is not a number of bytes`);
    return Number(text);
  };
  if (openExternal === undefined) throw badExternalData(file, name, `lies in ${quote(location)}, and the model was opened without a folder to look in`);
  const source = openExternal(location);
  const offset = number("offset") ?? 0;
  const length = number("length") ?? expected ?? source.size - offset;
  if (length < 0 || offset + length > source.size) {
    throw badExternalData(file, name, `ends at byte ${String(offset + Math.max(length, 0))} of ${quote(location)}, which has ${String(source.size)}; the file is cut short or belongs to another model`);
  }
  return new ByteRange(source, offset, length);
}

