import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { textWords } from "../../../src/runtime/data/text-words.ts";
import { loadTokenizer, type TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";

const unpacked = (name: string): string => gunzipSync(readFileSync(`fixtures/tokenizer/kinds/${name}.gz`)).toString("utf8");
const lines = unpacked("lines.txt").split("\n");
type Span = readonly [start: number, end: number];
/** Where Python's tokenizers say that each token stands (fixtures/attributions/make_attributions.py). */
const expected = JSON.parse(readFileSync("fixtures/attributions/offsets.json", "utf8")) as { readonly lines: readonly number[] } & Record<string, readonly (readonly Span[])[]>;

const tokenizerOf = (kind: string): TextTokenizer => loadTokenizer({ tokenizerJson: JSON.parse(unpacked(`${kind}.json`)) as unknown });
const plainOf = ({ plain }: TextTokenizer): ((text: string) => readonly number[]) => plain ?? assert.fail("a tokenizer of texts");

describe("the words of texts", () => {
  for (const kind of ["bert", "gpt2", "roberta", "llama", "unigram"]) {
    it(`have the tokens that Python's offsets lay in them: ${kind}`, () => {
      const plain = plainOf(tokenizerOf(kind));
      let merged = 0;
      for (const [i, number] of expected.lines.entries()) {
        const text = lines[number] ?? "";
        const spans = expected[kind]?.[i] ?? [];
        const words = textWords(text, plain);
        const where = `line ${String(number)}: ${JSON.stringify(text)}`;
        if (words.length === 0) {
          assert.equal(spans.length, 0, where);
          continue;
        }
        assert.equal(plain(text).length, spans.length, where);
        assert.deepEqual([words[0]?.from, words.at(-1)?.to], [0, spans.length], where);
        for (const [w, { start, end, from, to }] of words.entries()) {
          assert.ok(start < end && !/^[ \t]|[ \t]$/.test(text.slice(start, end)), where);
          if (w > 0) assert.equal(from, words[w - 1]?.to, where);
          const blanks = [...text.slice(start, end).matchAll(/[ \t]+/g)].map(({ index, 0: { length } }): Span => [start + index, start + index + length]);
          merged += blanks.filter(([a, b]) => !spans.some(([c, d]) => c < a && d > b)).length;
          const [before, behind] = [words[w - 1]?.end ?? 0, words[w + 1]?.start ?? text.length];
          // Blanks before a word may be its own, and those behind it; a token may be of nothing that stands in the text.
          for (const [a, b] of spans.slice(from, to)) assert.ok(a === b || (a >= before && b <= behind), `${where}: [${String(a)}, ${String(b)}] in ${JSON.stringify(text.slice(start, end))}`);
        }
      }
      // That of llama has tokens of several words. Of odd lines, where a normalizer changes blanks, words may hold one without need.
      assert.ok(merged <= 2, `${String(merged)} words hold blanks that no token holds`);
    });
  }

  it("are Unicode's, punctuation by itself, as they are spelled", () => {
    const plain = plainOf(tokenizerOf("bert"));
    const wordsIn = (text: string): string[] => textWords(text, plain).map(({ start, end }) => text.slice(start, end));
    assert.deepEqual(wordsIn("  Don't miss\tthe Naïve, 3.14-star film!?\n"), ["Don't", "miss", "the", "Naïve", ",", "3.14", "-", "star", "film", "!", "?"]);
    assert.deepEqual(wordsIn(""), []);
    assert.deepEqual(wordsIn(" \n "), []);
  });

  it("go on where a token does", () => {
    // Tokens of two letters each, wherever they stand.
    const pairs = (text: string): number[] => (text.match(/[^]{1,2}/g) ?? []).map((pair) => Number(`${String(pair.charCodeAt(0))}${String(pair.charCodeAt(1) || 0)}`));
    const text = "abcd ef,g h ijk";
    assert.deepEqual(textWords(text, pairs).map(({ start, end, from, to }) => [text.slice(start, end), from, to]), [["abcd", 0, 2], ["ef,", 2, 4], ["g", 4, 5], ["h", 5, 6], ["ijk", 6, 8]]);
  });

  it("of a long text are looked for as far as it was kept, whatever the tokenizer does", () => {
    const asked: number[] = [];
    // Tokens that begin with how many there are: no beginning of a text has those of the whole.
    const words = textWords("word ".repeat(20_000), (text) => { asked.push(text.length); return [text.length, ...text.trim().split(" ").map((_, i) => i)]; }, 8);
    assert.deepEqual(words, [{ start: 0, end: 39, from: 0, to: 8 }]);
    assert.ok(asked.length < 20, String(asked.length));
  });

  it("end where the row was cut", () => {
    const plain = plainOf(tokenizerOf("bert"));
    const text = "a stirring , funny and finally transporting film";
    assert.deepEqual(textWords(text, plain, 4).map(({ start, end }) => text.slice(start, end)), ["a", "stirring", ",", "funny"]);
  });
});

describe("a tokenizer's places", () => {
  const tokenizer = loadTokenizer({ tokenizerJson: JSON.parse(readFileSync("fixtures/demo/tokenizer.json", "utf8")) as unknown });
  const left = loadTokenizer({ tokenizerJson: JSON.parse(readFileSync("fixtures/demo/tokenizer.json", "utf8")) as unknown, tokenizerConfig: { truncation_side: "left" } });
  for (const [name, own, lengths] of [["whole", tokenizer, [99]], ["cut", tokenizer, [7, 8, 9]], ["cut at the beginning", left, [7, 8, 9]]] as const) {
    it(`tell which of a text's tokens stands where, ${name}`, () => {
      for (const length of lengths) {
        for (const texts of [["a charming film , often funny"], ["a charming film , often funny", "no , it is not"]]) {
          const { ids } = own.encode(texts, length);
          const places = own.places?.(texts, length) ?? [];
          assert.equal(places.length, ids.length);
          for (const [t, place] of places.entries()) {
            if (place === undefined) assert.ok([2, 3].includes(ids[t] ?? -1), "a special token");
            else assert.equal(ids[t], plainOf(own)(texts[place.text] ?? "")[place.token]);
          }
          assert.equal(places.filter((place) => place === undefined).length, texts.length + 1);
        }
      }
    });
  }
});
