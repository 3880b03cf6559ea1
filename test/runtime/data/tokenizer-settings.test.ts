import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { loadTokenizer } from "../../../src/runtime/data/tokenizer.ts";

/** What fixtures/tokenizer/kinds/make_settings.py wrote, by transformers. */
interface Row {
  readonly tokenizer: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly texts: readonly [string, string];
  readonly single: number[];
  readonly pair: number[];
  readonly cut: number[];
  readonly cutPair: number[];
}

const read = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/tokenizer/kinds/${name}`, import.meta.url));
const jsons = new Map(["gpt2", "llama"].map((name) => [name, JSON.parse(gunzipSync(read(`${name}.json.gz`)).toString("utf8")) as Record<string, unknown>]));

for (const [name, json] of [...jsons]) jsons.set(`${name}-bare`, { ...json, post_processor: null });

describe("settings beside tokenizer.json", () => {
  for (const { tokenizer, config, texts, single, pair, cut, cutPair } of JSON.parse(read("settings.json").toString("utf8")) as Row[]) {
    it(`${tokenizer} with ${JSON.stringify(Object.keys(config).filter((key) => !/^(bos|eos|unk)_token$/.test(key)).map((key) => [key, typeof config[key] === "object" ? "…" : config[key]]))}`, () => {
      const made = loadTokenizer({ tokenizerJson: jsons.get(tokenizer), tokenizerConfig: config });
      assert.deepEqual(made.encode([texts[0]], Infinity).ids, single);
      assert.deepEqual(made.encode(texts, Infinity).ids, pair);
      assert.deepEqual(made.encode([texts[1]], 12).ids, cut);
      assert.deepEqual(made.encode(texts, 12).ids, cutPair);
    });
  }

  it("rows are filled up with the pad token, else with the one that ends texts, which is told", () => {
    const tokenizerJson = jsons.get("llama");
    const padOf = (files: object): unknown => { const { padId, padIsEos } = loadTokenizer({ tokenizerJson, ...files }); return [padId, padIsEos]; };
    assert.deepEqual(padOf({ tokenizerConfig: { eos_token: "</s>" } }), [2, true]);
    assert.deepEqual(padOf({ tokenizerConfig: { eos_token: "</s>", pad_token: "<unk>" } }), [0, false]);
    assert.deepEqual(padOf({ specialTokensMap: { pad_token: { content: "<s>" } } }), [1, false]);
    assert.deepEqual(padOf({ config: { eos_token_id: [2, 5] } }), [2, true]);
    assert.deepEqual(padOf({ config: { eos_token_id: 2, pad_token_id: 1 } }), [1, false]);
    assert.deepEqual(padOf({}), [0, false]);
  });
});
