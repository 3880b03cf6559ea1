/** What a task reads from a record, beside the inputs of the graph. src/runtime/tasks/ holds the tasks themselves. */

import { DataType } from "../../ir/data-type.ts";
import type { Field } from "./field.ts";
import type { LabelOptions } from "./class-labels.ts";
import type { DataFile, DataRecord } from "./records.ts";
import type { ReadText } from "./read-text.ts";
import type { TextTokenizer } from "./tokenizer.ts";
import type { RecordPlace } from "../../errors/data.ts";
import type { WordOfToken } from "./word-rows.ts";

/** The columns a task reads, and how its labels become numbers. */
export interface TaskData {
  /** Columns of text, one or a pair; the first entry whose columns are all there is read. None where the task takes no text. */
  readonly texts: readonly (readonly string[])[];
  /** Other ways to write a record, looked for before `texts`. */
  readonly forms?: readonly TextForm[] | undefined;
  /** Columns that may hold a record as a list of words instead; the first that is there is read. */
  readonly words?: readonly string[];
  /** The texts of a record are rows of their own, one behind the other in a batch; with labels there are at least so many. Left out, they are one row. */
  readonly apart?: { readonly least: number };
  readonly labelKind: LabelKind;
  /** Looks at a file's labels before anything else is read of it. Throws, naming file and line, where they can't be used. */
  openLabels(data: DataFile, options: LabelOptions): FileLabels;
}

/** Columns that become one row of tokens in a way of their own. */
export interface TextForm {
  /** What its columns are, for messages. */
  readonly words: string;
  /** The columns that it reads of this file; undefined where the file isn't written so. */
  columnsOf(data: DataFile): readonly string[] | undefined;
  /** How records are read. What `tokenizer` lacks for it is an error, thrown here. */
  open(columns: readonly string[], tokenizer: TextTokenizer, options: FormOptions): (fields: DataRecord["fields"], place: RecordPlace) => ReadText;
}

/** How forms are read. */
export interface FormOptions {
  /** Rows are cut to so many tokens, from the end. */
  readonly maxLength: number;
  /** Whether only what follows a prompt is learnt. */
  readonly maskPrompt: boolean;
}

/** How labels are fed. */
export interface LabelKind {
  /** ONNX element type. */
  readonly dtype: number;
  /** What stands where a record, or a place in a padded row, has no label: the loss leaves it out. */
  readonly none: number;
  /** Whether there is one a token of a row, padded with it. */
  readonly perToken: boolean;
}

/** The labels of one file. */
export interface FileLabels {
  /** The classes' names in order, where the file or the options give them. */
  readonly id2label: readonly string[] | undefined;
  /** Record `index`'s labels: one number, one for each class, or one a token of its row. Throws where they don't fit the row. */
  of(index: number, row: TokenRow | undefined): Field;
  /** Throws where no label of the file counts; asked once all records are read. */
  finish(): void;
  /** Throws where all labels are the same, so that nothing can be learnt; absent where that is no mistake. */
  requireContrast?(): void;
}

/** A record's row of T token ids, and which of them count. */
export interface TokenRow {
  /** The input that it feeds. */
  readonly name: string;
  readonly ids: readonly number[];
  readonly mask: readonly number[];
  /** 1 for a token that is to be learnt, where not all that count are. */
  readonly learnt?: readonly number[] | undefined;
  /** Where the record is a list of words: how many they are, the column they come from, and the word of each token that is left of them. */
  readonly words?: { readonly of: WordOfToken; readonly count: number; readonly column: string } | undefined;
}

/** The label that the loss and every metric leave out, as in PyTorch and Hugging Face. */
export const IGNORED_LABEL = -100;

/** int64: a class a record. */
export const CLASS_NUMBERS: LabelKind = { dtype: DataType.INT64, none: IGNORED_LABEL, perToken: false };
/** int64: a class a token. */
export const TOKEN_NUMBERS: LabelKind = { ...CLASS_NUMBERS, perToken: true };
/** float32 from 0 to 1: how far each class holds. */
export const CLASS_SHARES: LabelKind = { dtype: DataType.FLOAT, none: IGNORED_LABEL, perToken: false };
/** float32 from 0 to 1: how near a record's texts are. */
export const SCORES: LabelKind = { dtype: DataType.FLOAT, none: 0, perToken: false };
/** float32: what is to be predicted, where -100 may be a value. */
export const PREDICTED: LabelKind = { dtype: DataType.FLOAT, none: NaN, perToken: false };
