/**
 * The paper's second table in small: a GPT-2 that two cores can train, pre-trained here on half of E2E's training texts, then adapted to the other half by HUT, LoRA and its head alone.
 *
 *     npm run build
 *     npx tsx bench/e2e.ts --data DIR [--python python3] [--dir DIR] [--only base,hut,lora,head] [--seeds 0,1,2] [--threads 2] [--tune [--lr X] [--epochs N]] [--max-steps N] [--json FILE]
 *
 * --data DIR     train.csv and test.csv of the E2E dataset, with the columns mr and ref.
 * --python P     a Python with torch, transformers, tokenizers and onnx, which makes the untrained model (bench/e2e_model.py) and nothing else.
 * --dir DIR      where models, runs and texts are kept (default: a temporary folder, removed at the end). What is there of other methods and seeds is told again, so a run can be
 *                made in parts; the pre-trained model is made where it isn't there, or where --only names `base`.
 * --only LIST    the parts to run.
 * --tune         how rates and epochs were found: every tenth prompt of half B is held out, and the loss on it is told after each epoch. The test set isn't looked at, nothing is kept.
 * --max-steps N  a short run: so many steps each, which shows that all works and tells nothing of quality.
 *
 * 1. A meaning is a prompt, `name NAME eatType EATTYPE priceRange cheap ->`, its sentence the completion. Names, and what else comes word by word, are put in capitals for the training and
 *    back into the texts made (`PLACEHOLDERS`), as the challenge's own baseline does with name and near: a model that saw half a million letters copies no name that it never saw.
 * 2. The meanings are dealt by turns into halves A and B, with all their sentences, in the order in which they come first.
 * 3. The pre-training (`--method full`) reads A's meanings and A's sentences, each sentence behind the meaning of another: the model learns both languages, and not that one says the other.
 * 4. `fold` makes the base of it, and each method learns B's pairs from there, the sentences alone (`--mask-prompt`).
 * 5. `generate` says the test set's meanings with 10 beams, and the texts, names put back, are compared with all of the test set's sentences.
 *
 * Wall-clock and processor time are those of `train`, the latter with the start of Node and the export's reading.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { duration, grouped } from "../src/cli/format.ts";
import { table } from "../src/cli/table.ts";
import type { CostResult, GenerateResult, TrainResult } from "../src/index.ts";
import { textMetrics } from "../src/runtime/generation/metrics/text-metrics.ts";
import { readRecords } from "../src/runtime/node/data-file.ts";
import { Random } from "../src/runtime/random.ts";

const COMMAND = resolve(import.meta.dirname, "../dist/cli/main.js");
const MODEL_MAKER = join(import.meta.dirname, "e2e_model.py");
/** Slots whose values sentences say word for word. */
const PLACEHOLDERS = ["name", "near", "food", "eatType"];
/** Milliseconds between two looks at a process. */
const LOOK = 50;
const TASK = ["--task", "text-generation"];
const BATCH = 16;
const RANK = "8";
const TARGETS = ["--target-modules", "q,k,v,o,up,down"];
const PRETRAINING = { lr: 1e-3, epochs: 8 };
const EPOCHS = 12;
/** What each method is told, rates by --tune; a method with targets has a rank too. */
const METHODS: Readonly<Record<string, { readonly lr: number; readonly targets?: readonly string[] }>> = {
  hut: { lr: 6e-2, targets: TARGETS }, lora: { lr: 1e-2, targets: TARGETS }, head: { lr: 1e-3 },
};
/** The E2E set-up of LoRA's paper. */
const BEAMS = ["--num-beams", "10", "--length-penalty", "0.9", "--no-repeat-ngram-size", "4"];
/** What the cost is counted for. */
const COUNTED = ["--batch-size", String(BATCH), "--max-seq-length", "64"];

type Slots = ReadonlyMap<string, string>;

/** A meaning, with the sentences that say it. */
interface Meaning {
  readonly slots: Slots;
  readonly references: string[];
}

