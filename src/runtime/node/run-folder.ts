/**
 * A run's folder: adapter/, checkpoint-<step>/, metrics.jsonl, run.json, all_results.json, and runs/ for TensorBoard. Everything but the logs is written whole or not at all.
 *
 * A run is in its folder from the moment when its run.json is there, whatever else is: without a checkpoint it begins at its first step. Where it takes the place of
 * an older run, that one's checkpoints and results go before run.json is replaced, and its adapter stays until the new one is whole.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { noCheckpoint, runFileBroken, runFolderForeign, runFolderInUse } from "../../errors/runtime.ts";
import { CONFIG_FILE } from "../adapter/peft-config.ts";
import type { NamedClass } from "../results.ts";
import type { Remembered } from "../run-control.ts";
import type { TrainingState } from "../trainer.ts";
import { requireWritable, writeFileAtomic } from "./atomic-write.ts";
import { checkpointAt, checkpointFilesAt, checkpointFolders, isOwnCheckpoint, isWhole, loadCheckpoint, removeCheckpoint, saveCheckpoint, stepOf } from "./checkpoint-folder.ts";
import { ensureFolder, isFolder, removeEmptyFolder, removeFile } from "./folder.ts";
import { adapterFilesAt } from "./input-files.ts";
import { lockFolder } from "./lock-folder.ts";
import { MetricsLog } from "./metrics-log.ts";
import { checkedSettings, type RunSettings } from "./run-settings.ts";
import { readJson } from "./json-file.ts";
import { eventFiles, EventsLog } from "./tensorboard.ts";

/** run.json. */
export interface RunFile {
  readonly settings: RunSettings;
  /** The file of a training elsewhere that the run began with; left out where it began with an adapter's numbers. */
  readonly begunWith?: string | undefined;
  /** SHA-256 of the data files. */
  readonly hashes?: Readonly<Record<string, unknown>> | undefined;
  readonly [more: string]: unknown;
}

const RUN_FILE = "run.json";
const METRICS_FILE = "metrics.jsonl";
const RESULTS_FILE = "all_results.json";
const EVENTS_FOLDER = "runs";

/** One run's folder. */
export class RunFolder {
  readonly path: string;
  readonly adapter: string;
  readonly log: MetricsLog;
  readonly #events: string;

  constructor(path: string) {
    this.path = path;
    this.adapter = join(path, "adapter");
    this.log = new MetricsLog(join(path, METRICS_FILE));
    this.#events = join(path, EVENTS_FOLDER);
  }

  /** Whether something of a run is here, or an adapter. */
  get used(): boolean {
    return [RUN_FILE, METRICS_FILE, RESULTS_FILE, join("adapter", CONFIG_FILE)].some((name) => existsSync(join(this.path, name))) || checkpointFolders(this.path).length > 0;
  }

