/** The labels of a token-classification file: one a word, of which the first token has it, or one a token where the data are tokens already. */
import { dataLabelColumnMissing, dataLengthsDiffer, dataWordsDiffer, labelListWrong, labelsAllIgnored, wordRowMissing } from "../../errors/data.ts";
import { readClassLabels, type LabelOptions, type RawLabel } from "./class-labels.ts";
import { fromText, tokenField } from "./field.ts";
import { own, type DataFile } from "./records.ts";
import { IGNORED_LABEL, type FileLabels } from "./task-data.ts";
import { beginsWord } from "./word-rows.ts";

/** Columns of words; the first that is there is read. */
export const WORD_COLUMNS: readonly string[] = ["tokens", "words"];

/** Columns of their labels, as data sets of the hub have them. */
export const TAG_COLUMNS: readonly string[] = ["ner_tags", "tags", "labels", "pos_tags", "chunk_tags"];

/** Labels [T]: a word's class, by number or by name, at its first token; -100 at all others, which the loss leaves out. */
export function openWordLabels(data: DataFile, options: LabelOptions): FileLabels {
  const { file, records, columns } = data;
  const column = TAG_COLUMNS.find((name) => columns.includes(name));
  if (column === undefined) throw dataLabelColumnMissing(file, columns, TAG_COLUMNS);
  const raw: RawLabel[] = [];
  /** Where each record's labels begin in the list of all. */
  const starts = records.map(({ line, fields }) => {
    const place = { file, line };
    const stated = own(fields, column);
    const list = typeof stated === "string" ? fromText(stated) : stated;
    if (!Array.isArray(list)) throw labelListWrong(place, stated, "a list with one label a word");
    const start = raw.length;
    for (const value of list) raw.push({ place, column, value });
    return start;
  });
  const { labels, id2label } = readClassLabels(file, raw, options);
  const seen = { counts: false };
  return {
    id2label,
    of(index, row) {
      if (row === undefined) throw wordRowMissing(file);
      const own = labels.slice(starts[index], starts[index + 1] ?? labels.length);
      const place = { file, line: records[index]?.line ?? 0 };
      if (row.words === undefined && own.length !== row.ids.length) throw dataLengthsDiffer(place, column, own.length, row.name, row.ids.length);
      if (row.words !== undefined && own.length !== row.words.count) throw dataWordsDiffer(place, row.words.column, row.words.count, column, own.length);
      const begins = row.words === undefined ? undefined : beginsWord(row.words.of);
      const values = row.ids.map((_, t) => {
        if (begins === undefined) return row.mask[t] ? own[t] ?? IGNORED_LABEL : IGNORED_LABEL;
        return begins[t] === true ? own[row.words?.of[t] ?? 0] ?? IGNORED_LABEL : IGNORED_LABEL;
      });
      seen.counts ||= values.some((label) => label !== IGNORED_LABEL);
      return tokenField(values);
    },
    finish() {
      if (!seen.counts) throw labelsAllIgnored(file);
    },
  };
}
