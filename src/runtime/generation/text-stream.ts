/** Text as it comes, token by token. */

/** What stands for bytes that are no character yet: the rest of it is in the next token. */
const UNFINISHED = "\uFFFD";

/** Takes tokens one by one and hands on the text that they add, whole characters alone. */
export function textStream(decode: (tokens: readonly number[]) => string | undefined, onText: ((piece: string) => void) | undefined): (token: number) => void {
  const tokens: number[] = [];
  let told = "";
  return (token) => {
    if (onText === undefined) return;
    tokens.push(token);
    const text = decode(tokens) ?? "";
    if (text.endsWith(UNFINISHED) || !text.startsWith(told) || text === told) return;
    onText(text.slice(told.length));
    told = text;
  };
}
