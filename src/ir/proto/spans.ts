/** Where decoded messages stand in the files that they were read from, so that one which nobody changed can be written as it stands. */
import type { ByteRange } from "../source.ts";

/** The bytes of a message together with its tag and length, and the tag: another field's may be another. */
export interface MessageSpan {
  readonly bytes: ByteRange;
  readonly tag: number;
}

// Messages are plain objects whose fields are the schema's; a copy of one with other fields (`{ ...message, name }`) must not be taken for it.
const spans = new WeakMap<object, MessageSpan>();

export function noteSpan(message: object, span: MessageSpan): void {
  spans.set(message, span);
}

/** Undefined for a message that was made, or changed. */
export function spanOf(message: object): MessageSpan | undefined {
  return spans.get(message);
}
