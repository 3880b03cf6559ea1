/**
 * Writes a ModelProto: fields in the order of their numbers, as protobuf's own writers do, unknown ones last. Weights are not copied: the
 * result is a list of chunks, of which the longer byte fields are the very objects the model holds. What was read and not changed can be copied as it stands.
 */
import protobuf from "protobufjs/minimal.js";
import { modelTooLarge } from "../../errors/model-file.ts";
import { ByteRange, type Bytes } from "../source.ts";
import { type FieldSpec, type Int, type MessageName, MESSAGES, type ModelProto, type WireKind } from "./generated/schema.ts";
import { spanOf } from "./spans.ts";
import { DELIMITED, MAX_VARINT_BYTES, WIRE_TYPES } from "./wire-types.ts";

/** Longest file written. Protobuf's own limit: readers count the bytes of a message in an int32. Models with more weights keep them as external data. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** Byte fields longer than this become chunks of their own instead of being copied. */
const COPY_BYTES = 16 * 1024;

/** A model as bytes that are still to be written: the file's, in order. */
export interface EncodedModel {
  readonly chunks: readonly Bytes[];
}

export interface EncodeOptions {
  /**
   * Nodes, tensors and declarations that are the very messages that were read are copied as they stand in their file, those in a row at once. The files have to be open still.
   * Encoding is a fifth of `adapt`'s time on a model with 4,000 nodes, of which few change.
   */
  readonly copies?: boolean | undefined;
}

/**
 * The bytes of a model. Reads no weights. Throws MODEL_TOO_LARGE beyond MAX_MODEL_BYTES, and a RangeError for an integer that is not one or
 * doesn't fit its field.
 */
export function encodeModel(model: ModelProto, options?: EncodeOptions): EncodedModel {
  const encoded = encodeIfFits(model, options);
  if ("size" in encoded) throw modelTooLarge(encoded.size, MAX_MODEL_BYTES);
  return encoded;
}

/** The bytes of a model, or how many they would be where that is more than MAX_MODEL_BYTES. */
export function encodeIfFits(model: ModelProto, { copies = false }: EncodeOptions = {}): EncodedModel | { readonly size: number } {
  const sizes: number[] = [];
  const copied: Copied = copies ? (message, tag) => { const span = spanOf(message); return span?.tag === tag ? span.bytes : undefined; } : () => undefined;
  const size = measure("ModelProto", model as unknown as Fields, { sizes, copied });
  if (size > MAX_MODEL_BYTES) return { size };
  const encoder = new ModelEncoder(sizes, copied);
  encoder.message("ModelProto", model as unknown as Fields);
  return encoder.finish();
}

/** The bytes of a message with its tag and length where it is copied; undefined where it is encoded. */
type Copied = (message: object, tag: number) => ByteRange | undefined;

