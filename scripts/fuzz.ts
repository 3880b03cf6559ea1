/**
 * `npm run fuzz`: reads inputs made to break every reader, a million where nothing else is said, in processes that are watched. Counts as a finding: an error that
 * is no HutError, a control character in a message, a second of processor time, 64 MB of memory beyond the input's size, a process that dies, a changed prototype.
 * What takes time or memory is repeated alone before it counts. Input n of a reader is the same for one seed, so every finding comes with the command that repeats it.
 * Ctrl-C ends it early, with the table so far.
 */
import { fork, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { inputOf } from "../test/fuzz/judge.ts";
import { readersOf } from "../test/fuzz/readers.ts";
import { makeSeeds } from "../test/fuzz/seeds.ts";
import type { Finding, Job, JobResult } from "./fuzz-worker.ts";

/** Inputs of one job: few enough to show where it stands. */
const JOB_INPUTS = 400;
/** What one input may take: processor time, and memory beyond its own size. */
const MAX_MS = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Processor time after which an input that doesn't end is ended. */
const HANG_MS = 3000;

const { values: options } = parseArgs({ options: {
  count: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" }, reader: { type: "string", multiple: true }, from: { type: "string", default: "0" },
  workers: { type: "string", default: String(availableParallelism()) }, out: { type: "string" }, findings: { type: "string", default: join(tmpdir(), "onnx-hut-fuzz") },
} });
const [count, seed, from] = [Number(options.count), Number(options.seed), Number(options.from)];
const all = readersOf(await makeSeeds());
const readers = all.filter(({ name }) => options.reader?.includes(name) ?? true);
if (readers.length === 0) throw new Error(`no such reader; there are ${all.map((r) => r.name).join(", ")}`);

/** What is known of one reader so far. */
interface Row { inputs: number; accepted: number; readonly refused: Map<string, number>; findings: number }
const rows = new Map(readers.map((r): [string, Row] => [r.name, { inputs: 0, accepted: 0, refused: new Map(), findings: 0 }]));
/** Findings by what they are: the first of each kind, and how many. */
const kinds = new Map<string, { readonly finding: Finding; count: number }>();

/** Jobs to do, readers by turns. */
const jobs = plannedJobs();
const started = performance.now();
// In memory where there is such a place: a million inputs are some million files.
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "hut-fuzz-"));

/** A process, and where it is. */
class Worker {
  readonly #progress: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(name: string) {
    this.#folder = join(folder, name);
    mkdirSync(this.#folder);
    this.#progress = join(this.#folder, "progress");
  }

