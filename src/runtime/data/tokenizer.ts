/** Text → token ids, as the model's own tokenizer.json makes them. */

import * as tokenizers from "@huggingface/tokenizers";
import { maxLengthTooShort, tokenizerBroken } from "../../errors/data.ts";
import { costlyPattern } from "./costly-pattern.ts";
import type { WordOfToken } from "./word-rows.ts";
import { isTokenId, readTemplates, specialCount, type Template } from "./token-template.ts";

/** The tokens of one text or pair, special tokens included: T ids, and T segment numbers (0 or 1). */
export interface TokenizedText {
  readonly ids: readonly number[];
  readonly typeIds: readonly number[];
}

/** Longest `model_max_length` that is a bound: the longest contexts of models are some ten million tokens. */
const LONGEST_STATED = 2 ** 31;

/** What turns text into token ids. */
export interface TextTokenizer {
  /** The id that fills up short rows. */
  readonly padId: number;
  /** Most tokens the model takes, special ones included, as tokenizer_config.json tells: Infinity where it says there is no bound. */
  readonly maxLength: number | undefined;
  /**
   * One text, or a pair, with special tokens, cut to at most `maxLength` tokens: special tokens stay, of a pair the longer text is cut first
   * (Hugging Face's `longest_first`). Throws where `maxLength` has no room for text.
   */
  encode(texts: readonly string[], maxLength: number): TokenizedText;
  /**
   * One text that comes as words, each tokenized by itself as Hugging Face does with `is_split_into_words`; cut and framed as a text is. GPT-2's and RoBERTa's
   * kind, which tell a word's beginning by the space before it, get one (`add_prefix_space`).
   */
  encodeWords(words: readonly string[], maxLength: number): TokenizedWords;
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
}

/**
 * Makes a tokenizer of parsed tokenizer files. @huggingface/tokenizers gives the tokens of a text; special tokens, segments and cutting are
 * done here, because that library cuts nothing, drops an empty or GPT-2 second text, and numbers RoBERTa's segments. Throws where the file
 * asks for parts that can't be made.
 */
export function loadTokenizer(files: TokenizerFiles): TextTokenizer {
  const json = files.tokenizerJson;
  if (!isObject(json) || !isObject(json["model"])) throw tokenizerBroken("it has no model");
  const config = isObject(files.tokenizerConfig) ? files.tokenizerConfig : {};
  for (const part of [json["normalizer"], json["pre_tokenizer"]]) checkPatterns(part);
  const tokenizer = makeTokenizer(json, config);
  const prepare = lowersCase(json["normalizer"]) ? lowerSigma : (text: string): string => text;
  const templates = readTemplates(json["post_processor"], (token) => tokenizer.token_to_id(token));
  const fromLeft = cutsFromLeft(json, config);
  const cut = (ids: number[], length: number): number[] => (ids.length <= length ? ids : fromLeft ? ids.slice(ids.length - length) : ids.slice(0, length));

  return {
    padId: findPadId(json, [config, files.specialTokensMap], tokenizer),
    maxLength: statedLength(config),
    encode(texts, maxLength) {
      const template: Template = texts.length > 1 ? templates.pair : templates.single;
      const room = maxLength - specialCount(template);
      if (room < 1) throw maxLengthTooShort(maxLength, specialCount(template));
      const sequences = texts.map((text) => plainIds(tokenizer, prepare(text)));
      const [first = [], second = []] = sequences;
      const lengths = sharedLengths(first.length, second.length, room);
      return fill(template, [cut(first, lengths[0]), cut(second, lengths[1])]);
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
      return { ...fill(templates.single, [own, []]), words: places.map((place) => (place < 0 ? wordOf[-1 - place] : undefined)) };
    },
  };
}

/** What is used of the library, written out: its own declarations refer to paths that its package does not have. */
interface Tokenizer {
  token_to_id(token: string): number | undefined;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: readonly (number | undefined)[] };
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

function makeTokenizer(json: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  // Post-processor and decoder aren't used here, and a part the library doesn't know must not stop it.
  return orBroken(() => new Tokenizer({ added_tokens: [], normalizer: null, pre_tokenizer: null, ...json, post_processor: null, decoder: null }, config));
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
function cutsFromLeft(json: Record<string, unknown>, config: Record<string, unknown>): boolean {
  const side = config["truncation_side"] ?? field(json["truncation"], "direction") ?? "right";
  return side === "left" || side === "Left";
}

function fill(template: Template, sequences: readonly (readonly number[])[]): TokenizedText {
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

/** From tokenizer.json's padding, else the pad_token that tokenizer_config.json or special_tokens_map.json names, else 0. */
function findPadId(json: Record<string, unknown>, configs: readonly unknown[], tokenizer: Tokenizer): number {
  const stated = field(json["padding"], "pad_id");
  if (isTokenId(stated)) return stated;
  for (const config of configs) {
    const token = field(config, "pad_token");
    const content = isObject(token) ? token["content"] : token;
    const id = typeof content === "string" ? tokenizer.token_to_id(content) : undefined;
    if (isTokenId(id)) return id;
  }
  return 0;
}

/** `model_max_length`; transformers writes 1e30 where there is no bound. Undefined where it isn't stated. */
export function statedLength(config: Readonly<Record<string, unknown>>): number | undefined {
  const stated = config["model_max_length"];
  if (typeof stated !== "number" || !(stated > 0)) return undefined;
  return stated <= LONGEST_STATED ? Math.floor(stated) : Infinity;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
