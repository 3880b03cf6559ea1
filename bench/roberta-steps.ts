/**
 * Twenty training steps of models of RoBERTa-base's and -large's full size, made weights: how long a step takes and how much memory. Nothing is said of accuracy.
 *
 *     npm run build
 *     npx tsx bench/roberta-steps.ts [--dir DIR] [--sizes base,large] [--batch 4x64] [--steps 20] [--threads 2] [--provider cuda] [--peft PYTHON] [--json FILE]
 *
 * Each is `onnx-hut train` in a process of its own, rank 8 on q and v and the head whole, on made token ids. A step's time is the mean of those behind the second, by the
 * clock in the run's event file; the memory is the most that the process ever had, weights and ONNX Runtime's arena included. On a GPU its own memory is told too, as
 * nvidia-smi sees it, above what was taken before. With --peft, PEFT's HiRA makes as many steps on the PyTorch model of that size, after ours (roberta_steps.py).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { bytes } from "../src/cli/format.ts";
import type { TrainResult } from "../src/index.ts";
import { eventFiles } from "../src/runtime/node/tensorboard.ts";
import { Random } from "../src/runtime/random.ts";
import { BASE, LARGE, writeRoberta } from "./roberta-large.ts";

const COMMAND = resolve(import.meta.dirname, "../dist/cli/main.js");
const SIZES = { base: BASE, large: LARGE };
/** Milliseconds between two looks at a process. */
const LOOK = 50;
/** Token ids below this are special. */
const [FIRST_WORD, WORDS] = [4, 50_265];

/** Steps that aren't counted: the first allocates, the second in one piece what the first needed. */
const UNCOUNTED = 2;

interface Row {
  readonly by: "onnx-hut" | "peft hira";
  readonly model: string;
  /** Null for PyTorch, which has no file. */
  readonly fileBytes: number | null;
  readonly rows: number;
  readonly tokens: number;
  readonly steps: number;
  readonly stepSeconds: number;
  readonly peakBytes: number;
  /** The GPU's memory, the most above what was taken before; null on the CPU. */
  readonly gpuBytes: number | null;
  readonly losses: readonly [number | null, number | null];
}

/** What nvidia-smi says is in use, again and again. */
class GpuMemory {
  readonly #child: ChildProcess;
  #before = NaN;
  #most = 0;

