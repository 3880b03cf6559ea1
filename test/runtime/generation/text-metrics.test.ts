import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { bleu } from "../../../src/runtime/generation/metrics/bleu.ts";
import { cider } from "../../../src/runtime/generation/metrics/cider.ts";
import { stemOf } from "../../../src/runtime/generation/metrics/meteor-words.ts";
import { meteor } from "../../../src/runtime/generation/metrics/meteor.ts";
import { mtevalWords } from "../../../src/runtime/generation/metrics/mteval-words.ts";
import { nist } from "../../../src/runtime/generation/metrics/nist.ts";
import { rougeL } from "../../../src/runtime/generation/metrics/rouge-l.ts";
import { TEXT_METRICS, textMetrics } from "../../../src/runtime/generation/metrics/text-metrics.ts";
import { treebankWords } from "../../../src/runtime/generation/metrics/treebank-words.ts";

type Figures = Readonly<Record<string, number>>;

interface Oracle {
  readonly metrics: Figures;
  readonly official_meteor: number;
  readonly subsets: readonly { readonly from: number; readonly to: number; readonly metrics: Figures }[];
  readonly groups: readonly { readonly candidate: string; readonly references: readonly string[]; readonly meteor: number; readonly rouge_l: number }[];
}

interface Tokens {
  readonly texts: readonly { readonly text: string; readonly treebank: string; readonly mteval: string }[];
  readonly stems: Readonly<Record<string, string>>;
}

const near = (found: number | undefined, expected: number | undefined, tolerance = 1e-4): void => {
  assert.ok(Math.abs((found ?? NaN) - (expected ?? NaN)) <= tolerance, `${String(found)} is not ${String(expected)}`);
};

describe("metrics of texts", function () {
  this.timeout(60_000);
  const { metrics, official_meteor, subsets, groups } = JSON.parse(readFileSync("fixtures/e2e/metrics.json", "utf8")) as Oracle;
  const tokens = JSON.parse(readFileSync("fixtures/e2e/tokens.json", "utf8")) as Tokens;
  const texts = groups.map(({ candidate, references }) => ({ text: candidate, references }));

  it("are the E2E challenge's own, of all texts and of some", () => {
    for (const { from, to, metrics: expected } of [{ from: 0, to: groups.length, metrics }, ...subsets]) {
      const found = textMetrics(texts.slice(from, to));
      assert.deepEqual(Object.keys(found), Object.keys(TEXT_METRICS));
      for (const [name, value] of Object.entries(expected)) near(found[name], value, 1e-9);
    }
    assert.deepEqual(textMetrics([]), {});
  });

  it("are so of each text", () => {
    for (const group of groups) {
      near(rougeL([group.candidate], [group.references]), group.rouge_l, 1e-9);
      near(meteor([group.candidate], [group.references]), group.meteor, 1e-9);
    }
  });

  it("leave out of METEOR what synonyms and paraphrases would add", () => {
    assert.ok(official_meteor > (metrics["meteor"] ?? NaN));
    near(meteor(["a cheap restaurant"], [["an inexpensive restaurant"]]), meteor(["a qwx restaurant"], [["an zyq restaurant"]]), 1e-12);
  });

  it("split texts as Stanford's PTBTokenizer and mteval do, and stem as METEOR does", () => {
    for (const { text, treebank, mteval } of tokens.texts) {
      assert.equal(treebankWords(text).join(" "), treebank);
      assert.equal(mtevalWords(text).join(" "), mteval.toLowerCase());
    }
    for (const [word, stem] of Object.entries(tokens.stems)) assert.equal(stemOf(word), stem);
    assert.ok(Object.keys(tokens.stems).length > 300);
  });

  it("of an empty text are 0", () => {
    const empty = textMetrics([{ text: "", references: ["A cheap pub by the river."] }, { text: "  ", references: ["The pub."] }]);
    near(empty["bleu"], 0);
    assert.deepEqual([empty["nist"], empty["meteor"], empty["rouge_l"], empty["cider"]], [0, 0, 0, 0]);
  });

  it("of an answer itself are the highest", () => {
    const answers = ["one two three four", "five six seven eight nine"];
    const found = textMetrics(answers.map((text) => ({ text, references: ["Something else, first.", text] })));
    assert.deepEqual([found["bleu"], found["meteor"], found["rouge_l"]], [1, 1, 1]);
    near(cider(answers, answers.map((text) => [text])), 10, 1e-9);
    // Five words, each once: log2 5 of the words, and nothing of the pairs, which the words before foretell.
    near(nist(["a b c d e"], [["a b c d e"]]), Math.log2(5), 1e-9);
  });

  it("of a word are what their formulas say", () => {
    // Precision 1, recall 1/2.
    near(rougeL(["Cheap!"], [["cheap food"]]), (2.44 * 0.5) / (0.5 + 1.44), 1e-9);
    // One pair in one run: the whole penalty.
    near(meteor(["Cheap"], [["cheap food"]]), (1 / (0.15 + 0.85 / 0.5)) * 0.4, 1e-9);
    // A stem counts 0.6; both texts are paired whole, which has no penalty.
    near(meteor(["pubs"], [["pub"]]), 0.6, 1e-9);
    // Two of two words; the nearest of the answers has two.
    near(bleu(["a pub a pub"], [["a pub", "a pub a pub a pub a pub"]]), 1, 1e-9);
    near(bleu(["the pub is a pub"], [["the pub is a pub in the city"]]), Math.exp(1 - 8 / 5), 1e-9);
  });
});
