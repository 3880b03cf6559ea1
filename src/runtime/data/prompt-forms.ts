/** Records of text to generate: a prompt and what should follow, an instruction, a conversation. */
import { chatNotStepwise, chatRefused, chatTemplateMissing, messagesWrong, type RecordPlace } from "../../errors/data.ts";
import { HutError } from "../../errors/hut-error.ts";
import type { ChatTemplate, Message, RenderedChat } from "./chat-template.ts";
import { own, type DataRecord } from "./records.ts";
import { textAt, type ReadText } from "./read-text.ts";
import type { FormOptions, TextForm } from "./task-data.ts";
import type { TextTokenizer } from "./tokenizer.ts";

type Fields = DataRecord["fields"];
type Read = (fields: Fields, place: RecordPlace) => ReadText;

/** What is to be continued. */
export interface Asked {
  /** T token ids, those that begin a text included, without what ends one. */
  readonly ids: readonly number[];
  /** The prompt as text. */
  readonly prompt: string;
  /** What the record has to follow it, where it tells. */
  readonly reference: string | undefined;
}

/** A way to write a record that also tells what to begin with. */
export interface PromptForm extends TextForm {
  /** How a record's prompt is read. The answer's column may be missing. */
  ask(columns: readonly string[], tokenizer: TextTokenizer): (fields: Fields, place: RecordPlace) => Asked;
  /** The columns of the prompt alone, where the file has these and no answers. */
  readonly alone: string;
}

/** In the order in which they are looked for. */
export const PROMPT_FORMS: readonly PromptForm[] = [
  { words: "messages", columnsOf: ({ columns, texts, records }) => (texts === undefined ? all(columns, ["messages"]) : texts.length === 1 && isConversation(own(records[0]?.fields ?? {}, texts[0] ?? "")) ? texts : undefined), open: conversations, alone: "messages", ask: askConversation },
  { words: "prompt + completion", columnsOf: ({ columns, texts }) => (texts === undefined ? all(columns, ["prompt", "completion"]) : texts.length === 2 ? texts : undefined), open: completions, alone: "prompt", ask: askCompletion },
  { words: "instruction + output", columnsOf: ({ columns, texts }) => (texts === undefined ? all(columns, ["instruction", "output"]) : undefined), open: instructions, alone: "instruction", ask: askInstruction },
];

function all(columns: readonly string[], wanted: readonly string[]): readonly string[] | undefined {
  return wanted.every((name) => columns.includes(name)) ? wanted : undefined;
}

/** `prompt` and `completion`, as text or as turns of a conversation. As in TRL, a text ends with the token that ends texts. */
function completions([prompt = "prompt", completion = "completion"]: readonly string[], tokenizer: TextTokenizer, options: FormOptions): Read {
  return (fields, place) => {
    if (!isConversation(own(fields, prompt)) && !isConversation(own(fields, completion))) return written(textAt(fields, prompt, place), textAt(fields, completion, place), tokenizer, options);
    const chat = chatOf(tokenizer, prompt);
    const asked = messagesAt(fields, prompt, place);
    const whole = rendered(chat, [...asked, ...messagesAt(fields, completion, place)], place, {});
    return told(whole.text, tokenizer, options, () => [[prefixOf(whole.text, rendered(chat, asked, place, { addGenerationPrompt: true }).text, place), whole.text.length]]);
  };
}

/** Alpaca's `instruction`, `input` (where there is one) and `output`, in the words that Alpaca was trained with. */
function instructions(_columns: readonly string[], tokenizer: TextTokenizer, options: FormOptions): Read {
  return (fields, place) => written(instructionText(fields, place), textAt(fields, "output", place), tokenizer, options);
}

function instructionText(fields: Fields, place: RecordPlace): string {
  const instruction = textAt(fields, "instruction", place);
  const input = own(fields, "input");
  const more = typeof input === "string" && input !== "" ? input : undefined;
  const task = `Below is an instruction that describes a task${more === undefined ? "" : ", paired with an input that provides further context"}. Write a response that appropriately completes the request.`;
  return `${task}\n\n### Instruction:\n${instruction}\n\n${more === undefined ? "" : `### Input:\n${more}\n\n`}### Response:\n`;
}

function askInstruction(_columns: readonly string[], tokenizer: TextTokenizer): ReturnType<PromptForm["ask"]> {
  return (fields, place) => askedText(instructionText(fields, place), answerAt(fields, "output", place), tokenizer);
}

function askCompletion([prompt = "prompt", completion = "completion"]: readonly string[], tokenizer: TextTokenizer): ReturnType<PromptForm["ask"]> {
  return (fields, place) => {
    if (!isConversation(own(fields, prompt))) return askedText(textAt(fields, prompt, place), answerAt(fields, completion, place), tokenizer);
    const answer = isConversation(own(fields, completion)) ? contentOf(messagesAt(fields, completion, place).at(-1)) : undefined;
    return askedTurns(messagesAt(fields, prompt, place), answer, {}, chatOf(tokenizer, prompt), tokenizer, place);
  };
}

/** The turns before the assistant's last, which is the answer where it stands at the end. */
function askConversation([column = "messages"]: readonly string[], tokenizer: TextTokenizer): ReturnType<PromptForm["ask"]> {
  const chat = chatOf(tokenizer, column);
  return (fields, place) => {
    const messages = messagesAt(fields, column, place);
    const last = messages.at(-1);
    const isAnswered = last?.role === "assistant";
    return askedTurns(isAnswered ? messages.slice(0, -1) : messages, isAnswered ? contentOf(last) : undefined, { tools: own(fields, "tools") }, chat, tokenizer, place);
  };
}

