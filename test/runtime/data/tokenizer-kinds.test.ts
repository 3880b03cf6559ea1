import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { loadTokenizer, type TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";

/** What fixtures/tokenizer/kinds/make_kinds.py wrote: hashes of what Python's tokenizers give. */
interface Expected {
  readonly whole: readonly string[];
  readonly pairs: readonly string[];
  readonly shown: Readonly<Record<string, readonly number[]>>;
  readonly tokens: number;
}

const read = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/tokenizer/kinds/${name}`, import.meta.url));
const unpacked = (name: string): string => gunzipSync(read(`${name}.gz`)).toString("utf8");
const expected = JSON.parse(read("expected.json").toString("utf8")) as Record<string, Expected>;
const lines = unpacked("lines.txt").split("\n");

const hashOf = (rows: readonly (readonly number[])[]): string => createHash("sha256").update(rows.map((row) => `${row.join(",")}\n`).join("")).digest("hex").slice(0, 16);
const hundreds = <T>(rows: readonly T[], size: number): T[][] => Array.from({ length: rows.length / size }, (_, i) => rows.slice(i * size, (i + 1) * size));

/** The hashes that differ, by the number of the first line. */
function differing(tokenizer: TextTokenizer, { whole, pairs, shown, tokens }: Expected): unknown {
  const rows = lines.map((line) => tokenizer.encode([line], Infinity).ids);
  const couples = Array.from({ length: 500 }, (_, i) => tokenizer.encode([lines[10 * i] ?? "", lines[10 * i + 1] ?? ""], 24).ids);
  const wrong = Object.entries(shown).filter(([i, ids]) => rows[Number(i)]?.join() !== ids.join()).map(([i, ids]) => ({ line: lines[Number(i)], python: ids.join(), here: rows[Number(i)]?.join() }));
  return {
    wrong, tokens: rows.reduce((sum, row) => sum + row.length, 0) - tokens,
    whole: hundreds(rows, 100).flatMap((part, i) => (hashOf(part) === whole[i] ? [] : [i * 100])), pairs: hundreds(couples, 50).flatMap((part, i) => (hashOf(part) === pairs[i] ? [] : [i * 500])),
  };
}

describe("tokenizers give the ids of Python's on 5,000 lines, and on cut pairs of them", () => {
  for (const [name, hashes] of Object.entries(expected)) {
    it(name, () => {
      assert.equal(lines.length, 5000);
      const tokenizer = loadTokenizer({ tokenizerJson: JSON.parse(unpacked(`${name}.json`)) as unknown });
      assert.deepEqual(differing(tokenizer, hashes), { wrong: [], tokens: 0, whole: [], pairs: [] });
    }).timeout(20_000);
  }
});

describe("tokenizers give the texts of Python's of ids, whole rows and pieces of them", () => {
  const decoded = JSON.parse(read("decoded.json").toString("utf8")) as Record<string, Readonly<Record<"whole" | "parts", readonly string[]>>>;
  const hashOfTexts = (texts: readonly string[]): string => createHash("sha256").update(texts.map((text) => `${text}\n`).join("")).digest("hex").slice(0, 16);
  for (const [name, hashes] of Object.entries(decoded)) {
    it(name, () => {
      const tokenizer = loadTokenizer({ tokenizerJson: JSON.parse(unpacked(`${name}.json`)) as unknown });
      const rows = lines.filter((_, i) => i % 10 === 0).map((line) => tokenizer.encode([line], Infinity).ids);
      for (const [part, cut] of [["whole", (ids: readonly number[]) => ids], ["parts", (ids: readonly number[]) => ids.slice(1, 4)]] as const) {
        assert.deepEqual(hundreds(rows.map((ids) => tokenizer.decode?.(cut(ids)) ?? ""), 100).map(hashOfTexts), hashes[part], part);
      }
      assert.equal(tokenizer.decode?.([]), "");
    });
  }
});