interface Row {
  readonly method: string;
  /** Of the base: of its pre-training. */
  readonly seed: number;
  readonly lr: number;
  readonly steps: number;
  readonly trainableParams: number;
  readonly losses: readonly [number | null, number | null];
  /** Operations of a training step of `COUNTED`. */
  readonly stepFlops: number;
  readonly seconds: number;
  readonly processorSeconds: number | null;
  readonly generatingSeconds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const { values } = parseArgs({ options: {
  data: { type: "string" }, python: { type: "string", default: "python3" }, dir: { type: "string" }, only: { type: "string", default: "base,hut,lora,head" }, seeds: { type: "string", default: "0,1,2" },
  threads: { type: "string", default: "2" }, tune: { type: "boolean", default: false }, lr: { type: "string" }, epochs: { type: "string" }, "max-steps": { type: "string" }, json: { type: "string" },
} });
if (values.data === undefined) throw new Error("--data is missing: the folder that holds train.csv and test.csv");
const folder = values.dir ?? mkdtempSync(join(tmpdir(), "hut-e2e-"));
const at = (...names: string[]): string => join(folder, ...names);
const parts = values.only.split(",");
const wrong = parts.find((part) => part !== "base" && METHODS[part] === undefined);
if (wrong !== undefined) throw new Error(`no such part: ${wrong}`);
const seeds = values.seeds.split(",").map(Number);
const load = loadavg()[0] ?? 0;
try {
  mkdirSync(at("rows"), { recursive: true });
  const train = meaningsOf(join(values.data, "train.csv"));
  const [a, b] = halves(train);
  const asked = meaningsOf(join(values.data, "test.csv"));
  writeRecords("texts.jsonl", pairsOf(train));
  writeRecords("a.jsonl", parted(pairsOf(a)));
  writeRecords("b.jsonl", pairsOf(b));
  writeRecords("prompts.jsonl", promptsOf(asked).map((prompt) => ({ prompt })));
  say(`${grouped(train.length)} meanings: ${grouped(pairsOf(a).length)} sentences in A, ${grouped(pairsOf(b).length)} in B; ${grouped(asked.length)} to be said`);
  if (parts.includes("base") || !existsSync(at("base"))) await makeBase(asked);
  const adapting = seeds.flatMap((seed) => parts.filter((part) => part !== "base").map((method) => [method, seed] as const));
  if (values.tune) await tune(b, adapting);
  else for (const [method, seed] of adapting) await adapt(method, seed, asked);
  const rows = [{ method: "base", seed: 0 }, ...Object.keys(METHODS).flatMap((method) => [0, 1, 2, ...seeds].map((seed) => ({ method, seed })))]
    .map((row) => rowFile(row.method, row.seed)).filter((file, i, all) => existsSync(file) && all.indexOf(file) === i).map((file) => JSON.parse(readFileSync(file, "utf8")) as Row);
  const report = { date: new Date().toISOString().slice(0, 10), machine: { cpu: cpus()[0]?.model, cores: cpus().length, loadAverage: load }, threads: Number(values.threads),
    data: { meanings: [a, b, asked].map((each) => each.length), sentences: [a, b, asked].map((each) => pairsOf(each).length) }, pretraining: PRETRAINING, epochs: Number(values.epochs ?? EPOCHS), batchSize: BATCH, rows };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
  if (!values.tune) console.log(shown(rows).join("\n"));
} finally {
  if (values.dir === undefined) rmSync(folder, { recursive: true });
}

/** The untrained model, pre-trained and folded. */
async function makeBase(asked: readonly Meaning[]): Promise<void> {
  for (const made of ["untrained", "base"]) rmSync(at(made), { recursive: true, force: true });
  await finished(values.python, [MODEL_MAKER, at("texts.jsonl"), "-o", at("untrained"), "--layers", "4", "--width", "128", "--heads", "4", "--vocabulary", "1000"]);
  const { result, ...spent } = await trained(at("untrained"), "a.jsonl", "pretraining", ["--method", "full", "--lr", String(PRETRAINING.lr), "--lr-scheduler", "cosine", "--epochs", String(PRETRAINING.epochs)]);
  await onnxHut("fold", at("untrained"), "--adapter", result.adapter, "-o", at("base"));
  const cost = await onnxHut("cost", at("base"), ...TASK, "--methods", "full", ...COUNTED) as CostResult;
  await keep({ method: "base", seed: 0, lr: PRETRAINING.lr, ...factsOf(result, cost), ...spent }, [], asked);
}

async function adapt(method: string, seed: number, asked: readonly Meaning[]): Promise<void> {
  const { result, ...spent } = await trained(at("base"), "b.jsonl", `${method}-${String(seed)}`, adaptation(method, seed));
  const { targets } = METHODS[method] ?? {};
  const cost = await onnxHut("cost", at("base"), ...TASK, "--methods", method, ...(targets === undefined ? [] : ["--ranks", RANK, ...targets]), ...COUNTED) as CostResult;
  await keep({ method, seed, lr: result.plan.learningRate, ...factsOf(result, cost), ...spent }, ["--adapter", result.adapter], asked);
}

function adaptation(method: string, seed: number): string[] {
  const { lr, targets } = METHODS[method] ?? { lr: NaN };
  return ["--method", method, ...(targets === undefined ? [] : ["--rank", RANK, ...targets]), "--lr", values.lr ?? String(lr), "--epochs", values.epochs ?? String(EPOCHS), "--seed", String(seed), "--mask-prompt"];
}

/** Tells the loss on a tenth of half B's prompts that isn't learned from. */
async function tune(b: readonly Meaning[], adapting: readonly (readonly [method: string, seed: number])[]): Promise<void> {
  const apart = new Set(promptsOf(b).filter((_, i) => i % 10 === 9));
  writeRecords("tune.jsonl", pairsOf(b.filter(({ slots }) => !apart.has(promptOf(slots)))));
  writeRecords("held-out.jsonl", pairsOf(b.filter(({ slots }) => apart.has(promptOf(slots)))));
  for (const [method, seed] of adapting) {
    const { result, seconds } = await trained(at("base"), "tune.jsonl", "tune", [...adaptation(method, seed), "--dev", at("held-out.jsonl")]);
    console.log(`${method} seed ${String(seed)} at ${String(result.plan.learningRate)}, ${duration(seconds)}: ${result.evaluations.map((each) => (each["eval_loss"] ?? NaN).toFixed(4)).join(" ")}`);
  }
}

async function trained(model: string, data: string, run: string, flags: readonly string[]): Promise<{ result: TrainResult; seconds: number; processorSeconds: number | null }> {
  say(`${run}: ${flags.join(" ")}`);
  const { out, processorSeconds } = await finished(process.execPath, [COMMAND, "train", model, ...TASK, "--train", at(data), ...flags, "--batch-size", String(BATCH), "-o", at(run), "--overwrite", "--no-tensorboard",
    ...(values["max-steps"] === undefined ? [] : ["--max-steps", values["max-steps"]]), "--threads", values.threads, "--json", "--no-config"]);
  const result = JSON.parse(out) as TrainResult;
  return { result, seconds: result.train_runtime, processorSeconds };
}

function factsOf({ steps, trainableParams, firstLoss, lastLoss }: TrainResult, { costs }: CostResult): Pick<Row, "steps" | "trainableParams" | "losses" | "stepFlops"> {
  return { steps, trainableParams, losses: [firstLoss, lastLoss], stepFlops: costs[0]?.stepFlops ?? NaN };
}

/** Generates what is asked, and keeps a row. */
async function keep(row: Omit<Row, "metrics" | "generatingSeconds">, adapter: readonly string[], asked: readonly Meaning[]): Promise<void> {
  const name = `${row.method}-${String(row.seed)}`;
  const texts = at(`${name}.jsonl`);
  const { seconds } = await onnxHut("generate", at("base"), ...adapter, "--data", at("prompts.jsonl"), "-o", texts, ...BEAMS, "--threads", values.threads) as GenerateResult;
  const said = new Map(readRecords(texts).records.map(({ fields }) => [fields["prompt"], String(fields["completion"])]));
  const metrics = textMetrics(asked.map(({ slots, references }) => ({ text: filled(said.get(promptOf(slots)) ?? "", slots), references })));
  writeFileSync(rowFile(row.method, row.seed), `${JSON.stringify({ ...row, generatingSeconds: seconds, metrics })}\n`);
  say(`${name}: BLEU ${(metrics["bleu"] ?? NaN).toFixed(4)}, trained in ${duration(row.seconds)}, said in ${duration(seconds)}`);
}

function rowFile(method: string, seed: number): string {
  return at("rows", `${method}-${String(seed)}.json`);
}

/** The means of each method's seeds. */
function shown(rows: readonly Row[]): string[] {
  const mean = (of: readonly number[]): number => of.reduce((sum, x) => sum + x, 0) / of.length;
  const cells = [...new Set(rows.map(({ method }) => method))].map((method) => {
    const runs = rows.filter((row) => row.method === method);
    const metric = (name: string, digits: number): string => mean(runs.map(({ metrics }) => metrics[name] ?? NaN)).toFixed(digits);
    const processor = runs.flatMap(({ processorSeconds }) => processorSeconds ?? []);
    const bleus = runs.map(({ metrics }) => metrics["bleu"] ?? NaN);
    return [method, grouped(runs.length), metric("bleu", 4), `${Math.min(...bleus).toFixed(4)} to ${Math.max(...bleus).toFixed(4)}`, metric("nist", 3), metric("meteor", 4), metric("rouge_l", 4), metric("cider", 3), grouped(runs[0]?.trainableParams ?? NaN),
      ((runs[0]?.stepFlops ?? NaN) / 1e9).toFixed(2), duration(mean(runs.map(({ seconds }) => seconds))), processor.length === 0 ? "-" : duration(mean(processor))];
  });
  const titles = ["method", "runs", "BLEU", "least to most", "NIST", "METEOR", "ROUGE-L", "CIDEr", "trained", "GFLOP a step", "wall-clock", "processor"];
  return table(titles.map((title, i) => ({ title, right: i > 0 })), cells);
}

/** MRs as they come first, each with all its sentences. */
function meaningsOf(file: string): Meaning[] {
  const found = new Map<string, Meaning>();
  for (const { fields } of readRecords(file).records) {
    const mr = String(fields["mr"]);
    const meaning = found.get(mr) ?? { slots: new Map([...mr.matchAll(/([^,[]+)\[([^\]]*)\]/g)].map(([, slot = "", value = ""]) => [slot.trim(), value])), references: [] };
    found.set(mr, meaning);
    meaning.references.push(String(fields["ref"]));
  }
  return [...found.values()];
}

/** Meanings whose prompts are one are one: they stay together. */
function halves(meanings: readonly Meaning[]): [Meaning[], Meaning[]] {
  const order = promptsOf(meanings);
  const half = (which: number): Meaning[] => meanings.filter(({ slots }) => order.indexOf(promptOf(slots)) % 2 === which);
  return [half(0), half(1)];
}

function promptOf(slots: Slots): string {
  return `${[...slots].map(([slot, value]) => `${slot} ${PLACEHOLDERS.includes(slot) ? slot.toUpperCase() : value}`).join(" ")} ->`;
}

/** Each once, in the order in which they come first. */
function promptsOf(meanings: readonly Meaning[]): string[] {
  return [...new Set(meanings.map(({ slots }) => promptOf(slots)))];
}

/** A sentence with placeholders where it says a value word for word. */
function opened(sentence: string, slots: Slots): string {
  return PLACEHOLDERS.reduce((made, slot) => {
    const value = slots.get(slot);
    return value === undefined ? made : made.replace(new RegExp(`(?<![\\p{L}\\p{N}])${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\p{L}\\p{N}])`, "giu"), slot.toUpperCase());
  }, sentence);
}

/** Values in their places again. */
function filled(sentence: string, slots: Slots): string {
  return PLACEHOLDERS.reduce((made, slot) => made.replaceAll(slot.toUpperCase(), slots.get(slot) ?? ""), sentence).trim();
}

interface Pair {
  readonly prompt: string;
  readonly completion: string;
}

function pairsOf(meanings: readonly Meaning[]): Pair[] {
  return meanings.flatMap(({ slots, references }) => references.map((sentence) => ({ prompt: promptOf(slots), completion: ` ${opened(sentence, slots)}` })));
}

/** Each prompt with another's sentence. */
function parted(pairs: readonly Pair[]): Pair[] {
  const order = new Random(0).permutation(pairs.length);
  return pairs.map(({ prompt }, i) => ({ prompt, completion: pairs[order[i] ?? 0]?.completion ?? "" }));
}

function writeRecords(name: string, records: readonly object[]): void {
  writeFileSync(at(name), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

/** A command that says its result as JSON. */
async function onnxHut(...args: readonly string[]): Promise<unknown> {
  return JSON.parse((await finished(process.execPath, [COMMAND, ...args, "--json", "--no-config"])).out);
}

/** Runs a command to its end: what it printed, and its processor time, which Linux alone tells. */
async function finished(command: string, args: readonly string[]): Promise<{ out: string; processorSeconds: number | null }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let processorSeconds: number | null = null;
  const look = setInterval(() => { processorSeconds = processorOf(child.pid ?? 0) ?? processorSeconds; }, LOOK);
  const ended = once(child, "exit");
  const out = await text(child.stdout);
  const [code] = await ended as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${String(code)}: ${out}`);
  return { out, processorSeconds };
}

/** Seconds of the processor that a process has had, in programs and in the kernel; Linux counts them in hundredths. */
function processorOf(pid: number): number | null {
  try {
    const [user = NaN, system = NaN] = readFileSync(`/proc/${String(pid)}/stat`, "utf8").replace(/^.*\) /s, "").split(" ").slice(11, 13).map(Number);
    return (user + system) / 100;
  } catch {
    return null;
  }
}

function say(line: string): void {
  console.error(line);
}
