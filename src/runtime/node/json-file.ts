/** JSON files of a model's folder. */
import { parseJson } from "../parse-json.ts";
import { readTextFile } from "./file-source.ts";

/** Longest file read; a tokenizer.json of 250,000 pieces takes under 20 MB. */
export const MAX_JSON_BYTES = 128 * 1024 * 1024;

/** A JSON file's value. Throws JSON_BROKEN. */
export function readJson(file: string): unknown {
  return parseJson(readTextFile(file, MAX_JSON_BYTES), file);
}
