/** tokenizer.json's post_processor → where special tokens stand around one text or two. */

import { tokenizerBroken } from "../../errors/data.ts";

/** What stands at one place: the tokens of text 0 or 1, or special tokens' ids; and the segment number they all get. */
export interface TemplatePiece {
  readonly piece: 0 | 1 | { readonly special: readonly number[] };
  readonly typeId: number;
}

/** A row of tokens, piece by piece. */
export type Template = readonly TemplatePiece[];

/** How one text, and how a pair, is framed. */
export interface Templates {
  readonly single: Template;
  readonly pair: Template;
}

/** Ids of a token named in the file; undefined where the vocabulary lacks it. */
type IdOf = (token: string) => number | undefined;
type Json = Readonly<Record<string, unknown>>;

const PLAIN: Templates = { single: [text(0, 0)], pair: [text(0, 0), text(1, 1)] };

/** How each type of post_processor frames texts; undefined where it leaves them as they are. */
const READERS: Readonly<Record<string, (config: Json, idOf: IdOf) => Templates | undefined>> = {
  TemplateProcessing: readTemplateProcessing,
  /** [CLS] A [SEP] B [SEP], the second text and its [SEP] in segment 1. */
  BertProcessing: (config) => {
    const single = [special(config["cls"], 0), text(0, 0), special(config["sep"], 0)];
    return { single, pair: [...single, text(1, 1), special(config["sep"], 1)] };
  },
  /** <s> A </s></s> B </s>, all of it in segment 0. */
  RobertaProcessing: (config) => {
    const single = [special(config["cls"], 0), text(0, 0), special(config["sep"], 0)];
    return { single, pair: [...single, special(config["sep"], 0), text(1, 0), special(config["sep"], 0)] };
  },
  ByteLevel: () => undefined,
  Sequence: (config, idOf) => {
    const found = array(config["processors"]).flatMap((processor) => readOne(processor, idOf) ?? []);
    if (found.length > 1) throw tokenizerBroken("its post_processor frames the text more than once");
    return found[0];
  },
};

/** Reads a post_processor (parsed JSON; none leaves texts as they are). Throws where its type or a token it names is unknown. */
export function readTemplates(postProcessor: unknown, idOf: IdOf): Templates {
  return readOne(postProcessor, idOf) ?? PLAIN;
}

/** How many special tokens a template adds. */
export function specialCount(template: Template): number {
  return template.reduce((sum, { piece }) => sum + (typeof piece === "number" ? 0 : piece.special.length), 0);
}

function readOne(postProcessor: unknown, idOf: IdOf): Templates | undefined {
  if (postProcessor === null || postProcessor === undefined) return undefined;
  const config = object(postProcessor);
  const type = textOf(config["type"]);
  const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (!reader) throw tokenizerBroken(`its post_processor ${type} is unknown here`);
  return reader(config, idOf);
}

function readTemplateProcessing(config: Json, idOf: IdOf): Templates {
  const listed = object(config["special_tokens"] ?? {});
  const specialIds = (name: string): readonly number[] => {
    const stated = Object.hasOwn(listed, name) ? array(object(listed[name])["ids"]).filter(isTokenId) : [];
    const id = idOf(name);
    if (stated.length > 0) return stated;
    if (!isTokenId(id)) throw tokenizerBroken(`its post_processor names the token ${name}, which is not in the vocabulary`);
    return [id];
  };
  const readPiece = (item: unknown): TemplatePiece => {
    const { SpecialToken, Sequence } = object(item);
    if (Sequence !== undefined) return text(object(Sequence)["id"] === "B" ? 1 : 0, segment(object(Sequence)["type_id"]));
    const token = object(SpecialToken);
    return { piece: { special: specialIds(textOf(token["id"])) }, typeId: segment(token["type_id"]) };
  };
  return { single: array(config["single"]).map(readPiece), pair: array(config["pair"]).map(readPiece) };
}

function text(piece: 0 | 1, typeId: number): TemplatePiece {
  return { piece, typeId };
}

/** BERT's and RoBERTa's form of a special token: [content, id]. */
function special(token: unknown, typeId: number): TemplatePiece {
  const id = array(token)[1];
  if (!isTokenId(id)) throw tokenizerBroken("its post_processor names a special token without an id");
  return { piece: { special: [id] }, typeId };
}

/** Whether a value is a token's id: a whole number of at least 0. */
export function isTokenId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** A segment's number; 0 where the file says none. */
function segment(value: unknown): number {
  if (value !== undefined && !isTokenId(value)) throw tokenizerBroken("its post_processor gives a segment that is no number");
  return value ?? 0;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw tokenizerBroken("its post_processor is not written as expected");
  return value;
}

function object(value: unknown): Json {
  if (typeof value !== "object" || value === null) throw tokenizerBroken("its post_processor is not written as expected");
  return value as Json;
}

function array(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw tokenizerBroken("its post_processor is not written as expected");
  return value;
}
