import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { DataType } from "../../../src/ir/data-type.ts";
import { withColumns } from "../../../src/runtime/data/columns.ts";
import { reportNotes } from "../../../src/runtime/data/data-report.ts";
import { doubledKey } from "../../../src/runtime/data/doubled-key.ts";
import { toExamples, type ExampleOptions, type Examples } from "../../../src/runtime/data/examples.ts";
import { overlapNote, textKey } from "../../../src/runtime/data/overlap.ts";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";
import { loadTokenizer } from "../../../src/runtime/data/tokenizer.ts";
import { train, type TrainResult } from "../../../src/index.ts";
import type { ProblemName } from "../../../src/runtime/options.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import { run } from "../../cli/run.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const inputs = ["input_ids", "attention_mask", "token_type_ids"].map((name) => ({ name, dtype: DataType.INT64, shape: ["batch", "sequence"] }));
const fixture = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../../fixtures/demo/${name}`, import.meta.url), "utf8")) as unknown;
const tokenizer = loadTokenizer({ tokenizerJson: fixture("tokenizer.json"), tokenizerConfig: fixture("tokenizer_config.json") });

interface Settings extends Partial<ExampleOptions> {
  readonly problem?: ProblemName;
  readonly textColumn?: readonly string[];
  readonly labelColumn?: string;
}

function read(file: string, content: string | Uint8Array, { problem, textColumn, labelColumn, ...options }: Settings = {}): Examples {
  const data = withColumns(parseRecords(file, typeof content === "string" ? bytes(content) : content), { textColumn, labelColumn }, options.labels !== "none");
  return toExamples(data, { task: taskNamed(problem === undefined ? {} : { problem }).data, inputs, tokenizer, maxLength: 16, labels: "required", learns: true, numLabels: 2, ...options });
}

function refused(name: string, content: string | Uint8Array, code: string, message: RegExp, options: Settings = {}): void {
  assert.throws(() => read(name, content, options), (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal((error as { code?: string }).code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

const ROWS = "text\tlabel\na good film\t1\na bad film\t0\n";

describe("wrong data is told with file and line", () => {
  it("a missing column, with the nearest name that is there", () => {
    refused("a.tsv", "Text\tlabel\na\t1\nb\t0\n", "DATA_COLUMN_MISSING", /^"a\.tsv" has no column of text.*columns "Text" and "label".*--text-column, as "Text"\.$/);
    refused("a.tsv", "text\tlabell\na\t1\nb\t0\n", "DATA_COLUMN_MISSING", /^"a\.tsv" has no column "label" or "labels".*--label-column, as "labell"\.$/);
    refused("a.tsv", "review\tstars\na\t1\n", "DATA_COLUMN_MISSING", /with --text-column\.$/);
    refused("a.tsv", "review\tstars\na\t1\n", "DATA_COLUMN_MISSING", /no column "reviw", which --text-column names.*the nearest is "review"\.$/, { textColumn: ["reviw"] });
    refused("a.tsv", "review\tstars\na\t1\n", "DATA_COLUMN_MISSING", /no column "star", which --label-column names.*the nearest is "stars"\.$/, { textColumn: ["review"], labelColumn: "star" });
  });

  it("labels of a kind that the task can't use", () => {
    refused("a.tsv", "text\tlabel\na\t1\nb\t0.5\n", "LABEL_NOT_INTEGER", /^"a\.tsv", line 3: the label "0\.5" is not an integer.*numbers to predict are --problem regression\.$/);
    refused("a.tsv", "text\tlabel\na\t1\nb\t2\n", "LABEL_OUT_OF_RANGE", /^"a\.tsv", line 3: the label 2 is out of range/);
    refused("a.tsv", "text\tlabel\na\t1\nb\t\n", "LABEL_MISSING", /^"a\.tsv", line 3:/);
    refused("a.tsv", "text\tlabel\na\t1\nb\tgood\n", "LABEL_NOT_INTEGER", /^"a\.tsv", line 3: the label "good" is not an integer/);
    refused("a.jsonl", '{"text":"a","label":1}\n{"text":"b","label":[1]}\n', "LABEL_NOT_INTEGER", /^"a\.jsonl", line 2: the label \[1\]/);
    refused("a.tsv", "text\tlabel\na\tgood\nb\tbad\n", "LABEL_NUMBER_WRONG", /^"a\.tsv", line 2: the label "good" is not a number/, { problem: "regression", numLabels: 1 });
    refused("a.jsonl", '{"text":"a","label":["x"]}\n{"text":"b","label":{"x":1}}\n', "LABEL_LIST_WRONG", /^"a\.jsonl", line 2:/, { problem: "multi-label" });
  });

  it("an empty text is taken and told, by line; a column of them is refused", () => {
    const { examples, report } = read("a.tsv", "text\tlabel\n\t1\na film\t0\n \t1\n");
    assert.equal(examples.length, 3);
    assert.deepEqual(report.emptyTexts, [2, 4]);
    assert.deepEqual(reportNotes(report), ['"a.tsv": 2 records with an empty text are taken as they are (lines 2, 4)']);
    refused("a.tsv", "text\tlabel\n\t1\n  \t0\n", "DATA_TEXTS_EMPTY", /^"a\.tsv": "text" is empty in all 2 records/);
  });

  it("a text without a single token is left out of training and told, and refused where every record wants an answer", () => {
    const bare = { ...tokenizer, encode: (texts: readonly string[], max: number) => { const { ids, typeIds, whole } = tokenizer.encode(texts, max); return { ids: ids.slice(1, -1), typeIds: typeIds.slice(1, -1), whole: whole - 2 }; } };
    const { examples, report } = read("a.tsv", "text\tlabel\na film\t1\n\t0\nno film\t0\n", { tokenizer: bare });
    assert.deepEqual(examples.map(({ line, labels }) => [line, labels?.values[0]]), [[2, 1], [4, 0]]);
    assert.deepEqual(reportNotes(report), ['"a.tsv": 1 record without a token is left out (line 3)']);
    refused("a.jsonl", '{"text":"a film"}\n{"text":""}\n', "DATA_TEXT_EMPTY", /^"a\.jsonl", line 2: "text" is empty/, { labels: "none", learns: false, tokenizer: bare });
  });

  it("a line of 1 MB is read, cut and counted, in seconds", () => {
    const long = "word ".repeat(200_000);
    const unbroken = "x".repeat(1_000_000);
    for (const text of [long, unbroken]) {
      const before = process.cpuUsage();
      const { report, examples } = read("a.tsv", `${ROWS}${text}\t1\n`);
      assert.ok(process.cpuUsage(before).user < 5_000_000, "processor time, in microseconds");
      assert.equal(examples.length, 3);
      if (text === long) assert.deepEqual([report.cut.count, report.cut.maxLength], [1, 16]);
      if (text === long) assert.match(reportNotes(report).join(), /^"a\.tsv": 1 of 3 texts is cut to 16 tokens, the longest from \d{6}; --max-seq-length sets the length$/);
    }
    refused("a.jsonl", `{"text":"${"y".repeat(1_000_000)}\n`, "DATA_JSON_BROKEN", /^"a\.jsonl", line 1: not valid JSON/);
    refused("a.tsv", `${ROWS}${"y".repeat(1_000_000)}\n`, "DATA_ROW_WIDTH", /^"a\.tsv", line 4: 1 column/);
  });

  it("mixed encodings, lines that end in CR alone, a quote left open, a doubled column or key", () => {
    refused("a.tsv", Uint8Array.from([0xff, 0xfe, ...Buffer.from(ROWS, "utf16le")]), "DATA_NOT_UTF8", /^"a\.tsv", line 1: not valid UTF-8\. Save the file as UTF-8\.$/);
    for (const [name, rows] of [["a.tsv", ROWS], ["a.csv", ROWS.replaceAll("\t", ",")]] as const) refused(name, rows.replaceAll("\n", "\r"), "DATA_CARRIAGE_RETURNS", /has lines that end in a carriage return alone.*LF.*CRLF/);
    refused("a.tsv", Uint8Array.from([...bytes(ROWS), ...bytes("caf"), 0xe9, 9, 49, 10]), "DATA_NOT_UTF8", /^"a\.tsv", line 4: not valid UTF-8/);
    refused("a.csv", 'text,label\na,1\n"b,0\nc,1\n', "DATA_QUOTE_OPEN", /^"a\.csv", line 3: a quote opens/);
    refused("a.tsv", "text\tlabel\ttext\na\t1\tb\n", "DATA_HEADER_DUPLICATE", /^"a\.tsv", line 1: the header names the column "text" twice/);
    refused("a.jsonl", '{"text":"a","label":1}\n{"text":"b","label":0,"text":"c"}\n', "DATA_KEY_DUPLICATE", /^"a\.jsonl", line 2: the key "text" stands twice/);
  });

  it("finds a doubled key at any depth, however it is written, and no other", () => {
    for (const [json, key] of [['{"a":{"b":1,"b":2}}', "b"], ['[{"a":[{"x":1,"\\u0078":2}]}]', "x"], ['{"a" : 1 , "a":2}', "a"], ['{"\\"":1,"\\"":2}', '"']] as const) assert.equal(doubledKey(json), key, json);
    for (const json of ['{"a":"a","b":"a"}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":["a","a"]}}}', '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}', '{"__proto__":1,"constructor":2}', '"a"', "1"]) assert.equal(doubledKey(json), undefined, json);
  });

  it("CRLF, a byte order mark and empty last lines change nothing", () => {
    const plain = read("a.tsv", ROWS).examples;
    assert.deepEqual(read("a.tsv", `\ufeff${ROWS.replaceAll("\n", "\r\n")}\r\n\n`).examples, plain);
    assert.deepEqual(read("a.csv", ROWS.replaceAll("\t", ",").replaceAll("\n", "\r\n")).examples, plain);
  });

  it("one class only, where it is to be learnt; measuring by it is fine, and so are equal numbers", () => {
    const same = "text\tlabel\na film\t1\nno film\t1\nwhat\t-100\n";
    refused("a.tsv", same, "ONE_CLASS_ONLY", /^"a\.tsv": the label is "1" in all 2 records that have one, so training can't tell classes apart/);
    refused("a.tsv", same, "ONE_CLASS_ONLY", /the label is "good" in all 2/, { id2label: ["bad", "good"] });
    refused("a.tsv", "text\tlabel\na film\tgood\nno film\tgood\n", "ONE_CLASS_ONLY", /the label is "good"/, { id2label: ["bad", "good"] });
    assert.equal(read("a.tsv", same, { learns: false }).examples.length, 3);
    assert.equal(read("a.tsv", same.replace("what\t-100\n", ""), { problem: "regression", numLabels: 1 }).examples.length, 2);
    refused("a.jsonl", '{"text":"a","label":["x"]}\n{"text":"b","label":["x"]}\n', "ONE_CLASS_ONLY", /the label is "x"/, { problem: "multi-label", id2label: ["x", "y"] });
  });

  it("a tokenizer with more tokens than the embedding has rows, also where the data need none of these", () => {
    refused("a.tsv", ROWS, "TOKENIZER_BEYOND_VOCABULARY", new RegExp(`ids up to ${String(tokenizer.vocabulary - 1)}, that is ${String(tokenizer.vocabulary)} of them, and the model's embedding has 500 rows`), { vocabulary: 500 });
    assert.equal(read("a.tsv", ROWS, { vocabulary: tokenizer.vocabulary }).examples.length, 2);
    refused("a.jsonl", '{"input_ids":[7],"label":1}\n{"input_ids":[500],"label":0}\n', "TOKEN_BEYOND_VOCABULARY", /"a\.jsonl" needs the token id 500, and the model's embedding has 500 rows/, { vocabulary: 500 });
  });

  it("a tokenizer of another model, by file, before anything is written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-tokenizer-"));
    const file = join(folder, "a.tsv");
    writeFileSync(file, ROWS);
    await assert.rejects(train("fixtures/feature-extraction/model.onnx", { head: "mean", numLabels: 2, train: file, tokenizer: "fixtures/demo/tokenizer.json", output: join(folder, "run") }), { code: "TOKENIZER_BEYOND_VOCABULARY", message: /^The tokenizer "fixtures\/demo\/tokenizer\.json" has token ids up to 10260, .* the model's embedding has \d+ rows\. .*--tokenizer\.$/ });
    assert.deepEqual(readdirSync(folder), ["a.tsv"]);
    rmSync(folder, { recursive: true });
  });

  it("labels of -100 are told, and refused where there is nothing else", () => {
    const { report } = read("a.tsv", `${ROWS}what\t-100\n`);
    assert.deepEqual(reportNotes(report), ['"a.tsv": 1 record with no label that counts (-100) teaches nothing (line 4)']);
    refused("a.tsv", "text\tlabel\na\t-100\n", "LABELS_ALL_IGNORED", /every label is -100/);
  });
});

