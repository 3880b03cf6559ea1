/**
 * A batch whose rows have adapters of their own: one run of a graph by the row, against a run a row of a swappable graph, and one batch of the base.
 *
 *     npx tsx bench/rows.ts --model DIR_OR_FILE [--rows 8] [--rank 8] [--json FILE]
 *
 * Adapters are random, on q and v and the head. The ways are timed by turns, and what they answer is compared.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { env, Tensor } from "onnxruntime-node";
import { adapt, loadAdapter, openSwappable, type SwapAdapter, type SwappableSession } from "../src/index.ts";
import { toAdapterFolder } from "../src/runtime/adapter/to-folder.ts";
import type { Feed } from "../src/runtime/data/collate.ts";
import { openModel } from "../src/runtime/node/open-model.ts";
import { writeAdapterFolder } from "../src/runtime/node/peft-folder.ts";
import { initialTheta, prepare } from "../src/runtime/prepare.ts";
import { Random } from "../src/runtime/random.ts";
import { asTensors, tokenBatch } from "./token-batch.ts";

/** Tokens a row. */
const LENGTHS = [8, 32, 128] as const;
/** How often each way runs, after two runs that don't count. */
const ROUNDS = 15;

const { values } = parseArgs({ options: { model: { type: "string", default: "fixtures/cases/bert/model.ts.onnx" }, rows: { type: "string", default: "8" }, rank: { type: "string", default: "8" }, json: { type: "string" } } });
const [count, rank] = [Number(values.rows), Number(values.rank)];
const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;
const logitsOf = async (session: SwappableSession, feeds: Record<string, Tensor>): Promise<Float32Array> => (await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array;

const folder = mkdtempSync(join(tmpdir(), "hut-rows-bench-"));
try {
  using opened = openModel(values.model);
  const head = opened.load().graph.outputs.some((v) => v.name === "logits") ? {} : { head: "mean" as const, numLabels: 2 };
  const paths = Array.from({ length: count }, (_, i) => {
    const prepared = prepare(opened.load(), { targetModules: ["q", "v"], rank, seed: i, saveHead: true, ...head });
    const random = new Random(1000 + i);
    const path = join(folder, `adapter-${String(i)}`);
    writeAdapterFolder(path, toAdapterFolder(prepared, initialTheta(prepared.trainables).map(() => random.uniform(-0.3, 0.3)), { name: null, taskType: null }));
    return path;
  });
  const open = async (file: string, perRow: boolean): Promise<{ session: SwappableSession; adapters: SwapAdapter[] }> => {
    await adapt(values.model, { output: join(folder, file), swappable: true, perRow, targetModules: ["q", "v"], ...head });
    const session = await openSwappable(join(folder, file), { threads: 2 });
    return { session, adapters: paths.map((path) => loadAdapter(session, path)) };
  };
  const [one, each] = [await open("one.onnx", false), await open("rows.onnx", true)];
  await using inTurn = one.session;
  await using byRow = each.session;

  const lengths = [];
  for (const tokens of LENGTHS) {
    const batch = tokenBatch(opened, count, tokens);
    const feeds = asTensors(batch);
    const rows = each.adapters.map((_, i) => asTensors(new Map([...batch].map(([name, { dataType, data }]): [string, Feed] => [name, { dataType, dims: [1, tokens], data: data.slice(i * tokens, (i + 1) * tokens) }]))));
    const ways = {
      byRow: async (): Promise<number[]> => {
        byRow.useRows(each.adapters);
        return [...await logitsOf(byRow, feeds)];
      },
      inTurn: async (): Promise<number[]> => {
        const all: number[] = [];
        for (const [i, adapter] of one.adapters.entries()) {
          inTurn.use(adapter);
          all.push(...await logitsOf(inTurn, rows[i] ?? {}));
        }
        return all;
      },
      base: async (): Promise<number[]> => {
        inTurn.use(null);
        return [...await logitsOf(inTurn, feeds)];
      },
    };
    const times = { byRow: [] as number[], inTurn: [] as number[], base: [] as number[] };
    const answers = { byRow: await ways.byRow(), inTurn: await ways.inTurn() };
    for (let round = -2; round < ROUNDS; round += 1) {
      for (const way of ["byRow", "inTurn", "base"] as const) {
        const started = performance.now();
        await ways[way]();
        if (round >= 0) times[way].push(performance.now() - started);
      }
    }
    const largestDifference = Math.max(...answers.byRow.map((v, i) => Math.abs(v - (answers.inTurn[i] ?? NaN))));
    lengths.push({ tokens, ms: { byRow: median(times.byRow), inTurn: median(times.inTurn), base: median(times.base) }, largestDifference });
  }
  const first = performance.now();
  byRow.useRows([...each.adapters].reverse());
  const stackMs = performance.now() - first;

  const results = {
    date: new Date().toISOString(), machine: { cpu: cpus()[0]?.model, cores: cpus().length }, versions: { "onnxruntime-node": env.versions.node, node: process.versions.node },
    model: { name: basename(dirname(opened.path)), bytes: opened.size }, rows: count, rank, stackMs, lengths,
  };
  console.log(JSON.stringify(results, null, 2));
  if (values.json !== undefined) {
    mkdirSync(dirname(values.json), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
