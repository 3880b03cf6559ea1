/**
 * One run at a time in an output folder: a file `.onnx-hut.lock` tells who works there, and goes when that is done.
 *
 * Rules: (1) the file appears with its contents, in one step that fails where it is there already; (2) the lock of a dead process is removed only by one that
 * has announced itself (its own temporary file) and then seen nobody else announced, and looks at the lock once more after that. Two that see each other both
 * step back and try again a little later. So nobody removes a lock that another has just taken.
 *
 * Ways that lost: proper-lockfile and lockfile judge a lock by its age alone and remove an old one without rule 2, so two can take it over at once, and a process
 * that is busy for longer than that age, as one that writes a model is, loses it; fs-ext's flock has to be compiled, and network file systems and Windows have none.
 */
import { randomUUID } from "node:crypto";
import { constants, copyFileSync, linkSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { basename, join, resolve } from "node:path";
import { outputFolderBusy, outputUnwritable, systemCode, type FolderHolder } from "../../errors/files.ts";
import { removeLeftovers } from "./leftovers.ts";
import { FOREIGN_AGE_MS, isLeftover, isTemporaryName, temporaryBeside } from "./temporary-file.ts";
import { HOST_MARK, isAlive, startMark } from "./process-life.ts";

/** The lock's name in its folder. */
export const LOCK_FILE = ".onnx-hut.lock";

/** How often a lock is renewed, so that a machine that can't see its process sees that it lives. */
const RENEWED_EVERY_MS = 10 * 60 * 1000;

/** Where a file system has no hard links, a lock is empty for a moment: one that can't be read counts as being written for this long. */
const WRITTEN_WITHIN_MS = 10_000;

/** Tries to take over a dead lock, and the longest wait between two of them: contenders part within a few. */
const MAX_TRIES = 20;
const MAX_WAIT_MS = 50;

/** Slack of the system's uptime against the wall clock. */
const CLOCK_SLACK_MS = 60_000;

/** What a lock says of its holder. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly hostMark: string;
  readonly startMark: string;
  /** When it was taken, ISO 8601. */
  readonly since: string;
  readonly id: string;
}

const held = new Map<string, string>();

/**
 * Takes a folder, which must be there, until disposed of or until the process exits; a dead process' lock is taken over. Throws OUTPUT_FOLDER_BUSY where
 * another run works there, OUTPUT_UNWRITABLE where no file can be made.
 */
export function lockFolder(folder: string): Disposable {
  const shown = join(folder, LOCK_FILE);
  const file = resolve(shown);
  const mine: Holder = { pid: process.pid, host: hostname(), hostMark: HOST_MARK, startMark: startMark(process.pid), since: new Date().toISOString(), id: randomUUID() };
  removeLeftovers(folder);
  const announced = temporaryBeside(file);
  try {
    for (let tries = 1; ; tries += 1) {
      const met = take(announced, file, mine);
      if (met === "taken") return hold(file, mine.id);
      if (met !== "contended") throw outputFolderBusy(folder, shown, met);
      if (tries === MAX_TRIES) throw outputFolderBusy(folder, shown, undefined);
      pause(Math.random() * MAX_WAIT_MS);
    }
  } catch (error) {
    throw systemCode(error) === undefined ? error : outputUnwritable(shown, error);
  } finally {
    rmSync(announced, { force: true });
  }
}

/** Takes the lock, or tells who holds it, or that another is about to take it. Throws errors of the system. */
function take(announced: string, file: string, mine: Holder): "taken" | "contended" | FolderHolder {
  writeFileSync(announced, `${JSON.stringify(mine, null, 2)}\n`);
  if (appears(announced, file)) return "taken";
  const contended = othersAnnounced(announced, file);
  const found = look(announced, file);
  if (typeof found === "object") return found;
  if (!contended) {
    // A lock that went in between may be another's by now, and is left alone.
    if (found === "dead") rmSync(file, { force: true });
    if (appears(announced, file)) return "taken";
  }
  rmSync(announced);
  return "contended";
}

/** Puts the announced contents in the lock's place; false where something stands there. */
function appears(announced: string, file: string): boolean {
  try {
    try {
      linkSync(announced, file);
    } catch (error) {
      if (systemCode(error) === "EEXIST") throw error;
      // A file system without hard links.
      copyFileSync(announced, file, constants.COPYFILE_EXCL);
    }
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Whether another living process is about to take this lock. */
function othersAnnounced(announced: string, file: string): boolean {
  const folder = resolve(file, "..");
  return readdirSync(folder).some((name) => name.startsWith(`.${LOCK_FILE}.`) && isTemporaryName(name) && name !== basename(announced) && !isLeftover(join(folder, name)));
}

/** Who holds the lock, if they live or may; "dead" where they don't, "gone" where there is no lock any more. */
function look(announced: string, file: string): FolderHolder | "dead" | "gone" {
  const stats = statSync(file, { throwIfNoEntry: false });
  const text = textOf(file);
  if (stats === undefined || text === undefined) return "gone";
  // By the clock of the file system, which both files were written by.
  const age = statSync(announced).mtimeMs - stats.mtimeMs;
  const holder = holderIn(text);
  if (holder === undefined) return age < WRITTEN_WITHIN_MS ? { pid: undefined, host: undefined, since: stats.mtime.toISOString(), isHere: false } : "dead";
  return lives(holder, age) ? { pid: holder.pid, host: holder.host, since: holder.since, isHere: holder.hostMark === HOST_MARK } : "dead";
}

function lives(holder: Holder, age: number): boolean {
  if (holder.hostMark !== HOST_MARK) return age < FOREIGN_AGE_MS;
  if (!isAlive(holder.pid) || holder.startMark !== startMark(holder.pid)) return false;
  return Date.parse(holder.since) > Date.now() - uptime() * 1000 - CLOCK_SLACK_MS;
}

/** Undefined where the file isn't there. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined where the text is none of a lock. */
function holderIn(text: string): Holder | undefined {
  try {
    const { pid, host, hostMark, startMark: mark, since, id } = JSON.parse(text) as Record<string, unknown>;
    if (typeof pid !== "number" || typeof host !== "string" || typeof hostMark !== "string" || typeof mark !== "string" || typeof since !== "string" || typeof id !== "string") return undefined;
    return { pid, host, hostMark, startMark: mark, since, id };
  } catch {
    return undefined;
  }
}

function hold(file: string, id: string): Disposable {
  if (held.size === 0) process.once("exit", releaseAll);
  held.set(file, id);
  const renewal = setInterval(() => { renew(file); }, RENEWED_EVERY_MS).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(renewal);
      release(file, id);
      held.delete(file);
      if (held.size === 0) process.off("exit", releaseAll);
    },
  };
}

function renew(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Somebody removed the folder. What is written there next says so.
  }
}

/** Removes the lock where it is still this one. */
function release(file: string, id: string): void {
  try {
    if (holderIn(textOf(file) ?? "")?.id === id) rmSync(file, { force: true });
  } catch {
    // The folder is gone, or can't be written any more: the process ends, and with it what the lock says.
  }
}

function releaseAll(): void {
  for (const [file, id] of held) release(file, id);
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