describe("a dev set that overlaps the training set", () => {
  it("is told by count and lines, whatever the labels", () => {
    const train = read("train.tsv", "text\tlabel\none\t1\ntwo\t0\nthree\t1\n").texts;
    const dev = read("dev.tsv", "text\tlabel\nfour\t1\nthree\t0\ntwo \t0\none\t1\n").texts;
    assert.equal(overlapNote(train, dev), '2 of the 4 texts in "dev.tsv" are in "train.tsv" too (line 3 is its line 4, line 5 is its line 2): what was trained on measures too well');
    assert.equal(overlapNote(train, read("dev.tsv", ROWS).texts), undefined);
  });

  it("compares the whole of each text, and which it is of a pair", () => {
    assert.notEqual(textKey(["ab", "c"]), textKey(["a", "bc"]));
    assert.notEqual(textKey([`${"x".repeat(500)}a`]), textKey([`${"x".repeat(500)}b`]));
    assert.equal(new Set(Array.from({ length: 50_000 }, (_, i) => textKey([`text ${String(i)}`]))).size, 50_000);
  });
});

describe("a dry run", () => {
  it("has in its plan what was cut, empty and left out of each file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-dry-"));
    const at = (name: string): string => join(folder, name);
    writeFileSync(at("train.tsv"), "question1\tquestion2\tis_duplicate\nAnna\tPaul\t0\nPaul\t\t1\nbroken\n");
    writeFileSync(at("dev.tsv"), "question1\tquestion2\tis_duplicate\nAnna met Maria in Vienna\tPaul\t0\n");
    const { out, err, code } = await run(["train", "fixtures/feature-extraction/model.onnx", "--glue", "qqp", "--head", "mean", "--train", at("train.tsv"), "--dev", at("dev.tsv"), "--max-seq-length", "8", "-o", at("run"), "--dry-run", "--json"], { verbs: { train } });
    assert.equal(code, 0, err);
    assert.deepEqual((JSON.parse(out) as TrainResult).plan.data, [
      { file: at("train.tsv"), records: 2, cut: { count: 0, maxLength: 8, longest: 7 }, emptyTexts: [3], ignored: [], leftOut: [{ why: "with another number of columns than the header", lines: [4] }] },
      { file: at("dev.tsv"), records: 1, cut: { count: 1, maxLength: 8, longest: 13 }, emptyTexts: [], ignored: [], leftOut: [] },
    ]);
    assert.deepEqual(readdirSync(folder).sort(), ["dev.tsv", "train.tsv"]);
    rmSync(folder, { recursive: true });
  });
});

