/** The labels of a text-generation file: the text's own tokens, or a row of tokens that a column gives. */

import { dataFieldMissing, dataLengthsDiffer, noTokenToPredict, tokenLabelsNotList, tokenLabelWrong, tokenRowMissing } from "../../errors/data.ts";
import type { LabelOptions } from "./class-labels.ts";
import { fromText, tokenField, type Field } from "./field.ts";
import { own, type DataFile } from "./records.ts";
import { IGNORED_LABEL, type FileLabels, type TokenRow } from "./task-data.ts";

/** The column that may hold them, one label a token. */
const COLUMN = "labels";

/**
 * Labels [T], one a token: those of the column `labels`, each a token id below `numLabels` or -100; without that column the row's own ids, padding
 * left out. The loss shifts them: the first of a row is never predicted.
 */
export function openTokenLabels(data: DataFile, { numLabels }: LabelOptions): FileLabels {
  const column = data.label ?? COLUMN;
  const given = data.columns.includes(column);
  const seen = { counts: false };
  return {
    id2label: undefined,
    of(index, row) {
      const labels = given ? readGiven(data, column, index, row, numLabels) : ownTokens(data.file, row);
      seen.counts ||= labels.values.slice(1).some((label) => label !== IGNORED_LABEL);
      return labels;
    },
    finish() {
      if (!seen.counts) throw noTokenToPredict(data.file);
    },
  };
}

function ownTokens(file: string, row: TokenRow | undefined): Field {
  if (!row) throw tokenRowMissing(file);
  return tokenField(row.ids.map((id, t) => (row.mask[t] && row.learnt?.[t] !== 0 ? id : IGNORED_LABEL)));
}

function readGiven({ file, records }: DataFile, column: string, index: number, row: TokenRow | undefined, numLabels: number | undefined): Field {
  const record = records[index];
  const place = { file, line: record?.line ?? 0 };
  const stated = own(record?.fields ?? {}, column);
  if (stated === undefined) throw dataFieldMissing(place, column, Object.keys(record?.fields ?? {}));
  const value = typeof stated === "string" ? fromText(stated) : stated;
  if (!Array.isArray(value)) throw tokenLabelsNotList(place, column, stated);
  if (!row) throw tokenRowMissing(file);
  if (value.length !== row.ids.length) throw dataLengthsDiffer(place, column, value.length, row.name, row.ids.length);
  return tokenField(value.map((label: unknown) => {
    const fits = typeof label === "number" && Number.isInteger(label) && (label === IGNORED_LABEL || (label >= 0 && label < (numLabels ?? Infinity)));
    if (!fits) throw tokenLabelWrong(place, label, numLabels);
    return label;
  }));
}
