/** Finds a model's tokenizer: named, beside the model, or in the folder above. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileMissing } from "../../errors/files.ts";
import { loadTokenizer, type TextTokenizer } from "../data/tokenizer.ts";
import { parseJson } from "../parse-json.ts";
import { readTextFile } from "./file-source.ts";

/** Longest tokenizer file read; vocabularies of 250,000 pieces take under 20 MB. */
const MAX_TOKENIZER_BYTES = 128 * 1024 * 1024;

/** What stands beside tokenizer.json and says more. */
const SETTINGS_FILES = ["tokenizer_config.json", "special_tokens_map.json"];

/** tokenizer.json for a model's file: the one named, else the nearest; undefined where there is none. Throws where the one named is missing. */
function findTokenizerFile(modelPath: string, named?: string): string | undefined {
  if (named !== undefined) {
    if (!existsSync(named)) throw fileMissing(named);
    return named;
  }
  const beside = dirname(modelPath);
  return [join(beside, "tokenizer.json"), join(beside, "..", "tokenizer.json")].find((p) => existsSync(p));
}

/** The files that a tokenizer is read from, its settings' too; some of these may be missing. None where there is no tokenizer. */
export function tokenizerFiles(modelPath: string, named?: string): string[] {
  const file = findTokenizerFile(modelPath, named);
  return file === undefined ? [] : [file, ...SETTINGS_FILES.map((name) => join(dirname(file), name))];
}

/** The tokenizer, with its settings from the files beside it; undefined where there is none. */
export function openTokenizer(modelPath: string, named?: string): TextTokenizer | undefined {
  const file = findTokenizerFile(modelPath, named);
  if (file === undefined) return undefined;
  const [tokenizerConfig, specialTokensMap] = SETTINGS_FILES.map((name) => join(dirname(file), name)).map((path) => (existsSync(path) ? readJson(path) : undefined));
  return loadTokenizer({ tokenizerJson: readJson(file), tokenizerConfig, specialTokensMap });
}

/** A JSON file's value. Throws JSON_BROKEN. */
export function readJson(file: string): unknown {
  return parseJson(readTextFile(file, MAX_TOKENIZER_BYTES), file);
}
