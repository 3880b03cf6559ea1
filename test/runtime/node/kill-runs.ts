/**
 * Kills commands at random moments, and looks at what is left: every output is the older one or the new one, and all of one command are alike once somebody has
 * read or written there; the next run succeeds, gives the bytes of an undisturbed one, and leaves nothing that isn't an output.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { checkpointFolders, isWhole } from "../../../src/runtime/node/checkpoint-folder.ts";
import { finishRenames } from "../../../src/runtime/node/leftovers.ts";
import { LOCK_FILE } from "../../../src/runtime/node/lock-folder.ts";
import { isTemporaryName } from "../../../src/runtime/node/temporary-file.ts";
import { Random } from "../../../src/runtime/random.ts";
import { inProcess, type Scenario } from "./kill-scenarios.ts";
import { withoutTimes } from "./run-log.ts";

/** Where in its life a killed process was, by what it left. */
export const PHASES = ["before it wrote", "at work under its lock", "in the middle of a file", "in the middle of a checkpoint", "between two renames", "after its last rename"] as const;
export type Phase = (typeof PHASES)[number];

/** What a kill led to. */
export interface Killed {
  readonly scenario: string;
  readonly verb: Scenario["verb"];
  readonly phase: Phase;
  /** What isn't as it should be; empty where all is well. */
  readonly problems: readonly string[];
}

export interface KillOptions {
  /** The command line's program: words before the verb. */
  readonly program: readonly string[];
  readonly out: string;
  readonly kills: number;
  readonly seed: number;
  readonly onKill?: (killed: Killed, number: number) => void;
}

/** Most kills of one run of training and its resumptions. */
const MAX_CHAIN = 3;
/** Files that tell of times, or name the versions: not the bytes of an undisturbed run. */
const VARYING = /(^|\/)(metrics\.jsonl|all_results\.json|events\.out\.tfevents\.\d+\.onnx-hut)$/;

/** Kills the commands in turn until there were as many kills as asked for. A run that ends before its kill is none. */
export async function killRuns(scenarios: readonly Scenario[], options: KillOptions): Promise<Killed[]> {
  const random = new Random(options.seed);
  const prepared: Prepared[] = [];
  for (const scenario of scenarios) prepared.push(await undisturbed(scenario, options));
  const all: Killed[] = [];
  for (let turn = 0; all.length < options.kills; turn += 1) {
    const chosen = prepared[turn % prepared.length];
    if (chosen === undefined) throw new TypeError("no scenarios");
    for (const killed of await killOnce(chosen, random, options)) {
      all.push(killed);
      options.onKill?.(killed, all.length);
    }
  }
  return all;
}

/** Files by path with a hash of their bytes; what varies from run to run is left out. */
type Tree = ReadonlyMap<string, string>;

/** A command with its outcomes and how it goes when nothing disturbs it. */
interface Prepared {
  readonly scenario: Scenario;
  readonly older: Tree;
  readonly newer: Tree;
  readonly log: readonly string[];
  readonly milliseconds: number;
  /** Temporary files seen while it wrote, of those that are aimed at. */
  readonly temporaries: number;
}

async function undisturbed(scenario: Scenario, options: KillOptions): Promise<Prepared> {
  await makeOlder(scenario, options.out);
  const older = treeOf(options.out);
  const started = performance.now();
  const run = new Watched(scenario.words, { ...options, aim: scenario.aim });
  while (!run.ended) await run.look();
  if (run.code !== 0) throw new Error(`${scenario.name}: ${await run.said}`);
  return { scenario, older, newer: treeOf(options.out), log: logOf(options.out), milliseconds: performance.now() - started, temporaries: Math.max(1, run.seen.size) };
}

async function makeOlder({ older, beside }: Scenario, out: string): Promise<void> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  beside?.(out);
  if (older === undefined) return;
  const { code, err } = await inProcess(older);
  if (code !== 0) throw new Error(err);
}

