/** TSV, CSV, JSONL and Parquet → records that know their line. */

// The build for browsers, which brings what Node has of its own.
import { parse } from "csv-parse/browser/esm/sync";
import { dataCarriageReturns, dataCsvBroken, dataEmpty, dataEndingUnknown, dataHeaderDuplicate, dataJsonBroken, dataKeyDuplicate, dataJsonNotObject, dataNoRows, dataNotUtf8,
  dataQuoteMisplaced, dataQuoteOpen, dataRowWidth, dataTooManyColumns, dataTooManyRecords } from "../../errors/data.ts";
import { HutError } from "../../errors/hut-error.ts";
import { isTooDeep, MAX_JSON_NESTING } from "../parse-json.ts";
import type { DataFile, DataRecord } from "./records.ts";
import { doubledKey } from "./doubled-key.ts";
import { fromParquet, type Codecs } from "./parquet.ts";

/**
 * Most columns of a table. Every cell costs some ten times what it takes in the file, so rows of nothing but tabs could fill the memory. Data sets of text
 * have under 100 columns; rows of numbers, as an input may want them, stand in one cell.
 */
const MAX_COLUMNS = 1000;

/** Most records of a file: each takes some hundred bytes, however little stands in it. The largest data sets of text classification have 4 million. */
const MAX_RECORDS = 5_000_000;

/** What is known of a table beside its ending. */
export interface TableForm {
  /** The columns of a table without a header, by its first row; undefined where that row is one. */
  readonly columnsOf?: ((first: readonly string[]) => readonly string[] | undefined) | undefined;
  /** Whether rows of another width than the header's are left out, and not refused. */
  readonly skipsRagged?: boolean | undefined;
  /** What unpacks the pages of Parquet, beside what needs nothing of the platform. */
  readonly codecs?: Codecs | undefined;
}

type Parser = (file: string, text: string, form: TableForm) => DataFile;

/** How each ending is read. */
const PARSERS: Readonly<Record<string, Parser>> = {
  ".tsv": fromTsv,
  ".csv": fromCsv,
  ".jsonl": fromJsonLines,
};

/** Endings of data files, in lower case. */
export const ENDINGS: readonly string[] = [...Object.keys(PARSERS), ".parquet"];

/**
 * A data file's bytes → its records, read as the ending of `file` says. UTF-8, with or without a byte order mark; lines end in LF or CRLF; empty
 * last lines don't count. Throws where the ending is unknown or the content is broken, naming the line.
 */
export function parseRecords(file: string, bytes: Uint8Array, form: TableForm = {}): DataFile {
  const parser = parserFor(file);
  return parser === undefined ? fromParquet(file, bytes, form.codecs) : parser(file, decodeUtf8(file, bytes), form);
}

/** Throws unless the ending of `file` is one that can be read; asked before a file is opened. */
export function checkEnding(file: string): void {
  parserFor(file);
}

/** The reader of text; undefined for Parquet. */
function parserFor(file: string): Parser | undefined {
  const ending = /\.[^./\\]*$/.exec(file)?.[0].toLowerCase() ?? "";
  if (ending === ".parquet") return undefined;
  const parser = Object.hasOwn(PARSERS, ending) ? PARSERS[ending] : undefined;
  if (!parser) throw dataEndingUnknown(file);
  return parser;
}

function decodeUtf8(file: string, bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    throw dataNotUtf8({ file, line: firstBrokenLine(decoder, bytes) });
  }
}

/** The line, from 1, that isn't valid UTF-8. A newline byte is never part of a longer character, so lines can be tried one by one. */
function firstBrokenLine(decoder: TextDecoder, bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line++) {
    const newline = bytes.indexOf(10, start);
    try {
      decoder.decode(bytes.subarray(start, newline < 0 ? bytes.length : newline));
    } catch {
      return line;
    }
    if (newline < 0) return line;
    start = newline + 1;
  }
}

/** The lines of a text and their numbers, from 1, one at a time: an array of them could be longer than any array may be. */
function* linesOf(text: string): Generator<readonly [number: number, line: string]> {
  let start = 0;
  for (let number = 1; start <= text.length; number++) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    yield [number, text.slice(start, end)];
    start = end + 1;
  }
}

/** Throws where no line of a table ends in LF, and more than one in CR. */
function refuseCarriageReturns(file: string, text: string): void {
  if (!text.includes("\n") && text.trimEnd().includes("\r")) throw dataCarriageReturns(file);
}

/** GLUE's TSV: tabs part the cells and nothing is quoted, so a stray quote is text. */
function fromTsv(file: string, text: string, form: TableForm): DataFile {
  refuseCarriageReturns(file, text);
  const table = new Table(file, form);
  for (const [line, row] of linesOf(text)) table.add(line, (row.endsWith("\r") ? row.slice(0, -1) : row).split("\t", MAX_COLUMNS + 1));
  return table.finish();
}

