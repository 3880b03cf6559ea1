/** Names of the files that an atomic write fills before it renames them, and how those of a killed process are known. */
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { HOST_MARK, isAlive, startMark } from "./process-life.ts";

/** `.<name>.onnx-hut-<pid>-<host mark><start mark><random>.tmp`. */
const TEMPORARY = /^\.(.*)\.onnx-hut-(\d+)-([0-9a-f]{8})([0-9a-f]{6})[0-9a-f]{6}\.tmp$/s;

/** Most bytes of the output's name repeated in the temporary one: file systems allow 255 in all, and the rest takes under 60. */
const MAX_NAME_BYTES = 180;

/** A process number says nothing about another machine or container that shares the folder: what those left is removed only after a day. */
export const FOREIGN_AGE_MS: number = 24 * 60 * 60 * 1000;

const given = new Set<string>();

/** A new name beside `path`, in the same folder and so on the same file system. What is still there under it when the process exits is removed. */
export function temporaryBeside(path: string): string {
  const temporary = join(dirname(path), temporaryName(basename(path), process.pid));
  if (given.size === 0) process.once("exit", removeGiven);
  given.add(resolve(temporary));
  return temporary;
}

/** A temporary name of a process. */
export function temporaryName(of: string, pid: number): string {
  return `.${repeated(of)}.onnx-hut-${String(pid)}-${HOST_MARK}${shortMark(pid)}${randomBytes(3).toString("hex")}.tmp`;
}

/** Whether a file's name is a temporary one, whoever's. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Whether a temporary name was made of this one. */
export function isTemporaryOf(temporary: string, name: string): boolean {
  return TEMPORARY.exec(temporary)?.[1] === repeated(name);
}

function repeated(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > MAX_NAME_BYTES) cut = Array.from(cut).slice(0, -1).join("");
  return cut;
}

/** Whether a file is a temporary one of a process that is gone. */
export function isLeftover(path: string): boolean {
  const [, , number, host, mark] = TEMPORARY.exec(basename(path)) ?? [];
  const stats = number === undefined ? undefined : lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return false;
  if (host !== HOST_MARK) return Date.now() - stats.mtimeMs > FOREIGN_AGE_MS;
  const pid = Number(number);
  if (!isAlive(pid) || mark !== shortMark(pid)) return true;
  // Where a system doesn't tell when processes began: older than this process is not of this process.
  return pid === process.pid && stats.mtimeMs < Date.now() - process.uptime() * 1000 - 1000;
}

function shortMark(pid: number): string {
  return createHash("sha256").update(startMark(pid)).digest("hex").slice(0, 6);
}

/** A second Ctrl-C ends the process in the middle of a write. */
function removeGiven(): void {
  for (const path of given) rmSync(path, { force: true });
}
