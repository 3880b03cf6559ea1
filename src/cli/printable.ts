/** Text that is safe to print: a model's own names must not move a terminal's cursor or set its colors. */

/** `text` with control characters, line ends and direction marks as visible escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (c) => (c === "\n" ? "\\n" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}
