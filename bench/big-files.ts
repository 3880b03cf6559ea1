/**
 * What a large file costs: `inspect`, `adapt` and `fold` of q and v on RoBERTa-large in one file and with its weights apart (1.42 GB each), on a model of 6 GB as wide and
 * deep as GPT-2 XL, and on one as large whose layers are RoBERTa-large's, 115 of them, against `cp` and `sync` of the same files, by turns in one run. Each command is a process of its own; its time is all of it, its memory the most it had.
 *
 *     npm run build
 *     npx tsx bench/big-files.ts [--dir DIR] [--runs 3] [--no-six] [--json FILE]
 *
 * The files are made in DIR (a folder in the system's temporary one, removed at the end, where it is left out) and kept there: 15 GB, and 12 more while it runs.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, type } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { initialTheta, prepare } from "../src/runtime/prepare.ts";
import { toAdapterFolder } from "../src/runtime/adapter/to-folder.ts";
import { openModel } from "../src/runtime/node/open-model.ts";
import { writeAdapterFolder } from "../src/runtime/node/peft-folder.ts";
import { Random } from "../src/runtime/random.ts";
import { LARGE, writeRoberta, XL } from "./roberta-large.ts";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
/** Tells, when the process ends, the most memory it had. */
const TELL = "data:text/javascript,process.on('exit',()=>process.stderr.write('\\nmaxRSS '+process.resourceUsage().maxRSS+'\\n'))";

const MODELS = [
  { name: "one file", sizes: LARGE, external: false },
  { name: "external", sizes: LARGE, external: true },
  { name: "6 GB external", sizes: XL, external: true },
  { name: "115 layers", sizes: { ...LARGE, layers: 115 }, external: true },
] as const;

const { values } = parseArgs({ options: { dir: { type: "string" }, runs: { type: "string", default: "3" }, "no-six": { type: "boolean", default: false }, json: { type: "string" } } });
const folder = values.dir ?? mkdtempSync(join(tmpdir(), "hut-big-"));

interface Cost {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Runs a command of onnx-hut. */
function hut(...args: string[]): Cost {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", TELL, CLI, ...args, "--json", "--quiet"], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const seconds = (performance.now() - started) / 1000;
  const kilobytes = /maxRSS (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || kilobytes === undefined) throw new Error(`onnx-hut ${args.join(" ")} failed: ${stderr}`);
  return { seconds, megabytes: Number(kilobytes) / 1024 };
}

function system(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr}`);
}

/** Removes files, and waits until the disk is done with it: what comes next is timed. */
function remove(...paths: string[]): void {
  for (const path of paths) rmSync(path, { recursive: true });
  system("sync");
}

/** `cp` of a model's files, and `sync`. */
function copyAndSync(from: string, to: string): number {
  mkdirSync(to);
  const started = performance.now();
  system("cp", ...readdirSync(from).filter((name) => name.startsWith("model.onnx")).map((name) => join(from, name)), to);
  system("sync");
  const seconds = (performance.now() - started) / 1000;
  remove(to);
  return seconds;
}

/** An adapter of q and v with random B. */
function writeAdapter(path: string, to: string): void {
  using opened = openModel(path);
  const prepared = prepare(opened.load(), { saveHead: false, targetModules: ["q", "v"] });
  const random = new Random(1);
  writeAdapterFolder(to, toAdapterFolder(prepared, initialTheta(prepared.trainables).map(() => random.uniform(-0.1, 0.1)), { name: basename(path), taskType: null }));
}

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const rounded = (n: number, digits = 2): number => Number(n.toFixed(digits));

try {
  const rows = [];
  for (const { name, sizes, external } of MODELS.filter((m) => !values["no-six"] || m.sizes === LARGE)) {
    const place = join(folder, name.replaceAll(" ", "-"));
    const [model, adapter, merged] = [join(place, "model.onnx"), join(place, "adapter"), join(place, "merged")];
    mkdirSync(place, { recursive: true });
    if (!existsSync(model)) await writeRoberta(model, { sizes, external });
    if (!existsSync(adapter)) writeAdapter(model, adapter);
    const bytes = readdirSync(place).filter((file) => file.startsWith("model.onnx")).reduce((sum, file) => sum + statSync(join(place, file)).size, 0);
    system("sync");
    const costs: { copy: number; inspect: Cost; adapt: Cost; fold: Cost }[] = [];
    for (let run = 0; run <= Number(values.runs); run += 1) {
      const cost = { copy: copyAndSync(place, join(place, "copy")), inspect: hut("inspect", model), adapt: hut("adapt", model, "-o", join(place, "adapted.onnx"), "--target-modules", "q,v"),
        fold: hut("fold", model, "--adapter", adapter, "-o", `${merged}.onnx`) };
      remove(...readdirSync(place).filter((file) => file.startsWith("merged")).map((file) => join(place, file)));
      // The first one finds the disk's cache cold.
      if (run > 0) costs.push(cost);
    }
    const of = (verb: "inspect" | "adapt" | "fold"): Cost => ({ seconds: rounded(median(costs.map((c) => c[verb].seconds))), megabytes: Math.round(Math.max(...costs.map((c) => c[verb].megabytes))) });
    const row = { model: name, gigabytes: rounded(bytes / 1e9), cpAndSync: rounded(median(costs.map((c) => c.copy))), inspect: of("inspect"), adapt: of("adapt"), fold: of("fold"),
      foldOverCp: rounded(median(costs.map((c) => c.fold.seconds / c.copy))) };
    rows.push(row);
    console.log(`${name.padEnd(14)} ${String(row.gigabytes)} GB  cp and sync ${String(row.cpAndSync)} s  inspect ${told(row.inspect)}  adapt ${told(row.adapt)}  fold ${told(row.fold)}, ${String(row.foldOverCp)} times cp`);
  }
  const result = { command: "npx tsx bench/big-files.ts", machine: { cpu: cpus()[0]?.model, cores: cpus().length, system: `${type()} ${release()}`, load: loadavg()[0] }, node: process.version, runs: Number(values.runs), rows };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  if (values.dir === undefined) rmSync(folder, { recursive: true });
}

function told({ seconds, megabytes }: Cost): string {
  return `${String(seconds)} s ${String(megabytes)} MB`;
}
