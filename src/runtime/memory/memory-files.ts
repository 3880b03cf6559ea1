/** A model and its companions as bytes: what a page has fetched, or a user has picked. */
import { dataEmpty } from "../../errors/data.ts";
import { fileMissing } from "../../errors/files.ts";
import { ByteRange, memorySource, type Source } from "../../ir/source.ts";
import type { DataFile } from "../data/records.ts";
import { parseRecords, type TableForm } from "../data/parse-records.ts";
import { loadTokenizer, type TextTokenizer, type TokenizerFiles } from "../data/tokenizer.ts";
import { loadableModel, type LoadableModel } from "../loadable-model.ts";
import { isObject, type Json } from "../model-folder/config-json.ts";
import { jsonText } from "../model-folder/made-files.ts";
import { parseJson } from "../parse-json.ts";

/** Bytes in memory. They are read when they are needed, and must not change. */
export type InMemory = Uint8Array | ArrayBuffer;

/** A model, and what stands beside it in its folder. */
export interface ModelFiles {
  /** model.onnx. */
  readonly model: InMemory;
  /** What messages call the model; `model.onnx` where left out. */
  readonly name?: string | undefined;
  /** The files that weights lie in, by the location that the model gives. */
  readonly externalData?: Readonly<Record<string, InMemory>> | undefined;
  /** tokenizer.json, as text or parsed. Without it data must be tokenized. */
  readonly tokenizer?: unknown;
  /** tokenizer_config.json, as text or parsed. */
  readonly tokenizerConfig?: unknown;
  /** special_tokens_map.json, as text or parsed. */
  readonly specialTokensMap?: unknown;
  /** config.json, as text or parsed. A model folder is made from it, and it tells the classes' names and what a classifier is for, where no option does. */
  readonly config?: unknown;
  /** The classes' names in order, where the model has classes and they are known. */
  readonly classes?: readonly string[] | undefined;
}

/** A file of records, whose name's ending says how it is written (.csv, .tsv, .jsonl), or the records themselves: fields by column. */
export type MemoryData = { readonly name: string; readonly content: InMemory | string } | readonly Readonly<Record<string, unknown>>[];

/** What records that come from no file are called in messages. */
const RECORDS = "the records";

/** A model opened from memory. */
export interface OpenedMemory extends LoadableModel {
  readonly name: string;
  readonly tokenizer: TextTokenizer | undefined;
  /** Values of the tokenizer's files and of config.json, where they were given. */
  readonly tokenizerFiles: TokenizerFiles | undefined;
  readonly config: Json | undefined;
  /** The files that travel with the model as they are, by name. */
  readonly companions: ReadonlyMap<string, Uint8Array>;
  /** The files as a session is handed them, by the locations that `locate` gives. */
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Where a weight's bytes lie in these files. */
  readonly locate: (range: ByteRange) => { readonly location: string; readonly offset: number } | undefined;
}

/** Opens a model. Nothing is copied. Throws HutError where it is damaged, a file of its external data isn't given, a companion is no JSON, or its tokenizer can't be made. */
export function openMemory(files: ModelFiles): OpenedMemory {
  const name = files.name ?? "model.onnx";
  const source = memorySource(name, bytesIn(files.model));
  const sources = new Map<string, { readonly source: Source; readonly data: Uint8Array }>([[name, { source, data: bytesIn(files.model) }]]);
  for (const [location, content] of Object.entries(files.externalData ?? {})) {
    const data = bytesIn(content);
    sources.set(location, { source: memorySource(location, data), data });
  }
  const openExternal = (location: string): Source => {
    const known = location === name ? undefined : sources.get(location);
    if (known === undefined) throw fileMissing(location);
    return known.source;
  };
  const tokenizerFiles = files.tokenizer === undefined ? undefined : {
    tokenizerJson: parsed(files.tokenizer, "tokenizer.json"), tokenizerConfig: parsed(files.tokenizerConfig, "tokenizer_config.json"), specialTokensMap: parsed(files.specialTokensMap, "special_tokens_map.json"),
  };
  const config = parsed(files.config, "config.json");
  const companions = Object.entries({ "tokenizer.json": files.tokenizer, "special_tokens_map.json": files.specialTokensMap }).filter(([, content]) => content !== undefined);
  return {
    ...loadableModel(source, openExternal), name, tokenizerFiles,
    tokenizer: tokenizerFiles === undefined ? undefined : loadTokenizer(tokenizerFiles),
    config: isObject(config) ? config : undefined,
    companions: new Map(companions.map(([file, content]) => [file, new TextEncoder().encode(typeof content === "string" ? content : jsonText(content))])),
    externalData: [...sources].map(([path, { data }]) => ({ path, data })),
    locate: (range) => {
      const location = [...sources].find(([, known]) => known.source === range.source)?.[0];
      return location === undefined ? undefined : { location, offset: range.offset };
    },
  };
}

/** Data as records. Throws HutError, naming file and line, where a file is broken. */
export function recordsOf(data: MemoryData, form: TableForm = {}): DataFile {
  if ("content" in data) return parseRecords(data.name, typeof data.content === "string" ? new TextEncoder().encode(data.content) : bytesIn(data.content), form);
  if (data.length === 0) throw dataEmpty(RECORDS);
  return { file: RECORDS, columns: Object.keys(data[0] ?? {}), records: data.map((fields, i) => ({ line: i + 1, fields })) };
}

function bytesIn(content: InMemory): Uint8Array {
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

function parsed(content: unknown, file: string): unknown {
  return typeof content === "string" ? parseJson(content, file) : content;
}