  private constructor() {
    const child = spawn("nvidia-smi", ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "-lms", String(LOOK)], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.on("data", (seen: Buffer) => {
      for (const line of seen.toString().trim().split("\n")) {
        const used = Number(line) * 2 ** 20;
        if (Number.isNaN(this.#before)) this.#before = used;
        this.#most = Math.max(this.#most, used);
      }
    });
    this.#child = child;
  }

  /** After the first look. */
  static async open(): Promise<GpuMemory> {
    const memory = new GpuMemory();
    if (memory.#child.stdout !== null) await once(memory.#child.stdout, "data");
    return memory;
  }

  close(): number {
    this.#child.kill();
    return this.#most - this.#before;
  }
}

const { values } = parseArgs({ options: {
  dir: { type: "string", default: tmpdir() }, sizes: { type: "string", default: "base,large" }, batch: { type: "string", default: "4x64" }, steps: { type: "string", default: "20" },
  threads: { type: "string", default: "2" }, provider: { type: "string", default: "cpu" }, peft: { type: "string" }, json: { type: "string" },
} });
const [rows = 4, tokens = 64] = values.batch.split("x").map(Number);
const steps = Number(values.steps);
const folder = mkdtempSync(join(values.dir, "hut-roberta-"));
const load = loadavg()[0] ?? 0;
try {
  const data = join(folder, "train.jsonl");
  writeFileSync(data, madeRecords(rows * steps));
  const found: Row[] = [];
  for (const name of values.sizes.split(",")) {
    found.push(await measure(name, data));
    if (values.peft !== undefined) found.push(await measurePeft(values.peft, name));
  }
  const report = { date: new Date().toISOString().slice(0, 10), machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9), loadAverage: load }, threads: Number(values.threads), provider: values.provider, rows: found };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
  for (const row of found) {
    const gpu = row.gpuBytes === null ? "" : `, ${bytes(row.gpuBytes)} of the GPU's`;
    console.log(`${row.by.padEnd(9)}  RoBERTa-${row.model.padEnd(6)} ${String(row.rows)} x ${String(row.tokens)} tokens  ${row.stepSeconds.toFixed(4)} s a step  ${bytes(row.peakBytes)} at most${gpu}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(name: string, data: string): Promise<Row> {
  const sizes = Object.entries(SIZES).find(([known]) => known === name)?.[1];
  if (sizes === undefined) throw new Error(`no such size: ${name}`);
  const model = join(folder, `${name}.onnx`);
  await writeRoberta(model, { sizes });
  const run = join(folder, `${name}-run`);
  const { out, peakBytes, gpuBytes } = await watched(process.execPath, [COMMAND, "train", model, "--train", data, "--no-shuffle", "--epochs", "1", "--batch-size", String(rows), "--threads", values.threads,
    "--provider", values.provider, "-o", run, "--json", "--quiet", "--no-config"]);
  const result = JSON.parse(out) as TrainResult;
  const times = stepTimes(join(run, "runs")).slice(UNCOUNTED - 1);
  const [first = NaN, last = NaN] = [times[0], times.at(-1)];
  const row = { by: "onnx-hut", model: name, fileBytes: statSync(model).size, rows, tokens, steps: result.steps, stepSeconds: (last - first) / (times.length - 1), peakBytes, gpuBytes,
    losses: [result.firstLoss, result.lastLoss] } as const;
  rmSync(model);
  return row;
}

async function measurePeft(python: string, name: string): Promise<Row> {
  const { out, gpuBytes } = await watched(python, [join(import.meta.dirname, "roberta_steps.py"), "--size", name, "--batch", values.batch, "--steps", values.steps, "--threads", values.threads, "--provider", values.provider]);
  return { by: "peft hira", model: name, fileBytes: null, rows, tokens, gpuBytes, ...JSON.parse(out) as Omit<Row, "by" | "model" | "fileBytes" | "rows" | "tokens" | "gpuBytes"> };
}

/** Runs a command to its end: what it printed, and the most memory that it had. */
async function watched(command: string, args: readonly string[]): Promise<{ out: string; peakBytes: number; gpuBytes: number | null }> {
  const gpu = values.provider === "cuda" ? await GpuMemory.open() : undefined;
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let peakBytes = 0;
  const look = setInterval(() => { peakBytes = Math.max(peakBytes, peakOf(child.pid ?? 0)); }, LOOK);
  const ended = once(child, "exit");
  const out = await text(child.stdout);
  const [code] = await ended as [number | null];
  clearInterval(look);
  const gpuBytes = gpu?.close() ?? null;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${String(code)}: ${out}`);
  return { out, peakBytes, gpuBytes };
}

/** The most memory that a process has had so far; Linux alone tells. */
function peakOf(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** When each step's figures were written, in seconds: the wall_time of each Event, its first field, behind the one that tells the file's version. */
function stepTimes(runs: string): number[] {
  const [file = ""] = eventFiles(runs);
  const bytesOf = readFileSync(file);
  const times: number[] = [];
  // A record is its length in 8 bytes, a checksum in 4, the event, a checksum in 4.
  for (let at = 0; at < bytesOf.length; at += 16 + Number(bytesOf.readBigUInt64LE(at))) times.push(bytesOf.readDoubleLE(at + 13));
  return times.slice(1);
}

function madeRecords(count: number): string {
  const random = new Random(0);
  const record = (i: number): string => JSON.stringify({ input_ids: Array.from({ length: tokens }, () => Math.floor(random.uniform(FIRST_WORD, WORDS))), attention_mask: new Array(tokens).fill(1), label: i % 2 });
  return Array.from({ length: count }, (_, i) => record(i)).join("\n");
}
