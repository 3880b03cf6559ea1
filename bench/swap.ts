/**
 * One session, many adapters of different ranks in turn: is each answer its own merged model's, what does memory grow by, what does a switch cost.
 *
 *     npx tsx --expose-gc bench/swap.ts --model DIR_OR_FILE [--adapters 50] [--json FILE]
 *
 * Adapters are random, of ranks 1 to 16, all numbers drawn, B too, and large enough to move the logits. Each is loaded from its PEFT folder; every third
 * is read from an .onnx_adapter instead. Memory is that of a process of its own, which opens the graph, runs it, and then loads and runs all adapters.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { env } from "onnxruntime-node";
import { adapt, fold, loadAdapter, openSwappable, type SwapAdapter } from "../src/index.ts";
import { toAdapterFolder } from "../src/runtime/adapter/to-folder.ts";
import type { Feed } from "../src/runtime/data/collate.ts";
import { defaultRuntime } from "../src/runtime/node/default-runtime.ts";
import { openModel } from "../src/runtime/node/open-model.ts";
import { writeAdapterFolder } from "../src/runtime/node/peft-folder.ts";
import { initialTheta, prepare } from "../src/runtime/prepare.ts";
import { Random } from "../src/runtime/random.ts";
import { GraphSession } from "../src/runtime/session.ts";
import { asTensors, tokenBatch } from "./token-batch.ts";

/** Ranks go from 1 to this. */
const MAX_RANK = 16;
/** Rows and tokens of the batch. */
const [ROWS, TOKENS] = [2, 16];
/** Rounds through all adapters in which a switch is timed. */
const ROUNDS = 20;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: "string", default: "fixtures/cases/bert/model.ts.onnx" }, adapters: { type: "string", default: "50" }, json: { type: "string" } } });
const count = Number(values.adapters);
const collectGarbage = (): void => { (globalThis as { gc?: () => void }).gc?.(); };
const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;

/** What a process that does nothing else grows by, in bytes: resident, and what its tensors hold. */
interface Grown {
  readonly resident: number;
  readonly tensors: number;
}

/** In a process of its own: how it grows from a session that has run to one that holds all adapters and has run with each. */
async function measureMemory(model: string, swappable: string, paths: readonly string[]): Promise<Grown> {
  using opened = openModel(model);
  await using session = await openSwappable(swappable, { threads: 2 });
  const feeds = asTensors(tokenBatch(opened, ROWS, TOKENS));
  const memory = (): NodeJS.MemoryUsage => {
    for (let i = 0; i < 3; i += 1) collectGarbage();
    return process.memoryUsage();
  };
  // What loading and running cost once, whatever the adapter, is no part of the adapters.
  const first = loadAdapter(session, paths.at(-1) ?? "");
  for (const adapter of [first, null]) {
    session.use(adapter);
    for (let i = 0; i < 5; i += 1) await session.run(feeds);
  }
  session.unload(first);
  const before = memory();
  for (const path of paths) {
    session.use(loadAdapter(session, path));
    await session.run(feeds);
  }
  const after = memory();
  return { resident: after.rss - before.rss, tensors: after.arrayBuffers - before.arrayBuffers };
}

const [memoryOf, ...ofPaths] = positionals;
if (memoryOf !== undefined) {
  console.log(JSON.stringify(await measureMemory(values.model, memoryOf, ofPaths)));
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "hut-swap-bench-"));
try {
  using opened = openModel(values.model);
  const runtime = await defaultRuntime();
  const hasLogits = opened.load().graph.outputs.some((v) => v.name === "logits");
  const head = hasLogits ? {} : { head: "mean" as const, numLabels: 2 };

  const paths = Array.from({ length: count }, (_, i) => {
    const rank = 1 + (i % MAX_RANK);
    const prepared = prepare(opened.load(), { targetModules: ["q", "v"], rank, seed: i, saveHead: true, ...head });
    const random = new Random(1000 + i);
    const theta = initialTheta(prepared.trainables).map(() => random.uniform(-0.3, 0.3));
    const path = join(folder, `adapter-${String(i)}`);
    writeAdapterFolder(path, toAdapterFolder(prepared, theta, { name: null, taskType: null }));
    return path;
  });
  const swappable = join(folder, "swappable.onnx");
  await adapt(values.model, { output: swappable, swappable: true, targetModules: ["q", "v"], ...head });
  for (const [i, path] of paths.entries()) {
    if (i % 3 !== 0) continue;
    await adapt(values.model, { output: join(folder, "other.onnx"), swappable: true, adapter: path, saveAdapter: `${path}.onnx_adapter` });
    paths[i] = `${path}.onnx_adapter`;
  }

  await using session = await openSwappable(swappable, { threads: 2 });
  const batch: ReadonlyMap<string, Feed> = tokenBatch(opened, ROWS, TOKENS);
  const feeds = asTensors(batch);
  const answer = async (): Promise<Float32Array> => new Float32Array((await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array);
  const grown = JSON.parse(execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), "--model", values.model, swappable, ...paths], { encoding: "utf8" })) as Grown;
  const adapters: SwapAdapter[] = paths.map((path) => loadAdapter(session, path));
  const answers: Float32Array[] = [];
  for (const adapter of adapters) {
    session.use(adapter);
    answers.push(await answer());
  }
  const size = adapters.reduce((sum, a) => sum + a.bytes, 0);

  const switches: number[] = [];
  const firstRuns: number[] = [];
  const laterRuns: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const adapter of adapters) {
      const started = performance.now();
      session.use(adapter);
      const switched = performance.now();
      await answer();
      const ran = performance.now();
      await answer();
      switches.push(switched - started);
      firstRuns.push(ran - switched);
      laterRuns.push(performance.now() - ran);
    }
  }

  let largest = 0;
  for (const [i, path] of paths.entries()) {
    const merged = join(folder, "merged.onnx");
    await fold(values.model, { adapter: path, output: merged, ...(path.endsWith(".onnx_adapter") ? head : {}) });
    await using own = await GraphSession.create(runtime, new Uint8Array(readFileSync(merged)), { name: "merged" });
    const logits = (await own.run(batch, ["logits"])).get("logits")?.data as Float32Array;
    answers[i]?.forEach((v, j) => { largest = Math.max(largest, Math.abs(v - (logits[j] ?? NaN))); });
  }
  const spread = Math.max(...answers.slice(1).map((a) => Math.abs((a[0] ?? 0) - (answers[0]?.[0] ?? 0))));

  const results = {
    date: new Date().toISOString(), machine: { cpu: cpus()[0]?.model, cores: cpus().length }, versions: { "onnxruntime-node": env.versions.node, node: process.versions.node },
    model: { name: basename(dirname(opened.path)), bytes: opened.size }, adapters: count, ranks: [1, MAX_RANK], batch: [ROWS, TOKENS],
    swappableBytes: statSync(swappable).size, adapterBytes: size, memoryGrownBytes: grown, memoryOverSize: Math.max(grown.resident, grown.tensors) / size,
    largestDifferenceFromMerged: largest, answersSpread: spread,
    switchMs: { median: median(switches), of99Percent: [...switches].sort((a, b) => a - b)[Math.floor(0.99 * switches.length)], largest: Math.max(...switches) }, runMs: { firstAfterSwitch: median(firstRuns), next: median(laterRuns) },
  };
  console.log(JSON.stringify(results, null, 2));
  if (values.json !== undefined) {
    mkdirSync(dirname(values.json), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
