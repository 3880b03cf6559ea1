import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LOCK_FILE, lockFolder } from "../../../src/runtime/node/lock-folder.ts";
import { startMark } from "../../../src/runtime/node/process-life.ts";

describe("the lock of an output folder", () => {
  let folder = "";
  const lock = (): string => join(folder, LOCK_FILE);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-lock-")); });
  afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

  /** A lock as this process would write it, but for some fields. */
  function plant(change: Readonly<Record<string, unknown>>): void {
    using _held = lockFolder(folder);
    const mine = JSON.parse(readFileSync(lock(), "utf8")) as object;
    rmSync(lock());
    writeFileSync(lock(), JSON.stringify({ ...mine, id: "planted", ...change }));
  }
  const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
  const taken = (): void => {
    using _held = lockFolder(folder);
    assert.equal((JSON.parse(readFileSync(lock(), "utf8")) as { pid: number }).pid, process.pid);
  };
  const refused = (message: RegExp): void => { assert.throws(() => lockFolder(folder), { code: "OUTPUT_FOLDER_BUSY", message }); };

  it("refuses a second run, and says who holds it since when, and what to do", () => {
    {
      using _held = lockFolder(folder);
      assert.throws(() => lockFolder(folder), (error: Error & { details: object }) => {
        assert.match(error.message, new RegExp(`^Another run writes into ".*": process ${String(process.pid)} on "${hostname()}", since \\d{4}-.*Z\\. Wait until it is done, or name another folder\\. `
          + 'If that process is not onnx-hut\'s, remove ".*\\.onnx-hut\\.lock"\\.$'));
        assert.deepEqual(Object.keys(error.details), ["folder", "lock", "pid", "host", "since"]);
        return true;
      });
      assert.deepEqual(readdirSync(folder), [LOCK_FILE]);
    }
    assert.deepEqual(readdirSync(folder), []);
    taken();
  });

  it("goes when what is done under it fails, and when the process exits in the middle", () => {
    assert.throws(() => {
      using _held = lockFolder(folder);
      throw new Error("full");
    }, /full/);
    assert.deepEqual(readdirSync(folder), []);
    const program = `import { lockFolder } from "./src/runtime/node/lock-folder.ts"; lockFolder(${JSON.stringify(folder)}); process.exit(130);`;
    assert.equal(spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program]).status, 130);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("of a dead process is taken over, also where its number went to another, or the machine began anew", function () {
    plant({ pid: deadPid() });
    taken();
    plant({ since: "2001-01-01T00:00:00.000Z" });
    taken();
    if (startMark(process.pid) === "") this.skip();
    plant({ startMark: "another boot:1" });
    taken();
    plant({ pid: process.ppid });
    taken();
    plant({ pid: process.ppid, startMark: startMark(process.ppid) });
    refused(new RegExp(`process ${String(process.ppid)}`));
  });

  it("of another machine holds until there was no sign of life for a day", () => {
    plant({ hostMark: "00000000", host: "else\u001bwhere", pid: deadPid() });
    refused(/on "else\\u001bwhere".*can't be seen from here: if it doesn't, remove ".*\.onnx-hut\.lock", which also expires a day after/);
    const daysAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
    utimesSync(lock(), daysAgo, daysAgo);
    taken();
  });

  it("that was never written whole counts for some seconds", () => {
    writeFileSync(lock(), "");
    refused(/a process, since/);
    const before = new Date(Date.now() - 11_000);
    utimesSync(lock(), before, before);
    taken();
  });

  it("leaves alone what another has put in its place", () => {
    {
      using _held = lockFolder(folder);
      rmSync(lock());
      writeFileSync(lock(), "another's");
    }
    assert.equal(readFileSync(lock(), "utf8"), "another's");
  });

  it("says why where it can't be made", () => {
    mkdirSync(lock());
    assert.throws(() => lockFolder(folder), { code: "OUTPUT_UNWRITABLE" });
    assert.throws(() => lockFolder(join(folder, "none")), { code: "OUTPUT_UNWRITABLE", message: /it isn't there/ });
    assert.deepEqual(readdirSync(folder), [LOCK_FILE]);
  });

  it("is held by one process at a time, however many take it over at once", async function () {
    this.timeout(30_000);
    const words = ["--import", "tsx", "test/runtime/node/lock-contender.ts", folder, "1500", String(deadPid())];
    const contenders = Array.from({ length: 6 }, () => spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] }));
    const told = await Promise.all(contenders.map(async (c) => [await text(c.stdout), await text(c.stderr)] as const));
    assert.deepEqual(told.map(([, err]) => err).filter((err) => err !== ""), []);
    const counts = told.map(([out]) => Number(out));
    assert.ok(counts.reduce((sum, n) => sum + n, 0) > 50, `they had it ${counts.join(", ")} times`);
    assert.deepEqual(readdirSync(folder).filter((name) => name !== LOCK_FILE), []);
  });
});