/** Kills a command once, or a training up to three times in a row, and then lets the next run end. */
async function killOnce(prepared: Prepared, random: Random, options: KillOptions): Promise<Killed[]> {
  const { scenario, older, newer } = prepared;
  await makeOlder(scenario, options.out);
  const killed: Killed[] = [];
  let words = scenario.words;
  const chain = scenario.again === undefined ? 1 : 1 + random.below(MAX_CHAIN);
  for (let i = 0; i < chain; i += 1) {
    const run = await killSomewhere(words, prepared, random, options);
    if (run.code !== null) {
      // It was faster than the kill, and so is as good as an undisturbed one.
      if (run.code !== 0) killed.push({ scenario: scenario.name, verb: scenario.verb, phase: "after its last rename", problems: [`it ended with ${String(run.code)}: ${await run.said}`] });
      break;
    }
    const found = treeOf(options.out);
    const phase = phaseOf(found, prepared, options.out, run.hadLock);
    const torn = tornFiles(found, older, newer, scenario);
    // What any command does that reads or writes there.
    for (const path of ["", ...listing(options.out)]) finishRenames(join(options.out, path));
    const now = treeOf(options.out);
    killed.push({ scenario: scenario.name, verb: scenario.verb, phase, problems: [...torn, ...mixture(now, older, newer, scenario)] });
    words = nextWords(scenario, now, older);
  }
  const last = killed.at(-1);
  if (last === undefined) return [];
  const end = new Watched(words, options);
  while (!end.ended) await end.look();
  return [...killed.slice(0, -1), { ...last, problems: [...last.problems, ...await wrongAtEnd(end, prepared, options.out)] }];
}

/** The words that a user would give next. A run that is to take an older one's place, and hasn't yet, is begun again. */
function nextWords({ words, again }: Scenario, now: Tree, older: Tree): readonly string[] {
  const isOlderRun = older.has("run/run.json") && now.get("run/run.json") === older.get("run/run.json");
  return again === undefined || isOlderRun ? words : again;
}

/** One third anywhere in its life; else a moment after one of its temporary files was seen, at once where these are aimed at. */
async function killSomewhere(words: readonly string[], { scenario: { aim }, milliseconds, temporaries }: Prepared, random: Random, options: KillOptions): Promise<Watched> {
  const run = new Watched(words, { ...options, aim });
  const anywhere = random.below(3) === 0;
  const file = 1 + random.below(temporaries);
  const wait = anywhere ? random.uniform(0, 1.05 * milliseconds) : aim !== undefined ? random.uniform(0, 2) : random.below(2) === 0 ? random.uniform(0, 3) : random.uniform(0, 50);
  const from = performance.now();
  let reached: number | undefined = anywhere ? from : undefined;
  while (!run.ended && !(reached !== undefined && performance.now() - reached >= wait)) {
    await run.look();
    if (reached === undefined && run.seen.size >= file) reached = performance.now();
  }
  await run.kill();
  return run;
}

/** A spawned command, and the temporary files and locks seen in its folders. */
class Watched {
  readonly seen = new Set<string>();
  readonly said: Promise<string>;
  hadLock = false;
  ended = false;
  /** Null where it was killed. */
  code: number | null = null;
  readonly #out: string;
  readonly #aim: RegExp;
  readonly #child: ReturnType<typeof spawn>;
  readonly #end: Promise<void>;

