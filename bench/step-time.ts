/**
 * One training step against one forward of the same export, on the same batch, both on ONNX Runtime.
 *
 *     npm run bench -- --model DIR_OR_FILE
 *
 * The yardstick is the model's file exactly as it is. Step and forward run by turns in one process, so that whatever else the machine does
 * hits both; medians are compared. Batches are full: random token ids, a mask of ones. bench/README.md tells more.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { env } from "onnxruntime-node";
import { bytes, grouped } from "../src/cli/format.ts";
import { table } from "../src/cli/table.ts";
import type { Pooling } from "../src/passes/attach-head.ts";
import { findLogits } from "../src/runtime/model-outputs.ts";
import { defaultRuntime } from "../src/runtime/node/default-runtime.ts";
import { openModel } from "../src/runtime/node/open-model.ts";
import { initialTheta, prepare, type Prepared } from "../src/runtime/prepare.ts";
import { serialized } from "../src/runtime/serialized.ts";
import { GraphSession } from "../src/runtime/session.ts";
import { taskNamed } from "../src/runtime/tasks/registry.ts";
import { trainingGraph } from "../src/runtime/training-graphs.ts";
import { sizesOfBatch } from "../src/runtime/batch-sizes.ts";
import { countFlops, type FlopCount } from "../src/runtime/count-flops.ts";
import { kernelTimes, type KernelTime } from "./kernel-times.ts";
import { asTensors, tokenBatch, trainingFeeds } from "./token-batch.ts";

/** Runs of each before the first that counts. */
const WARM_UPS = 3;
/**
 * Milliseconds of rest before each run. ONNX Runtime's idle threads spin for a while before they sleep: without a rest, those of the step's
 * session take a core from the forward that follows, which made it 20 % slower on two cores, and the step look cheaper than it is.
 */
const REST = 50;
/** What training asks of a step. */
const STEP_OUTPUTS = ["loss", "grad_norm", "theta_next", "adam_m_next", "adam_v_next"];
/** Operators in the printed table; the JSON has all. */
const OPERATORS_SHOWN = 8;
/** Classes of the head that is attached. */
const LABELS = 2;

interface Settings {
  readonly model: string;
  readonly head: Pooling;
  readonly rank: number;
  readonly targets: readonly string[];
  readonly threads: number;
  readonly pairs: number;
  /** [rows, tokens] of each batch. */
  readonly batches: readonly (readonly [number, number])[];
  readonly json: boolean;
}

/** What was measured, where and when: the JSON. */
interface Results {
  readonly date: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGb: number; readonly loadAverage: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly model: { readonly name: string; readonly file: string; readonly bytes: number };
  readonly settings: Readonly<Record<string, string | number | readonly string[] | null>>;
  readonly stepGraph: { readonly nodes: number; readonly bytes: number };
  readonly rows: readonly Row[];
}

type Run = () => Promise<unknown>;

/** Medians in milliseconds, and their ratio. */
interface Times {
  readonly forwardMs: number;
  readonly stepMs: number;
  readonly ratio: number;
  /** Quartiles of the pairs' own ratios: how far the machine was from quiet. */
  readonly ratioQuartiles: readonly [number, number];
}

interface Row extends Times {
  /** "8 × 96": rows × tokens. */
  readonly batch: string;
  readonly forwardFlops: FlopCount;
  readonly stepFlops: FlopCount;
  readonly operators: readonly KernelTime[];
}

const settings = readSettings();
const results = await measure(settings);
const path = join(import.meta.dirname, "results", "step-time.json");
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, `${JSON.stringify(results, rounded, 2)}\n`);
process.stdout.write(settings.json ? `${JSON.stringify(results, rounded)}\n` : `${report(results).join("\n")}\n`);

