/**
 * What stands beside tokenizer.json and changes what it does: special tokens, padding, tokens added later. Frames are tokenizer.json's own: transformers 5 leaves
 * `add_bos_token` and `add_eos_token` alone where that file is there (fixtures/tokenizer/kinds/make_settings.py).
 */
import { isTokenId } from "./token-template.ts";

type Json = Readonly<Record<string, unknown>>;

/** Longest `model_max_length` that is a bound: the longest contexts of models are some ten million tokens. */
const LONGEST_STATED = 2 ** 31;

/** `model_max_length`; transformers writes 1e30 where there is no bound. Undefined where it isn't stated. */
export function statedLength(config: Json): number | undefined {
  const stated = config["model_max_length"];
  if (typeof stated !== "number" || !(stated > 0)) return undefined;
  return stated <= LONGEST_STATED ? Math.floor(stated) : Infinity;
}

/** A token with a part to play. */
export interface SpecialToken {
  readonly content: string;
  readonly id: number;
}

/** Finds special tokens: by the name that tokenizer_config.json or special_tokens_map.json gives, else by the id in the model's config.json. */
export class SpecialTokens {
  readonly #settings: readonly unknown[];
  readonly #modelConfig: unknown;
  readonly #idOf: (token: string) => number | undefined;
  readonly #tokenOf: (id: number) => string | undefined;

  constructor(settings: readonly unknown[], modelConfig: unknown, idOf: (token: string) => number | undefined, tokenOf: (id: number) => string | undefined) {
    this.#settings = settings;
    this.#modelConfig = modelConfig;
    this.#idOf = idOf;
    this.#tokenOf = tokenOf;
  }

  /** `part`: "bos", "eos", "pad", "unk" …; undefined where no file tells it, or the vocabulary lacks it. */
  find(part: string): SpecialToken | undefined {
    for (const settings of this.#settings) {
      const stated = field(settings, `${part}_token`);
      const content = isObject(stated) ? stated["content"] : stated;
      const id = typeof content === "string" ? this.#idOf(content) : undefined;
      if (typeof content === "string" && isTokenId(id)) return { content, id };
    }
    const ids = field(this.#modelConfig, `${part}_token_id`);
    const id: unknown = Array.isArray(ids) ? ids[0] : ids;
    const content = isTokenId(id) ? this.#tokenOf(id) : undefined;
    return isTokenId(id) && content !== undefined ? { content, id } : undefined;
  }
}

/** The id that fills up rows: as tokenizer.json says, else the pad token, else, as decoders often have none, the one that ends texts, else 0. */
export function padding(json: Json, tokens: SpecialTokens): { readonly id: number; readonly isEos: boolean } {
  const stated = field(json["padding"], "pad_id");
  const own = isTokenId(stated) ? stated : tokens.find("pad")?.id;
  const id = own ?? tokens.find("eos")?.id;
  return { id: id ?? 0, isEos: own === undefined && id !== undefined };
}

/** The tokenizer with the tokens that `added_tokens_decoder` of tokenizer_config.json has and it lacks. */
export function withAddedTokens(json: Json, config: Json): Json {
  const listed = config["added_tokens_decoder"];
  if (!isObject(listed)) return json;
  const known = Array.isArray(json["added_tokens"]) ? json["added_tokens"] as readonly unknown[] : [];
  const contents = new Set(known.map((token) => field(token, "content")));
  const vocab = field(json["model"], "vocab");
  const others = Object.entries(listed).flatMap(([id, token]) => {
    if (!isObject(token) || typeof token["content"] !== "string" || contents.has(token["content"]) || !isTokenId(Number(id))) return [];
    // A token of the vocabulary has an id already.
    const own = isObject(vocab) && Object.hasOwn(vocab, token["content"]) ? vocab[token["content"]] : Number(id);
    return [{ single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...token, id: own }];
  });
  return others.length === 0 ? json : { ...json, added_tokens: [...known, ...others] };
}

/** The largest id that the vocabulary or an added token has, and one. */
export function vocabularyOf(json: Json): number {
  const vocab = field(json["model"], "vocab");
  let largest = Array.isArray(vocab) ? vocab.length - 1 : -1;
  if (isObject(vocab)) for (const id of Object.values(vocab)) if (isTokenId(id) && id > largest) largest = id;
  const added = json["added_tokens"];
  if (Array.isArray(added)) for (const token of added) { const id = field(token, "id"); if (isTokenId(id) && id > largest) largest = id; }
  return largest + 1;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of what may be an object. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
