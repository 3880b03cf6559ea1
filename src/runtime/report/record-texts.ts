/** The texts of a data file's records as they stand there, for people to read. */
import { withColumns, type ColumnOptions } from "../data/columns.ts";
import { glueFile } from "../data/glue.ts";
import { own, type DataFile } from "../data/parse-records.ts";
import type { GlueName } from "../options.ts";
import type { Task } from "../tasks/task.ts";

/** A record's texts by the line that it starts on: of the columns that training reads, none where the data are no text. */
export function recordTexts(file: DataFile, task: Task, options: ColumnOptions & { readonly glue?: GlueName | undefined }): (line: number) => readonly string[] {
  const named = withColumns(file, options, false);
  const data = options.glue === undefined ? named : glueFile(named, options.glue, undefined, false).data;
  const columns = data.texts ?? task.data.texts.find((names) => names.every((name) => data.columns.includes(name))) ?? [];
  const byLine = new Map(data.records.map(({ line, fields }) => [line, fields]));
  return (line) => {
    const fields = byLine.get(line);
    return fields === undefined ? [] : columns.flatMap((name) => { const value = own(fields, name); return typeof value === "string" ? [value] : []; });
  };
}
