import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ByteRange, memorySource } from "../../../src/ir/source.ts";
import { refuseInputAsOutput, requireWritable, writeFileAtomic } from "../../../src/runtime/node/atomic-write.ts";
import { ensureFolder } from "../../../src/runtime/node/folder.ts";
import { removeLeftovers } from "../../../src/runtime/node/leftovers.ts";
import { temporaryBeside, temporaryName } from "../../../src/runtime/node/temporary-file.ts";

/** Permissions and links are told apart there; root may write anywhere. */
const isPosix = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;

describe("atomic writes", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-write-"));
  });
  afterEach(() => {
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);

  describe("writeFileAtomic", () => {
    it("writes bytes and ranges in order", () => {
      const long = new Uint8Array(20 * 1024 * 1024).map((_, i) => i % 251);
      const size = writeFileAtomic(at("out"), [Uint8Array.of(7, 8), new ByteRange(memorySource("memory", long), 1, long.length - 1), new Uint8Array(0)]);
      assert.equal(size, long.length + 1);
      assert.ok(readFileSync(at("out")).equals(Buffer.concat([Uint8Array.of(7, 8), long.subarray(1)])));
      assert.deepEqual(readdirSync(folder), ["out"]);
    });

    it("leaves the old file and no other when a chunk can't be read", () => {
      writeFileSync(at("out"), "old");
      const broken = new ByteRange({ name: "broken", size: 10, read() { throw new Error("no more"); } }, 0, 10);
      assert.throws(() => writeFileAtomic(at("out"), [new Uint8Array(1000), broken]), /^Error: no more$/);
      assert.deepEqual(readdirSync(folder), ["out"]);
      assert.equal(readFileSync(at("out"), "utf8"), "old");
    });

    it("replaces a link, not what it leads to, and keeps the mode of a file", function () {
      if (!isPosix) this.skip();
      writeFileSync(at("target"), "target");
      symlinkSync(at("target"), at("link"));
      writeFileAtomic(at("link"), [Uint8Array.of(65)]);
      assert.equal(readFileSync(at("target"), "utf8"), "target");
      assert.ok(!lstatSync(at("link")).isSymbolicLink());
      chmodSync(at("target"), 0o640);
      writeFileAtomic(at("target"), [Uint8Array.of(65)]);
      assert.equal(statSync(at("target")).mode & 0o777, 0o640);
    });

    it("says in one sentence why a place can't be written, before it writes", () => {
      const write = (path: string) => (): unknown => writeFileAtomic(path, [Uint8Array.of(1)]);
      mkdirSync(at("folder"));
      writeFileSync(at("file"), "");
      assert.throws(write(at("none/out")), { code: "OUTPUT_FOLDER_MISSING", message: /there is no folder ".*none"/ });
      assert.throws(write(at("folder")), { code: "OUTPUT_IN_THE_WAY", message: /it is a folder/ });
      assert.throws(write(at("folder/")), { code: "OUTPUT_IN_THE_WAY" });
      assert.throws(write(at("newfolder/")), { code: "OUTPUT_IN_THE_WAY" });
      assert.throws(write(at("file/out")), { code: "OUTPUT_FOLDER_MISSING" });
      assert.throws(write(at("x".repeat(300))), { code: "OUTPUT_UNWRITABLE" });
      if (isPosix) assert.throws(write("/dev/null"), { code: "OUTPUT_IN_THE_WAY", message: /it is a device/ });
      assert.throws(() => { requireWritable(at("none/out")); }, { code: "OUTPUT_FOLDER_MISSING" });
      requireWritable(at("new"));
      assert.deepEqual(readdirSync(folder).sort(), ["file", "folder"]);
    });

    it("respects a read-only file and a read-only folder", function () {
      if (!isPosix || isRoot) this.skip();
      writeFileSync(at("out"), "old");
      chmodSync(at("out"), 0o444);
      assert.throws(() => writeFileAtomic(at("out"), []), { code: "OUTPUT_UNWRITABLE", message: /permission is denied/ });
      chmodSync(folder, 0o555);
      assert.throws(() => writeFileAtomic(at("new"), []), { code: "OUTPUT_UNWRITABLE", message: /permission is denied/ });
      assert.throws(() => { requireWritable(at("new")); }, { code: "OUTPUT_UNWRITABLE" });
    });

    it("writes under a name as long as the file system allows", () => {
      const name = `${"é".repeat(120)}.onnx`;
      writeFileAtomic(at(name), [Uint8Array.of(1)]);
      assert.equal(statSync(at(name)).size, 1);
    });
  });

  describe("leftovers", () => {
    const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
    const rename = (path: string, from: RegExp, to: string): string => join(dirname(path), basename(path).replace(from, to));

    it("removes those of dead processes and nothing else", () => {
      const mine = temporaryBeside(at("model.onnx"));
      assert.match(basename(mine), /^\.model\.onnx\.onnx-hut-\d+-[0-9a-f]+\.tmp$/);
      const dead = rename(mine, /-hut-\d+/, `-hut-${String(deadPid())}`);
      const alive = at(temporaryName("model.onnx", process.ppid));
      const foreign = rename(dead, /-[0-9a-f]{8}(?=[0-9a-f]{12}\.tmp)/, "-00000000");
      const reused = rename(mine, /\.tmp$/, "").replace(/.$/, (last) => `${last === "0" ? "1" : "0"}.tmp`);
      for (const path of [mine, dead, alive, foreign, reused, at("model.onnx.tmp"), at(".hidden.tmp")]) writeFileSync(path, "");
      utimesSync(reused, 1, 1);
      removeLeftovers(folder);
      const left = [mine, alive, foreign, at("model.onnx.tmp"), at(".hidden.tmp")].map((path) => basename(path));
      assert.deepEqual(readdirSync(folder).sort(), left.sort());
    });

    it("are removed by the next write into the folder", () => {
      writeFileSync(rename(temporaryBeside(at("a")), /-hut-\d+/, `-hut-${String(deadPid())}`), "half");
      writeFileAtomic(at("a"), [Uint8Array.of(1)]);
      assert.deepEqual(readdirSync(folder), ["a"]);
    });
  });

  describe("refuseInputAsOutput", () => {
    it("finds an input behind another spelling, a link and a hard link", function () {
      if (!isPosix) this.skip();
      writeFileSync(at("in"), "");
      writeFileSync(at("other"), "");
      symlinkSync("in", at("link"));
      linkSync(at("in"), at("hard"));
      mkdirSync(at("sub"));
      for (const output of ["in", "link", "hard", "sub/../in"]) {
        assert.throws(() => { refuseInputAsOutput(`${folder}/${output}`, [at("other"), at("in")]); }, { code: "OUTPUT_IS_INPUT", exitCode: 2 });
      }
      assert.throws(() => { refuseInputAsOutput(at("in"), [at("link")]); }, { code: "OUTPUT_IS_INPUT" });
      refuseInputAsOutput(at("other"), [at("in"), at("missing")]);
      refuseInputAsOutput(at("missing"), [at("in"), at("missing")]);
    });
  });

  describe("ensureFolder", () => {
    it("makes what is missing, and says when a file is in the way", () => {
      ensureFolder(at("a/b/c"));
      ensureFolder(at("a/b/c"));
      assert.ok(statSync(at("a/b/c")).isDirectory());
      writeFileSync(at("file"), "");
      assert.throws(() => { ensureFolder(at("file")); }, { code: "FOLDER_UNMAKABLE", message: /a file of this name is there/ });
      assert.throws(() => { ensureFolder(at("file/x")); }, { code: "FOLDER_UNMAKABLE" });
    });
  });
});
