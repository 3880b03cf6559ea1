/** What a tokenizer.json without the files beside it is given, and what is added where these say too little. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { specialTokens, tokenizerConfig } from "../../src/runtime/model-folder/tokenizer-config.ts";

const read = (file: string): unknown => JSON.parse(readFileSync(file, "utf8")) as unknown;

describe("tokenizer_config.json of a model folder", () => {
  const tokenizer = read("fixtures/demo/tokenizer.json");
  const given = (base: Readonly<Record<string, unknown>> | undefined, longest: number): Record<string, unknown> =>
    tokenizerConfig(base, { tokenizer, special: undefined, longest, inputs: ["input_ids"] });

  it("has the special tokens that BERT's and RoBERTa's tokenizer.json tell", () => {
    assert.deepEqual(specialTokens(tokenizer), { unk_token: "[UNK]", cls_token: "[CLS]", sep_token: "[SEP]", pad_token: "[PAD]", mask_token: "[MASK]" });
    assert.deepEqual(specialTokens(read("fixtures/tokenizer/roberta-tokenizer.json")),
      { unk_token: "<unk>", cls_token: "<s>", sep_token: "</s>", pad_token: "<pad>", mask_token: "<mask>" });
  });

  it("keeps what the base says, byte for byte where nothing is missing", () => {
    const whole = { tokenizer_class: "BertTokenizer", pad_token: "[X]", model_max_length: 128, chat_template: "…" };
    assert.equal(JSON.stringify(given(whole, 512)), JSON.stringify(whole));
    assert.deepEqual(given({ ...whole, pad_token: null }, 512), { ...whole, pad_token: "[PAD]" });
  });

  it("has a length that the graph can take, where there is a bound", () => {
    assert.equal(given({ model_max_length: 1e30 }, 512)["model_max_length"], 512);
    assert.equal(given({ model_max_length: 2048 }, 512)["model_max_length"], 512);
    assert.equal(given({}, 512)["model_max_length"], 512);
    assert.equal(given({ model_max_length: 1e30 }, Infinity)["model_max_length"], 1e30);
    assert.equal("model_max_length" in given({}, Infinity), false);
  });
});
