/**
 * Reads a ModelProto. Weights stay where they are: a longer raw_data or packed field becomes a ByteRange. The rules are protobuf's: a message
 * field that stands twice is merged, the last of several scalars counts, repeated numbers may be packed or not, what the schema
 * doesn't know is kept. Where this reader is stricter than protobuf's own, a constant or a comment says why.
 */
import { malformedModel, notAnOnnxFile, truncatedModel } from "../../errors/model-file.ts";
import { HutError } from "../../errors/hut-error.ts";
import { ByteRange, type Bytes, type Source } from "../source.ts";
import { ByteBuilder } from "./byte-builder.ts";
import { type FieldSpec, type MessageName, MESSAGES, type ModelProto, modelProto, type WireKind } from "./generated/schema.ts";
import { looksLike } from "./looks-like.ts";
import { packedProblem } from "./packed.ts";
import { noteSpan } from "./spans.ts";
import { WindowReader } from "./window-reader.ts";
import { DELIMITED, WIRE_TYPES } from "./wire-types.ts";

/** A raw_data or packed payload longer than this is left in the file: tables of constants are at hand, weights are not. */
export const LAZY_BYTES = 16 * 1024;

/** Deepest nesting of messages, as protobuf's own readers have it. Real models stay under 20; nested control flow adds 4 a level. */
const MAX_DEPTH = 100;

/**
 * Most messages, texts and byte strings in one file. A two-byte empty message takes some hundred bytes here, so a small hostile file could fill the
 * memory. Exports of models with billions of parameters stay under one million.
 */
const MAX_PARTS = 8_000_000;

/** Most bytes that the pieces of one field may come to, which is what one protobuf message may take. Exporters write each field in one piece. */
const MAX_JOINED_BYTES = 2 ** 31 - 1;

/**
 * The model in a file, its weights unread. Throws NOT_AN_ONNX_FILE, TRUNCATED_MODEL or MALFORMED_MODEL.
 */
export function decodeModel(source: Source): ModelProto {
  const model = modelProto();
  try {
    new ModelDecoder(source).decode(model);
    if (model.graph === undefined) throw notAnOnnxFile(source.name, looksLike(source), "there is no graph in it, it may be cut short");
    return model;
  } catch (error) {
    if (!(error instanceof HutError) || error.code === "NOT_AN_ONNX_FILE") throw error;
    const kind = looksLike(source);
    if (kind === undefined && model.irVersion !== undefined) throw error;
    throw notAnOnnxFile(source.name, kind, `${String(error.details["problem"])} at byte ${String(error.details["offset"])}`);
  }
}

/** Messages of which a model has many, and a pass changes few: where they stand is kept. */
const SPANNED: ReadonlySet<MessageName> = new Set(["NodeProto", "TensorProto", "ValueInfoProto"]);

/** A message under construction: the properties its FieldSpecs name. */
type Fields = Record<string, unknown>;

