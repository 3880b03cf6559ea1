/** A conversation → the text that a model reads, by its tokenizer's chat_template. */
import { Template } from "@huggingface/jinja";
import { chatTemplateBroken } from "../../errors/data.ts";
import { field } from "./tokenizer-settings.ts";

/** One turn: `role` and `content`, and whatever else the template reads. */
export type Message = Readonly<Record<string, unknown>>;

/** A conversation as text. */
export interface RenderedChat {
  readonly text: string;
  /** Where the template's {% generation %} marks what the assistant said: from a character to before another. Undefined where it marks nothing. */
  readonly spans: readonly (readonly [start: number, end: number])[] | undefined;
}

/** Writes conversations. Throws what the template throws. */
export type ChatTemplate = (messages: readonly Message[], options?: { readonly addGenerationPrompt?: boolean; readonly tools?: unknown }) => RenderedChat;

/** Longest template: the longest of models have some 20,000 characters. */
const MAX_TEMPLATE = 1_000_000;

/** Most numbers that a template's range() gives, for a template may be a stranger's; they count turns with it. */
const MAX_RANGE = 100_000;

/**
 * transformers' own tag, which jinja leaves out. White space around it goes as around any block: spaces before it in its line, and one line end behind it
 * (lstrip_blocks, trim_blocks).
 */
const MARK = /(^[ \t]*)?\{%(-?)\s*(end)?generation\s*(-?)%\}\n?/gm;
const BEGIN = "hut_generation_begins";
const END = "hut_generation_ends";
/** jinja's own names can't be given anew, and can be set. */
const RANGE = "hut_range";

/** The template's text in tokenizer_config.json: one, or the one named "default" of several; undefined where there is none. */
export function templateIn(config: unknown): string | undefined {
  const stated = field(config, "chat_template");
  const chosen: unknown = Array.isArray(stated) ? field(stated.find((entry) => field(entry, "name") === "default"), "template") : stated;
  return typeof chosen === "string" ? chosen : undefined;
}

/** Compiles a template; `tokens` are the special tokens that it writes, as bos_token. Throws CHAT_TEMPLATE_BROKEN. */
export function chatTemplate(source: string, tokens: Readonly<Record<string, string>>): ChatTemplate {
  if (source.length > MAX_TEMPLATE) throw chatTemplateBroken(`it has more than ${String(MAX_TEMPLATE)} characters`);
  const isMarked = source.search(MARK) >= 0;
  const marked = source.replace(MARK, (_all, _line: string | undefined, before: string, end: string | undefined, after: string) => `{{${before} ${end === undefined ? BEGIN : END} ${after}}}`);
  let template: Template;
  try {
    // A block takes the line end behind it away; one that the template begins with must stay.
    template = new Template(`{% set range = ${RANGE} %}${marked.startsWith("\n") ? "\n" : ""}${marked}`);
  } catch (cause) {
    throw chatTemplateBroken(cause instanceof Error ? cause.message : String(cause), cause);
  }
  return (messages, { addGenerationPrompt = false, tools = null } = {}) => {
    const [begin, end] = marksNotIn(JSON.stringify(messages) + JSON.stringify(tools));
    const text = template.render({ messages, tools, documents: null, add_generation_prompt: addGenerationPrompt, [RANGE]: range, ...tokens, [BEGIN]: begin, [END]: end });
    return isMarked ? unmarked(text, begin, end) : { text, spans: undefined };
  };
}

/** Jinja's range(stop) and range(start, stop, step). Throws where there would be too many numbers. */
function range(first: unknown, second?: unknown, third?: unknown): number[] {
  const [start, stop, step] = typeof second === "number" ? [Number(first), second, typeof third === "number" ? third : 1] : [0, Number(first), 1];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new RangeError(`range() of more than ${String(MAX_RANGE)} numbers`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** Two characters of private use that don't stand in a text. */
function marksNotIn(text: string): readonly [string, string] {
  const free = Array.from({ length: 0x1000 }, (_, i) => String.fromCharCode(0xe000 + i)).filter((mark) => !text.includes(mark));
  return [free[0] ?? "\ue000", free[1] ?? "\ue001"];
}

function unmarked(text: string, begin: string, end: string): RenderedChat {
  const spans: [number, number][] = [];
  let made = "";
  let start = 0;
  for (const piece of text.split(new RegExp(`([${begin}${end}])`))) {
    if (piece === begin) start = made.length;
    else if (piece === end) spans.push([start, made.length]);
    else made += piece;
  }
  return { text: made, spans };
}
