/** Named tensors in a flatbuffers file, read and written: ONNX Runtime's checkpoints and its adapters differ in where a table keeps what. */
import { Builder, type Offset } from "flatbuffers";
import { quote } from "../../errors/hut-error.ts";
import { byteLength } from "../../ir/data-type.ts";
import { ByteRange, readBytes, type Bytes, type Source } from "../../ir/source.ts";
import { FlatError, type FlatTable } from "./flat-table.ts";

/** Bytes are little-endian and row-major. */
export interface FlatTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** ONNX's number of the element type. */
  readonly dataType: number;
  readonly data: Bytes;
}

/** Places of a tensor's fields in its table. */
export interface TensorFields {
  readonly name: number;
  readonly dims: number;
  readonly dataType: number;
  readonly rawData: number;
  /** Where its bytes begin in a file of external data, in formats that have such; -1 where they stand in the file itself. */
  readonly externalDataOffset?: number;
}

/** Most dimensions of one tensor: PyTorch's own limit is 64. */
const MAX_RANK = 64;

/**
 * The tensors of a vector of tables; their bytes stay views of the file, or ranges of `external`, the file of external data, where there is one. `what` is for
 * messages, `names` those read so far. Throws FlatError for a name twice, none, an unknown type, and bytes that don't fit the shape.
 */
export function readFlatTensors(table: FlatTable, field: number, fields: TensorFields, what: string, names: Set<string> = new Set(), external?: Source): FlatTensor[] {
  const tensors: FlatTensor[] = [];
  for (const each of table.tables(field, what)) {
    const tensor = tensorOf(each, fields, what, external);
    // Before the next one is read: a file may list one tensor a million times.
    if (names.has(tensor.name)) throw new FlatError(`tensor ${quote(tensor.name)} stands in it twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

function tensorOf(table: FlatTable, fields: TensorFields, what: string, external: Source | undefined): FlatTensor {
  const name = table.text(fields.name, `the name of a ${what}`);
  if (name === undefined || name === "") throw new FlatError(`a ${what} has no name`);
  const where = `tensor ${quote(name)}`;
  const dims = table.int64Vector(fields.dims, MAX_RANK, `the shape of ${where}`) ?? [];
  const shape = dims.map(Number);
  const dataType = table.int32(fields.dataType, `the type of ${where}`) ?? 0;
  const size = shape.reduce((product, n) => product * n, 1);
  const wanted = byteLength(dataType, size);
  if (shape.some((n) => n < 0) || !Number.isSafeInteger(size) || wanted === undefined) throw new FlatError(`${where} has an unknown type or an impossible shape`);
  return { name, shape, dataType, data: bytesOf(table, fields, where, wanted, external) };
}

function bytesOf(table: FlatTable, fields: TensorFields, where: string, wanted: number, external: Source | undefined): Bytes {
  const offset = fields.externalDataOffset === undefined ? undefined : table.int64(fields.externalDataOffset, `the place of ${where} in the external data`);
  if (offset !== undefined && offset >= 0n) {
    if (external === undefined) throw new FlatError(`${where} is in external data, and the file says that it has none`);
    if (offset + BigInt(wanted) > BigInt(external.size)) throw new FlatError(`${where} ends beyond the ${String(external.size)} bytes of ${quote(external.name)}`);
    return new ByteRange(external, Number(offset), wanted);
  }
  const data = table.byteVector(fields.rawData, `the numbers of ${where}`) ?? new Uint8Array();
  if (wanted !== data.length) throw new FlatError(`${where} has ${String(data.length)} bytes, and its shape and type need ${String(wanted)}`);
  return data;
}

/** Takes a tensor's bytes into a file of external data and tells where they begin there; undefined where they stay in the file itself. */
type PutExternal = (bytes: Bytes) => number | undefined;

/** A vector of tensors; `count` is how many fields each table has. */
export function writeFlatTensors(builder: Builder, tensors: readonly FlatTensor[], fields: TensorFields, count: number, putExternal?: PutExternal): Offset {
  return writeOffsets(builder, tensors.map((t) => writeTensor(builder, t, fields, count, putExternal)));
}

function writeTensor(builder: Builder, { name, shape, dataType, data }: FlatTensor, fields: TensorFields, count: number, putExternal: PutExternal | undefined): Offset {
  const place = putExternal?.(data);
  const nameAt = builder.createString(name);
  const raw = place === undefined ? builder.createByteVector(readBytes(data)) : 0;
  builder.startVector(8, shape.length, 8);
  for (const size of [...shape].reverse()) builder.addInt64(BigInt(size));
  const dims = builder.endVector();
  builder.startObject(count);
  builder.addFieldOffset(fields.name, nameAt, 0);
  builder.addFieldOffset(fields.dims, dims, 0);
  builder.addFieldInt32(fields.dataType, dataType, 0);
  builder.addFieldOffset(fields.rawData, raw, 0);
  if (fields.externalDataOffset !== undefined) builder.addFieldInt64(fields.externalDataOffset, BigInt(place ?? -1), -1n);
  return builder.endObject();
}

/** A vector of tables. */
export function writeOffsets(builder: Builder, tables: readonly Offset[]): Offset {
  builder.startVector(4, tables.length, 4);
  for (const table of [...tables].reverse()) builder.addOffset(table);
  return builder.endVector();
}