/** Bytes in all. */
export function encodedLength(chunks: readonly Bytes[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** A message seen through its table: the properties its FieldSpecs name. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * The bytes a message takes without its own tag and length. Those of it and of every message in it that is encoded are noted in `sizes`, in the order in which they
 * are written.
 */
function measure(type: MessageName, message: Fields, noting: { readonly sizes: number[]; readonly copied: Copied }): number {
  const { sizes, copied } = noting;
  let size = (message["unknownFields"] as Uint8Array | undefined)?.length ?? 0;
  const own = sizes.push(0) - 1;
  eachValue(type, message, (value, { field, tag, tagSize }) => {
    const there = field.message === undefined ? undefined : copied(value as object, tag);
    if (there !== undefined) {
      size += there.length;
      return;
    }
    const body = field.message === undefined ? sizeOf(field, value) : measure(field.message, value as Fields, noting);
    size += tagSize + body + (tag % 8 === DELIMITED ? varintSize(body) : 0);
  });
  sizes[own] = size;
  return size;
}

class ModelEncoder {
  /** What `measure` noted. */
  readonly #sizes: readonly number[];
  readonly #copied: Copied;
  readonly #chunks: Bytes[] = [];
  #messages = 0;
  #writer = new protobuf.Writer();
  /** What is copied next: messages in a row. */
  #row: ByteRange | undefined;

  constructor(sizes: readonly number[], copied: Copied) {
    this.#sizes = sizes;
    this.#copied = copied;
  }

  /** Writes a message without its own tag and length. */
  message(type: MessageName, message: Fields): void {
    this.#messages += 1;
    eachValue(type, message, (value, { field, tag }) => {
      const there = field.message === undefined ? undefined : this.#copied(value as object, tag);
      if (there !== undefined) {
        this.#copy(there);
        return;
      }
      this.#endRow();
      this.#writer.uint32(tag);
      if (field.held === "lazy") {
        this.#writer.uint32((value as Bytes).length);
        this.#raw(value as Bytes);
      } else if (field.message !== undefined) {
        this.#writer.uint32(this.#sizes[this.#messages] ?? 0);
        this.message(field.message, value as Fields);
      } else if (field.kind === "bytes") {
        this.#writer.uint32((value as Uint8Array).length);
        this.#raw(value as Uint8Array);
      } else {
        writeScalar(this.#writer, field.kind, value);
      }
    });
    this.#endRow();
    const unknown = message["unknownFields"] as Uint8Array | undefined;
    if (unknown !== undefined) this.#raw(unknown);
  }

  finish(): EncodedModel {
    this.#flush();
    return { chunks: this.#chunks };
  }

  #copy(bytes: ByteRange): void {
    const row = this.#row;
    if (row?.source === bytes.source && row.offset + row.length === bytes.offset) {
      this.#row = new ByteRange(row.source, row.offset, row.length + bytes.length);
      return;
    }
    this.#endRow();
    this.#row = bytes;
  }

  #endRow(): void {
    const row = this.#row;
    if (row === undefined) return;
    this.#row = undefined;
    this.#raw(row.length <= COPY_BYTES ? row.read() : row);
  }

  #raw(bytes: Bytes): void {
    if (!(bytes instanceof ByteRange) && bytes.length <= COPY_BYTES) {
      this.#writer.raw(bytes);
      return;
    }
    this.#flush();
    this.#chunks.push(bytes);
  }

  #flush(): void {
    if (this.#writer.pos === 0) return;
    this.#chunks.push(this.#writer.finish());
    this.#writer = new protobuf.Writer();
  }
}

/** A field as it is written. */
interface WrittenField {
  readonly field: FieldSpec;
  readonly tag: number;
  readonly tagSize: number;
}

const fieldLists = new Map<MessageName, readonly WrittenField[]>();

/** A message's fields in the order of their numbers: a table's integer keys come in ascending order. Listed once, for every node asks. */
function fieldsOf(type: MessageName): readonly WrittenField[] {
  let list = fieldLists.get(type);
  if (list === undefined) {
    list = Object.entries<FieldSpec>(MESSAGES[type].fields).map(([number, field]) => {
      const tag = Number(number) * 8 + (field.held === "lazy" ? DELIMITED : WIRE_TYPES[field.kind]);
      return { field, tag, tagSize: varintSize(tag) };
    });
    fieldLists.set(type, list);
  }
  return list;
}

/**
 * Calls back for every value a message holds, each element of a repeated field by itself, in the order of field numbers. By `forEach`: a `for … of` makes an object
 * for each step until V8 has compiled it, which for a model of 4,000 nodes was a sixth of all that `adapt` allocated.
 */
function eachValue(type: MessageName, message: Fields, visit: (value: unknown, field: WrittenField) => void): void {
  fieldsOf(type).forEach((written) => {
    const value = message[written.field.name];
    if (value === undefined) return;
    if (written.field.held === "many") (value as readonly unknown[]).forEach((element) => { visit(element, written); });
    else visit(value, written);
  });
}

/** The bytes of a value without its tag and length. */
function sizeOf(field: FieldSpec, value: unknown): number {
  if (field.held === "lazy") return (value as Bytes).length;
  switch (field.kind) {
    case "string": return protobuf.util.utf8.length(value as string);
    case "float": return 4;
    case "double": return 8;
    case "bytes": return (value as Uint8Array).length;
    default: return varintSize(checkedInt(field, value as Int));
  }
}

/** An integer that fits its field, as a number or bigint. A number beyond 2^53 may have been rounded, so it is none. */
function checkedInt(field: FieldSpec, value: Int): Int {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${field.name}: ${String(value)} is not an exact integer`);
    if (field.kind === "int64" || (field.kind === "int32" && (value | 0) === value)) return value;
  }
  const wide = BigInt(value);
  const fits = field.kind === "int32" ? BigInt.asIntN(32, wide) : field.kind === "int64" ? BigInt.asIntN(64, wide) : BigInt.asUintN(64, wide);
  if (fits !== wide) throw new RangeError(`${field.name}: ${String(value)} does not fit ${field.kind}`);
  return value;
}

function varintSize(value: Int): number {
  if (value < 0) return MAX_VARINT_BYTES;
  if (typeof value === "bigint") return Math.max(1, Math.ceil(value.toString(2).length / 7));
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function writeScalar(writer: protobuf.Writer, kind: WireKind, value: unknown): void {
  switch (kind) {
    case "string": writer.string(value as string); break;
    case "float": writer.float(value as number); break;
    case "double": writer.double(value as number); break;
    case "int32": writer.int32(value as number); break;
    // protobufjs takes 64-bit integers beyond 2^53 as decimal text; a signed one has the same bits.
    default: writer.int64(typeof value === "bigint" ? BigInt.asIntN(64, value).toString() : (value as number)); break;
  }
}