class ModelDecoder {
  readonly #source: Source;
  readonly #reader: WindowReader;
  /** The fields that are being read, outermost first, and their places in repeated ones (-1 in others). */
  readonly #path: FieldSpec[] = [];
  readonly #places: number[] = [];
  /** Byte fields that came in several pieces, joined at the end: joining at each piece would take quadratic time. */
  readonly #joining = new Map<Fields, Map<string, ByteBuilder>>();
  readonly #texts = new Map<string, string>();
  #depth = 0;
  #parts = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#reader = new WindowReader(source, (kind, problem, offset) => this.#error(kind, problem, offset));
  }

  decode(model: ModelProto): void {
    this.#message("ModelProto", model as unknown as Fields, this.#source.size);
    for (const [message, fields] of this.#joining) for (const [name, builder] of fields) message[name] = builder.finish();
  }

  #message(type: MessageName, message: Fields, end: number): void {
    const { fields } = MESSAGES[type];
    while (this.#reader.position < end) {
      const start = this.#reader.position;
      const tag = this.#reader.tag(end);
      const wireType = tag & 7;
      if (tag >>> 3 === 0) throw this.#error("invalid", "a field has the number 0", start);
      const field = fields[tag >>> 3];
      // A known number with another wire type counts as unknown, as in protobuf's own readers.
      if (field === undefined || !(wireType === WIRE_TYPES[field.kind] || (wireType === DELIMITED && mayBePacked(field)))) {
        this.#unknown(message, wireType, start, end);
        continue;
      }
      const place = field.held === "many" ? listOf(message, field).length : -1;
      this.#path.push(field);
      this.#places.push(place);
      for (const rival of field.rivals ?? []) if (message[rival] !== undefined) message[rival] = undefined;
      if (field.held === "lazy") this.#bytes(message, field, wireType, end);
      else if (field.kind === "message") this.#nested(message, field, { start, tag }, end);
      else if (field.held === "one") message[field.name] = this.#scalar(field.kind, end);
      else this.#repeated(listOf(message, field), field.kind, wireType, end);
      this.#path.pop();
      this.#places.pop();
    }
  }

  #nested(message: Fields, field: FieldSpec, { start, tag }: { readonly start: number; readonly tag: number }, end: number): void {
    const type = field.message;
    if (type === undefined) throw new TypeError(`the schema has no type for ${field.name}`);
    const length = this.#reader.length(end);
    const old = field.held === "one" ? (message[field.name] as Fields | undefined) : undefined;
    const child = old ?? (MESSAGES[type].create() as unknown as Fields);
    this.#count(start);
    if (field.held === "many") listOf(message, field).push(child);
    else message[field.name] = child;

    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#error("invalid", `messages are nested deeper than ${String(MAX_DEPTH)}`, start);
    this.#message(type, child, this.#reader.position + length);
    this.#depth -= 1;
    if (field.held === "many" && SPANNED.has(type)) noteSpan(child, { bytes: new ByteRange(this.#source, start, this.#reader.position - start), tag });
  }

  #repeated(values: unknown[], kind: WireKind, wireType: number, end: number): void {
    if (wireType === WIRE_TYPES[kind]) {
      values.push(this.#scalar(kind, end));
      return;
    }
    const length = this.#reader.length(end);
    const packedEnd = this.#reader.position + length;
    while (this.#reader.position < packedEnd) values.push(this.#scalar(kind, packedEnd));
  }

  /** raw_data, whose last piece counts, or a packed field, whose pieces are joined. */
  #bytes(message: Fields, field: FieldSpec, wireType: number, end: number): void {
    const start = this.#reader.position;
    if (wireType !== DELIMITED) {
      this.#scalar(field.kind, end);
      this.#append(message, field.name, this.#copy(start, end));
      return;
    }
    const length = this.#reader.length(end);
    const bytes = length > LAZY_BYTES ? new ByteRange(this.#source, this.#reader.position, length) : this.#reader.bytes(length, end);
    if (bytes instanceof ByteRange) this.#reader.skip(length, end);
    if (field.kind === "bytes") {
      message[field.name] = bytes;
      return;
    }
    const problem = packedProblem(field.kind, bytes);
    if (problem !== undefined) throw this.#error("invalid", problem, start);
    this.#append(message, field.name, bytes);
  }

  #unknown(message: Fields, wireType: number, start: number, end: number): void {
    switch (wireType) {
      case 0: this.#reader.int64(end); break;
      case 1: this.#reader.skip(8, end); break;
      case DELIMITED: this.#reader.skip(this.#reader.length(end), end); break;
      case 5: this.#reader.skip(4, end); break;
      // Groups, which ONNX never had, are left out of protobuf since 2008.
      default: throw this.#error("invalid", `a field has the wire type ${String(wireType)}`, start);
    }
    this.#count(start);
    this.#append(message, "unknownFields", this.#copy(start, end));
  }

  #scalar(kind: WireKind, end: number): unknown {
    const start = this.#reader.position;
    switch (kind) {
      case "int32": return this.#reader.int32(end);
      case "int64": return this.#reader.int64(end);
      case "uint64": return this.#reader.uint64(end);
      case "float": return this.#reader.float(end);
      case "double": return this.#reader.double(end);
      case "string": this.#count(start); return this.#shared(this.#reader.string(end));
      default: this.#count(start); return this.#reader.bytes(this.#reader.length(end), end);
    }
  }

  /** The same text as one object: a name stands where its value is made and wherever it is read. */
  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }

  /** The bytes from `start` to where reading has come. */
  #copy(start: number, end: number): Uint8Array {
    const length = this.#reader.position - start;
    this.#reader.seek(start);
    return this.#reader.bytes(length, end);
  }

  #append(message: Fields, name: string, piece: Bytes): void {
    const first = message[name] as Bytes | undefined;
    if (first === undefined) {
      message[name] = piece;
      return;
    }
    let builders = this.#joining.get(message);
    if (builders === undefined) this.#joining.set(message, (builders = new Map<string, ByteBuilder>()));
    let builder = builders.get(name);
    if (builder === undefined) {
      builders.set(name, (builder = new ByteBuilder()));
      builder.push(first);
    }
    if (builder.length + piece.length > MAX_JOINED_BYTES) {
      throw this.#error("invalid", `a field's pieces come to more than ${String(MAX_JOINED_BYTES)} bytes`, this.#reader.position);
    }
    builder.push(piece);
  }

  #count(offset: number): void {
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw this.#error("invalid", `there are more than ${String(MAX_PARTS)} messages and texts`, offset);
  }

  /** Whatever goes beyond the end of the file itself means that the file was cut; beyond the end of a message, that it is broken. */
  #error(kind: "overrun" | "invalid", problem: string, offset: number): HutError {
    const path = this.#path.map((field, i) => ((this.#places[i] ?? -1) < 0 ? field.name : `${field.name}[${String(this.#places[i])}]`)).join(".");
    return (kind === "overrun" && this.#depth === 0 ? truncatedModel : malformedModel)(this.#source.name, offset, path, problem);
  }
}

function mayBePacked(field: FieldSpec): boolean {
  return field.held !== "one" && WIRE_TYPES[field.kind] !== DELIMITED;
}

/** A repeated field's array, which `create` has made. */
function listOf(message: Fields, field: FieldSpec): unknown[] {
  return message[field.name] as unknown[];
}