/** RFC 4180: quoted fields may hold commas, doubled quotes and line breaks. */
function fromCsv(file: string, text: string, form: TableForm): DataFile {
  refuseCarriageReturns(file, text);
  // Tells where a record starts, also the one that breaks: csv-parse itself counts the lines it has seen.
  let linesBefore = 0;
  const table = new Table(file, form);
  // Of a text csv-parse makes an array with an element for each byte, which ends the process beyond 2^27 of them. Its types want Node's Buffer.
  const bytes = new TextEncoder().encode(text) as Uint8Array as Parameters<typeof parse>[0];
  try {
    parse(bytes, {
      relax_column_count: true,
      record_delimiter: ["\r\n", "\n"],
      on_record: (cells: string[], { lines }) => {
        table.add(linesBefore + 1, cells);
        linesBefore = lines;
        return null;
      },
    });
  } catch (cause) {
    if (cause instanceof HutError) throw cause;
    const place = { file, line: linesBefore + 1 };
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "CSV_QUOTE_NOT_CLOSED") throw dataQuoteOpen(place);
    if (code === "INVALID_OPENING_QUOTE" || code === "CSV_INVALID_CLOSING_QUOTE") throw dataQuoteMisplaced(place);
    throw dataCsvBroken(place, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return table.finish();
}

/** A header and the rows below it → records. Each row is checked as it comes, so that a broken file doesn't fill the memory first. */
class Table {
  readonly #file: string;
  readonly #form: TableForm;
  readonly #records: DataRecord[] = [];
  readonly #ragged: number[] = [];
  #columns: readonly string[] | undefined;
  /** Where the blank rows begin that came last, and how many they are: at the end of a file they don't count. */
  #blanks = { line: 0, count: 0 };

  constructor(file: string, form: TableForm) {
    this.#file = file;
    this.#form = form;
  }

  add(line: number, cells: readonly string[]): void {
    if (cells.length === 1 && cells[0] === "") {
      this.#blanks = this.#blanks.count === 0 ? { line, count: 1 } : { line: this.#blanks.line, count: this.#blanks.count + 1 };
      return;
    }
    const { line: first, count } = this.#blanks;
    for (let i = 0; i < count; i++) this.#take(first + i, [""]);
    this.#blanks = { line: 0, count: 0 };
    this.#take(line, cells);
  }

  finish(): DataFile {
    if (this.#columns === undefined) throw dataEmpty(this.#file);
    if (this.#records.length === 0) throw dataNoRows(this.#file, this.#columns);
    const leftOut = this.#ragged.length === 0 ? {} : { leftOut: [{ why: "with another number of columns than the header", lines: this.#ragged }] };
    return { file: this.#file, columns: this.#columns, records: this.#records, ...leftOut };
  }

  #take(line: number, cells: readonly string[]): void {
    const place = { file: this.#file, line };
    const columns = this.#columns;
    if (columns === undefined) {
      if (cells.length > MAX_COLUMNS) throw dataTooManyColumns(place, MAX_COLUMNS);
      this.#columns = this.#form.columnsOf?.(cells) ?? cells;
      if (this.#columns !== cells) {
        this.#take(line, cells);
        return;
      }
      const twice = cells.find((column, i) => cells.indexOf(column) !== i);
      if (twice !== undefined) throw dataHeaderDuplicate(place, twice);
      return;
    }
    if (cells.length !== columns.length && this.#form.skipsRagged === true) {
      this.#ragged.push(line);
      return;
    }
    if (cells.length !== columns.length) throw dataRowWidth(place, cells.length, columns.length);
    push(this.#records, { line, fields: Object.fromEntries(columns.map((column, i) => [column, cells[i]])) }, this.#file);
  }
}

/** Adds a record. Throws where there are too many. */
function push(records: DataRecord[], record: DataRecord, file: string): void {
  if (records.length === MAX_RECORDS) throw dataTooManyRecords({ file, line: record.line }, MAX_RECORDS);
  records.push(record);
}

/** One JSON object a line; blank lines are skipped. */
function fromJsonLines(file: string, text: string): DataFile {
  const records: DataRecord[] = [];
  for (const [line, json] of linesOf(text)) if (json.trim() !== "") push(records, { line, fields: parseObject({ file, line }, json) }, file);
  const [first] = records;
  if (!first) throw dataEmpty(file);
  return { file, columns: Object.keys(first.fields), records };
}

function parseObject(place: { file: string; line: number }, json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw dataJsonBroken(place, cause);
  }
  if (isTooDeep(value)) throw dataJsonBroken(place, `it nests deeper than ${String(MAX_JSON_NESTING)}`);
  const twice = doubledKey(json);
  if (twice !== undefined) throw dataKeyDuplicate(place, twice);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw dataJsonNotObject(place, value);
  return value as Record<string, unknown>;
}
