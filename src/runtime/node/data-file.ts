/** Data files on a file system. */

import { fileTooLong } from "../../errors/files.ts";
import type { DataFile } from "../data/records.ts";
import { checkEnding, parseRecords, type TableForm } from "../data/parse-records.ts";
import { openFileSource } from "./file-source.ts";
import { PARQUET_CODECS } from "./parquet-codecs.ts";

/** Largest data file we read: it is decoded into one string, and V8's strings end at 2^29 characters. The largest of GLUE's files has 80 MB. */
const MAX_DATA_BYTES = 500_000_000;

/** Reads a data file (TSV, CSV, JSONL or Parquet, told by its ending) whole. Throws where it can't be read or is broken, naming file and line. */
export function readRecords(path: string, form: TableForm = {}): DataFile {
  checkEnding(path);
  using source = openFileSource(path);
  if (source.size > MAX_DATA_BYTES) throw fileTooLong(path, source.size, MAX_DATA_BYTES);
  return parseRecords(path, source.read(0, source.size), { ...form, codecs: PARQUET_CODECS });
}
