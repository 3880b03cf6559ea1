/** A data file → the prompts to be continued. */
import { promptColumnMissing } from "../../errors/generation.ts";
import { tokenizerMissing } from "../../errors/data.ts";
import { readField } from "../data/field.ts";
import { own, type DataFile } from "../data/records.ts";
import { askedText, PROMPT_FORMS, type Asked, type PromptForm } from "../data/prompt-forms.ts";
import { textAt } from "../data/read-text.ts";
import type { TextTokenizer } from "../data/tokenizer.ts";
import { DataType } from "../../ir/data-type.ts";

/** A prompt, and every answer that the file has for it. */
export interface Prompt {
  readonly ids: readonly number[];
  /** Undefined where the file has token ids. */
  readonly text: string | undefined;
  readonly references: readonly string[];
  /** The line where it stands first. */
  readonly line: number;
}

/** Columns that hold a text to be continued, where no form of prompts is there. */
const TEXTS = ["text", "sentence"];
const IDS = "input_ids";

/**
 * The prompts of a file, each once, in the order in which they come first: a file of answers may have several for one prompt. Throws where there is no column for them, or no tokenizer.
 */
export function promptsOf(data: DataFile, tokenizer: TextTokenizer | undefined): Prompt[] {
  const ask = reader(data, tokenizer);
  const prompts = new Map<string, { ids: readonly number[]; text: string | undefined; references: string[]; line: number }>();
  for (const { fields, line } of data.records) {
    const { ids, prompt, reference } = ask(fields, { file: data.file, line });
    const key = ids.join();
    const known = prompts.get(key) ?? { ids, text: prompt, references: [], line };
    prompts.set(key, known);
    if (reference !== undefined) known.references.push(reference);
  }
  return [...prompts.values()];
}

type Read = (...words: Parameters<ReturnType<PromptForm["ask"]>>) => Pick<Asked, "ids" | "reference"> & { readonly prompt: string | undefined };

function reader(data: DataFile, tokenizer: TextTokenizer | undefined): Read {
  const form = PROMPT_FORMS.find((each) => each.columnsOf(data) !== undefined || (data.texts === undefined && data.columns.includes(each.alone)));
  const text = data.texts?.[0] ?? TEXTS.find((name) => data.columns.includes(name));
  if (form === undefined && text === undefined) {
    if (!data.columns.includes(IDS)) throw promptColumnMissing(data.file, data.columns, [...PROMPT_FORMS.map(({ alone }) => alone), ...TEXTS, IDS]);
    return (fields, place) => ({ ids: readField(own(fields, IDS), { name: IDS, dtype: DataType.INT64, shape: [undefined, undefined] }, place).values, prompt: undefined, reference: undefined });
  }
  if (tokenizer === undefined) throw tokenizerMissing(data.file, form?.alone ?? text ?? "");
  if (form !== undefined) return form.ask(form.columnsOf(data) ?? [form.alone], tokenizer);
  return (fields, place) => askedText(textAt(fields, text ?? "", place), undefined, tokenizer);
}
