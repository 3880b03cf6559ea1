/** The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes end to end. */
import { safetensorsBroken, tensorNotFloat, tensorUnwritable } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";
import { fromBFloat16, fromFloat16 } from "../../ir/data-type.ts";
import { ByteRange, readBytes, type Bytes, type Source } from "../../ir/source.ts";
import { parseStrictJson, type JsonObject, type JsonValue } from "./strict-json.ts";

/** One tensor: dtype in safetensors' words ("F32", "BF16"), shape, and its bytes, little-endian and row-major, read when asked for. */
export interface SafeTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Bytes;
}

/** Longest header read: the limit of the format's own library. Real headers stay under 10 MB, also those of models with 100,000 tensors. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Deepest nesting of a header: the header, a tensor's entry, its shape. */
const MAX_HEADER_DEPTH = 4;

/** Most dimensions of one tensor: PyTorch's own limit is 64. */
const MAX_RANK = 64;

/** Bits an element takes. Their order is the one in which the format's library writes the tensors. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ["U64", 64], ["I64", 64], ["F64", 64], ["C64", 64], ["F32", 32], ["U32", 32], ["I32", 32], ["BF16", 16], ["F16", 16], ["U16", 16], ["I16", 16],
  ["F8_E5M2FNUZ", 8], ["F8_E4M3FNUZ", 8], ["F8_E8M0", 8], ["F8_E4M3", 8], ["F8_E5M2", 8], ["I8", 8], ["U8", 8],
  ["F6_E3M2", 6], ["F6_E2M3", 6], ["F4", 4], ["BOOL", 8],
]);

/**
 * Reads the header of a safetensors file; the tensors' bytes stay ranges of `source`. Tensors come in header order.
 * Throws SAFETENSORS_BROKEN or JSON_BROKEN: a header over MAX_HEADER_BYTES or past the end, doubled names, an unknown dtype, a range that
 * doesn't fit its shape, and any hole, overlap or rest in the data.
 */
export function readSafetensors(source: Source): Map<string, SafeTensor> {
  const broken = (problem: string): never => {
    throw safetensorsBroken(source.name, problem);
  };
  if (source.size < 8) broken(`it has ${String(source.size)} bytes, and the length of its header alone takes 8`);
  const start = source.read(0, 8);
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) broken(`its header claims ${String(headerBytes)} bytes, over the limit of ${String(MAX_HEADER_BYTES)}`);
  if (headerBytes > source.size - 8) broken(`its header claims ${String(headerBytes)} bytes, more than the file has`);

  const header = parseStrictJson(headerText(source, headerBytes), source.name, MAX_HEADER_DEPTH);
  if (!(header instanceof Map)) return broken("its header is not a JSON object");
  const dataStart = 8 + headerBytes;
  const dataBytes = source.size - dataStart;
  const ranges: { name: string; begin: number; end: number }[] = [];
  const tensors = new Map<string, SafeTensor>();
  for (const [name, entry] of header) {
    if (name === "__metadata__") {
      if (!isMetadata(entry)) broken("its __metadata__ is not a map of texts");
      continue;
    }
    const { dtype, shape, begin, end } = readEntry(entry) ?? broken(`the entry of tensor ${quote(name)} is not {dtype, shape, data_offsets}`);
    const wanted = bytesOf(dtype, shape) ?? broken(`tensor ${quote(name)} has an unknown dtype or an impossible size`);
    if (end - begin !== wanted) broken(`tensor ${quote(name)} has ${String(end - begin)} bytes, and its shape and dtype need ${String(wanted)}`);
    if (end > dataBytes) broken(`tensor ${quote(name)} ends at byte ${String(end)} of the data, which has ${String(dataBytes)}`);
    ranges.push({ name, begin, end });
    tensors.set(name, { dtype, shape, data: new ByteRange(source, dataStart + begin, wanted) });
  }

  let at = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) broken(`the data before tensor ${quote(name)} has ${begin > at ? "a hole" : "an overlap"}`);
    at = end;
  }
  if (at !== dataBytes) broken(`${String(dataBytes - at)} bytes of data belong to no tensor`);
  return tensors;
}

