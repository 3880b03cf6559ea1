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
  const words: TextWord[] = [];
  const spans = wordSpans(text);
  let [start, from] = [-1, 0];
  for (let at = spans.next(), next = spans.next(); at.done !== true && from < Math.min(most, ids.length); at = next, next = spans.next()) {
    if (start < 0) start = at.value.start;
    const { end } = at.value;
    const to = next.done === true ? ids.length : sharedAt(text, [...new Set([end, next.value.start])], ids, tokensOf, most);
    if (to === undefined || to < from) continue;
    words.push({ start, end, from, to });
    [start, from] = [-1, to];
  }
  return words;
}

/** Words and punctuation, one after the other. What stands between blanks is looked at by itself: each segment that the platform gives holds a copy of all it was given. */
function* wordSpans(text: string): Generator<{ readonly start: number; readonly end: number }, undefined> {
  const segmenter = new Intl.Segmenter("en", { granularity: "word" });
  for (const { 0: piece, index: begin } of text.matchAll(/\S+/g)) {
    for (const { segment, index } of segmenter.segment(piece)) yield { start: begin + index, end: begin + index + segment.length };
  }
}

/**
 * How many of a text's tokens are those of what stands before the first of these places at which a token ends; `most` where these alone would be more, of a text that was cut;
 * else undefined.
 */
function sharedAt(text: string, places: readonly number[], ids: readonly number[], tokensOf: (text: string) => readonly number[], most: number): number | undefined {
  for (const place of places) {
    const before = tokensOf(text.slice(0, place));
    if (before.length <= ids.length && before.every((id, t) => id === ids[t])) return before.length;
    // Or a long text would be gone through to its end, by a tokenizer that looks at the end first.
    if (most < ids.length && before.length > most) return most;
  }
  return undefined;
}
