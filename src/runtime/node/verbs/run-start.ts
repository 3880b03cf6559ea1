/** Where a run begins: anew, at a checkpoint of its own, or with what a training elsewhere saved. */
import { existsSync } from "node:fs";
import { noCheckpoint } from "../../../errors/runtime.ts";
import type { TrainOptions } from "../../options.ts";
import { isFile } from "../folder.ts";
import type { RunFile, RunFolder } from "../run-folder.ts";
import { compareSettings, fromSettings } from "../run-settings.ts";
import { besideCheckpoint, type BesideCheckpoint } from "./open-trained.ts";

/** What a run goes on from. */
export interface Start {
  /** The run that is resumed; undefined for a new one. */
  readonly before: RunFile | undefined;
  /** Its checkpoint; undefined where it had none yet. */
  readonly checkpoint: string | undefined;
  /** The file of a training elsewhere that it begins with, and what stands beside it. */
  readonly elsewhere: (BesideCheckpoint & { readonly file: string }) | undefined;
}

/** Throws NO_CHECKPOINT where nothing is to be resumed, RESUME_CONTRADICTS, and what damaged files throw. */
export function startOf(folder: RunFolder, given: TrainOptions): Start {
  const begunWith = (file: string, adapter: string | undefined): Start["elsewhere"] => ({ file, ...besideCheckpoint(file, adapter) });
  const { resume } = given;
  if (resume === undefined || resume === false) return { before: undefined, checkpoint: undefined, elsewhere: undefined };
  if (typeof resume === "string" && isFile(resume)) return { before: undefined, checkpoint: undefined, elsewhere: begunWith(resume, given.adapter) };
  if (typeof resume === "string" && !existsSync(resume)) throw noCheckpoint(resume);
  if (resume === true && given.train !== undefined && folder.readRun() === undefined) {
    given.onNotice?.(`there is no run in ${JSON.stringify(folder.path)} yet: it begins`);
    return { before: undefined, checkpoint: undefined, elsewhere: undefined };
  }
  const before = folder.requireRun();
  compareSettings(before.settings, given);
  const checkpoint = resume === true ? folder.newestCheckpoint() : resume;
  const adapter = fromSettings(before.settings).adapter;
  return { before, checkpoint, elsewhere: checkpoint !== undefined || before.begunWith === undefined ? undefined : begunWith(before.begunWith, adapter) };
}
