/**
 * Twenty training steps of models of RoBERTa-base's and -large's full size, made weights: how long a step takes and how much memory. Nothing is said of accuracy.
 *
 *     npm run build
 *     npx tsx bench/roberta-steps.ts [--dir DIR] [--sizes base,large] [--batch 4x64] [--steps 20] [--threads 2] [--json FILE]
 *
 * Each is `onnx-hut train` in a process of its own, rank 8 on q and v and the head whole, on made token ids. A step's time is the median of the differences between the
 * times at which steps were done, without the first; the memory is the most that the process ever had, weights and ONNX Runtime's arena included.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { bytes } from "../src/cli/format.ts";
import type { TrainResult } from "../src/index.ts";
import { Random } from "../src/runtime/random.ts";
import { BASE, LARGE, writeRoberta } from "./roberta-large.ts";

const COMMAND = resolve(import.meta.dirname, "../dist/cli/main.js");
const SIZES = { base: BASE, large: LARGE };
/** Milliseconds between two looks at a process. */
const LOOK = 50;
/** Token ids below this are special. */
const [FIRST_WORD, WORDS] = [4, 50_265];

interface Row {
  readonly model: string;
  readonly fileBytes: number;
  readonly rows: number;
  readonly tokens: number;
  readonly steps: number;
  readonly stepSeconds: number;
  readonly peakBytes: number;
  readonly losses: readonly [number | null, number | null];
}

const { values } = parseArgs({ options: {
  dir: { type: "string", default: tmpdir() }, sizes: { type: "string", default: "base,large" }, batch: { type: "string", default: "4x64" }, steps: { type: "string", default: "20" },
  threads: { type: "string", default: "2" }, json: { type: "string" },
} });
const [rows = 4, tokens = 64] = values.batch.split("x").map(Number);
const steps = Number(values.steps);
const folder = mkdtempSync(join(values.dir, "hut-roberta-"));
const load = loadavg()[0] ?? 0;
try {
  const data = join(folder, "train.jsonl");
  writeFileSync(data, madeRecords(rows * steps));
  const found: Row[] = [];
  for (const name of values.sizes.split(",")) found.push(await measure(name, data));
  const report = { date: new Date().toISOString().slice(0, 10), machine: { cpu: cpus()[0]?.model, cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9), loadAverage: load }, threads: Number(values.threads), rows: found };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
  for (const row of found) console.log(`RoBERTa-${row.model.padEnd(6)} ${bytes(row.fileBytes).padStart(8)}  ${String(row.rows)} x ${String(row.tokens)} tokens  ${row.stepSeconds.toFixed(2)} s a step  ${bytes(row.peakBytes)} at most`);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(name: string, data: string): Promise<Row> {
  const sizes = Object.entries(SIZES).find(([known]) => known === name)?.[1];
  if (sizes === undefined) throw new Error(`no such size: ${name}`);
  const model = join(folder, `${name}.onnx`);
  await writeRoberta(model, { sizes });
  const run = join(folder, `${name}-run`);
  const child = spawn(process.execPath, [COMMAND, "train", model, "--train", data, "--no-shuffle", "--epochs", "1", "--batch-size", String(rows), "--threads", values.threads, "-o", run, "--json", "--quiet", "--no-config"],
    { stdio: ["ignore", "pipe", "inherit"] });
  let peak = 0;
  const done: number[] = [];
  const look = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
    const count = stepsIn(join(run, "metrics.jsonl"));
    while (done.length < count) done.push(performance.now());
  }, LOOK);
  const ended = once(child, "exit");
  const out = await text(child.stdout);
  const [code] = await ended as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`train of ${name} ended with ${String(code)}: ${out}`);
  const result = JSON.parse(out) as TrainResult;
  const gaps = done.slice(1).map((time, i) => (time - (done[i] ?? 0)) / 1000).sort((a, b) => a - b);
  const row = { model: name, fileBytes: statSync(model).size, rows, tokens, steps: result.steps, stepSeconds: gaps[gaps.length >> 1] ?? result.train_runtime / result.steps, peakBytes: peak, losses: [result.firstLoss, result.lastLoss] as const };
  rmSync(model);
  return row;
}

/** The most memory that a process has had so far; Linux alone tells. */
function peakOf(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function stepsIn(file: string): number {
  try {
    return readFileSync(file, "utf8").split("\n").filter((line) => line.includes("\"loss\"")).length;
  } catch {
    return 0;
  }
}

function madeRecords(count: number): string {
  const random = new Random(0);
  const record = (i: number): string => JSON.stringify({ input_ids: Array.from({ length: tokens }, () => Math.floor(random.uniform(FIRST_WORD, WORDS))), attention_mask: new Array(tokens).fill(1), label: i % 2 });
  return Array.from({ length: count }, (_, i) => record(i)).join("\n");
}