  /** What came of the job, or at which input the process hung or died. */
  async run(job: Job): Promise<JobResult | { readonly stopped: number; readonly what: string }> {
    const child = this.#child ?? await this.#start();
    this.#child = child;
    return await new Promise((resolve) => {
      let seen: { readonly index: number; readonly cpu: number } | undefined;
      let hung = false;
      const watch = setInterval(() => {
        const [index, cpu] = [this.#index(), cpuOf(child)];
        if (index !== seen?.index) seen = { index, cpu };
        else if (cpu - seen.cpu > HANG_MS) {
          hung = true;
          child.kill("SIGKILL");
        }
      }, 500);
      const end = (result: Parameters<typeof resolve>[0]): void => {
        clearInterval(watch);
        child.removeAllListeners("message");
        child.removeAllListeners("exit");
        resolve(result);
      };
      child.once("message", (result) => { end(result as JobResult); });
      child.once("exit", (code, signal) => {
        this.#child = undefined;
        end({ stopped: this.#index(), what: hung ? `no end after ${String(HANG_MS / 1000)} s` : `the process died (${String(signal ?? code)})` });
      });
      child.send(job);
    });
  }

  stop(): void {
    this.#child?.removeAllListeners("exit");
    this.#child?.kill("SIGKILL");
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(fileURLToPath(new URL("fuzz-worker.ts", import.meta.url)), [this.#progress, this.#folder], { execArgv: [...process.execArgv, "--expose-gc", "--max-old-space-size=1024"] });
    await new Promise((resolve) => { child.once("message", resolve); });
    return child;
  }

  /** The input that the process is at. */
  #index(): number {
    const bytes = readFileSync(this.#progress);
    return bytes.length < 8 ? -1 : bytes.readDoubleLE(0);
  }
}

const workers = Array.from({ length: Number(options.workers) }, (_, i) => new Worker(String(i)));
const judge = new Worker("alone");
let judging: Promise<unknown> = Promise.resolve();
// Ctrl-C ends it with what there is. A finding's index tells where to go on: --from.
process.once("SIGINT", () => { jobs.length = 0; });
const reports = setInterval(() => { report(); }, 30_000);
await Promise.all(workers.map(work));
await judging;
clearInterval(reports);
for (const worker of [...workers, judge]) worker.stop();
rmSync(folder, { recursive: true, force: true });
report();
for (const { finding, count: times } of kinds.values()) {
  show(finding, times);
}
if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(results(), null, 2)}\n`);
process.exitCode = kinds.size > 0 ? 1 : 0;

async function work(worker: Worker): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const result = await worker.run(job);
    if (!("stopped" in result)) {
      take(job, result);
      continue;
    }
    // What came before is read again, what comes after is still to do.
    const at = result.stopped;
    confirm(job, at, result.what);
    if (at > job.from) jobs.unshift({ ...job, count: at - job.from });
    if (at + 1 < job.from + job.count) jobs.unshift({ ...job, from: at + 1, count: job.from + job.count - at - 1 });
  }
}

function take(job: Job, { accepted, refused, findings, suspects }: JobResult): void {
  const row = rows.get(job.reader);
  if (row === undefined) return;
  row.inputs += job.count;
  row.accepted += accepted;
  for (const [code, times] of Object.entries(refused)) row.refused.set(code, (row.refused.get(code) ?? 0) + times);
  for (const finding of findings) note(finding);
  for (const index of suspects) confirm(job, index);
}

/** Reads one input again, with a process to itself, and notes it where it breaks a promise there too. */
function confirm(job: Job, index: number, what?: string): void {
  judging = judging.then(async () => {
    const result = await judge.run({ ...job, from: index, count: 1, alone: true });
    const found = (problem: string): void => { note({ reader: job.reader, index, what: problem, stack: "" }); };
    if ("stopped" in result) found(result.what);
    else {
      if (what !== undefined) count1(job, result);
      if (result.cpuMs > MAX_MS) {
        const again = await judge.run({ ...job, from: index, count: 1, alone: true });
        if ("stopped" in again || again.cpuMs > MAX_MS) found("more than 1 s of processor time");
      }
      if (result.peakBytes > MAX_BYTES) found("more than 64 MB of memory beyond its size");
    }
  });
}

/** An input that stopped a process once and not again: it counts as read. */
function count1(job: Job, result: JobResult): void {
  take({ ...job, count: 1 }, result);
}

/** What it is, without the numbers and names that differ from input to input. */
function note(finding: Finding): void {
  const key = `${finding.reader} ${finding.what.replace(/[\d"'].*$/s, "")} ${finding.stack.split("\n").slice(0, 2).join().replace(/\(.*?\/(?=src|node_modules)/g, "(")}`;
  const known = kinds.get(key);
  if (known !== undefined) known.count += 1;
  else {
    kinds.set(key, { finding, count: 1 });
    show(finding, 1);
  }
  const row = rows.get(finding.reader);
  if (row !== undefined) row.findings += 1;
}

function show(finding: Finding, times: number): void {
  process.stdout.write(`\n${finding.reader}: ${finding.what}\n  ${String(times)} times; npx tsx scripts/fuzz.ts --seed ${String(seed)} --reader ${finding.reader} --from ${String(finding.index)} --count 1\n  ${saveInput(finding)}\n${finding.stack.split("\n").slice(0, 6).join("\n")}\n`);
}

function saveInput({ reader: name, index }: Finding): string {
  const reader = all.find((r) => r.name === name);
  const target = join(options.findings, `${name}-${String(seed)}-${String(index)}`);
  if (reader === undefined) return target;
  for (const [file, bytes] of inputOf(reader, seed, index)) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), bytes);
  }
  return target;
}

function plannedJobs(): Job[] {
  const weight = readers.reduce((sum, r) => sum + r.weight, 0);
  const lists = readers.map((r) => {
    const share = readers.length === 1 ? count : Math.ceil((count * r.weight) / weight);
    return Array.from({ length: Math.ceil(share / JOB_INPUTS) }, (_, i): Job => ({ reader: r.name, seed, from: from + i * JOB_INPUTS, count: Math.min(JOB_INPUTS, share - i * JOB_INPUTS), alone: false }));
  });
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(Math.floor((i * list.length) / longest), Math.floor(((i + 1) * list.length) / longest)))).flat();
}

/** Processor time that a process has used, in milliseconds. */
function cpuOf({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    // It is gone, or the system doesn't tell: then the clock must do.
    return performance.now();
  }
}

function report(): void {
  const total = [...rows.values()].reduce((sum, row) => sum + row.inputs, 0);
  const seconds = (performance.now() - started) / 1000;
  const lines = [...rows].map(([name, row]) => `${name.padEnd(18)}${String(row.inputs).padStart(9)}${String(row.accepted).padStart(9)}  ${String(row.findings).padStart(5)}  ${[...row.refused].sort((a, b) => b[1] - a[1]).slice(0, 6).map(([code, times]) => `${code} ${String(times)}`).join(", ")}`);
  process.stdout.write(`\n${String(total)} inputs in ${seconds.toFixed(0)} s, seed ${String(seed)}\n${"reader".padEnd(18)}${"inputs".padStart(9)}${"accepted".padStart(9)}  finds  refused\n${lines.join("\n")}\n`);
}

function results(): unknown {
  return {
    machine: `${cpus()[0]?.model ?? "?"}, ${String(availableParallelism())} threads`, node: process.versions.node, seed, from, seconds: Math.round((performance.now() - started) / 1000),
    inputs: [...rows.values()].reduce((sum, row) => sum + row.inputs, 0),
    readers: [...rows].map(([name, { inputs, accepted, refused, findings }]) => ({ name, inputs, accepted, refused: Object.fromEntries([...refused].sort((a, b) => b[1] - a[1])), findings })),
    findings: [...kinds.values()].map(({ finding: { reader, index, what }, count: times }) => ({ reader, index, what, times })),
  };
}
