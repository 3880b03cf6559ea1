/** The inputs that data needn't name, made from those they do, as other runtimes make them. */

import type { Field } from "./field.ts";

/** Makes one record's values for an input: T of them, one a token; `mask` is 1 for tokens that count and 0 for padding. */
type Filler = (mask: readonly number[]) => readonly number[];

const FILLERS: ReadonlyMap<string, Filler> = new Map<string, Filler>([
  ["attention_mask", (mask) => mask],
  ["token_type_ids", (mask) => mask.map(() => 0)],
  ["position_ids", positions],
]);

/** Whether an input of this name can be made from a row of tokens. */
export function canFill(name: string): boolean {
  return FILLERS.has(name);
}

/** One record's values for an input that `canFill`, from its row of T token ids and its mask. */
export function fillInput(name: string, mask: readonly number[]): Field | undefined {
  const values = FILLERS.get(name)?.(mask);
  return values && { dims: [values.length], values };
}

/** Tokens that count are numbered from 0, whatever padding stands before them; padding gets 0, as in transformers' generate. */
function positions(mask: readonly number[]): number[] {
  let next = 0;
  return mask.map((counts) => (counts ? next++ : 0));
}
