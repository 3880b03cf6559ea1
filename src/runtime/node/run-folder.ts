/** A run's folder: adapter/, checkpoint-<step>/, metrics.jsonl, run.json. Everything but the log is written whole or not at all. */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkpointBroken, noCheckpoint, resumeContradicts, runFolderInUse } from "../../errors/runtime.ts";
import { fromFloat32, readSafetensors, toFloat32, writeSafetensors } from "../adapter/safetensors.ts";
import type { TrainingState } from "../trainer.ts";
import { requireWritable, writeFileAtomic } from "./atomic-write.ts";
import { openFileSource } from "./file-source.ts";
import { ensureFolder } from "./folder.ts";
import { checkSettings } from "./run-settings.ts";
import { readJson } from "./tokenizer-files.ts";

/** The settings of a run that its steps depend on: kept in run.json, compared on resume. */
export type RunSettings = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface RunFile {
  readonly settings: RunSettings;
  readonly [more: string]: unknown;
}

const RUN_FILE = "run.json";
const METRICS_FILE = "metrics.jsonl";
const STATE_FILE = "state.safetensors";
const PROGRESS_FILE = "trainer_state.json";
const CHECKPOINT = /^checkpoint-(\d+)$/;

/** One run's folder. */
export class RunFolder {
  readonly path: string;
  readonly adapter: string;

  constructor(path: string) {
    this.path = path;
    this.adapter = join(path, "adapter");
  }

  /** Whether a run was begun here. */
  get used(): boolean {
    return existsSync(join(this.path, RUN_FILE)) || existsSync(join(this.path, METRICS_FILE));
  }

  /** Throws RUN_FOLDER_IN_USE where a run was begun here, unless it may be overwritten; FOLDER_UNMAKABLE and OUTPUT_UNWRITABLE where nothing can be written. */
  requireFree(overwrite: boolean): void {
    if (this.used && !overwrite) throw runFolderInUse(this.path);
    ensureFolder(this.path);
    requireWritable(join(this.path, RUN_FILE));
  }

  /** Makes the folder ready for a new run: what an older one left goes. */
  begin(): void {
    for (const name of readdirSync(this.path)) {
      if (CHECKPOINT.test(name) || [RUN_FILE, METRICS_FILE, "adapter", "all_results.json"].includes(name)) rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }

  writeRun(run: RunFile): void {
    writeJson(join(this.path, RUN_FILE), run);
  }

  /** The run begun here. `named` is the checkpoint to resume from, where one was named. Throws NO_CHECKPOINT, CHECKPOINT_BROKEN. */
  readRun(named: string | true = true): RunFile {
    const file = join(this.path, RUN_FILE);
    if (named !== true && !existsSync(named)) throw noCheckpoint(named);
    if (!existsSync(file)) throw noCheckpoint(this.path);
    const run = readJson(file);
    if (typeof run !== "object" || run === null || !("settings" in run) || typeof run.settings !== "object" || run.settings === null) throw checkpointBroken(file, "it has no settings");
    checkSettings(run.settings as Readonly<Record<string, unknown>>, file);
    return run as RunFile;
  }

  /** Appends a record to metrics.jsonl. A log, not a state: a line that a crash cut short is dropped on resume. */
  log(record: Readonly<Record<string, number>>): void {
    appendFileSync(join(this.path, METRICS_FILE), `${JSON.stringify(record)}\n`);
  }

  /** Drops what was logged after a step: a resumed run logs it anew. */
  truncateLog(step: number): void {
    const file = join(this.path, METRICS_FILE);
    if (!existsSync(file)) return;
    const kept = readFileSync(file, "utf8").split("\n").filter((line) => stepOf(line) <= step);
    writeFileAtomic(file, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(""))]);
  }

  /** The losses of the first and the last step logged; null where none is. */
  loggedLosses(): { first: number | null; last: number | null } {
    const file = join(this.path, METRICS_FILE);
    const losses = (existsSync(file) ? readFileSync(file, "utf8").split("\n") : []).flatMap((line) => (/"loss":(-?[\d.e+-]+)/.exec(line)?.[1] ?? []));
    return { first: losses[0] === undefined ? null : Number(losses[0]), last: losses.length === 0 ? null : Number(losses.at(-1)) };
  }

  writeResults(results: Readonly<Record<string, number>>): void {
    writeJson(join(this.path, "all_results.json"), results);
  }

  /** Writes checkpoint-<step>/: its state first, then the file that makes it a checkpoint. Older checkpoints go. */
  saveCheckpoint(state: TrainingState): string {
    const folder = join(this.path, `checkpoint-${String(state.step)}`);
    ensureFolder(folder);
    const vector = (v: Float32Array): ReturnType<typeof fromFloat32> => fromFloat32([v.length], v);
    writeFileAtomic(join(folder, STATE_FILE), writeSafetensors(new Map([["theta", vector(state.theta)], ["adam_m", vector(state.adamM)], ["adam_v", vector(state.adamV)]]), { format: "pt" }));
    writeJson(join(folder, PROGRESS_FILE), { global_step: state.step });
    for (const name of this.checkpoints()) if (join(this.path, name) !== folder) rmSync(join(this.path, name), { recursive: true, force: true });
    return folder;
  }

  /** The state to go on from: of the folder named, else the newest whole checkpoint. Throws NO_CHECKPOINT, CHECKPOINT_BROKEN. */
  loadCheckpoint(named: string | undefined, size: number): TrainingState {
    const folder = named ?? this.checkpoints().map((name) => join(this.path, name)).find((f) => existsSync(join(f, PROGRESS_FILE)));
    if (folder === undefined || !existsSync(join(folder, PROGRESS_FILE))) throw noCheckpoint(named ?? this.path);
    const progress = readJson(join(folder, PROGRESS_FILE));
    const step = typeof progress === "object" && progress !== null && "global_step" in progress ? progress.global_step : undefined;
    if (typeof step !== "number" || !Number.isInteger(step) || step < 0) throw checkpointBroken(folder, `${PROGRESS_FILE} has no global_step`);
    const file = join(folder, STATE_FILE);
    using source = openFileSource(file);
    const tensors = readSafetensors(source);
    const vector = (name: string): Float32Array => {
      const tensor = tensors.get(name);
      if (tensor?.shape.join() !== String(size)) throw checkpointBroken(folder, `its ${name} is ${tensor === undefined ? "missing" : `[${tensor.shape.join(", ")}]`}, and the model trains ${String(size)} numbers`);
      return toFloat32(tensor, file, name);
    };
    return { step, theta: vector("theta"), adamM: vector("adam_m"), adamV: vector("adam_v") };
  }

  /** Names of checkpoint folders, newest first. */
  checkpoints(): string[] {
    if (!existsSync(this.path)) return [];
    const step = (name: string): number => Number(CHECKPOINT.exec(name)?.[1] ?? -1);
    return readdirSync(this.path).filter((n) => CHECKPOINT.test(n)).sort((a, b) => step(b) - step(a));
  }
}

/** Throws where a setting given for a resumed run isn't the run's. */
export function compareSettings(before: RunSettings, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || JSON.stringify(before[name]) === JSON.stringify(value)) continue;
    throw resumeContradicts(name, JSON.stringify(value), name in before ? JSON.stringify(before[name]) : "nothing");
  }
}

function stepOf(line: string): number {
  try {
    const record = JSON.parse(line) as { step?: unknown };
    return typeof record.step === "number" ? record.step : Infinity;
  } catch {
    return Infinity;
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}
