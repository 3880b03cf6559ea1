import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { loadTokenizer, type TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";

const fixtures = new URL("../../../fixtures/", import.meta.url);
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, fixtures), "utf8")) as unknown;

interface Row {
  texts: string[];
  maxLength: number;
  ids: number[];
  typeIds: number[];
}

/** Ids that Python's tokenizers gave, row by row (fixtures/tokenizer/make_ids.py). */
function expectSameIds(tokenizer: TextTokenizer, path: string): void {
  const rows = readJson(path) as Row[];
  assert.ok(rows.length >= 80);
  for (const { texts, maxLength, ids, typeIds } of rows) {
    const made = tokenizer.encode(texts, maxLength);
    assert.deepEqual([made.ids, made.typeIds], [ids, typeIds], JSON.stringify([texts, maxLength]));
  }
}

describe("loadTokenizer", () => {
  it("gives Hugging Face's ids and segments for BERT's WordPiece, cut and whole, single and paired", () => {
    const files = { tokenizerJson: readJson("demo/tokenizer.json"), tokenizerConfig: readJson("demo/tokenizer_config.json") };
    expectSameIds(loadTokenizer(files), "tokenizer/bert-ids.json");
  });

  it("gives Hugging Face's ids and segments for RoBERTa's byte-level BPE", () => {
    expectSameIds(loadTokenizer({ tokenizerJson: readJson("tokenizer/roberta-tokenizer.json") }), "tokenizer/roberta-ids.json");
  });

  it("finds the pad id in tokenizer.json, else by the pad token's name, else takes 0", () => {
    const tokenizerJson = readJson("tokenizer/roberta-tokenizer.json") as Record<string, unknown>;
    assert.equal(loadTokenizer({ tokenizerJson: { ...tokenizerJson, padding: { pad_id: 7 } } }).padId, 7);
    assert.equal(loadTokenizer({ tokenizerJson, tokenizerConfig: { pad_token: { content: "<pad>" } } }).padId, 1);
    assert.equal(loadTokenizer({ tokenizerJson, tokenizerConfig: {}, specialTokensMap: { pad_token: "<pad>" } }).padId, 1);
    assert.equal(loadTokenizer({ tokenizerJson }).padId, 0);
  });

  it("cuts the beginning where the files say so", () => {
    const tokenizerJson = readJson("demo/tokenizer.json");
    const right = loadTokenizer({ tokenizerJson }).encode(["a b c d"], 4).ids;
    const left = loadTokenizer({ tokenizerJson, tokenizerConfig: { truncation_side: "left" } }).encode(["a b c d"], 4).ids;
    const whole = loadTokenizer({ tokenizerJson }).encode(["a b c d"], 6).ids;
    assert.deepEqual(right, [...whole.slice(0, 3), whole[5]]);
    assert.deepEqual(left, [whole[0], ...whole.slice(3)]);
  });

  it("keeps the second text where tokenizer.json frames nothing (GPT-2)", () => {
    const json = readJson("tokenizer/roberta-tokenizer.json") as Record<string, unknown>;
    const bare = loadTokenizer({ tokenizerJson: { ...json, post_processor: { type: "ByteLevel" } } });
    const [a, b] = [bare.encode(["one"], 99).ids, bare.encode(["two"], 99).ids];
    assert.deepEqual(bare.encode(["one", "two"], 99).ids, [...a, ...b]);
    const sequence = { type: "Sequence", processors: [{ type: "ByteLevel" }, json["post_processor"]] };
    assert.deepEqual(loadTokenizer({ tokenizerJson: { ...json, post_processor: sequence } }).encode(["one"], 99).ids, [0, ...a, 2]);
  });

  it("refuses ids that are none, and parts of another type, also where only a text shows them", () => {
    const json = readJson("demo/tokenizer.json") as Record<string, { vocab: object }>;
    const broken = (changed: object, message: RegExp): void => {
      assert.throws(() => loadTokenizer({ tokenizerJson: { ...json, ...changed } }).encode(["a b 1"], 8), { name: "HutError", code: "TOKENIZER_BROKEN", message });
    };
    broken({ model: { ...json["model"], vocab: { ...json["model"]?.vocab, a: 0.5 } } }, /gives a token an id that is no whole number/);
    // The library calls a method of it once there is text to split.
    broken({ pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: {}, invert: false } }, /toLowerCase is not a function/);
    const single = (piece: object): object => ({ post_processor: { type: "TemplateProcessing", single: [piece, { Sequence: { id: "A", type_id: 0 } }], pair: [], special_tokens: {} } });
    broken(single({ SpecialToken: { id: { toString: 1 }, type_id: 0 } }), /post_processor is not written as expected/);
    broken(single({ SpecialToken: { id: "[CLS]", type_id: { valueOf: 1 } } }), /a segment that is no number/);
    broken({ post_processor: { type: { toString: 1 } } }, /post_processor is not written as expected/);
    broken({ post_processor: { type: "BertProcessing", cls: ["[CLS]", 0.5], sep: ["[SEP]", 3] } }, /a special token without an id/);
    assert.equal(loadTokenizer({ tokenizerJson: { ...json, padding: { pad_id: 0.5 } } }).padId, 0);
  });

  it("gives Hugging Face's ids of texts that come as words, and the word of each token (fixtures/tokenizer/make_words.py)", () => {
    const { words, expected } = readJson("tokenizer/words.json") as { words: string[][]; expected: Record<string, { ids: number[]; words: (number | null)[] }[]> };
    for (const [file, rows] of Object.entries(expected)) {
      const tokenizer = loadTokenizer({ tokenizerJson: readJson(file) });
      rows.forEach((wanted, i) => {
        const whole = tokenizer.encodeWords(words[i] ?? [], 512);
        assert.deepEqual([whole.ids, whole.words.map((word) => word ?? null)], [wanted.ids, wanted.words], `${file}, ${String(words[i])}`);
        const cut = tokenizer.encodeWords(words[i] ?? [], 6);
        assert.deepEqual([cut.ids, cut.words], [[...wanted.ids.slice(0, 5), wanted.ids.at(-1)], [...wanted.words.slice(0, 5), null].map((word) => word ?? undefined)]);
      });
    }
  });

  it("refuses a file that is no tokenizer, and a length without room", () => {
    assert.throws(() => loadTokenizer({ tokenizerJson: [] }), { code: "TOKENIZER_BROKEN", message: /^tokenizer\.json can't be used: "it has no model"/ });
    assert.throws(() => loadTokenizer({ tokenizerJson: { model: { type: "Nonsense" } } }), { code: "TOKENIZER_BROKEN" });
    const json = readJson("demo/tokenizer.json") as Record<string, unknown>;
    assert.throws(() => loadTokenizer({ tokenizerJson: { ...json, post_processor: { type: "New" } } }),
      { code: "TOKENIZER_BROKEN", message: /post_processor New/ });
    const tokenizer = loadTokenizer({ tokenizerJson: json });
    assert.throws(() => tokenizer.encode(["a", "b"], 3), { code: "MAX_LENGTH_TOO_SHORT", message: /no room for text: the tokenizer adds 3 special tokens/ });
  });
});