/** Five figures are more than such measurements have. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}

function readSettings(): Settings {
  const { values } = parseArgs({ options: {
    model: { type: "string", default: join(import.meta.dirname, "..", "fixtures", "demo") },
    head: { type: "string", default: "mean" }, rank: { type: "string", default: "8" }, targets: { type: "string", default: "q,v" },
    threads: { type: "string", default: "2" }, pairs: { type: "string", default: "20" }, batches: { type: "string", default: "8x96,32x64" },
    json: { type: "boolean", default: false },
  } });
  const { model, head, targets, batches, json } = values;
  if (head !== "mean" && head !== "cls" && head !== "last") throw new Error(`--head is mean, cls or last, not ${head}`);
  const [rank, threads, pairs] = [count("--rank", values.rank), count("--threads", values.threads), count("--pairs", values.pairs)];
  const sizes = batches.split(",").map((batch) => {
    const [rows = "", tokens = ""] = batch.split("x");
    return [count("--batches", rows), count("--batches", tokens)] as const;
  });
  return { model, head, rank, targets: targets.split(","), threads, pairs, batches: sizes, json };
}

function count(flag: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${flag} takes whole numbers from 1, not ${JSON.stringify(text)}`);
  return number;
}

async function measure({ model: modelPath, head, rank, targets, threads, pairs, batches }: Settings): Promise<Results> {
  const loadAverage = loadavg()[0] ?? NaN;
  using opened = openModel(modelPath);
  const graph = opened.load().graph;
  const hasLogits = findLogits(graph) !== undefined;
  const fresh = (): Prepared => prepare(opened.load(), { targetModules: targets, rank, saveHead: true, ...(hasLogits ? {} : { head, numLabels: LABELS }) });
  const prepared = fresh();
  const theta = initialTheta(prepared.trainables);
  const stepModel = trainingGraph("step", taskNamed(), fresh);
  const stepBytes = serialized(stepModel, { reference: (range) => opened.locate(range) });
  const runtime = await defaultRuntime();
  const options = { threads, folder: opened.folder };
  const classes = prepared.logits?.shape?.at(-1);
  const rows: Row[] = [];
  await using forward = await GraphSession.create(runtime, opened.source.read(0, opened.size), { ...options, name: "forward" });
  await using step = await GraphSession.create(runtime, stepBytes, { ...options, name: "step" });
  for (const [b, t] of batches) {
    const batch = tokenBatch(opened, b, t);
    const more = trainingFeeds(theta, b, typeof classes === "number" ? classes : LABELS);
    // A graph that needs no mask has no such input.
    const feeds = new Map([...batch, ...more].filter(([name]) => step.inputNames.includes(name)));
    const times = await timePairs(() => forward.run(batch), () => step.run(feeds, STEP_OUTPUTS), pairs);
    const sizes = sizesOfBatch(opened.load(), b, t);
    rows.push({
      batch: `${String(b)} × ${String(t)}`, ...times,
      forwardFlops: countFlops(opened.load(), sizes), stepFlops: countFlops(stepModel, sizes),
      operators: await kernelTimes({ bytes: stepBytes, folder: opened.folder, threads, feeds: asTensors(feeds), outputs: STEP_OUTPUTS }),
    });
  }
  return {
    date: new Date().toISOString(), versions: versions(),
    machine: { cpu: cpus()[0]?.model ?? "?", cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9), loadAverage },
    // The names alone: where a model lies is nobody's business.
    model: { name: basename(resolve(modelPath)), file: opened.file, bytes: opened.size },
    settings: {
      method: prepared.method.name, rank, targets, head: hasLogits ? null : head, trainableParams: theta.length, threads, pairs, warmUps: WARM_UPS, restMs: REST,
    },
    stepGraph: { nodes: stepModel.graph.nodes.length, bytes: stepBytes.length }, rows,
  };
}

/** Runs forward and step by turns. */
async function timePairs(forward: Run, step: Run, pairs: number): Promise<Times> {
  const times: { forward: number; step: number }[] = [];
  for (let i = 0; i < WARM_UPS + pairs; i++) {
    const pair = { forward: await timed(forward), step: await timed(step) };
    if (i >= WARM_UPS) times.push(pair);
  }
  const forwardMs = quantile(times.map((p) => p.forward), 0.5);
  const stepMs = quantile(times.map((p) => p.step), 0.5);
  const ratios = times.map((p) => p.step / p.forward);
  return { forwardMs, stepMs, ratio: stepMs / forwardMs, ratioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
}

async function timed(run: Run): Promise<number> {
  await setTimeout(REST);
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** The value below which the share q of them lies, interpolated. */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? NaN) - low);
}

function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return { "onnx-hut": version, "onnxruntime-node": env.versions.node ?? "?", node: process.versions.node };
}

function report({ machine, versions: known, model, settings: { trainableParams, threads, pairs }, stepGraph, rows }: Results): string[] {
  const numeric = (title: string): { title: string; right: true } => ({ title, right: true });
  const ms = (value: number): string => value.toFixed(1);
  const gflops = ({ flops, uncounted }: FlopCount): string => (flops / 1e9).toFixed(2) + (uncounted > 0 ? " or more" : "");
  const kernels = rows.map(({ batch, operators }) => ({ title: batch, shares: new Map(operators.map(({ op, share }) => [op, share])) }));
  const costly = new Set(rows.flatMap((row) => row.operators.slice(0, OPERATORS_SHOWN).map(({ op }) => op)));
  return [
    `${model.name}: ${grouped(Number(trainableParams))} trainable numbers; step graph of ${grouped(stepGraph.nodes)} nodes, ${bytes(stepGraph.bytes)}`,
    `${machine.cpu}, ${String(machine.cores)} cores, load before ${machine.loadAverage.toFixed(2)}`,
    Object.entries(known).map(([name, v]) => `${name} ${v}`).join(", "),
    `medians of ${String(pairs)} interleaved pairs after ${String(WARM_UPS)}, ${String(threads)} threads`, "",
    ...table([{ title: "tokens" }, ...["forward ms", "step ms", "ratio", "middle half", "forward GFLOP", "step GFLOP", "GFLOP ratio"].map(numeric)],
      rows.map((r) => [r.batch, ms(r.forwardMs), ms(r.stepMs), r.ratio.toFixed(2), r.ratioQuartiles.map((q) => q.toFixed(2)).join("–"),
        gflops(r.forwardFlops), gflops(r.stepFlops), (r.stepFlops.flops / r.forwardFlops.flops).toFixed(2)])), "",
    "Share of kernel time in a step, as ONNX Runtime fused it:",
    ...table([{ title: "operator" }, ...kernels.map(({ title }) => numeric(title))],
      [...costly].map((op) => [op, ...kernels.map(({ shares }) => `${(100 * (shares.get(op) ?? 0)).toFixed(1)} %`)])),
  ];
}
