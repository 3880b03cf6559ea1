import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../../src/ir/data-type.ts";
import { toExamples, type ExampleOptions, type Examples } from "../../../src/runtime/data/examples.ts";
import type { InputSpec } from "../../../src/runtime/data/field.ts";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import type { TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";

const row = (name: string, dtype: number = DataType.INT64, length: number | string = "sequence"): InputSpec => ({ name, dtype, shape: ["batch", length] });
const BERT = [row("input_ids"), row("attention_mask"), row("token_type_ids")];

/** 1, then a word's length for every word, then 2, text by text, as much as fits. */
const words: TextTokenizer = {
  maxLength: undefined,
  padId: 9,
  vocabulary: 100,
  encode(texts, maxLength) {
    const parts = texts.map((text) => [...text.split(" ").filter(Boolean).map((word) => word.length), 2]);
    const whole = [1, ...parts.flat()];
    return { ids: whole.slice(0, maxLength), typeIds: [0, ...parts.flatMap((part, i) => part.map(() => i))].slice(0, maxLength), whole: whole.length };
  },
  encodeWords(list, maxLength) {
    const of = [undefined, ...list.flatMap((word, i) => word.split("-").map(() => i)), undefined].slice(0, maxLength);
    return { ids: of.map((word) => (word === undefined ? 1 : list[word]?.length ?? 0)), typeIds: of.map(() => 0), words: of, whole: of.length };
  },
};

function examples(file: string, text: string, options: Partial<ExampleOptions> = {}): Examples {
  const data = parseRecords(file, new TextEncoder().encode(text));
  return toExamples(data, { task: taskNamed().data, inputs: BERT, tokenizer: words, maxLength: 16, labels: "none", ...options });
}

/** The first example's values by input. */
const values = (from: Examples, i = 0): unknown => Object.fromEntries([...(from.examples[i]?.fields ?? [])].map(([name, field]) => [name, field.values]));
const labels = (from: Examples): unknown[] => from.examples.map(({ labels: found }) => found?.values[0]);
const jsonl = (...records: unknown[]): string => records.map((record) => JSON.stringify(record)).join("\n");

describe("toExamples: inputs", () => {
  it("tokenizes text, and fills the mask and the segments", () => {
    const read = examples("a.tsv", "sentence\nab abc\n");
    assert.deepEqual(values(read), { input_ids: [1, 2, 3, 2], attention_mask: [1, 1, 1, 1], token_type_ids: [0, 0, 0, 0] });
    assert.deepEqual([read.examples[0]?.length, read.examples[0]?.tokens, read.examples[0]?.line], [4, 4, 2]);
  });

  it("takes all of GLUE's pairs, and no lone sentence where its question stands beside it", () => {
    for (const [a, b] of [["sentence1", "sentence2"], ["question1", "question2"], ["premise", "hypothesis"], ["question", "sentence"]]) {
      const read = examples("a.tsv", `idx\t${String(a)}\t${String(b)}\n0\tabcd\tabc\n`);
      assert.deepEqual(values(read), { input_ids: [1, 4, 2, 3, 2], attention_mask: [1, 1, 1, 1, 1], token_type_ids: [0, 0, 0, 1, 1] });
    }
  });

  it("cuts text to maxLength, and to the length that the graph fixes", () => {
    assert.equal(examples("a.tsv", "text\na b c d e f\n", { maxLength: 4 }).examples[0]?.length, 4);
    const inputs = [row("input_ids", DataType.INT64, 5)];
    assert.equal(examples("a.tsv", "text\na b c d e f\n", { inputs }).examples[0]?.length, 5);
  });

  it("feeds fields named after inputs as they are, uncut, also from the cells of a table", () => {
    const record = { input_ids: [5, 6, 0, 0, 0], attention_mask: [1, 1, 0, 0, 0], text: "not read" };
    const read = examples("a.jsonl", jsonl(record), { maxLength: 2, tokenizer: undefined });
    assert.deepEqual(values(read), { input_ids: record.input_ids, attention_mask: record.attention_mask, token_type_ids: [0, 0, 0, 0, 0] });
    assert.deepEqual([read.examples[0]?.length, read.examples[0]?.tokens], [5, 2]);
    assert.deepEqual(values(examples("a.tsv", "input_ids\n[5, 6]\n", { inputs: [row("input_ids")] })), { input_ids: [5, 6] });
  });

  it("counts positions from the mask, over padding on either side", () => {
    const inputs = [row("input_ids"), row("attention_mask"), row("position_ids")];
    const padded = jsonl({ input_ids: [0, 0, 7, 8], attention_mask: [0, 0, 1, 1] }, { input_ids: [7, 8, 0], attention_mask: [1, 1, 0] });
    const read = examples("a.jsonl", padded, { inputs });
    assert.deepEqual(read.examples.map(({ fields }) => fields.get("position_ids")?.values), [[0, 0, 0, 1], [0, 1, 0]]);
    const unmasked = examples("a.tsv", "text\na b\n", { inputs: [row("input_ids"), row("position_ids")] });
    assert.deepEqual(values(unmasked), { input_ids: [1, 1, 1, 2], position_ids: [0, 1, 2, 3] });
  });

  it("reads nested arrays of numbers, and single ones", () => {
    const inputs: InputSpec[] = [{ name: "pixel_values", dtype: DataType.FLOAT, shape: ["batch", 2, 1, 3] },
      { name: "scale", dtype: DataType.FLOAT, shape: ["batch"] }];
    const read = examples("a.jsonl", jsonl({ pixel_values: [[[1, 2, 3]], [[4, 5, 6.5]]], scale: 2 }), { inputs, tokenizer: undefined });
    assert.deepEqual(read.examples.at(0)?.fields.get("pixel_values"), { dims: [2, 1, 3], values: [1, 2, 3, 4, 5, 6.5] });
    assert.deepEqual(read.examples.at(0)?.fields.get("scale"), { dims: [], values: [2] });
  });

  it("says which columns there are where text is missing, and where a tokenizer is looked for", () => {
    assert.throws(() => examples("a.tsv", "review\tstars\nx\t1\n"),
      { code: "DATA_COLUMN_MISSING", message: /It has the columns "review" and "stars"; name the text .*premise \+ hypothesis.* or sentence, or say which it is with --text-column\.$/ });
    assert.throws(() => examples("a.tsv", "text\nx\n", { tokenizer: undefined }),
      { code: "TOKENIZER_MISSING", message: /has text in "text".*beside the model and in the folder above.*--tokenizer/ });
  });

  it("names an input that nothing feeds", () => {
    const inputs = [...BERT, row("bbox")];
    assert.throws(() => examples("a.tsv", "text\nx\n", { inputs }),
      { code: "INPUT_MISSING", message: /^The graph's input "bbox" is neither a column of "a\.tsv"/ });
    assert.throws(() => examples("a.jsonl", jsonl({ attention_mask: [1] })), { code: "INPUT_MISSING", message: /"input_ids"/ });
    const image: InputSpec = { name: "pixel_values", dtype: DataType.FLOAT, shape: ["batch", 1] };
    assert.throws(() => examples("a.jsonl", jsonl({ pixel_values: [1] }), { inputs: [image, row("attention_mask")] }),
      { code: "INPUT_MISSING", message: /"attention_mask"/ });
  });

  it("names the line and the value where a field doesn't fit its input", () => {
    const inputs = [row("input_ids"), row("attention_mask", DataType.INT32)];
    const bad = (record: unknown, code: string, message: RegExp): void => {
      assert.throws(() => examples("a.jsonl", jsonl({ input_ids: [1], attention_mask: [1] }, record), { inputs }), { code, message }, JSON.stringify(record));
    };
    bad({ input_ids: [1.5], attention_mask: [1] }, "DATA_FIELD_VALUE",
      /^"a\.jsonl", line 2: "input_ids" holds 1\.5, but the graph's input .* takes integers from/);
    bad({ input_ids: ["1"], attention_mask: [1] }, "DATA_FIELD_VALUE", /holds "1"/);
    bad({ input_ids: [2 ** 53], attention_mask: [1] }, "DATA_FIELD_VALUE", /9007199254740992/);
    bad({ input_ids: [1], attention_mask: [2 ** 31] }, "DATA_FIELD_VALUE", /"attention_mask"/);
    bad({ input_ids: [1] }, "DATA_FIELD_MISSING", /no "attention_mask", which other records have\. This one has "input_ids"/);
    bad({ input_ids: [1, 2], attention_mask: [1] }, "DATA_LENGTHS_DIFFER", /"input_ids" has 2 values and "attention_mask" has 1/);
    bad({ input_ids: 1, attention_mask: [1] }, "DATA_FIELD_SHAPE", /shape \[\], but the graph takes \[sequence\] a record/);
    bad({ input_ids: [[1], [2]], attention_mask: [1] }, "DATA_FIELD_SHAPE", /shape \[2, 1\]/);
    const raggeds = [[[1], [2, 3]], [1, [2]], [[1], 2], [[1], []], [[], [1]]];
    for (const ragged of raggeds) bad({ input_ids: ragged, attention_mask: [1] }, "DATA_FIELD_RAGGED", /differ in length/);
    assert.throws(() => examples("a.jsonl", jsonl({ text: "a" }, { text: null })), { code: "DATA_NOT_TEXT", message: /line 2: "text" is null/ });
    assert.throws(() => examples("a.jsonl", jsonl({ text: "a" }, { txet: "b" })), { code: "DATA_FIELD_MISSING", message: /line 2: no "text"/ });
  });

  it("refuses shapes that padding can't mend", () => {
    const image: InputSpec = { name: "pixel_values", dtype: DataType.FLOAT, shape: ["batch", "c", "w"] };
    const read = (...records: unknown[]): unknown => examples("a.jsonl", jsonl(...records), { inputs: [image] });
    assert.throws(() => read({ pixel_values: [[1, 2]] }, { pixel_values: [[1, 2, 3]] }),
      { code: "DATA_FIELD_SHAPE", message: /line 2: .*\[1, 3\], but the first record's is \[1, 2\]/ });
    const fixed = (spec: InputSpec, value: unknown): unknown => examples("a.jsonl", jsonl({ [spec.name]: value }), { inputs: [spec] });
    assert.throws(() => fixed(row("input_ids", DataType.INT64, 2), [1, 2, 3]), { code: "DATA_FIELD_SHAPE", message: /the graph takes \[2\]/ });
    assert.throws(() => fixed(row("features", DataType.FLOAT, 3), [1, 2]), { code: "DATA_FIELD_SHAPE" });
    assert.throws(() => fixed({ name: "names", dtype: DataType.STRING, shape: ["batch"] }, "x"), { code: "INPUT_TYPE_UNSUPPORTED", message: /takes string/ });
  });
});

describe("toExamples: labels", () => {
  const labelled = (column: readonly unknown[], options: Partial<ExampleOptions> = {}): Examples =>
    examples("d.jsonl", jsonl(...column.map((label) => ({ text: "a", label }))), { labels: "required", ...options });

  it("reads integers, as numbers or as text, and -100", () => {
    assert.deepEqual(labels(labelled([0, 2, "1", -100], { numLabels: 3 })), [0, 2, 1, -100]);
    assert.deepEqual(labels(examples("d.tsv", "text\tlabels\na\t1\nb\t0\n", { labels: "required" })), [1, 0]);
  });

  it("leaves labels alone where none are wanted", () => {
    assert.deepEqual(labels(examples("d.tsv", "text\tlabel\na\tnonsense\n", { numLabels: 2 })), [undefined]);
  });

  it("numbers names in sorted order", () => {
    const read = labelled(["pos", "neg", -100, "pos"], { numLabels: 2 });
    assert.deepEqual([labels(read), read.id2label], [[1, 0, -100, 1], ["neg", "pos"]]);
  });

  it("takes the names' numbers from id2label, unless those are placeholders", () => {
    assert.deepEqual(labels(labelled(["pos", "pos"], { numLabels: 3, id2label: ["pos", "neg", "mixed"] })), [0, 0]);
    assert.deepEqual(labelled(["pos", "neg"], { numLabels: 2, id2label: ["LABEL_0", "LABEL_1"] }).id2label, ["neg", "pos"]);
    assert.deepEqual(labels(labelled(["LABEL_1"], { numLabels: 2, id2label: ["LABEL_0", "LABEL_1"] })), [1]);
    assert.throws(() => labelled(["pos", "good"], { id2label: ["pos", "neg"] }),
      { code: "LABEL_UNKNOWN", message: /^"d\.jsonl", line 2: the label "good" is none of the model's, which are "pos" and "neg"/ });
  });

  it("refuses names that can't be numbered: a file that lacks a class would number the others wrongly", () => {
    assert.throws(() => labelled(["pos", "pos"], { numLabels: 2 }),
      { code: "LABEL_NAMES_DO_NOT_FIT", message: /1 different label \("pos"\), but the model has 2/ });
  });

  it("names file, line, value and range of a bad label", () => {
    assert.throws(() => labelled([0, 2], { numLabels: 2 }),
      { code: "LABEL_OUT_OF_RANGE", message: /^"d\.jsonl", line 2: the label 2 is out of range\. Labels are integers from 0 to 1, or -100/ });
    assert.throws(() => labelled([-1]), { code: "LABEL_OUT_OF_RANGE", message: /the label -1 is out of range\. Labels are integers 0 or more/ });
    assert.throws(() => labelled([0, 0.5], { numLabels: 2 }), { code: "LABEL_NOT_INTEGER", message: /line 2: the label 0\.5 is not an integer/ });
    assert.throws(() => labelled([0, "x"], { numLabels: 2 }), { code: "LABEL_NOT_INTEGER", message: /line 2: the label "x"/ });
    assert.throws(() => labelled(["x", [1]], { numLabels: 2 }), { code: "LABEL_NOT_INTEGER", message: /the label \[1\]/ });
    assert.throws(() => labelled([true]), { code: "LABEL_NOT_INTEGER" });
    for (const empty of ["", null]) assert.throws(() => labelled([1, empty]), { code: "LABEL_MISSING", message: /line 2: "label" is empty/ });
  });

  it("refuses a file without labels, or with none that counts", () => {
    assert.throws(() => examples("d.tsv", "text\tgold\na\t1\n", { labels: "required" }),
      { code: "DATA_COLUMN_MISSING", message: /no column "label" or "labels"\. It has the columns "text" and "gold"/ });
    assert.throws(() => labelled([-100, "-100"]), { code: "LABELS_ALL_IGNORED" });
  });
});
