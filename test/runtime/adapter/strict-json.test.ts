import assert from "node:assert/strict";
import { parseStrictJson } from "../../../src/runtime/adapter/strict-json.ts";

const parse = (text: string): unknown => parseStrictJson(text, "config.json");

describe("parseStrictJson", () => {
  it("reads what JSON.parse reads", () => {
    const texts = ["null", " true ", "-0.5e+3", "\"\"", "\"a\\\"b\\\\\"", "\"\\u00e9\\n\"", "[]", "[1,[2, 3],\"x\"]", "\"]\u007f\u2028\""];
    for (const text of texts) assert.deepEqual(parse(text), JSON.parse(text));
    const object = parse("{\"a\":{\"__proto__\":1,\"b\":[null,false]}}");
    assert.deepEqual(object, new Map([["a", new Map<string, unknown>([["__proto__", 1], ["b", [null, false]]])]]));
    assert.equal(({} as Record<string, unknown>).b, undefined);
  });

  it("refuses what is no JSON, with the place", () => {
    const texts = ["", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[1 2]", "\"", "\"\\\"", "\"\\x\"", "\"a\nb\"", "01",
      "1e999", "NaN", "Infinity", "nul", "1 1", "//"];
    for (const text of texts) assert.throws(() => parse(text), { code: "JSON_BROKEN" }, text);
    assert.throws(() => parse("{\"r\": 4, \"r\": 8}"), { message: /^"config\.json" is broken JSON: key "r" stands twice, at character 12\./ });
  });

  it("stays calm at hostile sizes", () => {
    assert.throws(() => parse("[".repeat(100_000)), { message: /nests deeper than 32/ });
    assert.equal((parse(`"${"\\n".repeat(1_000_000)}"`) as string).length, 1_000_000);
  });
});
