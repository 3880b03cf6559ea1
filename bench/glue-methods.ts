/**
 * Every method on SST-2 and MRPC with all-MiniLM-L6-v2: a table a task, and its page with the paper's third figure (score against operations).
 *
 *     npm run build
 *     npx tsx bench/glue-methods.ts --model DIR --data DIR [--dir DIR] [--tasks sst2,mrpc] [--only hut,lora] [--seeds 0] [--max-steps 60] [--threads 2] [--json FILE]
 *
 * --model DIR    the ONNX model folder of all-MiniLM-L6-v2, which has no classifier: `--head mean` attaches one, which every method trains whole.
 * --data DIR     sst2/train.tsv and dev.tsv, mrpc/train.tsv and test.tsv.
 * --dir DIR      where runs and pages are kept (default: glue-methods). A run that is there is not made again, so it can be done in parts.
 *
 * Each run is `onnx-hut train` as a person would begin it: batches of 32, the method's own learning rate, --max-steps steps. Figures, spread and operations are those of `onnx-hut report --json`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { grouped } from "../src/cli/format.ts";
import { table } from "../src/cli/table.ts";
import type { ReportData, Spread } from "../src/runtime/report/report-data.ts";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const TASKS: Readonly<Record<string, readonly [train: string, dev: string]>> = { sst2: ["train.tsv", "dev.tsv"], mrpc: ["train.tsv", "test.tsv"] };
/** Methods with their ranks; those without have none. */
const METHODS: readonly (readonly [method: string, rank?: string])[] = [
  ["hut", "8"], ["lora", "8"], ["full"], ["head"], ["bitfit"], ["dora", "8"], ["loha", "8"], ["ia3"], ["vera", "256"], ["hut", "32"], ["lora", "32"],
];

const { values } = parseArgs({ options: {
  model: { type: "string" }, data: { type: "string" }, dir: { type: "string", default: "glue-methods" }, tasks: { type: "string", default: "sst2,mrpc" }, only: { type: "string" },
  seeds: { type: "string", default: "0" }, "max-steps": { type: "string", default: "60" }, threads: { type: "string", default: "2" }, json: { type: "string" },
} });
const { model, data, dir } = values;
if (model === undefined || data === undefined) throw new Error("--model and --data are needed; the head of the file tells what they are");
const tasks = values.tasks.split(",");
const methods = METHODS.filter(([method]) => values.only === undefined || values.only.split(",").includes(method));

function hut(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args, "--json", "--quiet", "--no-config"], { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`onnx-hut ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

function train(task: string, method: string, rank: string | undefined, seed: string): string {
  const run = join(dir, task, `${method}${rank ?? ""}-${seed}`);
  if (existsSync(join(run, "all_results.json"))) return run;
  rmSync(run, { recursive: true, force: true });
  const [trainFile, devFile] = TASKS[task] ?? [];
  if (trainFile === undefined || devFile === undefined) throw new Error(`no task "${task}"`);
  const started = performance.now();
  hut("train", model ?? "", "--method", method, ...(rank === undefined ? [] : ["--rank", rank]), "--head", "mean", "--num-labels", "2", "--train", join(data ?? "", task, trainFile),
    "--dev", join(data ?? "", task, devFile), "--seed", seed, "--max-steps", values["max-steps"], "--threads", values.threads, "-o", run);
  console.error(`${task}  ${method}${rank === undefined ? "" : ` r${rank}`}  seed ${seed}  ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return run;
}

mkdirSync(dir, { recursive: true });
const load = loadavg()[0];
const runs = new Map(tasks.map((task) => [task, [] as string[]]));
for (const seed of values.seeds.split(",")) for (const task of tasks) for (const [method, rank] of methods) runs.get(task)?.push(train(task, method, rank, seed));
const results = tasks.map((task) => {
  const { groups } = JSON.parse(hut("report", ...runs.get(task) ?? [], "-o", join(dir, `${task}.html`), "--examples", "4", "--threads", values.threads)) as ReportData;
  return { task, groups };
});
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, load };
  writeFileSync(values.json, `${JSON.stringify({ command: "npx tsx bench/glue-methods.ts", machine, node: process.version, seeds: values.seeds, maxSteps: Number(values["max-steps"]), results }, null, 1)}\n`);
}
for (const { task, groups } of results) console.log(`\n${task}\n${shown(groups)}`);

function shown(groups: ReportData["groups"]): string {
  const percent = (spread: Spread | undefined): string => (spread === undefined ? "" : `${(100 * spread.mean).toFixed(2)}${spread.deviation === null ? "" : ` ± ${(100 * spread.deviation).toFixed(2)}`}`);
  const rows = groups.map(({ name, trainableParams, flops, seconds, metrics }) => [name, grouped(trainableParams ?? 0), ((flops ?? 0) / Number(values["max-steps"]) / 1e9).toFixed(1), percent(metrics["eval_accuracy"]),
    percent(metrics["eval_f1"]), (seconds?.mean ?? 0).toFixed(0)]);
  return table([{ title: "method" }, ...["numbers", "GFLOP a step", "accuracy", "F1", "s"].map((title) => ({ title, right: true }))], rows).join("\n");
}
