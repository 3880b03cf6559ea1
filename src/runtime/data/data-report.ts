/** What became of a file's records: which were cut, empty or left out, and why. */
import { quote } from "../../errors/hut-error.ts";
import type { LeftOut } from "./records.ts";

/** A file's records. Lines are those on which records start, from 1. */
export interface DataReport {
  readonly file: string;
  /** Records that were read: those left out aren't among them. */
  readonly records: number;
  /** Records whose text had more than `maxLength` tokens; `longest`: the most that any text had. */
  readonly cut: { readonly count: number; readonly maxLength: number; readonly longest: number };
  /** Where a text is empty. */
  readonly emptyTexts: readonly number[];
  /** Where every label is -100, so that nothing is learnt or measured. */
  readonly ignored: readonly number[];
  readonly leftOut: readonly LeftOut[];
}

/** Lines that a remark names before it only counts. */
const SHOWN_LINES = 5;

/** The report in sentences, one for each kind of remark; none where every record was taken whole. */
export function reportNotes({ file, records, cut, emptyTexts, ignored, leftOut }: DataReport): string[] {
  const name = quote(file);
  return [
    ...leftOut.map(({ why, lines }) => `${name}: ${counted(lines.length, "record")} ${why} ${lines.length === 1 ? "is" : "are"} left out (${linesText(lines)})`),
    ...(cut.count === 0 ? [] : [`${name}: ${String(cut.count)} of ${counted(records, "text")} ${cut.count === 1 ? "is" : "are"} cut to ${String(cut.maxLength)} tokens, the longest from ${String(cut.longest)}; --max-seq-length sets the length`]),
    ...(emptyTexts.length === 0 ? [] : [`${name}: ${counted(emptyTexts.length, "record")} with an empty text ${emptyTexts.length === 1 ? "is" : "are"} taken as ${emptyTexts.length === 1 ? "it is" : "they are"} (${linesText(emptyTexts)})`]),
    ...(ignored.length === 0 ? [] : [`${name}: ${counted(ignored.length, "record")} with no label that counts (-100) ${ignored.length === 1 ? "teaches" : "teach"} nothing (${linesText(ignored)})`]),
  ];
}

function linesText(lines: readonly number[]): string {
  const shown = lines.slice(0, SHOWN_LINES).join(", ");
  return `line${lines.length === 1 ? "" : "s"} ${shown}${lines.length > SHOWN_LINES ? ", …" : ""}`;
}

function counted(n: number, thing: string): string {
  return `${String(n)} ${thing}${n === 1 ? "" : "s"}`;
}
