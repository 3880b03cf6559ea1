import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFileSource, readTextFile } from "../../../src/runtime/node/file-source.ts";

describe("openFileSource", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-source-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("reads ranges of a file and nothing else", () => {
    const path = join(folder, "a.bin");
    writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5));
    using source = openFileSource(path);
    assert.equal(source.size, 5);
    assert.equal(source.name, path);
    assert.deepEqual(source.read(1, 3), Uint8Array.of(2, 3, 4));
    assert.deepEqual(source.read(5, 0), new Uint8Array(0));
    for (const [offset, length] of [[4, 2], [-1, 2], [0, -1], [0, 2 ** 52], [NaN, 1]] as const) {
      assert.throws(() => source.read(offset, length), { code: "FILE_TOO_SHORT" });
    }
  });

  it("notices that the file was cut while it was open", () => {
    const path = join(folder, "a.bin");
    writeFileSync(path, new Uint8Array(100));
    using source = openFileSource(path);
    truncateSync(path, 10);
    assert.throws(() => source.read(0, 100), { code: "FILE_TOO_SHORT" });
  });

  it("closes when disposed of, once", () => {
    const path = join(folder, "a.bin");
    writeFileSync(path, "abc");
    const source = openFileSource(path);
    source[Symbol.dispose]();
    source[Symbol.dispose]();
    assert.throws(() => source.read(0, 1), { code: "FILE_CLOSED" });
  });

  it("refuses what is missing, a folder or a device, in one sentence", () => {
    assert.throws(() => openFileSource(join(folder, "none.onnx")), { code: "FILE_MISSING", message: /^There is no file ".*none\.onnx"\. Check the path\.$/ });
    assert.throws(() => openFileSource(""), { code: "FILE_MISSING" });
    assert.throws(() => openFileSource(folder), { code: "NOT_A_REGULAR_FILE", message: /is a folder/ });
    writeFileSync(join(folder, "file"), "");
    assert.throws(() => openFileSource(join(folder, "file", "below")), { code: "FILE_MISSING" });
    if (process.platform !== "win32") assert.throws(() => openFileSource("/dev/zero"), { code: "NOT_A_REGULAR_FILE", message: /is a device/ });
  });

  it("refuses a pipe without waiting for its writer", function () {
    if (process.platform === "win32") this.skip();
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    assert.throws(() => openFileSource(path), { code: "NOT_A_REGULAR_FILE", message: /is a pipe/ });
  });
});

describe("readTextFile", () => {
  it("reads strict UTF-8 up to its limit", () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-text-"));
    try {
      const path = join(folder, "a.txt");
      writeFileSync(path, "é");
      assert.equal(readTextFile(path, 2), "é");
      assert.throws(() => readTextFile(path, 1), { code: "FILE_TOO_LONG" });
      writeFileSync(path, Uint8Array.of(0xc3));
      assert.throws(() => readTextFile(path, 10), { code: "FILE_NOT_TEXT" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