  constructor(words: readonly string[], { program, out, aim }: Pick<KillOptions, "program" | "out"> & Pick<Scenario, "aim">) {
    this.#out = out;
    this.#aim = aim ?? /./;
    this.#child = spawn(process.execPath, [...program, ...words, "--quiet"], { stdio: ["ignore", "ignore", "pipe"] });
    this.said = this.#child.stderr === null ? Promise.resolve("") : text(this.#child.stderr);
    this.#end = new Promise((resolve) => {
      this.#child.once("exit", (code) => {
        this.code = code;
        this.ended = true;
        resolve();
      });
    });
  }

  /** Looks once, and leaves the processor to the command for a moment. */
  async look(): Promise<void> {
    for (const path of listing(this.#out)) {
      if (basename(path) === LOCK_FILE) this.hadLock = true;
      else if (isTemporaryName(basename(path)) && !basename(path).includes(LOCK_FILE) && this.#aim.test(path)) this.seen.add(path);
    }
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end;
  }
}

function phaseOf(now: Tree, { older, newer }: Prepared, out: string, hadLock: boolean): Phase {
  const temporaries = listing(out).map((path) => basename(path)).filter((name) => isTemporaryName(name) && !name.includes(LOCK_FILE));
  if (hasHalfACheckpoint(out)) return "in the middle of a checkpoint";
  if (temporaries.length > 0) return "in the middle of a file";
  if (isSame(now, newer)) return "after its last rename";
  if (isSame(now, older)) return hadLock ? "at work under its lock" : "before it wrote";
  return now.has("run/run.json") && !isMixed(now, older, newer, /^run\/adapter\//) ? "at work under its lock" : "between two renames";
}

/** Whether a checkpoint's folder is there that isn't whole, or has a file on its way. */
function hasHalfACheckpoint(out: string): boolean {
  return checkpointFolders(join(out, "run")).some((folder) => !isWhole(folder) || readdirSync(folder).some(isTemporaryName));
}

/** Files that are neither as before nor as after. A run's own records change as it goes, and are left to its resumption. */
function tornFiles(now: Tree, older: Tree, newer: Tree, scenario: Scenario): string[] {
  return places(now, older, newer, scenario).filter((path) => now.get(path) !== older.get(path) && now.get(path) !== newer.get(path)).map((path) => `${path} is neither the old nor the new one`);
}

/** Outputs of which some are old and some are new. */
function mixture(now: Tree, older: Tree, newer: Tree, scenario: Scenario): string[] {
  if (!isMixed(now, older, newer, outputsOf(scenario))) return [];
  return [`some outputs are old and some are new: ${places(now, older, newer, scenario).filter((path) => now.get(path) !== older.get(path)).join(", ")} new`];
}

function outputsOf({ verb }: Scenario): RegExp {
  return verb === "train" ? /^run\/adapter\// : /./;
}

function places(now: Tree, older: Tree, newer: Tree, scenario: Scenario): string[] {
  return [...new Set([...now.keys(), ...older.keys(), ...newer.keys()])].filter((path) => outputsOf(scenario).test(path));
}

function isMixed(now: Tree, older: Tree, newer: Tree, outputs: RegExp): boolean {
  const part = (tree: Tree): Tree => new Map([...tree].filter(([path]) => outputs.test(path)));
  return !isSame(part(now), part(older)) && !isSame(part(now), part(newer));
}

async function wrongAtEnd(run: Watched, { newer, log }: Prepared, out: string): Promise<string[]> {
  if (run.code !== 0) return [`the next run ended with ${String(run.code)}: ${await run.said}`];
  const now = treeOf(out);
  const problems = [...new Set([...now.keys(), ...newer.keys()])].filter((path) => now.get(path) !== newer.get(path)).map((path) => `after the next run ${path} isn't what an undisturbed run writes`);
  const left = listing(out).filter((path) => basename(path) === LOCK_FILE || isTemporaryName(basename(path))).map((path) => `${path} was left`);
  return [...problems, ...left, ...(logOf(out).join("\n") === log.join("\n") ? [] : ["metrics.jsonl isn't an undisturbed run's"])];
}

function isSame(a: Tree, b: Tree): boolean {
  return a.size === b.size && [...a].every(([path, hash]) => b.get(path) === hash);
}

function logOf(out: string): string[] {
  const file = join(out, "run", "metrics.jsonl");
  return existsSync(file) ? withoutTimes(readFileSync(file, "utf8")) : [];
}

function treeOf(out: string): Tree {
  const files = listing(out).filter((path) => basename(path) !== LOCK_FILE && !isTemporaryName(basename(path)) && !VARYING.test(path) && statSync(join(out, path)).isFile());
  return new Map(files.map((path) => [path, createHash("sha256").update(readFileSync(join(out, path))).digest("hex")]));
}

/** Paths below a folder, with slashes. What goes while it is listed is left out. */
function listing(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    let entries: ReturnType<typeof entriesOf>;
    try {
      entries = entriesOf(join(folder, path));
    } catch (error) {
      if (!existsSync(join(folder, path))) return;
      throw error;
    }
    for (const entry of entries) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      found.push(below);
      if (entry.isDirectory()) visit(below);
    }
  };
  visit("");
  return found;
}

const entriesOf = (path: string): { name: string; isDirectory: () => boolean }[] => readdirSync(path, { withFileTypes: true });
