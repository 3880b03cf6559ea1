/** TensorProto → Tensor: the many ways a file may store numbers become one, bytes in raw_data's order, which stay where they lie. */
import { badExternalData, tensorMismatch } from "../../errors/graph.ts";
import { quote } from "../../errors/hut-error.ts";
import { byteLength, DataType, dataTypeName } from "../data-type.ts";
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
  const size = dims.reduce((a, b) => a * b, 1);
  if (!Number.isSafeInteger(size)) throw tensorMismatch(file, name, `has the dimensions ${dims.join(" × ")}, more elements than can be counted`);
  if (dataType === DataType.STRING) return new Tensor(dataType, dims, undefined, proto);
  const expected = byteLength(dataType, size);
  const data = dataOf(proto, dataType, expected, name, context);
  if (expected !== undefined && data !== undefined && data.length !== expected) {
    throw tensorMismatch(file, name, `is ${dataTypeName(dataType)} [${dims.join(", ")}], ${String(expected)} bytes, but ${String(data.length)} are stored`);
  }
  return new Tensor(dataType, dims, data, proto);
}

function dataOf(proto: TensorProto, dataType: number, expected: number | undefined, name: string, context: TensorContext): Bytes | undefined {
  if (proto.dataLocation === 1) return externalData(proto, expected, name, context);
  if (proto.rawData !== undefined) return proto.rawData;
  if (proto.floatData !== undefined) return proto.floatData;
  if (proto.doubleData !== undefined) return proto.doubleData;
  const packed = proto.int32Data ?? proto.int64Data ?? proto.uint64Data;
  if (packed === undefined) return expected === 0 || proto.dims.length > 0 && expected !== undefined && expected > 0 ? new Uint8Array() : undefined;
  if (packed instanceof ByteRange) return expected === undefined ? undefined : new PackedIntegers(packed, dataType, expected);
  return unpacked(packed, dataType);
}

/** A packed field of varints that has not been read: as long as its numbers will be. */
class PackedIntegers extends ByteRange {
  readonly #payload: ByteRange;
  readonly #dataType: number;

  constructor(payload: ByteRange, dataType: number, length: number) {
    super(payload.source, payload.offset, length);
    this.#payload = payload;
    this.#dataType = dataType;
  }

  override get verbatim(): boolean {
    return false;
  }

  override read(): Uint8Array {
    return unpacked(this.#payload, this.#dataType);
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

const EXTERNAL_KEYS = new Set(["location", "offset", "length", "checksum"]);

function externalData(proto: TensorProto, expected: number | undefined, name: string, { file, openExternal }: TensorContext): Bytes | undefined {
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
  if (offset + length > source.size) {
    throw badExternalData(file, name, `ends at byte ${String(offset + length)} of ${quote(location)}, which has ${String(source.size)}; the file is cut short or belongs to another model`);
  }
  return new ByteRange(source, offset, length);
}

