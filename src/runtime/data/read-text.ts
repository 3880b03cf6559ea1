/** A record's text → its row of tokens. */
import { dataFieldMissing, dataNotText, dataTextMissing, nothingToMask, textColumnsTooMany, tokenizerMissing, type RecordPlace } from "../../errors/data.ts";
import { own, type DataFile, type DataRecord } from "./records.ts";
import type { TaskData, TokenRow } from "./task-data.ts";
import type { TextTokenizer } from "./tokenizer.ts";
import { readWords } from "./word-rows.ts";

/** A record's tokens. */
export interface ReadText {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
  /** 1 for a token that is to be learnt, where not all are. */
  readonly learnt?: readonly number[] | undefined;
  /** How many tokens there were before cutting. */
  readonly whole: number;
  /** The texts themselves, one by one. */
  readonly texts: readonly string[];
  /** Where it came as a list of words. */
  readonly words?: TokenRow["words"];
}

/** How a file's text is read. */
export interface TextReader {
  /** The columns that are read. */
  readonly columns: readonly string[];
  /** Throws where a record lacks one, or it isn't text. */
  read(record: DataRecord, place: RecordPlace): ReadText;
}

/** What text is made into tokens with. */
export interface TextOptions {
  readonly tokenizer?: TextTokenizer | undefined;
  /** Most tokens, special ones included. */
  readonly maxLength: number;
  readonly task: TaskData;
  /** Whether only answers are learnt, where a record tells prompt and answer apart. */
  readonly maskPrompt?: boolean | undefined;
}

/**
 * How this file's text is read: by the columns that the user or the kind of file names, else by the first of the task's forms whose columns are all
 * there. Throws where there are none, or no tokenizer.
 */
export function textReader(data: DataFile, options: TextOptions): TextReader {
  const { task, tokenizer, maxLength } = options;
  for (const form of task.forms ?? []) {
    const columns = form.columnsOf(data);
    if (columns === undefined) continue;
    if (tokenizer === undefined) throw tokenizerMissing(data.file, columns[0] ?? "text");
    const read = form.open(columns, tokenizer, { maxLength, maskPrompt: options.maskPrompt === true });
    return { columns, read: ({ fields }, place) => read(fields, place) };
  }
  const columns = data.texts ?? task.texts.find((names) => names.every((column) => data.columns.includes(column)));
  const words = task.words?.find((name) => data.columns.includes(name));
  if (columns === undefined && words !== undefined) return wordReader(data.file, words, options);
  if (columns === undefined) throw dataTextMissing(data.file, data.columns, [...(task.forms ?? []).map((form) => form.words), ...task.texts.map((names) => names.join(" + ")), ...task.words ?? []]);
  const most = task.texts.reduce((longest, names) => Math.max(longest, names.length), 1);
  if (columns.length > most) throw textColumnsTooMany(columns, most);
  if (options.maskPrompt === true) throw nothingToMask(data.file, (task.forms ?? []).map(({ words }) => words));
  if (tokenizer === undefined) throw tokenizerMissing(data.file, columns[0] ?? "text");
  return {
    columns,
    read({ fields }, place) {
      const texts = columns.map((column) => textAt(fields, column, place));
      return { ...tokenizer.encode(texts, maxLength), texts };
    },
  };
}

/** Reads records that are lists of words. */
function wordReader(file: string, column: string, { tokenizer, maxLength }: TextOptions): TextReader {
  if (tokenizer === undefined) throw tokenizerMissing(file, column);
  return {
    columns: [column],
    read(record, place) {
      const words = readWords(record, column, place);
      const { words: of, ...tokens } = tokenizer.encodeWords(words, maxLength);
      return { ...tokens, texts: [words.join(" ")], words: { of, count: words.length, column } };
    },
  };
}

/** A text of a record. Throws DATA_FIELD_MISSING, DATA_NOT_TEXT. */
export function textAt(fields: DataRecord["fields"], column: string, place: RecordPlace): string {
  const value = own(fields, column);
  if (value === undefined) throw dataFieldMissing(place, column, Object.keys(fields));
  if (typeof value !== "string") throw dataNotText(place, column, value);
  return value;
}
