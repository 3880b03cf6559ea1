/** What a task reads from a record, beside the inputs of the graph. src/runtime/tasks/ holds the tasks themselves. */

import type { Field } from "./field.ts";
import type { LabelOptions } from "./class-labels.ts";
import type { DataFile } from "./parse-records.ts";

/** The columns a task reads, and how its labels become numbers. */
export interface TaskData {
  /** Columns of text, one or a pair; the first entry whose columns are all there is read. None where the task takes no text. */
  readonly texts: readonly (readonly string[])[];
  /** Looks at a file's labels before anything else is read of it. Throws, naming file and line, where they can't be used. */
  openLabels(data: DataFile, options: LabelOptions): FileLabels;
}

/** The labels of one file. */
export interface FileLabels {
  /** The classes' names in order, where the file or the options give them. */
  readonly id2label: readonly string[] | undefined;
  /** Record `index`'s labels: one number, or one a token of its row. Throws where they don't fit the row. */
  of(index: number, row: TokenRow | undefined): Field;
  /** Throws where no label of the file counts; asked once all records are read. */
  finish(): void;
}

/** A record's row of T token ids, and which of them count. */
export interface TokenRow {
  /** The input that it feeds. */
  readonly name: string;
  readonly ids: readonly number[];
  readonly mask: readonly number[];
}

/** The label that the loss and every metric leave out, as in PyTorch and Hugging Face. */
export const IGNORED_LABEL = -100;
