/** What JavaScript's own parser takes and nothing behind it can: values that nest thousands deep. */
import assert from "node:assert/strict";
import { readField } from "../../src/runtime/data/field.ts";
import { parseRecords } from "../../src/runtime/data/parse-records.ts";
import { openModel } from "../../src/browser.ts";
import { MAX_JSON_NESTING, parseJson } from "../../src/runtime/parse-json.ts";
import type { OnnxRuntime } from "../../src/runtime/session.ts";
import { smallModelBytes } from "../fuzz/small-model.ts";
import { failure } from "../passes/workbench.ts";

const lists = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("parseJson", () => {
  it("reads what nests as deep as files do", () => {
    assert.deepEqual(parseJson("{\"a\":[{\"b\":null}]}", "a.json"), { a: [{ b: null }] });
    parseJson(lists(MAX_JSON_NESTING), "a.json");
  });

  it("refuses what nests deeper: 20,000 lists in a config.json overflowed the stack where it was written anew", () => {
    const deep = failure("JSON_BROKEN", /^"a\.json" is broken JSON: it nests deeper than 100\./);
    for (const depth of [MAX_JSON_NESTING + 2, 20_000]) assert.throws(() => parseJson(lists(depth), "a.json"), deep);
    assert.throws(() => parseJson("{\"normalizers\":[".repeat(5000) + "]}".repeat(5000), "a.json"), deep);
  });

  it("tells what is no JSON, without its control characters", () => {
    assert.throws(() => parseJson("{\"a\":\u001b[2J}", "a.json"), failure("JSON_BROKEN", /\\u001b/));
  });
});

describe("deep JSON is refused", () => {
  it("in a line of JSONL, whose value a message repeats", () => {
    const bytes = new TextEncoder().encode(`${lists(20_000)}\n`);
    assert.throws(() => parseRecords("a.jsonl", bytes), failure("DATA_JSON_BROKEN", /line 1: not valid JSON \("it nests deeper than 100"\)/));
  });

  it("in a cell of a table", () => {
    assert.throws(() => readField(lists(20_000), { name: "input_ids", dtype: 7, shape: ["batch", "sequence"] }, { file: "a.tsv", line: 2 }), failure("DATA_FIELD_VALUE", /line 2/));
  });

  it("in a model's companions given as text", () => {
    assert.throws(() => openModel({} as OnnxRuntime, { model: smallModelBytes(), config: lists(20_000) }), failure("JSON_BROKEN", /"config\.json"/));
  });
});
