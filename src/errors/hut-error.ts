/** The one class of everything this package says no with. A file's words in a message go through `quote`. */

/** The facts of an error as fields, for `--json` and for programs. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * An error with a stable `code`, one sentence that says what is wrong, where, and what to do, and the facts as `details`.
 * `exitCode` is what the command line ends with: 2 when the command itself is wrong whatever the files hold, else 1.
 */
export class HutError extends Error {
  override readonly name = "HutError";
  readonly code: string;
  readonly details: ErrorDetails;
  readonly exitCode: 1 | 2 | 130;

  constructor(code: string, details: ErrorDetails, message: string, options: { cause?: unknown; exitCode?: 1 | 2 | 130 } = {}) {
    // What a message repeats of a file goes through `quote`; other libraries' words, which may repeat a file's too, don't.
    super(escaped(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = details;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Longest piece of a file's own text that a message repeats; names of real tensors stay under 200 characters. */
const MAX_QUOTED = 200;

/** A file's own words, made safe to print: control characters escaped, cut when long, in double quotes. */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return escaped(JSON.stringify(cut));
}

/** A file's own words within a sentence, without quotes: the name of an operator, a step of a way. Control characters escaped, cut when long. */
export function plain(text: string): string {
  return escaped(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** Text without what a terminal obeys, or what makes it show other text than there is: control characters, line ends and direction marks stand as escapes. */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (c) => (c === "\n" ? "\\n" : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** "a, b and c", at most `limit` of them, the rest as a count. */
export function list(items: readonly string[], limit = 8): string {
  if (items.length <= 1) return items[0] ?? "none";
  if (items.length > limit) return `${items.slice(0, limit).join(", ")} and ${String(items.length - limit)} more`;
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}