describe("columns by name", () => {
  it("reads the text, or the pair, and the labels from the columns that are named", () => {
    const table = "id\treview\ttitle\tstars\ttext\n1\ta good film\tx\t1\tno\n2\ta bad film\ty\t0\tno\n";
    const named = read("a.tsv", table, { textColumn: ["review"], labelColumn: "stars" });
    assert.deepEqual(named.examples.map(({ fields, labels }) => [fields.get("input_ids"), labels]), read("a.tsv", ROWS).examples.map(({ fields, labels }) => [fields.get("input_ids"), labels]));
    const pair = read("a.tsv", table, { textColumn: ["review", "title"], labelColumn: "stars" });
    assert.deepEqual(pair.examples[0]?.fields.get("input_ids")?.values, tokenizer.encode(["a good film", "x"], 16).ids);
    refused("a.tsv", table, "TEXT_COLUMNS_TOO_MANY", /names 3 columns .*at most 2, a pair/, { textColumn: ["review", "title", "text"], labelColumn: "stars" });
    refused("a.tsv", table.replace("\ta good film\t", "\ta good film\t").replace("\t1\tno", "\tone\tno").replace("\t0\tno", "\t5\tno"), "LABEL_NOT_INTEGER", /line 2: the label "one"/, { textColumn: ["review"], labelColumn: "stars" });
  });

  it("reads the text that is named also where the file has its tokens too", () => {
    const { examples } = read("a.jsonl", '{"input_ids":[1],"body":"a good film","label":1}\n{"input_ids":[1],"body":"a bad film","label":0}\n', { textColumn: ["body"] });
    assert.deepEqual(examples[0]?.fields.get("input_ids")?.values, tokenizer.encode(["a good film"], 16).ids);
  });
});
