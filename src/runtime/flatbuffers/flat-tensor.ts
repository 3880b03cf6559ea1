/** Named tensors in a flatbuffers file, read and written: ONNX Runtime's checkpoints and its adapters differ in where a table keeps what. */
import { Builder, type Offset } from "flatbuffers";
import { quote } from "../../errors/hut-error.ts";
import { byteLength } from "../../ir/data-type.ts";
import { readBytes, type Bytes } from "../../ir/source.ts";
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
}

/** Most dimensions of one tensor: PyTorch's own limit is 64. */
const MAX_RANK = 64;

/**
 * The tensors of a vector of tables; their bytes stay views of the file. `what` is for messages, `names` those read so far. Throws FlatError for a name
 * twice, none, an unknown type, and bytes that don't fit the shape.
 */
export function readFlatTensors(table: FlatTable, field: number, fields: TensorFields, what: string, names: Set<string> = new Set()): FlatTensor[] {
  const tensors: FlatTensor[] = [];
  for (const each of table.tables(field, what)) {
    const tensor = tensorOf(each, fields, what);
    // Before the next one is read: a file may list one tensor a million times.
    if (names.has(tensor.name)) throw new FlatError(`tensor ${quote(tensor.name)} stands in it twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

function tensorOf(table: FlatTable, fields: TensorFields, what: string): FlatTensor {
  const name = table.text(fields.name, `the name of a ${what}`);
  if (name === undefined || name === "") throw new FlatError(`a ${what} has no name`);
  const where = `tensor ${quote(name)}`;
  const dims = table.int64Vector(fields.dims, MAX_RANK, `the shape of ${where}`) ?? [];
  const shape = dims.map(Number);
  const dataType = table.int32(fields.dataType, `the type of ${where}`) ?? 0;
  const data = table.byteVector(fields.rawData, `the numbers of ${where}`) ?? new Uint8Array();
  const size = shape.reduce((product, n) => product * n, 1);
  const wanted = byteLength(dataType, size);
  if (shape.some((n) => n < 0) || !Number.isSafeInteger(size) || wanted === undefined) throw new FlatError(`${where} has an unknown type or an impossible shape`);
  if (wanted !== data.length) throw new FlatError(`${where} has ${String(data.length)} bytes, and its shape and type need ${String(wanted)}`);
  return { name, shape, dataType, data };
}

/** A vector of tensors; `count` is how many fields each table has. */
export function writeFlatTensors(builder: Builder, tensors: readonly FlatTensor[], fields: TensorFields, count: number): Offset {
  return writeOffsets(builder, tensors.map((t) => writeTensor(builder, t, fields, count)));
}

function writeTensor(builder: Builder, { name, shape, dataType, data }: FlatTensor, fields: TensorFields, count: number): Offset {
  const [nameAt, raw] = [builder.createString(name), builder.createByteVector(readBytes(data))];
  builder.startVector(8, shape.length, 8);
  for (const size of [...shape].reverse()) builder.addInt64(BigInt(size));
  const dims = builder.endVector();
  builder.startObject(count);
  builder.addFieldOffset(fields.name, nameAt, 0);
  builder.addFieldOffset(fields.dims, dims, 0);
  builder.addFieldInt32(fields.dataType, dataType, 0);
  builder.addFieldOffset(fields.rawData, raw, 0);
  return builder.endObject();
}

/** A vector of tables. */
export function writeOffsets(builder: Builder, tables: readonly Offset[]): Offset {
  builder.startVector(4, tables.length, 4);
  for (const table of [...tables].reverse()) builder.addOffset(table);
  return builder.endVector();
}
