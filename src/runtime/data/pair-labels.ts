/** The labels of a file of pairs: whether they belong together, or how near they are. */
import { labelNumberWrong, labelsAllIgnored } from "../../errors/data.ts";
import { IGNORED_LABEL, type FileLabels } from "./task-data.ts";
import { own, type DataFile } from "./records.ts";

/** Columns of scores; the first that is there is read. A file needs none: its pairs belong together. */
export const SCORE_COLUMNS: readonly string[] = ["score", "label", "labels"];

/**
 * Labels []: 1 where a record's first two texts belong together, and 1 for all of a file without scores. Scores that go beyond 1, as STS's from 0 to 5 do, are
 * divided by the largest of the file. -100 counts for nothing.
 */
export function openPairLabels(data: DataFile): FileLabels {
  const column = SCORE_COLUMNS.find((name) => data.columns.includes(name));
  const scores = data.records.map(({ line, fields }) => {
    if (column === undefined) return 1;
    const stated = own(fields, column);
    const score = typeof stated === "string" && stated.trim() !== "" ? Number(stated) : stated;
    if (typeof score !== "number" || !Number.isFinite(score) || (score < 0 && score !== IGNORED_LABEL)) throw labelNumberWrong({ file: data.file, line }, stated, "of at least 0");
    return score;
  });
  const largest = scores.reduce((a, b) => Math.max(a, b), 1);
  if (scores.every((score) => score === IGNORED_LABEL)) throw labelsAllIgnored(data.file);
  return { id2label: undefined, of: (index) => ({ dims: [], values: [(scores[index] ?? NaN) / largest] }), finish: () => undefined };
}
