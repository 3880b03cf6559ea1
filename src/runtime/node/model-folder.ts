/** A folded model as a folder in Hugging Face's layout: config, tokenizer files and a model card beside `onnx/model.onnx`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Prepared } from "../prepare.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { companionFile } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";

/** Files that travel with a model as they are. */
const COMPANIONS = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt"];

/** Writes everything but the graph. Returns the bytes written. */
export function writeModelFolder(folder: string, opened: OpenedModel, prepared: Prepared, id2label: readonly string[] | undefined): number {
  let bytes = 0;
  const write = (name: string, content: Uint8Array): void => { bytes += writeFileAtomic(join(folder, name), [content]); };
  for (const name of COMPANIONS) {
    const file = companionFile(opened.path, name);
    if (file !== undefined) write(name, readFileSync(file));
  }
  const config = companionFile(opened.path, "config.json");
  const known = config === undefined ? {} : (JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>);
  write("config.json", new TextEncoder().encode(`${JSON.stringify(withLabels(known, prepared, id2label), null, 2)}\n`));
  return bytes;
}

/** config.json with the classes that transformers.js asks for. */
function withLabels(config: Record<string, unknown>, { logits }: Prepared, id2label: readonly string[] | undefined): Record<string, unknown> {
  const classes = logits?.shape?.at(-1);
  if (typeof classes !== "number" || (id2label === undefined && "id2label" in config)) return config;
  const names = id2label ?? Array.from({ length: classes }, (_, i) => `LABEL_${String(i)}`);
  return { ...config, id2label: Object.fromEntries(names.map((n, i) => [String(i), n])), label2id: Object.fromEntries(names.map((n, i) => [n, i])), problem_type: "single_label_classification" };
}
