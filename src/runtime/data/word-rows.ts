/** Records that are lists of words: which column holds them, and which token begins which word. */
import { dataNotWords, dataFieldMissing, type RecordPlace } from "../../errors/data.ts";
import { fromText } from "./field.ts";
import { own, type DataRecord } from "./records.ts";

/** Of each token of a row, the word that it is of, by number; undefined for special tokens. */
export type WordOfToken = readonly (number | undefined)[];

/** A record's words. TSV and CSV hold the list as JSON text. Throws where the column holds anything else. */
export function readWords({ fields }: DataRecord, column: string, place: RecordPlace): readonly string[] {
  const stated = own(fields, column);
  if (stated === undefined) throw dataFieldMissing(place, column, Object.keys(fields));
  const list = typeof stated === "string" ? fromText(stated) : stated;
  if (!Array.isArray(list) || !list.every((word) => typeof word === "string")) throw dataNotWords(place, column, stated);
  return list;
}

/** Whether each token is the first of its word in the row: the one that has the word's label, as in transformers' run_ner.py. */
export function beginsWord(words: WordOfToken): boolean[] {
  return words.map((word, t) => word !== undefined && word !== words[t - 1]);
}
