/** tokenizer_config.json and special_tokens_map.json for a tokenizer.json that came without them, or with less than batches need. */
import type { Graph } from "../../ir/graph.ts";
import { statedLength } from "../data/tokenizer-settings.ts";
import type { TokenizerFiles } from "../data/tokenizer.ts";
import { longestText } from "../examples-of.ts";
import type { Task } from "../tasks/task.ts";
import { isObject, type Json } from "./config-json.ts";

/** A special token's names: in the configuration, and as tokenizers spell it where only the vocabulary tells. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = { pad_token: ["[PAD]", "<pad>"], mask_token: ["[MASK]", "<mask>"] };

/** tokenizer_config.json and, where the base has neither, special_tokens_map.json: their values by name. None where there is no tokenizer.json. */
export function tokenizerSettings(files: TokenizerFiles | undefined, graph: Graph, task: Task | undefined): ReadonlyMap<string, unknown> {
  if (files === undefined) return new Map();
  const { tokenizerJson: tokenizer, tokenizerConfig: given, specialTokensMap: special } = files;
  const base = isObject(given) ? given : undefined;
  const stated = base === undefined ? undefined : statedLength(base);
  // predict cuts what a classifier is given, so its pipeline has to; a prompt is nothing to be cut by guess.
  const longest = longestText(graph, stated ?? (task?.answer === undefined && task?.answerWords === undefined ? Infinity : undefined));
  const config = tokenizerConfig(base, { tokenizer, special, longest, inputs: graph.inputs.map((v) => v.name) });
  const isBare = base === undefined && special === undefined;
  return new Map<string, unknown>([["tokenizer_config.json", config], ...(isBare ? [["special_tokens_map.json", specialTokens(tokenizer)] as const] : [])]);
}

/** What tokenizer.json tells of special tokens, by the configuration's keys. */
export function specialTokens(tokenizer: unknown): Record<string, string> {
  const added = list(field(tokenizer, "added_tokens")).map((token) => field(token, "content"));
  const spelled = Object.entries(SPELLINGS).map(([key, spellings]): [string, unknown] => [key, spellings.find((s) => added.includes(s))]);
  const [first, last] = aroundText(field(tokenizer, "post_processor"));
  const padding = field(field(tokenizer, "padding"), "pad_token");
  const told: [string, unknown][] = [
    ["unk_token", field(field(tokenizer, "model"), "unk_token")], ["cls_token", first], ["sep_token", last],
    ...spelled, ...(padding === undefined ? [] : [["pad_token", padding] as [string, unknown]]),
  ];
  return Object.fromEntries(told.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/**
 * The configuration with what is missing: a class, special tokens (short rows can't be filled up without one), and the length that texts are cut to,
 * without which a text longer than the model stops it. What the base says stays.
 */
export function tokenizerConfig(base: Json | undefined, { tokenizer, special, longest, inputs }: {
  /** tokenizer.json's value, and that of special_tokens_map.json. */
  readonly tokenizer: unknown; readonly special: unknown;
  /** Most tokens of a text; Infinity where nothing tells. */
  readonly longest: number;
  /** The graph's inputs. */
  readonly inputs: readonly string[];
}): Record<string, unknown> {
  const mapped = Object.fromEntries(Object.entries(isObject(special) ? special : {}).flatMap(([key, token]) => {
    const content = typeof token === "string" ? token : field(token, "content");
    return key.endsWith("_token") && typeof content === "string" ? [[key, content]] : [];
  }));
  const tokens = { ...specialTokens(tokenizer), ...mapped };
  const fallback = base === undefined ? { tokenizer_class: "PreTrainedTokenizerFast", model_input_names: inputs, ...tokens } : padOnly(tokens);
  const isSaid = !Number.isFinite(longest) || (base !== undefined && (statedLength(base) ?? Infinity) <= longest);
  const said = withoutNulls(base ?? {});
  return {
    ...said, ...Object.fromEntries(Object.entries(fallback).filter(([key]) => !(key in said))), ...(isSaid ? {} : { model_max_length: longest }),
  };
}

/** The token that rows are filled up with. */
function padOnly({ pad_token: pad }: Readonly<Record<string, string>>): Json {
  return pad === undefined ? {} : { pad_token: pad };
}

/** A null where a token belongs says nothing; every other one stays. */
function withoutNulls(config: Json): Json {
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => value !== null || !key.endsWith("_token")));
}

/** The special tokens before and behind a single text, from the two forms that post-processors have. */
function aroundText(processor: unknown): [first: unknown, last: unknown] {
  const nested = list(field(processor, "processors"));
  if (nested.length > 0) return nested.map(aroundText).find(([first]) => first !== undefined) ?? [undefined, undefined];
  const single = list(field(processor, "single"));
  const special = (piece: unknown): unknown => field(field(piece, "SpecialToken"), "id");
  return single.length > 1 ? [special(single[0]), special(single.at(-1))] : [list(field(processor, "cls"))[0], list(field(processor, "sep"))[0]];
}

function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
