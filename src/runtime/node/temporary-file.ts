/** Names of the files that an atomic write fills before it renames them, and the removal of those that a killed process left behind. */
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../../errors/files.ts";

/** `.<name>.onnx-hut-<pid>-<host mark><random>.tmp`. */
const TEMPORARY = /^\..*\.onnx-hut-(\d+)-([0-9a-f]{8})[0-9a-f]{12}\.tmp$/s;

/** Most bytes of the output's name repeated in the temporary one: file systems allow 255 in all, and the rest takes under 60. */
const MAX_NAME_BYTES = 180;

/** A process number says nothing about another machine or container that shares the folder: what those left is removed only after a day. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;

const HOST_MARK = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

const swept = new Set<string>();

/** A new name beside `path`, in the same folder and so on the same file system. */
export function temporaryBeside(path: string): string {
  let name = basename(path);
  while (Buffer.byteLength(name) > MAX_NAME_BYTES) name = Array.from(name).slice(0, -1).join("");
  return join(dirname(path), `.${name}.onnx-hut-${String(process.pid)}-${HOST_MARK}${randomBytes(6).toString("hex")}.tmp`);
}

/** Removes what dead processes left in `folder`, once per process and folder. Never fails: leftovers are untidy, not wrong. */
export function removeLeftovers(folder: string): void {
  const place = resolve(folder);
  if (swept.has(place)) return;
  swept.add(place);
  try {
    for (const name of readdirSync(place)) {
      const [, pid, host] = TEMPORARY.exec(name) ?? [];
      if (pid !== undefined && isLeftover(join(place, name), Number(pid), host === HOST_MARK)) rmSync(join(place, name), { force: true });
    }
  } catch {
    return;
  }
}

function isLeftover(path: string, pid: number, ofThisHost: boolean): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return false;
  if (!ofThisHost) return Date.now() - stats.mtimeMs > FOREIGN_AGE_MS;
  // In containers every run may have the same process number: older than this process is not of this process.
  if (pid === process.pid) return stats.mtimeMs < Date.now() - process.uptime() * 1000 - 1000;
  return !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
