/**
 * Parquet → records. hyparquet decodes pages; this file walks them, since a page of some bytes can ask for any amount of memory: sizes, counts and runs are
 * held against what is there before anything is decoded. Read at once and not page by page as the caller asks, so that data is read without waiting.
 */
import { parquetMetadata, parquetSchema, type ColumnMetaData, type Compressors, type DecodedArray, type SchemaTree } from "hyparquet";
import { assembleLists, assembleNested } from "hyparquet/src/assemble.js";
import { parquetHeader } from "hyparquet/src/column.js";
import { convert, convertWithDictionary, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import { readPlain } from "hyparquet/src/plain.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { dataEmpty, dataParquetBroken, dataParquetCodec, dataTooManyColumns, dataTooManyRecords } from "../../errors/data.ts";
import { HutError } from "../../errors/hut-error.ts";
import { requireNoFurtherRun, requirePrefixesFit } from "./parquet-runs.ts";
import type { DataFile, DataRecord } from "./records.ts";

/** Most parts of a schema: lists and structs count each of theirs. Data sets of text have under 100. */
const MAX_SCHEMA_PARTS = 1000;
/** Most records, as of other files: parse-records.ts. */
const MAX_ROWS = 5_000_000;
/** Most values of all columns, those inside lists too: each takes 8 to 50 bytes, however few stand in the file. SST-2 has 200,000. */
const MAX_VALUES = 50_000_000;
/** Most values of a page. Writers end one at 20,000 rows or 1 MB, which of labels may be two million; DuckDB and Polars at some 260,000. */
const MAX_PAGE_VALUES = 2_000_000;
/** Most bytes that a page unpacks to: one byte again and again packs to a thousandth. Writers make pages of 1 MB, DuckDB up to 100 MB. */
const MAX_PAGE_BYTES = 2 ** 27;
/** Most bytes that all pages of a file unpack to together: as many as the largest data file of text, four times. */
const MAX_UNPACKED_BYTES = 2_000_000_000;

/** What unpacks a page, by Parquet's name of the codec: bytes and the length that they have. */
export type Codecs = Compressors;

/** Codecs that need nothing of the platform. */
const OWN: Codecs = { SNAPPY: (input, length) => { const output = new Uint8Array(length); snappyUncompress(input, output); return output; } };

/** The records of a Parquet file; a record's line is its row, from 1. Throws DATA_PARQUET_BROKEN, DATA_PARQUET_CODEC, and what other data files throw. */
export function fromParquet(file: string, bytes: Uint8Array, codecs: Codecs = {}): DataFile {
  try {
    return new ParquetReader(file, bytes, { ...OWN, ...codecs }).read();
  } catch (cause) {
    if (cause instanceof HutError) throw cause;
    throw dataParquetBroken(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

class ParquetReader {
  readonly #file: string;
  readonly #bytes: Uint8Array;
  readonly #codecs: Codecs;
  #values = 0;
  #unpacked = 0;

  constructor(file: string, bytes: Uint8Array, codecs: Codecs) {
    this.#file = file;
    this.#bytes = bytes;
    this.#codecs = codecs;
  }

  read(): DataFile {
    const metadata = parquetMetadata(this.#bytes, { geoparquet: false });
    if (metadata.schema.length > MAX_SCHEMA_PARTS) throw dataTooManyColumns({ file: this.#file, line: 1 }, MAX_SCHEMA_PARTS);
    const tree = parquetSchema(metadata);
    const columns = tree.children.map(({ element }) => element.name);
    const records: DataRecord[] = [];
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      if (!(rows >= 0)) this.#fail("a group of rows has a negative number of them");
      if (records.length + rows > MAX_ROWS) throw dataTooManyRecords({ file: this.#file, line: MAX_ROWS + 1 }, MAX_ROWS);
      const read = new Map<string, DecodedArray>();
      for (const { meta_data: chunk } of group.columns) if (chunk !== undefined) read.set(chunk.path_in_schema.join("."), this.#chunk(chunk, tree, rows));
      for (const child of tree.children) if (child.children.length > 0) assembleNested(read, child, DEFAULT_PARSERS);
      const found = columns.map((name) => read.get(name) ?? this.#fail(`a group of rows lacks the column ${name}`));
      if (found.some((values) => values.length !== rows)) this.#fail("a column has another number of values than there are rows");
      for (let row = 0; row < rows; row++) records.push({ line: records.length + 1, fields: Object.fromEntries(columns.map((name, i) => [name, plain(found[i]?.[row])])) });
    }
    if (records.length === 0) throw dataEmpty(this.#file);
    return { file: this.#file, columns, records };
  }

  /** One column's values in one group of rows: those of a list as a list for each row. */
  #chunk(chunk: ColumnMetaData, tree: SchemaTree, rows: number): DecodedArray {
    const schemaPath = getTreePath(tree, chunk.path_in_schema);
    const element = schemaPath.at(-1)?.element ?? this.#fail("a column isn't in the schema");
    const decoder = { pathInSchema: chunk.path_in_schema, type: chunk.type, element, schemaPath, codec: chunk.codec, parsers: DEFAULT_PARSERS, utf8: true };
    const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
    const end = start + Number(chunk.total_compressed_size);
    if (!(start >= 0 && end >= start && end <= this.#bytes.length)) this.#fail("a column lies outside of the file");
    const reader = { view: new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start), offset: 0 };
    const isFlat = getMaxRepetitionLevel(schemaPath) === 0;
    let dictionary: DecodedArray | undefined;
    let values: unknown[] = [];
    while (reader.offset < reader.view.byteLength && (!isFlat || values.length < rows)) {
      const header = parquetHeader(reader);
      const packed = this.#take(reader, header.compressed_page_size);
      const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: words } = header;
      if (header.type === "DICTIONARY_PAGE" && words !== undefined) {
        const page = this.#unpack(packed, header.uncompressed_page_size, chunk.codec);
        this.#count(words.num_values, page.length, chunk.type);
        dictionary = convert(readPlain({ view: viewOf(page), offset: 0 }, chunk.type, words.num_values, element.type_length), decoder);
        continue;
      }
      if (header.type !== "DATA_PAGE" && header.type !== "DATA_PAGE_V2") continue;
      const { num_values: count, encoding } = v1 ?? v2 ?? this.#fail("a page tells nothing of itself");
      if (isFlat && count > rows - values.length) this.#fail("a page tells of more rows than its group has");
      this.#count(count, Infinity, chunk.type);
      const levels = [getMaxRepetitionLevel(schemaPath), getMaxDefinitionLevel(schemaPath)] as const;
      let page: { definitionLevels: number[]; repetitionLevels: number[]; dataPage: DecodedArray };
      if (v2 !== undefined) {
        const before = v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
        if (!(v2.repetition_levels_byte_length >= 0 && v2.definition_levels_byte_length >= 0 && before <= packed.length && v2.num_nulls >= 0 && v2.num_nulls <= count)) this.#fail("a page's levels are longer than it");
        const inner = v2.is_compressed === false || header.uncompressed_page_size === before ? packed.subarray(before) : this.#unpack(packed.subarray(before), header.uncompressed_page_size - before, chunk.codec);
        const whole = new Uint8Array(before + inner.length);
        whole.set(packed.subarray(0, before));
        whole.set(inner, before);
        if (levels[0] > 0) requireNoFurtherRun(whole, 0, levels[0], count);
        if (levels[1] > 0) requireNoFurtherRun(whole, v2.repetition_levels_byte_length, levels[1], count);
        this.#checkValues(inner, 0, encoding, chunk.type, count - v2.num_nulls);
        page = readDataPageV2(whole, { ...header, uncompressed_page_size: whole.length, data_page_header_v2: { ...v2, is_compressed: false } }, decoder) as typeof page;
      } else {
        const inner = this.#unpack(packed, header.uncompressed_page_size, chunk.codec);
        let at = 0;
        for (const level of levels) {
          if (level === 0) continue;
          requireNoFurtherRun(inner, at + 4, level, count);
          at += 4 + viewOf(inner).getUint32(at, true);
        }
        this.#checkValues(inner, at, encoding, chunk.type, count);
        page = readDataPage(inner, v1 ?? this.#fail("a page tells nothing of itself"), decoder) as typeof page;
      }
      const made = convertWithDictionary(page.dataPage, dictionary, encoding, decoder);
      if (encoding.endsWith("_DICTIONARY")) for (const value of made) if (value === undefined) this.#fail("a value isn't in its column's dictionary");
      const rest = assembleLists(isFlat ? [] : values, page.definitionLevels, page.repetitionLevels, made, schemaPath);
      if (isFlat) for (const value of rest) values.push(value);
      else values = rest as unknown[];
    }
    return values;
  }

  /** Counts values. Throws where there are too many, or more than so many bytes can hold. */
  #count(count: number, bytes: number, type: string): void {
    if (!(count >= 0) || count > bytes * (type === "BOOLEAN" ? 8 : 1)) this.#fail("a page tells of more values than it holds");
    if (count > MAX_PAGE_VALUES) this.#fail(`a page has more than ${String(MAX_PAGE_VALUES)} values`);
    this.#values += count;
    if (this.#values > MAX_VALUES) this.#fail(`it has more than ${String(MAX_VALUES)} values`);
  }

  /** Throws where values, once decoded, would take more than `count` of them or than their bytes allow. */
  #checkValues(page: Uint8Array, at: number, encoding: string, type: string, count: number): void {
    if (encoding.endsWith("_DICTIONARY") && count > 0 && at < page.length) requireNoFurtherRun(page, at + 1, { width: page[at] ?? 0 }, count);
    if (encoding === "RLE" && type === "BOOLEAN" && count > 0) requireNoFurtherRun(page, at + 4, 1, count);
    if (encoding === "DELTA_BYTE_ARRAY") requirePrefixesFit(page, at, count, MAX_UNPACKED_BYTES);
  }

  #take(reader: { readonly view: DataView; offset: number }, length: number): Uint8Array {
    if (!(length >= 0 && reader.offset + length <= reader.view.byteLength)) this.#fail("a page ends behind its column");
    const taken = new Uint8Array(reader.view.buffer, reader.view.byteOffset + reader.offset, length);
    reader.offset += length;
    return taken;
  }

  #unpack(packed: Uint8Array, length: number, codec: ColumnMetaData["codec"]): Uint8Array {
    this.#unpacked += length;
    if (!(length >= 0 && length <= MAX_PAGE_BYTES && this.#unpacked <= MAX_UNPACKED_BYTES)) this.#fail("it unpacks to more than is read");
    const unpack = this.#codecs[codec];
    if (codec !== "UNCOMPRESSED" && unpack === undefined) throw dataParquetCodec(this.#file, codec);
    const page = unpack === undefined || length === 0 ? packed : unpack(packed, length);
    if (page.length !== length) this.#fail("a page unpacks to another length than it tells");
    return page;
  }

  #fail(reason: string): never {
    throw dataParquetBroken(this.#file, reason);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A value as JSON has it: whole numbers that a double holds as numbers, else as text; dates as text; what isn't there as null. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) { const day = Number.isNaN(value.getTime()) ? "" : value.toISOString(); return day.endsWith("T00:00:00.000Z") ? day.slice(0, 10) : day; }
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)])) : value;
}
