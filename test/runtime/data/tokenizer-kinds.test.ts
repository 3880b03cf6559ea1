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
