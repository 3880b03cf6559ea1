/**
 * Takes a folder's lock over and over for some time, beside others that do the same, and prints how often it had it. Exits with 1 where another was in there
 * too. Every second time it leaves the lock of a dead process behind. Words: folder, milliseconds, a dead process' number.
 */
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HutError } from "../../../src/errors/hut-error.ts";
import { LOCK_FILE, lockFolder } from "../../../src/runtime/node/lock-folder.ts";

const [folder = "", milliseconds = "0", deadPid = ""] = process.argv.slice(2);
const inside = join(folder, "inside");
const lockFile = join(folder, LOCK_FILE);
let taken = 0;
for (const end = Date.now() + Number(milliseconds); Date.now() < end;) {
  try {
    using _lock = lockFolder(folder);
    closeSync(openSync(inside, "wx"));
    taken += 1;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * Math.random());
    rmSync(inside);
    if (taken % 2 === 1) writeFileSync(lockFile, JSON.stringify({ ...JSON.parse(readFileSync(lockFile, "utf8")) as object, pid: Number(deadPid), id: "dead" }));
  } catch (error) {
    if (!(error instanceof HutError) || error.code !== "OUTPUT_FOLDER_BUSY") throw error;
  }
}
process.stdout.write(String(taken));
