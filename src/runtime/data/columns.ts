/** Which columns hold what, where the user says so. */
import { dataColumnUnknown } from "../../errors/data.ts";
import type { DataFile } from "./records.ts";

/** The columns by name; those that aren't named are found by the names that data sets give them. */
export interface ColumnOptions {
  /** The text, or the two texts of a pair. */
  readonly textColumn?: readonly string[] | undefined;
  readonly labelColumn?: string | undefined;
}

/** The file, its columns known. Throws DATA_COLUMN_MISSING where it has no such column: `labelled` tells whether it needs labels. */
export function withColumns(data: DataFile, { textColumn, labelColumn }: ColumnOptions, labelled: boolean): DataFile {
  const missing = textColumn?.find((name) => !data.columns.includes(name));
  if (missing !== undefined) throw dataColumnUnknown(data.file, "--text-column", missing, data.columns);
  if (labelled && labelColumn !== undefined && !data.columns.includes(labelColumn)) throw dataColumnUnknown(data.file, "--label-column", labelColumn, data.columns);
  return { ...data, ...(textColumn === undefined ? {} : { texts: textColumn }), ...(labelColumn === undefined ? {} : { label: labelColumn }) };
}