/**
 * The bytes of a safetensors file, as chunks in order: byte for byte what the format's own library writes (tensors by dtype, widest first,
 * then by name; header padded with spaces to 8 bytes). Throws TENSOR_UNWRITABLE where bytes, shape and dtype don't agree.
 */
export function writeSafetensors(tensors: ReadonlyMap<string, SafeTensor>, metadata: Readonly<Record<string, string>>): Bytes[] {
  const order = [...DTYPE_BITS.keys()];
  const sorted = [...tensors].sort(([aName, a], [bName, b]) => order.indexOf(a.dtype) - order.indexOf(b.dtype) || compareText(aName, bName));
  const entries = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let at = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const wanted = bytesOf(dtype, shape);
    if (wanted === undefined) throw tensorUnwritable(name, `dtype ${quote(dtype)} or its shape is impossible`);
    if (wanted !== data.length) throw tensorUnwritable(name, `it has ${String(data.length)} bytes, and its shape and dtype need ${String(wanted)}`);
    if (name === "__metadata__") throw tensorUnwritable(name, "the name is taken by the format");
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, at + wanted] })}`);
    at += wanted;
  }
  const header = new TextEncoder().encode(`{${entries.join(",")}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  const start = new Uint8Array(8 + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(header, 8);
  return [start, ...sorted.map(([, { data }]) => data)];
}

/** A float tensor's values as float32 (F64 is rounded), of F32 the very bytes where they lie so: not to be written to. `file` and `name` are for the message. Throws TENSOR_NOT_FLOAT for other dtypes. */
export function toFloat32(tensor: SafeTensor, file: string, name: string): Float32Array {
  const bytes = readBytes(tensor.data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (tensor.dtype) {
    case "F32": return bytes.byteOffset % 4 === 0 ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : decode(bytes.length / 4, (i) => view.getFloat32(4 * i, true));
    case "F16": return decode(bytes.length / 2, (i) => fromFloat16(view.getUint16(2 * i, true)));
    case "BF16": return decode(bytes.length / 2, (i) => fromBFloat16(view.getUint16(2 * i, true)));
    case "F64": return decode(bytes.length / 8, (i) => view.getFloat64(8 * i, true));
    default: throw tensorNotFloat(file, name, tensor.dtype);
  }
}

function decode(count: number, element: (index: number) => number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = element(i);
  return values;
}

/** float32 values as a tensor to write; the values are copied. */
export function fromFloat32(shape: readonly number[], values: Float32Array): SafeTensor {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return { dtype: "F32", shape: [...shape], data: bytes };
}

function headerText(source: Source, length: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source.read(8, length));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw safetensorsBroken(source.name, "its header is not UTF-8");
  }
}

function isMetadata(value: JsonValue): boolean {
  return value instanceof Map && [...value.values()].every((text) => typeof text === "string");
}

function readEntry(entry: JsonValue): { dtype: string; shape: number[]; begin: number; end: number } | undefined {
  if (!(entry instanceof Map) || entry.size !== 3) return undefined;
  const dtype = entry.get("dtype");
  const shape = sizesIn(entry, "shape");
  const [begin, end, ...rest] = sizesIn(entry, "data_offsets") ?? [];
  if (typeof dtype !== "string" || shape === undefined || begin === undefined || end === undefined || rest.length > 0) return undefined;
  return { dtype, shape, begin, end };
}

function sizesIn(entry: JsonObject, key: string): number[] | undefined {
  const value = entry.get(key);
  if (!Array.isArray(value)) return undefined;
  const sizes = value.filter((size) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0) as number[];
  return sizes.length === value.length ? sizes : undefined;
}

/** Bytes that a tensor takes; undefined for an unknown dtype, too many dimensions, a product that overflows, or half a byte at its end. */
function bytesOf(dtype: string, shape: readonly number[]): number | undefined {
  const bits = DTYPE_BITS.get(dtype);
  if (bits === undefined || shape.length > MAX_RANK) return undefined;
  const total = shape.reduce((product, size) => product * size, bits);
  return Number.isSafeInteger(total) && total % 8 === 0 ? total / 8 : undefined;
}

/** By code points, as the format's library sorts: UTF-16 order differs beyond U+FFFF. */
function compareText(a: string, b: string): number {
  const [as, bs] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const difference = (as[i]?.codePointAt(0) ?? 0) - (bs[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return as.length - bs.length;
}
