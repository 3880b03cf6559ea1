/** What a verb is to apply or to go on from: an adapter as it is, or with the numbers that a training elsewhere gave it. */
import { ortCheckpointAlone } from "../../../errors/checkpoint.ts";
import { fileTooLong } from "../../../errors/files.ts";
import { CONFIG_FILE } from "../../adapter/peft-config.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { looksLikeCheckpoint, readCheckpoint } from "../../checkpoint/read-checkpoint.ts";
import { checkManifest, readTheta } from "../../checkpoint/read-theta.ts";
import { DATA_SUFFIX, type Checkpoint } from "../../checkpoint/checkpoint.ts";
import { momentsOf, thetaOf } from "../../checkpoint/theta-of.ts";
import type { HeadOptions, TrainedOptions } from "../../options.ts";
import { prepare, type OpenedAdapter, type Prepared } from "../../prepare.ts";
import { initialState, type TrainingState } from "../../trainer.ts";
import { placesBeside, type CheckpointPlaces } from "../checkpoint-places.ts";
import { openFileSource } from "../file-source.ts";
import { folderHolds, isFile } from "../folder.ts";
import type { OpenedModel } from "../open-model.ts";
import { adapterBase, openAdapter } from "./adapt.ts";

/** Longest checkpoint read: offsets of flatbuffers have 31 bits. What is larger lies in its file of external data, which is read tensor by tensor. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

type Options = TrainedOptions & HeadOptions & { readonly force?: boolean | undefined };

/** Undefined where neither an adapter nor a checkpoint is given. Throws HutError: no adapter, none of this model, a checkpoint that is damaged or another's. */
export function openTrained(opened: OpenedModel, options: Options): OpenedAdapter | undefined {
  const { checkpoint, force, head, numLabels } = options;
  if (checkpoint === undefined) return openAdapter(options.adapter);
  const { adapter, manifest } = besideCheckpoint(checkpoint, options.adapter);
  const prepared = prepare(opened.load(), { adapter, force, head, numLabels, saveHead: true });
  const theta = withTrained(checkpoint, prepared, adapter, manifest, (numbers) => numbers);
  const { taskType, hut } = adapter.contents;
  const base = { ...adapterBase(opened), taskType, id2label: hut?.id2label, problem: hut?.problem, pooling: hut?.pooling };
  return { folder: checkpoint, contents: toAdapterFolder(prepared, theta, base) };
}

/** What stands beside a checkpoint, and tells what its parameters are. */
export interface BesideCheckpoint {
  readonly adapter: OpenedAdapter;
  readonly manifest: CheckpointPlaces["manifest"];
}

/**
 * The adapter named, else the one that the manifest beside the checkpoint names, else the folder `adapter` there. An adapter that is named says the rest itself.
 * Throws where there is none, or the manifest is damaged.
 */
export function besideCheckpoint(checkpoint: string, named: string | undefined): BesideCheckpoint {
  const { folder, manifest } = placesBeside(checkpoint, named);
  if (named === undefined && !folderHolds(folder, CONFIG_FILE)) throw ortCheckpointAlone(checkpoint, folder);
  const adapter = openAdapter(folder);
  if (adapter === undefined) throw new TypeError("a folder that is named is opened");
  return { adapter, manifest };
}

/** Where a training elsewhere stands: its numbers and, of a checkpoint with its optimizer's state, AdamW's moments and the steps done; else the moments are 0, and the steps too. */
export function readState(checkpoint: string, prepared: Prepared, adapter: OpenedAdapter, manifest: BesideCheckpoint["manifest"]): TrainingState {
  return withTrained(checkpoint, prepared, adapter, manifest, (theta, saved) => {
    const state = saved === undefined ? undefined : momentsOf(prepared.trainables, saved, checkpoint);
    return state === undefined ? initialState(theta) : { step: state.step, theta, adamM: state.moments[0], adamV: state.moments[1] };
  });
}

/**
 * theta [P] of what was trained elsewhere, and the checkpoint that it is from, while its files are open: undefined where the file is a theta alone. `prepared` is
 * the model with this adapter, whose trainables lay theta out.
 */
function withTrained<T>(file: string, { trainables }: Prepared, { folder }: OpenedAdapter, manifest: BesideCheckpoint["manifest"], take: (theta: Float32Array, saved?: Checkpoint) => T): T {
  using source = openFileSource(file);
  if (source.size > MAX_FILE_BYTES) throw fileTooLong(file, source.size, MAX_FILE_BYTES);
  const bytes = source.read(0, source.size);
  if (manifest !== undefined) checkManifest(manifest.contents, trainables, manifest.file, folder);
  if (!looksLikeCheckpoint(bytes)) return take(readTheta(bytes, file, trainables));
  using external = isFile(file + DATA_SUFFIX) ? openFileSource(file + DATA_SUFFIX) : undefined;
  const saved = readCheckpoint(bytes, file, external);
  return take(thetaOf(trainables, saved, file, folder), saved);
}
