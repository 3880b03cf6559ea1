/** What each task reads from a record. A task is an entry here; no other file of this folder knows one. */

import { readClassLabels, type ClassLabels, type LabelOptions, type RawLabel } from "./class-labels.ts";

/** The columns a task reads, and how its labels become numbers. */
export interface TaskData {
  /** The hub's pipeline tag. */
  readonly task: string;
  /** Columns of text, one or a pair; the first entry whose columns are all there is read. */
  readonly texts: readonly (readonly string[])[];
  /** Names of the label column; the first that is there is read. */
  readonly labelColumns: readonly string[];
  /** All labels of a file → numbers. */
  readLabels(file: string, raw: readonly RawLabel[], options: LabelOptions): ClassLabels;
}

/** Pairs first: QNLI's `question` and `sentence` would otherwise pass for a lone sentence. */
const GLUE_TEXTS = [
  ["sentence1", "sentence2"], ["question1", "question2"], ["premise", "hypothesis"], ["question", "sentence"], ["text", "text_pair"], ["text"], ["sentence"],
] as const;

/** One of several classes for a text or a pair of texts. */
export const TEXT_CLASSIFICATION: TaskData = {
  task: "text-classification",
  texts: GLUE_TEXTS,
  labelColumns: ["label", "labels"],
  readLabels: readClassLabels,
};
