/** How numbers are fed for each ONNX element type: which are allowed, and the typed array that holds them. */

import { inputTypeUnsupported } from "../../errors/data.ts";
import { DataType, dataTypeName, toFloat16 } from "../../ir/data-type.ts";

/** The typed arrays that tensors are fed as. */
export type TensorData =
  | Float32Array | Float64Array | Uint16Array | BigInt64Array | BigUint64Array
  | Int32Array | Uint32Array | Int16Array | Int8Array | Uint8Array;

/** One element type's numbers. */
export interface ElementKind {
  /** What the type takes, for messages. */
  readonly words: string;
  accepts(value: number): boolean;
  /** The numbers as a tensor holds them. */
  pack(values: Float64Array): TensorData;
}

type Pack = ElementKind["pack"];

function integers(low: number, high: number, pack: Pack): ElementKind {
  return { words: `integers from ${String(low)} to ${String(high)}`, accepts: (value) => Number.isInteger(value) && value >= low && value <= high, pack };
}

function floats(pack: Pack): ElementKind {
  return { words: "finite numbers", accepts: Number.isFinite, pack };
}

/** JSON's numbers are doubles: larger 64-bit integers would arrive rounded, so they are refused. */
const EXACT = Number.MAX_SAFE_INTEGER;

const KINDS: Readonly<Record<number, ElementKind>> = {
  [DataType.FLOAT]: floats((values) => new Float32Array(values)),
  [DataType.DOUBLE]: floats((values) => new Float64Array(values)),
  [DataType.FLOAT16]: floats((values) => Uint16Array.from(values, (value) => toFloat16(value))),
  [DataType.INT64]: integers(-EXACT, EXACT, (values) => BigInt64Array.from(values, BigInt)),
  [DataType.UINT64]: integers(0, EXACT, (values) => BigUint64Array.from(values, BigInt)),
  [DataType.INT32]: integers(-(2 ** 31), 2 ** 31 - 1, (values) => new Int32Array(values)),
  [DataType.UINT32]: integers(0, 2 ** 32 - 1, (values) => new Uint32Array(values)),
  [DataType.INT16]: integers(-(2 ** 15), 2 ** 15 - 1, (values) => new Int16Array(values)),
  [DataType.UINT16]: integers(0, 2 ** 16 - 1, (values) => new Uint16Array(values)),
  [DataType.INT8]: integers(-128, 127, (values) => new Int8Array(values)),
  [DataType.UINT8]: integers(0, 255, (values) => new Uint8Array(values)),
  [DataType.BOOL]: { ...integers(0, 1, (values) => new Uint8Array(values)), words: "true or false" },
};

/** The numbers of an input's type. Throws where data can't be fed to it (strings, 8-bit floats, …). */
export function elementKind(input: { readonly name: string; readonly dtype: number }): ElementKind {
  const kind = KINDS[input.dtype];
  if (!kind) throw inputTypeUnsupported(input.name, dataTypeName(input.dtype));
  return kind;
}
