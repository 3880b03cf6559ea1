/** Packed fields (TensorProto's float_data, int64_data, …), which the codec keeps as the payload that stands in the file. */
import { type Bytes, ByteRange, readBytes } from "../source.ts";
import { malformedModel } from "../../errors/model-file.ts";
import { MAX_VARINT_BYTES } from "./wire-types.ts";

/** The array that holds each kind of element. */
export interface PackedArrays {
  float: Float32Array;
  double: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
}

/**
 * The elements of a packed payload, read now. Floats and doubles lie there as raw_data has them, so their payload can also be used as it is.
 * An int32 keeps the low 32 bits of its varint, as protobuf says. Throws MALFORMED_MODEL.
 */
export function unpack<K extends keyof PackedArrays>(kind: K, payload: Bytes): PackedArrays[K] {
  const bytes = readBytes(payload);
  const problem = packedProblem(kind, bytes);
  if (problem !== undefined) {
    const [file, offset] = payload instanceof ByteRange ? [payload.source.name, payload.offset] : ["the model", 0];
    throw malformedModel(file, offset, `packed ${kind}s`, problem);
  }
  const arrays: { readonly [P in keyof PackedArrays]: () => PackedArrays[P] } = {
    float: () => new Float32Array(bytes.slice().buffer),
    double: () => new Float64Array(bytes.slice().buffer),
    int32: () => new Int32Array(halves(bytes, 1).buffer),
    int64: () => new BigInt64Array(halves(bytes, 2).buffer),
    uint64: () => new BigUint64Array(halves(bytes, 2).buffer),
  };
  return arrays[kind]();
}

/** The packed payload of an array's elements, varints in their shortest form. */
export function pack(elements: PackedArrays[keyof PackedArrays]): Uint8Array {
  if (elements instanceof Float32Array || elements instanceof Float64Array) {
    return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength).slice();
  }
  const bytes = new Uint8Array(elements.length * MAX_VARINT_BYTES);
  let at = 0;
  for (const element of elements) {
    let low = Number(BigInt.asUintN(32, BigInt(element)));
    let high = Number(BigInt.asUintN(32, BigInt(element) >> 32n));
    while (high !== 0 || low > 127) {
      bytes[at++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
  }
  return bytes.slice(0, at);
}

/** What is wrong with a packed payload; undefined when nothing is. Varints that lie in a file unread are not looked at. */
export function packedProblem(kind: string, bytes: Bytes): string | undefined {
  const size = kind === "float" ? 4 : kind === "double" ? 8 : undefined;
  if (size !== undefined) return bytes.length % size === 0 ? undefined : `${String(bytes.length)} bytes are no whole number of ${kind}s`;
  if (bytes instanceof ByteRange) return undefined;
  let run = 0;
  for (const byte of bytes) {
    run += 1;
    if (run > MAX_VARINT_BYTES) return `a number takes more than ${String(MAX_VARINT_BYTES)} bytes`;
    if (byte < 128) run = 0;
  }
  return run === 0 ? undefined : "its last number is incomplete";
}

/** The low 32 bits of each varint, or (`words` = 2) low and high 32 bits in turn. The payload has been checked. */
function halves(bytes: Uint8Array, words: 1 | 2): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (const byte of bytes) if (byte < 128) count += 1;
  const out = new Uint32Array(count * words);
  let [at, low, high, shift] = [0, 0, 0, 0];
  for (const byte of bytes) {
    const group = byte & 127;
    if (shift < 32) low |= group << shift;
    if (shift === 28) high = group >> 4;
    else if (shift > 28) high |= group << (shift - 32);
    shift += 7;
    if (byte < 128) {
      out[at] = low;
      if (words === 2) out[at + 1] = high;
      at += words;
      low = high = shift = 0;
    }
  }
  return out;
}
