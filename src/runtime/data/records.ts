/** What was read of a data file. Apart from those who read one: most that deal with records never open a file, and need none of the libraries for it. */

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
  /** The columns of text, where the user or the kind of file says which these are: one or a pair. */
  readonly texts?: readonly string[] | undefined;
  /** The column of labels, where that is said. */
  readonly label?: string | undefined;
  /** Records of the file that aren't among these. */
  readonly leftOut?: readonly LeftOut[] | undefined;
}

/** Records that were left out, and why, as a clause that goes on from their number. */
export interface LeftOut {
  readonly why: string;
  readonly lines: readonly number[];
}

/** A field by name, never one that every object inherits; undefined where the record lacks it. */
export function own(fields: DataRecord["fields"], name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
