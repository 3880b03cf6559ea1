/** Whether a process that left its number in a file still lives. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { systemCode } from "../../errors/files.ts";

/** States of a process that has ended, and whose parent hasn't asked for its end yet. */
const ENDED = ["Z", "X"];

/** Where process numbers mean the same processes: a machine, or one of its containers, each of which counts its own. */
export const HOST_MARK: string = createHash("sha256").update(hostname() + numberSpace()).digest("hex").slice(0, 8);

/** Whether a process of this number lives here, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return false;
  }
  return !ENDED.includes(statOf(pid)[0] ?? "");
}

/**
 * What tells a process from a later one of the same number: the boot, and the ticks from there to its start. Empty where the system doesn't tell (only Linux
 * does, without another program), and where there is no such process.
 */
export function startMark(pid: number): string {
  const ticks = statOf(pid)[19];
  return ticks === undefined ? "" : `${textOf("/proc/sys/kernel/random/boot_id")}:${ticks}`;
}

/** The fields of Linux's /proc/<pid>/stat from the third one, the state, on; none elsewhere. */
function statOf(pid: number): string[] {
  const stat = textOf(`/proc/${String(pid)}/stat`);
  // The second field is the program's name in brackets, and may itself hold brackets and spaces.
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function numberSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1").trim();
  } catch {
    return "";
  }
}
