/** The label column of a classification file → class numbers. */

import { dataLabelColumnMissing, labelMissing, labelNamesDoNotFit, labelNotInteger, labelOutOfRange, labelsAllIgnored, labelUnknown, oneClassOnly, type RecordPlace } from "../../errors/data.ts";
import { own, type DataFile } from "./records.ts";
import { IGNORED_LABEL, type FileLabels } from "./task-data.ts";

/** A record's label as the file has it, and where it stands. */
export interface RawLabel {
  readonly place: RecordPlace;
  readonly column: string;
  readonly value: unknown;
}

/** What is known of the labels before the file is read. */
export interface LabelOptions {
  /** How many classes the model has. */
  readonly numLabels?: number | undefined;
  /** The classes' names in order, from the model's config.json or from the training file. */
  readonly id2label?: readonly string[] | undefined;
}

/** N class numbers, -100 where the record is left out; the classes' names where the file or the options give them. */
export interface ClassLabels {
  readonly labels: readonly number[];
  readonly id2label: readonly string[] | undefined;
}

/** The names Hugging Face writes where nobody gave any; they say nothing about which class is which. */
const PLACEHOLDER = /^LABEL_\d+$/;

/** Names of the label column; the first that is there is read. */
const LABEL_COLUMNS = ["label", "labels"];

/** Each record's label, as it stands in the file. Throws where the file has no column of them. */
export function rawLabels(data: DataFile): RawLabel[] {
  const column = data.label ?? LABEL_COLUMNS.find((name) => data.columns.includes(name));
  if (column === undefined) throw dataLabelColumnMissing(data.file, data.columns, LABEL_COLUMNS);
  return data.records.map(({ line, fields }) => ({ place: { file: data.file, line }, column, value: own(fields, column) }));
}

/** Whether these names say nothing about which class is which. */
export function placeholders(id2label: readonly string[]): boolean {
  return id2label.every((name) => PLACEHOLDER.test(name));
}

/** Labels [] of one class: its number, or its name. */
export function openClassLabels(data: DataFile, options: LabelOptions): FileLabels {
  const { labels, id2label } = readClassLabels(data.file, rawLabels(data), options);
  return {
    id2label, of: (index) => ({ dims: [], values: labels.slice(index, index + 1) }), finish: () => undefined,
    requireContrast() {
      const counted = labels.filter((label) => label !== IGNORED_LABEL);
      const [first = 0] = counted;
      if (counted.every((label) => label === first)) throw oneClassOnly(data.file, id2label?.[first] ?? String(first), counted.length);
    },
  };
}

/**
 * Reads a file's labels: integers, or names. Names get their place in `id2label`; where that is absent (or holds only LABEL_0, LABEL_1, …), their
 * place in sorted order, which only a file with all the classes in it can tell. One number makes the column one of integers. Throws, naming
 * file, line, value and range, where a label is missing, no integer, out of range, or a name unknown.
 */
export function readClassLabels(file: string, raw: readonly RawLabel[], options: LabelOptions): ClassLabels {
  for (const { value, place, column } of raw) {
    if (value === undefined || value === null || value === "") throw labelMissing(place, column);
  }
  if (raw.every(({ value }) => value === IGNORED_LABEL || value === String(IGNORED_LABEL))) throw labelsAllIgnored(file);
  const named = !raw.some(({ value }) => isNumber(value)) && raw.some(({ value }) => typeof value === "string");
  return named ? readNames(file, raw, options) : readIntegers(raw, options);
}

/** A number, or text that is one; -100 doesn't count, as it may stand among names. */
function isNumber(value: unknown): boolean {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && !Number.isNaN(number) && number !== IGNORED_LABEL;
}

function readIntegers(raw: readonly RawLabel[], { numLabels, id2label }: LabelOptions): ClassLabels {
  const labels = raw.map(({ value, place }) => {
    const label = typeof value === "string" ? Number(value) : value;
    if (typeof label !== "number" || !Number.isInteger(label)) throw labelNotInteger(place, value, numLabels);
    if (label !== IGNORED_LABEL && (label < 0 || label >= (numLabels ?? Infinity))) throw labelOutOfRange(place, label, numLabels);
    return label;
  });
  return { labels, id2label };
}

function readNames(file: string, raw: readonly RawLabel[], { numLabels, id2label }: LabelOptions): ClassLabels {
  const names = raw.map(({ value, place }) => {
    if (value === IGNORED_LABEL || value === String(IGNORED_LABEL)) return undefined;
    if (typeof value !== "string") throw labelNotInteger(place, value, numLabels);
    return value;
  });
  const found = [...new Set(names.filter((name) => name !== undefined))].sort();
  const given = id2label && (found.some((name) => id2label.includes(name)) || !placeholders(id2label)) ? id2label : undefined;
  if (!given && numLabels !== undefined && found.length !== numLabels) throw labelNamesDoNotFit(file, found, numLabels);
  const known = given ?? found;
  const ids = new Map(known.map((name, id) => [name, id]));
  const labels = raw.map(({ place }, i) => {
    const name = names[i];
    if (name === undefined) return IGNORED_LABEL;
    const id = ids.get(name);
    if (id === undefined) throw labelUnknown(place, name, known);
    return id;
  });
  return { labels, id2label: known };
}
