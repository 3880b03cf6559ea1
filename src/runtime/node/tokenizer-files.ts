/** Finds a model's tokenizer: named, beside the model, or in the folder above. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileMissing } from "../../errors/files.ts";
import { loadTokenizer, type TextTokenizer } from "../data/tokenizer.ts";
import { MAX_JSON_BYTES, readJson } from "./json-file.ts";
import { readTextFile } from "./file-source.ts";
import { openConfig } from "./model-config.ts";

/** What stands beside tokenizer.json and says more. */
const SETTINGS_FILES = ["tokenizer_config.json", "special_tokens_map.json"];
const TEMPLATE_FILE = "chat_template.jinja";

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
  return file === undefined ? [] : [file, ...[...SETTINGS_FILES, TEMPLATE_FILE].map((name) => join(dirname(file), name))];
}

/** The tokenizer, with its settings from the files beside it; undefined where there is none. */
export function openTokenizer(modelPath: string, named?: string): TextTokenizer | undefined {
  const file = findTokenizerFile(modelPath, named);
  if (file === undefined) return undefined;
  const [tokenizerConfig, specialTokensMap] = SETTINGS_FILES.map((name) => join(dirname(file), name)).map((path) => (existsSync(path) ? readJson(path) : undefined));
  const template = join(dirname(file), TEMPLATE_FILE);
  const chatTemplate = existsSync(template) ? readTextFile(template, MAX_JSON_BYTES) : undefined;
  return { ...loadTokenizer({ tokenizerJson: readJson(file), tokenizerConfig, specialTokensMap, chatTemplate, config: openConfig(modelPath) }), file };
}
