/** One process of `npm run fuzz`: reads inputs by their numbers, and tells what came of them. Which one it is at stands in a file, should it hang or die. */
import { openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { inputOf, isPolluted, judge, Scratch, type Verdict } from "../test/fuzz/judge.ts";
import type { Files, Reader } from "../test/fuzz/reader.ts";
import { readersOf } from "../test/fuzz/readers.ts";
import { makeSeeds } from "../test/fuzz/seeds.ts";

/** Inputs `from` to `from + count` of a reader; `alone`: one, measured. */
export interface Job {
  readonly reader: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly alone: boolean;
}

/** A promise that an input broke. */
export interface Finding {
  readonly reader: string;
  readonly index: number;
  readonly what: string;
  readonly stack: string;
}

/** What came of a job. */
export interface JobResult {
  readonly accepted: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** Inputs that took long, on a machine that may be busy, or much memory, some of which the collector may not have taken back yet. */
  readonly suspects: readonly number[];
  /** Alone: most memory above what was in use before and the input's own size. */
  readonly peakBytes: number;
  /** Alone: processor time. */
  readonly cpuMs: number;
}

/** Processor time and memory from which an input is repeated alone. The clock would tell of others' work on a busy machine. */
const SLOW_MS = 500;
const LARGE_BYTES = 48 * 1024 * 1024;

const [progressFile = "", folder = ""] = process.argv.slice(2);
const progress = openSync(progressFile, "w");
const place = new Float64Array(1);
const isLinux = process.platform === "linux";
/** The system's word on this process, and where its mark of the most memory is set back. */
const status = isLinux ? openSync("/proc/self/status", "r") : -1;
const marks = isLinux ? openSync("/proc/self/clear_refs", "w") : -1;
const statusText = Buffer.alloc(4096);

const readers = new Map(readersOf(await makeSeeds()).map((reader) => [reader.name, reader]));
const scratches = new Map([...readers.keys()].map((name) => [name, new Scratch(join(folder, name))]));

process.on("message", (job: Job) => {
  void (job.alone ? alone(job) : together(job)).then((result) => process.send?.(result));
});
process.send?.("ready");

async function together(job: Job): Promise<JobResult> {
  const { reader, scratch } = ofJob(job);
  const [refused, findings, suspects] = [{} as Record<string, number>, [] as Finding[], [] as number[]];
  let accepted = 0;
  for (let index = job.from; index < job.from + job.count; index++) {
    place[0] = index;
    writeSync(progress, new Uint8Array(place.buffer), 0, 8, 0);
    const files = inputOf(reader, job.seed, index);
    scratch.place(files, reader.writes === true);
    const before = memory(true);
    const started = process.cpuUsage();
    const verdict = await judge(reader, scratch.folder);
    const { user, system } = process.cpuUsage(started);
    if ((user + system) / 1000 > SLOW_MS || memory(false) - before > LARGE_BYTES + sizeOf(files)) suspects.push(index);
    if (verdict.kind === "accepted") accepted += 1;
    else if (verdict.kind === "refused") refused[verdict.code] = (refused[verdict.code] ?? 0) + 1;
    else findings.push(finding(reader, index, verdict));
  }
  if (isPolluted()) findings.push({ reader: reader.name, index: job.from, what: `a prototype was changed by an input from here to ${String(job.from + job.count - 1)}`, stack: "" });
  return { accepted, refused, findings, suspects, peakBytes: 0, cpuMs: 0 };
}

/** One input, its reader warm. */
async function alone(job: Job): Promise<JobResult> {
  const { reader, scratch } = ofJob(job);
  const seed = reader.seeds[0];
  for (let i = 0; i < 3 && seed !== undefined; i++) {
    scratch.place(seed, reader.writes === true);
    await judge(reader, scratch.folder);
  }
  const files = inputOf(reader, job.seed, job.from);
  scratch.place(files, true);
  global.gc?.();
  const before = memory(true);
  place[0] = job.from;
  writeSync(progress, new Uint8Array(place.buffer), 0, 8, 0);
  const started = process.cpuUsage();
  const verdict = await judge(reader, scratch.folder);
  const { user, system } = process.cpuUsage(started);
  return {
    accepted: verdict.kind === "accepted" ? 1 : 0, refused: verdict.kind === "refused" ? { [verdict.code]: 1 } : {}, suspects: [],
    findings: verdict.kind === "finding" ? [finding(reader, job.from, verdict)] : [], peakBytes: memory(false) - before - sizeOf(files), cpuMs: (user + system) / 1000,
  };
}

function ofJob(job: Job): { reader: Reader; scratch: Scratch } {
  const [reader, scratch] = [readers.get(job.reader), scratches.get(job.reader)];
  if (reader === undefined || scratch === undefined) throw new TypeError(`no reader ${job.reader}`);
  return { reader, scratch };
}

function finding(reader: Reader, index: number, { what, error }: Verdict & { kind: "finding" }): Finding {
  return { reader: reader.name, index, what, stack: error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => line.includes(" at ")).slice(0, 12).join("\n") : "" };
}

function sizeOf(files: Files): number {
  return [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
}

/** Bytes of memory in use now, after the mark of the most is set back to it; or the most since then. 0 where the system doesn't tell. */
function memory(reset: boolean): number {
  if (!isLinux) return 0;
  if (reset) writeSync(marks, "5", 0);
  const length = readSync(status, statusText, 0, statusText.length, 0);
  return 1024 * Number(/VmHWM:\s*(\d+)/.exec(statusText.toString("latin1", 0, length))?.[1] ?? 0);
}
