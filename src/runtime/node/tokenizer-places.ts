/** Where a model's tokenizer lies: named, beside the model, or in the folder above. Apart from what reads it, which brings two libraries. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileMissing } from "../../errors/files.ts";

/** What stands beside tokenizer.json and says more. */
export const SETTINGS_FILES = ["tokenizer_config.json", "special_tokens_map.json"];
export const TEMPLATE_FILE = "chat_template.jinja";

/** tokenizer.json for a model's file: the one named, else the nearest; undefined where there is none. Throws where the one named is missing. */
export function findTokenizerFile(modelPath: string, named?: string): string | undefined {
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