/** A prompt as the model is to go on from it: what a tokenizer puts behind whole texts is left out. */
export function askedText(prompt: string, reference: string | undefined, tokenizer: TextTokenizer): Asked {
  const { ids } = tokenizer.encode([prompt], Infinity);
  const own = tokenizer.plain?.(prompt).at(-1);
  const isFramed = tokenizer.eos !== undefined && ids.at(-1) === tokenizer.eos.id && own !== tokenizer.eos.id;
  return { ids: isFramed ? ids.slice(0, -1) : ids, prompt, reference };
}

function askedTurns(messages: readonly Message[], reference: string | undefined, more: { readonly tools?: unknown }, chat: ChatTemplate, tokenizer: TextTokenizer, place: RecordPlace): Asked {
  const prompt = rendered(chat, messages, place, { addGenerationPrompt: true, ...more }).text;
  return { ids: tokenizer.plain?.(prompt) ?? [], prompt, reference };
}

function answerAt(fields: Fields, column: string, place: RecordPlace): string | undefined {
  return own(fields, column) === undefined ? undefined : textAt(fields, column, place);
}

function contentOf(message: Message | undefined): string | undefined {
  const content = message === undefined ? undefined : own(message, "content");
  return typeof content === "string" ? content : undefined;
}

function written(prompt: string, completion: string, tokenizer: TextTokenizer, { maxLength, maskPrompt }: FormOptions): ReadText {
  const { eos } = tokenizer;
  const made = tokenizer.encode([prompt + completion], Infinity);
  const isEnded = eos === undefined || made.ids.at(-1) === eos.id;
  const whole = isEnded ? made : tokenizer.encode([prompt + completion + eos.content], Infinity);
  const start = maskPrompt ? shared(tokenizer.encode([prompt], Infinity).ids, whole.ids) : 0;
  return {
    ids: whole.ids.slice(0, maxLength), typeIds: whole.typeIds.slice(0, maxLength), whole: whole.ids.length, texts: [prompt, completion],
    ...(maskPrompt ? { learnt: whole.ids.slice(0, maxLength).map((_, t) => (t < start ? 0 : 1)) } : {}),
  };
}

/** `messages`: what the assistant says is what {% generation %} in the template marks, else what follows the prompt that asks for it. */
function conversations([column = "messages"]: readonly string[], tokenizer: TextTokenizer, options: FormOptions): Read {
  const chat = chatOf(tokenizer, column);
  return (fields, place) => {
    const messages = messagesAt(fields, column, place);
    const tools = own(fields, "tools");
    const whole = rendered(chat, messages, place, { tools });
    return told(whole.text, tokenizer, options, () => whole.spans ?? messages.flatMap(({ role }, i) => {
      if (role !== "assistant") return [];
      const start = rendered(chat, messages.slice(0, i), place, { addGenerationPrompt: true, tools }).text;
      return [[prefixOf(whole.text, start, place), prefixOf(whole.text, rendered(chat, messages.slice(0, i + 1), place, { tools }).text, place)] as const];
    }));
  };
}

type Spans = readonly (readonly [start: number, end: number])[];

/** A conversation's tokens. The template has written all special tokens, so that there is no frame. */
function told(text: string, tokenizer: TextTokenizer, { maxLength, maskPrompt }: FormOptions, spansOf: () => Spans): ReadText {
  const plain = (part: string): readonly number[] => tokenizer.plain?.(part) ?? [];
  const whole = plain(text);
  const ids = whole.slice(0, maxLength);
  const made = { ids, typeIds: ids.map(() => 0), whole: whole.length, texts: [text] };
  if (!maskPrompt) return made;
  const learnt = ids.map(() => 0);
  for (const [start, end] of spansOf()) {
    if (end <= start) continue;
    const before = plain(text.slice(0, end));
    const sharedToEnd = shared(before, whole);
    // A token that the end falls into belongs to what was said before it.
    learnt.fill(1, shared(plain(text.slice(0, start)), whole), sharedToEnd + (sharedToEnd < before.length ? 1 : 0));
  }
  return { ...made, learnt };
}

/** How many ids two rows begin with alike: a token that a prompt's end falls into isn't among them. */
function shared(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((id, t) => id !== b[t]);
  return differs < 0 ? a.length : differs;
}

/** The length of a beginning of a text. Throws CHAT_NOT_STEPWISE where it is none. */
function prefixOf(text: string, beginning: string, place: RecordPlace): number {
  if (!text.startsWith(beginning)) throw chatNotStepwise(place);
  return beginning.length;
}

function chatOf({ chat }: TextTokenizer, column: string): ChatTemplate {
  if (chat === undefined) throw chatTemplateMissing(column);
  return chat();
}

function rendered(chat: ChatTemplate, messages: readonly Message[], place: RecordPlace, options: Parameters<ChatTemplate>[1]): RenderedChat {
  try {
    return chat(messages, options);
  } catch (cause) {
    if (cause instanceof HutError) throw cause;
    throw chatRefused(place, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function isConversation(value: unknown): boolean {
  return Array.isArray(value);
}

function messagesAt(fields: Fields, column: string, place: RecordPlace): readonly Message[] {
  const value = own(fields, column);
  if (!Array.isArray(value)) throw messagesWrong(place, column, "it is no list");
  if (value.length === 0) throw messagesWrong(place, column, "it is empty");
  return value.map((message: unknown, i) => {
    if (typeof message !== "object" || message === null || !("role" in message) || typeof message.role !== "string") throw messagesWrong(place, column, `its turn ${String(i + 1)} has no role`);
    if (!("content" in message)) throw messagesWrong(place, column, `its turn ${String(i + 1)} has no content`);
    return message;
  });
}
