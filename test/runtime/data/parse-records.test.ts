import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const lines = (file: string, text: string): unknown[] => parseRecords(file, bytes(text)).records.map(({ line, fields }) => [line, ...Object.values(fields)]);
const fails = (file: string, text: string | Uint8Array, code: string, message: RegExp): void => {
  assert.throws(() => parseRecords(file, typeof text === "string" ? bytes(text) : text), { name: "HutError", code, message });
};

describe("parseRecords", () => {
  it("reads TSV without quoting: GLUE's stray quotes are text", () => {
    assert.deepEqual(lines("a.tsv", "sentence\tlabel\n\"a \" b\t1\nc, d\"\t0\n"), [[2, "\"a \" b", "1"], [3, "c, d\"", "0"]]);
  });

  it("reads CSV with quoting, and knows the line a record starts on", () => {
    const text = "text,label\r\n\"two\nlines, \"\"quoted\"\"\",1\r\nplain,0\r\n";
    assert.deepEqual(lines("a.CSV", text), [[2, "two\nlines, \"quoted\"", "1"], [4, "plain", "0"]]);
  });

  it("reads JSONL, blank lines skipped", () => {
    assert.deepEqual(lines("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n\n  \n{\"text\": \"b\", \"label\": null}\r\n"), [[1, "a", 1], [4, "b", null]]);
  });

  it("takes a byte order mark, CRLF and empty last lines as nothing", () => {
    for (const [file, sep] of [["a.tsv", "\t"], ["a.csv", ","]] as const) {
      const { columns, records } = parseRecords(file, bytes(`\ufefftext${sep}label\r\nä${sep}1\r\n\r\n\n`));
      assert.deepEqual(columns, ["text", "label"], file);
      assert.deepEqual(records, [{ line: 2, fields: { text: "ä", label: "1" } }], file);
    }
    assert.deepEqual(lines("a.jsonl", "\ufeff{\"text\": \"a\"}\n\n"), [[1, "a"]]);
  });

  it("keeps an empty line between others where there is one column, so that predictions stay in step", () => {
    assert.deepEqual(lines("a.tsv", "text\na\n\nb\n"), [[2, "a"], [3, ""], [4, "b"]]);
    assert.deepEqual(lines("a.csv", "text\na\n\nb\n"), [[2, "a"], [3, ""], [4, "b"]]);
  });

  it("takes a column called __proto__ as any other", () => {
    assert.deepEqual(lines("a.tsv", "__proto__\tlabel\nx\t1\n"), [[2, "x", "1"]]);
  });

  it("refuses endings it doesn't know, naming those it does", () => {
    for (const file of ["a.txt", "tsv", "dir.tsv/data", "a.constructor"]) {
      assert.throws(() => parseRecords(file, bytes("x")), { code: "DATA_ENDING_UNKNOWN", exitCode: 2, message: /\.tsv, \.csv, \.jsonl or \.parquet\.$/ }, file);
    }
  });

  it("refuses empty files, and headers without rows", () => {
    for (const file of ["a.tsv", "a.csv", "a.jsonl"]) for (const text of ["", "\n\r\n", "\ufeff"]) fails(file, text, "DATA_EMPTY", /^"a\.\w+" is empty\./);
    fails("a.tsv", "text\tlabel", "DATA_NO_ROWS", /header \("text" and "label"\)/);
    fails("a.csv", "text,label\n\n", "DATA_NO_ROWS", /header \("text" and "label"\)/);
  });

  it("refuses more columns than any table has: finding a name that stands twice among 100,000 took 13 seconds", () => {
    for (const [file, sep] of [["a.tsv", "\t"], ["a.csv", ","]] as const) {
      const header = Array.from({ length: 100_000 }, (_, i) => `c${String(i)}`).join(sep);
      fails(file, `${header}\n${sep.repeat(99_999)}\n`, "DATA_TOO_MANY_COLUMNS", /line 1: the header has more than 1000 columns\. Leave out/);
    }
    const most = Array.from({ length: 1000 }, (_, i) => `c${String(i)}`);
    assert.equal(parseRecords("a.csv", bytes(`${most.join(",")}\n${",".repeat(999)}\n`)).columns.length, 1000);
  });

  it("stops at the first broken row, before those behind it fill the memory", () => {
    fails("a.csv", "text,label\na,1,2\n\"never closed", "DATA_ROW_WIDTH", /line 2/);
  });

  it("refuses a duplicate header", () => {
    fails("a.tsv", "text\tlabel\ttext\na\t1\tb\n", "DATA_HEADER_DUPLICATE", /^"a\.tsv", line 1: the header names the column "text" twice/);
  });

  it("refuses a row with another number of columns: line and both counts", () => {
    fails("a.tsv", "text\tlabel\na\t1\nb\n", "DATA_ROW_WIDTH", /^"a\.tsv", line 3: 1 column, but the header has 2\./);
    fails("a.csv", "text,label\n\"a\nb\",1\nc,2,3\n", "DATA_ROW_WIDTH", /^"a\.csv", line 4: 3 columns, but the header has 2\./);
  });

  it("refuses quotes that don't close or stand in the wrong place, naming the line where the record starts", () => {
    fails("a.csv", "text,label\nx,0\n\"a,1\nb,0\nc,1\n", "DATA_QUOTE_OPEN", /^"a\.csv", line 3: a quote opens/);
    fails("a.csv", "text,label\nx,0\n\"a\"b,1\n", "DATA_QUOTE_MISPLACED", /^"a\.csv", line 3:/);
    fails("a.csv", "text,label\nx,0\na \"b\",1\n", "DATA_QUOTE_MISPLACED", /^"a\.csv", line 3:/);
  });

  it("refuses broken JSON, and JSON that is no object", () => {
    fails("a.jsonl", "{\"a\": 1}\n{\"a\": \n", "DATA_JSON_BROKEN", /^"a\.jsonl", line 2: not valid JSON/);
    const notObject = /^"a\.jsonl", line 3: (\[1\]|null|3) is not a JSON object/;
    for (const json of ["[1]", "null", "3"]) fails("a.jsonl", `{"a": 1}\n\n${json}`, "DATA_JSON_NOT_OBJECT", notObject);
  });

  it("refuses bytes that are no UTF-8, naming the line", () => {
    fails("a.tsv", Uint8Array.from([...bytes("text\nä\n"), 0xe4, 10, 120]), "DATA_NOT_UTF8", /^"a\.tsv", line 3: not valid UTF-8/);
    fails("a.tsv", Uint8Array.from([0xff, 0xfe, 116, 0]), "DATA_NOT_UTF8", /line 1/);
    fails("a.tsv", Uint8Array.from([...bytes("text\na\n"), 0xc3]), "DATA_NOT_UTF8", /line 3/);
  });
});
