/** TSV, CSV and JSONL → records that know their line. */

// The build for browsers, which brings what Node has of its own.
import { parse } from "csv-parse/browser/esm/sync";
import { dataCsvBroken, dataEmpty, dataEndingUnknown, dataHeaderDuplicate, dataJsonBroken, dataJsonNotObject, dataNoRows, dataNotUtf8,
  dataParquetUnsupported, dataQuoteMisplaced, dataQuoteOpen, dataRowWidth, dataTooManyColumns } from "../../errors/data.ts";
import { isTooDeep, MAX_JSON_NESTING } from "../parse-json.ts";

/**
 * Most columns of a table. Every cell costs some ten times what it takes in the file, so rows of nothing but tabs could fill the memory. Data sets of text
 * have under 100 columns; rows of numbers, as an input may want them, stand in one cell.
 */
const MAX_COLUMNS = 1000;

/** One record: its fields by name (text in TSV and CSV, any JSON value in JSONL), and the line it starts on, from 1. */
export interface DataRecord {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A data file's records, in file order; there is at least one. `columns`: the header, or the first JSON object's keys. */
export interface DataFile {
  /** The path as the user gave it. */
  readonly file: string;
  readonly columns: readonly string[];
  readonly records: readonly DataRecord[];
}

/** A line of a table: its cells and the line they start on. */
interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

type Parser = (file: string, text: string) => DataFile;

/** How each ending is read. */
const PARSERS: Readonly<Record<string, Parser>> = {
  ".tsv": (file, text) => fromTable(file, tsvRows(text)),
  ".csv": (file, text) => fromTable(file, csvRows(file, text)),
  ".jsonl": fromJsonLines,
};

/**
 * A data file's bytes → its records, read as the ending of `file` says. UTF-8, with or without a byte order mark; lines end in LF or CRLF; empty
 * last lines don't count. Throws where the ending is unknown or the content is broken, naming the line.
 */
export function parseRecords(file: string, bytes: Uint8Array): DataFile {
  const parser = parserFor(file);
  return parser(file, decodeUtf8(file, bytes));
}

/** Throws unless the ending of `file` is one that can be read; asked before a file is opened. */
export function checkEnding(file: string): void {
  parserFor(file);
}

function parserFor(file: string): Parser {
  const ending = /\.[^./\\]*$/.exec(file)?.[0].toLowerCase() ?? "";
  if (ending === ".parquet") throw dataParquetUnsupported(file);
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

/** GLUE's TSV: tabs part the cells and nothing is quoted, so a stray quote is text. */
function tsvRows(text: string): Row[] {
  return text.split(/\r?\n/).map((line, i) => ({ line: i + 1, cells: line.split("\t") }));
}

/** RFC 4180: quoted fields may hold commas, doubled quotes and line breaks. */
function csvRows(file: string, text: string): Row[] {
  // Tells where a record starts, also the one that breaks: csv-parse itself counts the lines it has seen.
  let linesBefore = 0;
  const rows: Row[] = [];
  try {
    parse(text, {
      relax_column_count: true,
      record_delimiter: ["\r\n", "\n"],
      on_record: (cells: string[], { lines }) => {
        rows.push({ line: linesBefore + 1, cells });
        linesBefore = lines;
        return null;
      },
    });
  } catch (cause) {
    const place = { file, line: linesBefore + 1 };
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "CSV_QUOTE_NOT_CLOSED") throw dataQuoteOpen(place);
    if (code === "INVALID_OPENING_QUOTE" || code === "CSV_INVALID_CLOSING_QUOTE") throw dataQuoteMisplaced(place);
    throw dataCsvBroken(place, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return rows;
}

/** A header and the rows below it → records. */
function fromTable(file: string, rows: Row[]): DataFile {
  while (isBlank(rows.at(-1))) rows.pop();
  const [header, ...body] = rows;
  if (!header) throw dataEmpty(file);
  const columns = header.cells;
  if (columns.length > MAX_COLUMNS) throw dataTooManyColumns({ file, line: header.line }, columns.length, MAX_COLUMNS);
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) throw dataHeaderDuplicate({ file, line: header.line }, twice);
  if (body.length === 0) throw dataNoRows(file, columns);
  const records = body.map(({ line, cells }) => {
    if (cells.length !== columns.length) throw dataRowWidth({ file, line }, cells.length, columns.length);
    return { line, fields: Object.fromEntries(columns.map((column, i) => [column, cells[i]])) };
  });
  return { file, columns, records };
}

/** A field by name, never one that every object inherits; undefined where the record lacks it. */
export function own(fields: DataRecord["fields"], name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isBlank(row: Row | undefined): boolean {
  return row?.cells.length === 1 && row.cells[0] === "";
}

/** One JSON object a line; blank lines are skipped. */
function fromJsonLines(file: string, text: string): DataFile {
  const records: DataRecord[] = [];
  for (const [i, json] of text.split("\n").entries()) {
    if (json.trim() === "") continue;
    records.push({ line: i + 1, fields: parseObject({ file, line: i + 1 }, json) });
  }
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
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw dataJsonNotObject(place, value);
  return value as Record<string, unknown>;
}
