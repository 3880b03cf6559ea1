/**
 * checkpoint-<step>/ of a run: `state.safetensors` (theta and AdamW's moments), then `trainer_state.json`, which makes it a checkpoint. It is written in this order
 * and removed in the other one, so that a folder which a killed process left halfway is never taken for a checkpoint.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { outputUnwritable, systemCode } from "../../errors/files.ts";
import { quote } from "../../errors/hut-error.ts";
import { checkpointBroken, noCheckpoint } from "../../errors/runtime.ts";
import { fromFloat32, readSafetensors, toFloat32, writeSafetensors } from "../adapter/safetensors.ts";
import { NOTHING_YET, type Remembered } from "../run-control.ts";
import type { TrainingState } from "../trainer.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { openFileSource } from "./file-source.ts";
import { ensureFolder } from "./folder.ts";
import { isTemporaryName } from "./temporary-file.ts";
import { readJson } from "./json-file.ts";

const STATE_FILE = "state.safetensors";
const PROGRESS_FILE = "trainer_state.json";
const NAME = /^checkpoint-(\d+)$/;

/** The checkpoints of a run's folder, newest first; whole ones and what is left of others, ours and other programs'. */
export function checkpointFolders(run: string): string[] {
  if (!existsSync(run)) return [];
  return readdirSync(run).filter((name) => NAME.test(name)).sort((a, b) => stepOf(b) - stepOf(a)).map((name) => join(run, name));
}

/** The files of a checkpoint in this folder. */
export function checkpointFilesAt(folder: string): string[] {
  return [STATE_FILE, PROGRESS_FILE].map((name) => join(folder, name));
}

/** Whether all that is in a checkpoint's folder is ours: other trainers' checkpoints go by the same name. */
export function isOwnCheckpoint(folder: string): boolean {
  return statSync(folder).isDirectory() && readdirSync(folder).every((name) => name === STATE_FILE || name === PROGRESS_FILE || isTemporaryName(name));
}

/** Whether it can be resumed from. */
export function isWhole(folder: string): boolean {
  return checkpointFilesAt(folder).every((file) => existsSync(file));
}

/** Writes checkpoint-<step>/ into a run's folder, and returns it. Throws OUTPUT_UNWRITABLE, FOLDER_UNMAKABLE; what is half there then is removed. */
export function saveCheckpoint(run: string, state: TrainingState, remembered: Remembered): string {
  const folder = checkpointAt(run, state.step);
  const wasWhole = isWhole(folder);
  ensureFolder(folder);
  try {
    const vector = (v: Float32Array): ReturnType<typeof fromFloat32> => fromFloat32([v.length], v);
    writeFileAtomic(join(folder, STATE_FILE), writeSafetensors(new Map([["theta", vector(state.theta)], ["adam_m", vector(state.adamM)], ["adam_v", vector(state.adamV)]]), { format: "pt" }));
    writeFileAtomic(join(folder, PROGRESS_FILE), [new TextEncoder().encode(`${JSON.stringify(progressOf(state, remembered), null, 2)}\n`)]);
    return folder;
  } catch (error) {
    if (!wasWhole) removeCheckpoint(folder);
    throw error;
  }
}

/** What a run goes on from. */
export interface Checkpoint {
  readonly state: TrainingState;
  readonly remembered: Remembered;
}

/** Reads a checkpoint of a model that trains `size` numbers in a run of `totalSteps`. Throws NO_CHECKPOINT, CHECKPOINT_BROKEN, and what reading the files throws. */
export function loadCheckpoint(folder: string, size: number, totalSteps: number): Checkpoint {
  const [file = "", progressFile = ""] = checkpointFilesAt(folder);
  if (!existsSync(progressFile)) throw noCheckpoint(folder);
  const progress = readJson(progressFile);
  const step = typeof progress === "object" && progress !== null && "global_step" in progress ? progress.global_step : undefined;
  if (typeof step !== "number" || !Number.isInteger(step) || step < 0) throw checkpointBroken(folder, `${PROGRESS_FILE} has no global_step`);
  const named = stepOf(basename(folder));
  if (named >= 0 && step !== named) throw checkpointBroken(folder, `the global_step in ${PROGRESS_FILE} is ${String(step)}`);
  if (step > totalSteps) throw checkpointBroken(folder, `it has ${String(step)} steps behind it, and the whole run is ${String(totalSteps)} long`);
  using source = openFileSource(file);
  const tensors = readSafetensors(source);
  const vector = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor?.shape.join() !== String(size)) throw checkpointBroken(folder, `its ${name} is ${tensor === undefined ? "missing" : `[${tensor.shape.join(", ")}]`}, and the model trains ${String(size)} numbers`);
    return toFloat32(tensor, file, name);
  };
  return { state: { step, theta: vector("theta"), adamM: vector("adam_m"), adamV: vector("adam_v") }, remembered: rememberedIn(progress as object, step, folder) };
}

/** trainer_state.json, in Hugging Face's words where it has them. */
function progressOf({ step }: TrainingState, { best, since, at }: Remembered): Record<string, number | string> {
  const bestOf = best === null ? {} : { best_metric: best.value, best_global_step: best.step, best_model_checkpoint: basename(checkpointAt("", best.step)) };
  return { global_step: step, ...bestOf, ...(since === 0 ? {} : { evaluations_since_best: since }), ...(at === 0 ? {} : { last_evaluation_step: at }) };
}

function rememberedIn(progress: object, step: number, folder: string): Remembered {
  const at = (name: string, least: number, most: number): number | undefined => {
    const value = (progress as Record<string, unknown>)[name];
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !(value >= least && value <= most)) throw checkpointBroken(folder, `its ${name} is ${quote(JSON.stringify(value))}`);
    return value;
  };
  const value = at("best_metric", -Infinity, Infinity);
  const bestStep = at("best_global_step", 1, step);
  const { since, at: last } = NOTHING_YET;
  return {
    best: value === undefined || bestStep === undefined ? null : { step: bestStep, value }, since: at("evaluations_since_best", 0, step) ?? since,
    at: at("last_evaluation_step", 0, step) ?? last,
  };
}

/** Where a run keeps the checkpoint of a step. */
export function checkpointAt(run: string, step: number): string {
  return join(run, `checkpoint-${String(step)}`);
}

/** The step that a folder's name says; -1 for other names. */
export function stepOf(name: string): number {
  return Number(NAME.exec(basename(name))?.[1] ?? -1);
}

/** Removes a checkpoint; killed on the way, it is none any more. Throws OUTPUT_UNWRITABLE. */
export function removeCheckpoint(folder: string): void {
  try {
    rmSync(join(folder, PROGRESS_FILE), { force: true });
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    throw systemCode(error) === undefined ? error : outputUnwritable(folder, error);
  }
}
