/** The words of a text, in its own spelling, and the tokens that each is made of. */

/** A word: where it stands in the text, and its tokens among those that the text has by itself, `to` not included. */
export interface TextWord {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Words by Unicode's rules (UAX #29), punctuation by itself, blanks left out. A tokenizer tells no offsets, so it is asked for the tokens of what stands before a word's end:
 * where they are the first of the whole text's, the word ends between two tokens. So it does where that holds with the blanks behind the word. Else a token reaches
 * beyond, and the word goes on with the next. Goes on until `most` of the text's tokens are shared out.
 */
export function textWords(text: string, tokensOf: (text: string) => readonly number[], most = Infinity): TextWord[] {
  const ids = tokensOf(text);
  const segments = [...new Intl.Segmenter("en", { granularity: "word" }).segment(text)].filter(({ segment }) => segment.trim() !== "");
  const words: TextWord[] = [];
  let [start, from] = [segments[0]?.index ?? 0, 0];
  for (const [i, { segment, index }] of segments.entries()) {
    if (from >= Math.min(most, ids.length)) break;
    const end = index + segment.length;
    const next = segments[i + 1];
    const to = next === undefined ? ids.length : sharedAt(text, [...new Set([end, next.index])], ids, tokensOf);
    if (to === undefined || to < from) continue;
    words.push({ start, end, from, to });
    [start, from] = [next?.index ?? end, to];
  }
  return words;
}

/** How many of a text's tokens are those of what stands before the first of these places at which a token ends; undefined where none does. */
function sharedAt(text: string, places: readonly number[], ids: readonly number[], tokensOf: (text: string) => readonly number[]): number | undefined {
  for (const place of places) {
    const before = tokensOf(text.slice(0, place));
    if (before.length <= ids.length && before.every((id, t) => id === ids[t])) return before.length;
  }
  return undefined;
}
