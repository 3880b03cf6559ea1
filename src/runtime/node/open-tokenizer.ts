/** Opens a model's tokenizer. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadTokenizer, type TextTokenizer } from "../data/tokenizer.ts";
import { readTextFile } from "./file-source.ts";
import { MAX_JSON_BYTES, readJson } from "./json-file.ts";
import { openConfig } from "./model-config.ts";
import { findTokenizerFile, SETTINGS_FILES, TEMPLATE_FILE } from "./tokenizer-places.ts";

/** The tokenizer, with its settings from the files beside it; undefined where there is none. */
export function openTokenizer(modelPath: string, named?: string): TextTokenizer | undefined {
  const file = findTokenizerFile(modelPath, named);
  if (file === undefined) return undefined;
  const [tokenizerConfig, specialTokensMap] = SETTINGS_FILES.map((name) => join(dirname(file), name)).map((path) => (existsSync(path) ? readJson(path) : undefined));
  const template = join(dirname(file), TEMPLATE_FILE);
  const chatTemplate = existsSync(template) ? readTextFile(template, MAX_JSON_BYTES) : undefined;
  return { ...loadTokenizer({ tokenizerJson: readJson(file), tokenizerConfig, specialTokensMap, chatTemplate, config: openConfig(modelPath) }), file };
}
