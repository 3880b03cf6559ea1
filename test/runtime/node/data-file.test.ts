import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { readRecords } from "../../../src/runtime/node/data-file.ts";

describe("readRecords", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "onnx-hut-data-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  it("reads a file, named in its messages as it was given", async () => {
    const path = join(folder, "a.tsv");
    await writeFile(path, "text\tlabel\na\t1\n");
    assert.deepEqual(readRecords(path), { file: path, columns: ["text", "label"], records: [{ line: 2, fields: { text: "a", label: "1" } }] });
  });

  it("says why a file can't be read", async () => {
    await mkdir(join(folder, "b.tsv"));
    assert.throws(() => readRecords(join(folder, "none.tsv")), { name: "HutError", code: "FILE_MISSING", exitCode: 1, message: /none\.tsv/ });
    assert.throws(() => readRecords(join(folder, "b.tsv")), { code: "NOT_A_REGULAR_FILE", message: /is a folder/ });
    assert.throws(() => readRecords(join(folder, "none.txt")), { code: "DATA_ENDING_UNKNOWN" });
  });
});