  /** Where a run writes: files, and folders of them. */
  get places(): { readonly files: readonly string[]; readonly folders: readonly string[] } {
    const checkpoints = checkpointFolders(this.path);
    return {
      files: [...[RUN_FILE, METRICS_FILE, RESULTS_FILE].map((name) => join(this.path, name)), ...adapterFilesAt(this.adapter), ...eventFiles(this.#events), ...checkpoints.flatMap(checkpointFilesAt)],
      folders: [this.path, this.adapter, this.#events, ...checkpoints],
    };
  }

  /** Keeps other runs out, where the folder is there already. Throws OUTPUT_FOLDER_BUSY, OUTPUT_UNWRITABLE. */
  lockIfThere(): Disposable | undefined {
    return isFolder(this.path) ? lockFolder(this.path) : undefined;
  }

  /** Makes the folder, which goes again if nothing was put into it, and keeps other runs out. Throws FOLDER_UNMAKABLE, OUTPUT_FOLDER_BUSY, OUTPUT_UNWRITABLE. */
  lock(): Disposable {
    ensureFolder(this.path);
    try {
      const lock = lockFolder(this.path);
      return { [Symbol.dispose]: () => { lock[Symbol.dispose](); removeEmptyFolder(this.path); } };
    } catch (error) {
      removeEmptyFolder(this.path);
      throw error;
    }
  }

  /** Throws RUN_FOLDER_IN_USE where a run was begun here, unless it may be overwritten, RUN_FOLDER_FOREIGN where another program's checkpoints are, OUTPUT_UNWRITABLE. */
  requireFree(overwrite: boolean): void {
    const foreign = checkpointFolders(this.path).find((folder) => !isOwnCheckpoint(folder));
    if (foreign !== undefined) throw runFolderForeign(this.path, foreign);
    if (this.used && !overwrite) throw runFolderInUse(this.path);
    requireWritable(join(this.path, RUN_FILE));
  }

  /** What is logged from now on goes to a new event file for TensorBoard too. `resumedAt`: the step that a run goes on from. Throws OUTPUT_UNWRITABLE, FOLDER_UNMAKABLE. */
  async logEvents(resumedAt: number | undefined): Promise<Disposable> {
    const events = await EventsLog.begin(this.#events, { resumedAt });
    if (resumedAt !== undefined) for (const record of this.log.recordsAt(resumedAt)) events.append(record);
    this.log.events = events;
    return events;
  }

  /** Begins a run here. An older one's adapter stays until there is a new one. */
  begin(run: RunFile): void {
    for (const folder of checkpointFolders(this.path)) removeCheckpoint(folder);
    removeFile(join(this.path, RESULTS_FILE));
    for (const file of eventFiles(this.#events)) if (file !== this.log.events?.file) removeFile(file);
    writeJson(join(this.path, RUN_FILE), run);
    removeFile(this.log.file);
  }

  /** Goes on with the run from a step, and its evaluation where that was made: what it had done since then goes. */
  resume(run: RunFile, step: number, isEvaluated: boolean): void {
    for (const folder of this.#ownCheckpoints()) if (stepOf(folder) > step || !isWhole(folder)) removeCheckpoint(folder);
    this.log.truncate(step, isEvaluated);
    writeJson(join(this.path, RUN_FILE), run);
  }

  /** The run begun here; undefined where none was. Throws JSON_BROKEN, RUN_FILE_BROKEN. */
  readRun(): RunFile | undefined {
    const file = join(this.path, RUN_FILE);
    if (!existsSync(file)) return undefined;
    const run = readJson(file);
    if (typeof run !== "object" || run === null || Array.isArray(run)) throw runFileBroken(file, "it is no object");
    const { settings, begunWith, hashes, ...more } = run as Record<string, unknown>;
    if (begunWith !== undefined && typeof begunWith !== "string") throw runFileBroken(file, "its begunWith is no file");
    const isObject = typeof hashes === "object" && hashes !== null && !Array.isArray(hashes);
    if (hashes !== undefined && !isObject) throw runFileBroken(file, "its hashes are no object");
    return { ...more, settings: checkedSettings(settings, file), begunWith, hashes: hashes as RunFile["hashes"] };
  }

  /** The run's file, or an error that says there is none. Throws NO_CHECKPOINT, JSON_BROKEN, RUN_FILE_BROKEN. */
  requireRun(): RunFile {
    const run = this.readRun();
    if (run === undefined) throw noCheckpoint(this.path);
    return run;
  }

  /** The results that a finished run has; undefined where there are none, or no object of numbers. */
  readResults(): Readonly<Record<string, unknown>> | undefined {
    const file = join(this.path, RESULTS_FILE);
    const value = existsSync(file) ? readJson(file) : undefined;
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  }

  writeResults(results: Readonly<Record<string, unknown>>): void {
    writeJson(join(this.path, RESULTS_FILE), results);
  }

  /** The newest whole checkpoint. */
  newestCheckpoint(): string | undefined {
    return this.#ownCheckpoints().find(isWhole);
  }

  /** Writes checkpoint-<step>/, after the log that it stands on. Of the others the newest stay, `limit` in all, and the one of the best evaluation. */
  saveCheckpoint(state: TrainingState, remembered: Remembered, limit: number): void {
    this.log.sync();
    saveCheckpoint(this.path, state, remembered);
    const { best } = remembered;
    for (const folder of this.#ownCheckpoints().slice(limit)) if (stepOf(folder) !== best?.step) removeCheckpoint(folder);
  }

  /** The trained numbers of a step that has a checkpoint. Throws NO_CHECKPOINT, CHECKPOINT_BROKEN. */
  thetaAt(step: number, size: number): Float32Array {
    return loadCheckpoint(checkpointAt(this.path, step), size, step).state.theta;
  }

  #ownCheckpoints(): string[] {
    return checkpointFolders(this.path).filter(isOwnCheckpoint);
  }
}

/** The classes' figures that a results file has; none where somebody made something else of them. */
export function classesIn(results: Readonly<Record<string, unknown>>): readonly NamedClass[] {
  const value = results["eval_classes"];
  const isOne = (entry: unknown): entry is NamedClass => typeof entry === "object" && entry !== null && "label" in entry && typeof entry.label === "string";
  return Array.isArray(value) && value.every(isOne) ? value : [];
}

function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
}
