import assert from "node:assert/strict";
import { costlyPattern } from "../../../src/runtime/data/costly-pattern.ts";
import { loadTokenizer } from "../../../src/runtime/data/tokenizer.ts";
import { TOKENIZER } from "../../fuzz/small-model.ts";
import { failure } from "../../passes/workbench.ts";

/** What well-known models' tokenizer.json hold. */
const REAL = {
  "GPT-2": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "Llama 3": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "o200k": "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "DeepSeek": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "CLIP": "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  "BLOOM": " ?[^(\\s|[.,!?…。，、।۔،])]+",
  "spaces": " {2,}",
  "SMILES": "(\\[[^\\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\\(|\\)|\\.|=|#|-|\\+|\\\\|\\/|:|~|@|\\?|>>?|\\*|\\$|\\%[0-9]{2}|[0-9])",
};

describe("costlyPattern", () => {
  for (const [name, pattern] of Object.entries(REAL)) it(`takes the expression of ${name}`, () => { assert.equal(costlyPattern(pattern), undefined); });

  it("takes groups that repeat and match in one way", () => {
    for (const pattern of ["(ab)+", "(?:[a-z]\\d)*x", "(\\p{L}){1,100}", "[(a+)+]+", "\\(a+\\)+"]) assert.equal(costlyPattern(pattern), undefined, pattern);
  });

  it("refuses a choice inside a repetition: (a+)+$ took for ever on 40 letters", () => {
    for (const pattern of ["(a+)+$", "(a|a)*b", "(.*)*x", "(.*a){20}", "(\\w+\\s?)*$", "(x+x+)+y", "((a{1,100}){1,100})", "(?:(?:a?)){60}", "(?<name>a+)*", "(?i:a|b)*"]) {
      assert.match(costlyPattern(pattern) ?? "", /several ways/, pattern);
    }
  });

  it("refuses many repetitions, and many optional parts, one behind the other", () => {
    assert.match(costlyPattern(".*.*.*.*x") ?? "", /repetitions in a row/);
    assert.match(costlyPattern(`${"a?".repeat(60)}${"a".repeat(60)}`) ?? "", /optional parts in a row/);
    assert.match(costlyPattern("(?:.*|b)(?:.*|c)(?:.*.*|d)") ?? "", /repetitions in a row/);
  });

  it("leaves what is no expression to the matcher", () => {
    for (const pattern of ["(", ")", "[", "*", "\\", "a{", "(?"]) assert.equal(costlyPattern(pattern), undefined, pattern);
  });

  it("is asked for every expression of a tokenizer.json", () => {
    const pattern = { Regex: "(a+)+$" };
    const inNormalizer = { ...TOKENIZER, normalizer: { type: "Sequence", normalizers: [{ type: "Replace", pattern, content: "" }] } };
    const inPreTokenizer = { ...TOKENIZER, pre_tokenizer: { type: "Split", pattern, behavior: "Isolated", invert: false } };
    for (const tokenizerJson of [inNormalizer, inPreTokenizer]) {
      assert.throws(() => loadTokenizer({ tokenizerJson }), failure("TOKENIZER_BROKEN", /"its regular expression \(a\+\)\+\$ repeats a group/));
    }
  });
});
