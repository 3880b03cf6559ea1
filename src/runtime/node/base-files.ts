/** What goes along into a merged model's folder: files of the base's, as they are, and what its tokenizer's say. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TokenizerFiles } from "../data/tokenizer.ts";
import { companionFile, isOwn } from "./model-config.ts";
import { readJson } from "./json-file.ts";

/** Files that travel with a model as they are. */
const COMPANIONS = [
  "tokenizer.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
  "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja",
  "generation_config.json", "preprocessor_config.json", "processor_config.json",
];

/** What makes a folder one of sentence-transformers, beside the folders that modules.json names. */
const EMBEDDING_COMPANIONS = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"];

/** Where files lie, by their name in the new folder. */
export type Copied = ReadonlyMap<string, string>;

/**
 * The base's files, beside its graph or in the folder above; those of sentence-transformers where the model is still an embedding model. As with external
 * data, a link is followed when it ends in that folder or where the graph itself really lies; others are none of the base's: a copy would carry away what
 * they lead to.
 */
export function companions(modelPath: string, isEmbedder: boolean): Copied {
  const files = [...found(modelPath, COMPANIONS), ...(isEmbedder ? embeddingFiles(modelPath) : [])];
  return new Map(files.filter(([name, file]) => statSync(file).isFile() && isOwn(file, join(file, ...name.split("/").map(() => "..")), modelPath)));
}

function found(modelPath: string, names: readonly string[]): [name: string, file: string][] {
  return names.flatMap((name) => {
    const file = companionFile(modelPath, name);
    return file === undefined ? [] : [[name, file]];
  });
}

/** Its own files, and what lies in the folders that modules.json names: a name that leads elsewhere is none of them. */
function embeddingFiles(modelPath: string): [name: string, file: string][] {
  const modules = companionFile(modelPath, "modules.json");
  const listed = modules === undefined ? undefined : readJson(modules);
  if (modules === undefined || !Array.isArray(listed)) return [];
  const paths = listed.map((m: unknown) => (typeof m === "object" && m !== null && "path" in m ? m.path : undefined));
  const folders = paths.filter((path): path is string => typeof path === "string" && /^[\w.-]+$/.test(path) && !/^\.+$/.test(path));
  const inside = folders.flatMap((folder): [string, string][] => {
    const there = join(dirname(modules), folder);
    const names = existsSync(there) && statSync(there).isDirectory() ? readdirSync(there) : [];
    return names.filter((name) => existsSync(join(there, name))).map((name) => [`${folder}/${name}`, join(there, name)]);
  });
  return [...found(modelPath, EMBEDDING_COMPANIONS), ...inside];
}

/** Values of the base's tokenizer files; undefined where there is no tokenizer.json. Throws JSON_BROKEN. */
export function openTokenizerFiles(modelPath: string): TokenizerFiles | undefined {
  const value = (name: string): unknown => {
    const file = companionFile(modelPath, name);
    return file === undefined ? undefined : readJson(file);
  };
  const tokenizerJson = value("tokenizer.json");
  return tokenizerJson === undefined ? undefined : { tokenizerJson, tokenizerConfig: value("tokenizer_config.json"), specialTokensMap: value("special_tokens_map.json") };
}
