/** Text → token ids, as the model's own tokenizer.json makes them. */

import * as tokenizers from "@huggingface/tokenizers";
import { maxLengthTooShort, tokenizerBroken } from "../../errors/data.ts";
import { costlyPattern } from "./costly-pattern.ts";
import { precompiled } from "./precompiled.ts";
import type { WordOfToken } from "./word-rows.ts";
import { isTokenId, readTemplates, specialCount, type Template } from "./token-template.ts";
import { field, isObject, padding, SpecialTokens, statedLength, vocabularyOf, withAddedTokens, type SpecialToken } from "./tokenizer-settings.ts";
import { chatTemplate, templateIn, type ChatTemplate } from "./chat-template.ts";

/** The tokens of one text or pair, special tokens included: T ids, and T segment numbers (0 or 1). */
export interface TokenizedText {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
  /** How many tokens there would be if nothing had been cut. */
  readonly whole: number;
}

/** What turns text into token ids. */
export interface TextTokenizer {
  /** Its tokenizer.json, where it was read from a file. */
  readonly file?: string | undefined;
  /** The id that fills up short rows. */
  readonly padId: number;
  /** Whether that is the one that ends texts, for want of another. */
  readonly padIsEos?: boolean | undefined;
  /** What ends a text, where the files tell it. */
  readonly eos?: SpecialToken | undefined;
  /** How a conversation is written; undefined where the files don't tell. Compiled when it is first asked for. Throws CHAT_TEMPLATE_BROKEN. */
  readonly chat?: (() => ChatTemplate) | undefined;
  /** A text's ids without a frame, uncut; special tokens that stand in it are taken as such. */
  readonly plain?: ((text: string) => readonly number[]) | undefined;
  /** The text of ids, as the file's decoder joins tokens; special tokens are left out. */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /** Most tokens the model takes, special ones included, as tokenizer_config.json tells: Infinity where it says there is no bound. */
  readonly maxLength: number | undefined;
  /** How many ids there are: the largest and one. */
  readonly vocabulary: number;
  /**
   * One text, or a pair, with special tokens, cut to at most `maxLength` tokens: special tokens stay, of a pair the longer text is cut first
   * (Hugging Face's `longest_first`). Throws where `maxLength` has no room for text.
   */
  encode(texts: readonly string[], maxLength: number): TokenizedText;
  /** Where each token that `encode` gives stands in its text; undefined for special tokens. */
  readonly places?: ((texts: readonly string[], maxLength: number) => readonly (TokenPlace | undefined)[]) | undefined;
  /**
   * One text that comes as words, each tokenized by itself as Hugging Face does with `is_split_into_words`; cut and framed as a text is. GPT-2's and RoBERTa's
   * kind, which tell a word's beginning by the space before it, get one (`add_prefix_space`).
   */
  encodeWords(words: readonly string[], maxLength: number): TokenizedWords;
}

/** A token's text, and its number among the tokens that the text has by itself. */
export interface TokenPlace {
  readonly text: number;
  readonly token: number;
}

/** The tokens of a text that came as words. */
export interface TokenizedWords extends TokenizedText {
  /** T: the word that each token is of; undefined for special tokens. */
  readonly words: WordOfToken;
}

/** The parsed JSON of a model folder's tokenizer files. */
export interface TokenizerFiles {
  readonly tokenizerJson: unknown;
  readonly tokenizerConfig?: unknown;
  readonly specialTokensMap?: unknown;
  /** The model's config.json: tells special tokens where the others don't. */
  readonly config?: unknown;
  /** chat_template.jinja, which goes before the one in tokenizer_config.json. */
  readonly chatTemplate?: string | undefined;
}

/**
 * Makes a tokenizer of parsed tokenizer files. @huggingface/tokenizers gives the tokens of a text; special tokens, segments and cutting are
 * done here, because that library cuts nothing, drops an empty or GPT-2 second text, and numbers RoBERTa's segments. Throws where the file
 * asks for parts that can't be made.
 */
