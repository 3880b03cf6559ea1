/** Labels that are numbers of the logits' shape: which of several classes hold, or what a regression is to predict. */
import { labelListWrong, labelMissing, labelNumberWrong, labelsAllIgnored, labelUnknown, oneClassOnly } from "../../errors/data.ts";
import { placeholders, rawLabels, type LabelOptions, type RawLabel } from "./class-labels.ts";
import { fromText } from "./field.ts";
import type { DataFile } from "./records.ts";
import { IGNORED_LABEL, type FileLabels } from "./task-data.ts";

/**
 * Labels [C] of several classes at once: a list of the classes' names that hold, of any length, or of a number from 0 to 1 for each class, where -100 leaves
 * the class out. Names get their place as class names of one class do. A word alone is a list of one.
 */
export function openSeveralLabels(data: DataFile, options: LabelOptions): FileLabels {
  const raw = rawLabels(data);
  const lists = raw.map((label) => listOf(label, `a list of class names, or of 0 and 1 for each of the ${classCount(options)} classes`));
  const isNamed = lists.some((list) => list.some((entry) => typeof entry === "string"));
  const id2label = isNamed ? namesOf(lists, options) : options.id2label;
  const rows = lists.map((list, i) => {
    const label = raw[i];
    if (label === undefined) throw new TypeError("a list without a record");
    return isNamed ? marked(label, list, id2label ?? []) : numbers(label, list, options.numLabels, (v) => (v >= 0 && v <= 1) || v === IGNORED_LABEL, "from 0 to 1, or -100 to leave the class out");
  });
  if (rows.every((row) => row.every((v) => v === IGNORED_LABEL))) throw labelsAllIgnored(data.file);
  const requireContrast = (): void => {
    const [first = []] = rows;
    const seen = (id2label ?? first.map((_, id) => String(id))).filter((_, id) => (first[id] ?? 0) > 0);
    if (rows.every((row) => row.every((v, id) => v === first[id]))) throw oneClassOnly(data.file, seen.join(", "), rows.length);
  };
  return { id2label, ...ofRows(rows), requireContrast };
}

/** Labels [C] of a regression: a number, or a list of C. */
export function openNumberLabels(data: DataFile, { numLabels }: LabelOptions): FileLabels {
  const rows = rawLabels(data).map((label) => {
    const value = parsed(label.value);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return numbers(label, list, numLabels ?? 1, Number.isFinite, "");
  });
  return { id2label: undefined, ...ofRows(rows) };
}

function ofRows(rows: readonly (readonly number[])[]): Pick<FileLabels, "of" | "finish"> {
  return { of: (index) => ({ dims: [rows[index]?.length ?? 0], values: rows[index] ?? [] }), finish: () => undefined };
}

function classCount({ numLabels }: LabelOptions): string {
  return numLabels === undefined ? "model's" : String(numLabels);
}

/** A cell's JSON list, or its words. */
function parsed(value: unknown): unknown {
  return typeof value === "string" ? fromText(value) : value;
}

function listOf({ place, column, value }: RawLabel, wanted: string): readonly unknown[] {
  if (value === undefined || value === null || value === "") throw labelMissing(place, column);
  const read = parsed(value);
  if (Array.isArray(read)) return read;
  if (typeof read === "string") return [read];
  throw labelListWrong(place, value, wanted);
}

/** The classes' names: the model's, else those of the file, sorted. */
function namesOf(lists: readonly (readonly unknown[])[], { id2label, numLabels }: LabelOptions): readonly string[] {
  const found = [...new Set(lists.flat().filter((entry) => typeof entry === "string"))].sort();
  const isGiven = id2label !== undefined && (found.some((name) => id2label.includes(name)) || !placeholders(id2label));
  if (isGiven) return id2label;
  // A class that no record has can't be told by names; it keeps a place at the end.
  return numLabels === undefined ? found : [...found, ...Array.from({ length: Math.max(0, numLabels - found.length) }, (_, i) => `LABEL_${String(found.length + i)}`)];
}

/** 1 at each class that is named. */
function marked({ place, value }: RawLabel, list: readonly unknown[], classes: readonly string[]): number[] {
  const row = classes.map(() => 0);
  for (const name of list) {
    if (typeof name !== "string") throw labelListWrong(place, value, "a list of class names, as in the other records");
    const id = classes.indexOf(name);
    if (id < 0) throw labelUnknown(place, name, classes);
    row[id] = 1;
  }
  return row;
}

function numbers({ place, value }: RawLabel, list: readonly unknown[], count: number | undefined, fits: (v: number) => boolean, range: string): number[] {
  if (count !== undefined && list.length !== count) throw labelListWrong(place, value, `${String(count)} number${count === 1 ? "" : "s"}, as many as the model has logits`);
  return list.map((entry) => {
    if (typeof entry !== "number" || !fits(entry)) throw labelNumberWrong(place, entry, range);
    return entry;
  });
}