export function loadTokenizer(files: TokenizerFiles): TextTokenizer {
  const config = isObject(files.tokenizerConfig) ? files.tokenizerConfig : {};
  if (!isObject(files.tokenizerJson) || !isObject(files.tokenizerJson["model"])) throw tokenizerBroken("it has no model");
  const json = withAddedTokens(files.tokenizerJson, config);
  for (const part of [json["normalizer"], json["pre_tokenizer"]]) checkPatterns(part);
  const tokenizer = makeTokenizer(json, config);
  const prepare = lowersCase(json["normalizer"]) ? lowerSigma : (text: string): string => text;
  const idOf = (token: string): number | undefined => tokenizer.token_to_id(token);
  const tokens = new SpecialTokens([config, files.specialTokensMap], files.config, idOf, (id) => tokenizer.id_to_token(id));
  const templates = readTemplates(json["post_processor"], idOf);
  const pad = padding(json, tokens);
  const template = files.chatTemplate ?? templateIn(config);
  const fromLeft = cutsFromLeft(json, config);
  const cut = (ids: number[], length: number): number[] => (ids.length <= length ? ids : fromLeft ? ids.slice(ids.length - length) : ids.slice(0, length));
  const laidOut = (texts: readonly string[], maxLength: number): { readonly frame: Template; readonly sequences: readonly [number[], number[]]; readonly lengths: readonly [number, number] } => {
    const frame = texts.length > 1 ? templates.pair : templates.single;
    const room = maxLength - specialCount(frame);
    if (room < 1) throw maxLengthTooShort(maxLength, specialCount(frame));
    const [first = [], second = []] = texts.map((text) => plainIds(tokenizer, prepare(text)));
    return { frame, sequences: [first, second], lengths: sharedLengths(first.length, second.length, room) };
  };

  return {
    padId: pad.id,
    padIsEos: pad.isEos,
    eos: tokens.find("eos"),
    chat: template === undefined ? undefined : once(() => chatTemplate(template, specialContents(tokens))),
    plain: (text) => plainIds(tokenizer, prepare(text)),
    decode: decoderOf(json, config),
    maxLength: statedLength(config),
    vocabulary: vocabularyOf(json),
    encode(texts, maxLength) {
      const { frame, sequences: [first, second], lengths } = laidOut(texts, maxLength);
      return { ...fill(frame, [cut(first, lengths[0]), cut(second, lengths[1])]), whole: first.length + second.length + specialCount(frame) };
    },
    places(texts, maxLength) {
      const { frame, sequences: [first, second], lengths } = laidOut(texts, maxLength);
      const marks = [first.map((_, i) => -1 - i), second.map((_, i) => -1 - first.length - i)] as const;
      return fill(frame, [cut(marks[0], lengths[0]), cut(marks[1], lengths[1])]).ids.map((mark) => {
        const number = -1 - mark;
        return mark >= 0 ? undefined : number < first.length ? { text: 0, token: number } : { text: 1, token: number - first.length };
      });
    },
    encodeWords(words, maxLength) {
      const room = maxLength - specialCount(templates.single);
      if (room < 1) throw maxLengthTooShort(maxLength, specialCount(templates.single));
      const spaced = splitsBytes(json["pre_tokenizer"]);
      const pieces = words.map((word) => plainIds(tokenizer, prepare(spaced && /^\S/u.test(word) ? ` ${word}` : word)));
      const own = cut(pieces.flat(), room);
      const wordOf = cut(pieces.flatMap((ids, word) => ids.map(() => word)), room);
      // Places of the tokens go through the template, so that a template may put them anywhere.
      const places = fill(templates.single, [own.map((_, i) => -1 - i), []]).ids;
      return { ...fill(templates.single, [own, []]), words: places.map((place) => (place < 0 ? wordOf[-1 - place] : undefined)), whole: pieces.flat().length + specialCount(templates.single) };
    },
  };
}

/** The special tokens that chat templates write, by the names that these have for them. */
function specialContents(tokens: SpecialTokens): Record<string, string> {
  return Object.fromEntries(["bos", "eos", "unk", "sep", "pad", "cls", "mask"].flatMap((part) => { const token = tokens.find(part); return token === undefined ? [] : [[`${part}_token`, token.content]]; }));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** What is used of the library, written out: its own declarations refer to paths that its package does not have. */
interface Tokenizer {
  readonly normalizer: Normalizer | null;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: readonly (number | undefined)[] };
  decode(ids: readonly number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
}
/** A step of the normalizer, or several, one after the other. */
interface Normalizer {
  readonly config: { readonly type?: unknown; readonly precompiled_charsmap?: unknown };
  readonly normalizers?: readonly (Normalizer | null)[];
  normalize(text: string): string;
}
const { Tokenizer } = tokenizers as unknown as { Tokenizer: new (json: object, config: object) => Tokenizer };

/** Throws where a regular expression in a part of tokenizer.json could keep the matcher busy for ever. Files nest at most MAX_JSON_NESTING deep. */
function checkPatterns(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  for (const [key, inner] of Object.entries(part)) {
    const problem = key === "Regex" && typeof inner === "string" ? costlyPattern(inner) : undefined;
    if (problem !== undefined) throw tokenizerBroken(`its regular expression ${String(inner)} ${problem}, and could take for ever`);
    checkPatterns(inner);
  }
}

function makeTokenizer(json: Readonly<Record<string, unknown>>, config: Record<string, unknown>): Tokenizer {
  // Post-processor and decoder aren't used here, and a part the library doesn't know must not stop it.
  const tokenizer = orBroken(() => new Tokenizer({ added_tokens: [], normalizer: null, pre_tokenizer: null, ...json, post_processor: null, decoder: null }, config));
  readTables(tokenizer.normalizer);
  return tokenizer;
}

/** The library's decoder, made when it is first asked for. It tidies up blanks before punctuation only where tokenizer_config.json says so, as transformers does. */
function decoderOf(json: Readonly<Record<string, unknown>>, config: Record<string, unknown>): (ids: readonly number[]) => string {
  const make = once(() => orBroken(() => new Tokenizer({ added_tokens: [], ...json, normalizer: null, pre_tokenizer: null, post_processor: null }, config)));
  // The library refuses a text of no tokens.
  return (ids) => (ids.length === 0 ? "" : orBroken(() => make().decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: config["clean_up_tokenization_spaces"] === true })));
}

/** SentencePiece's tables of replacements are read as they are: the library has NFKC in their place. */
function readTables(normalizer: Normalizer | null): void {
  if (normalizer === null) return;
  for (const inner of normalizer.normalizers ?? []) readTables(inner);
  if (normalizer.config.type === "Precompiled") normalizer.normalize = precompiled(normalizer.config.precompiled_charsmap);
}

/** A text's ids without special tokens. A character that the vocabulary lacks and no unknown-token stands for is left out, as Hugging Face does. */
function plainIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = orBroken(() => tokenizer.encode(text, { add_special_tokens: false }).ids.filter((id) => id !== undefined));
  if (!ids.every(isTokenId)) throw tokenizerBroken("its vocabulary gives a token an id that is no whole number of at least 0");
  return ids;
}

/** What the library gives; its error, whatever it is, means that a part of the file isn't as it should be. */
function orBroken<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw tokenizerBroken(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Whether a normalizer of tokenizer.json, or one inside a sequence, makes letters small. */
function lowersCase(normalizer: unknown): boolean {
  const parts = field(normalizer, "normalizers");
  if (Array.isArray(parts)) return parts.some(lowersCase);
  return field(normalizer, "type") === "Lowercase" || field(normalizer, "lowercase") === true;
}

/** Whether a pre-tokenizer of tokenizer.json, or one inside a sequence, is of bytes, to which a space is part of the word behind it. */
function splitsBytes(preTokenizer: unknown): boolean {
  const parts = field(preTokenizer, "pretokenizers");
  if (Array.isArray(parts)) return parts.some(splitsBytes);
  return field(preTokenizer, "type") === "ByteLevel";
}

/** Hugging Face lowers letter by letter; JavaScript lowers whole strings and would write a word's last Σ as ς. */
function lowerSigma(text: string): string {
  return text.replaceAll("Σ", "σ");
}

/** How much of two texts fits into `room` tokens: the longer is cut until both are as long, then both are. */
function sharedLengths(a: number, b: number, room: number): readonly [number, number] {
  if (a + b <= room) return [a, b];
  const shorter = Math.min(a, b);
  const half = Math.floor(room / 2);
  // When both are cut and the room is odd, the longer one gets the token that is left.
  const [less, more] = shorter <= half ? [shorter, room - shorter] : [half, room - half];
  return a > b ? [more, less] : [less, more];
}

/** Whether long texts lose their beginning: tokenizer_config.json's truncation_side, else what tokenizer.json says, else no. */
function cutsFromLeft(json: Readonly<Record<string, unknown>>, config: Record<string, unknown>): boolean {
  const side = config["truncation_side"] ?? field(json["truncation"], "direction") ?? "right";
  return side === "left" || side === "Left";
}

function fill(template: Template, sequences: readonly (readonly number[])[]): Omit<TokenizedText, "whole"> {
  const ids: number[] = [];
  const typeIds: number[] = [];
  for (const { piece, typeId } of template) {
    const pieceIds = typeof piece === "number" ? (sequences[piece] ?? []) : piece.special;
    for (const id of pieceIds) {
      ids.push(id);
      typeIds.push(typeId);
    }
  }
  return { ids, typeIds };
}
