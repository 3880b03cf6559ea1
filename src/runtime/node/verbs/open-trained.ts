/** What a verb is to apply: an adapter as it is, or with the numbers that ONNX Runtime's training API gave it. */
import { dirname, join } from "node:path";
import { ortCheckpointAlone } from "../../../errors/checkpoint.ts";
import { fileTooLong } from "../../../errors/files.ts";
import { CONFIG_FILE } from "../../adapter/peft-config.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { readCheckpoint } from "../../checkpoint/read-checkpoint.ts";
import { thetaOf } from "../../checkpoint/theta-of.ts";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { HeadOptions, TrainedOptions } from "../../options.ts";
import { prepare, type OpenedAdapter } from "../../prepare.ts";
import { openFileSource } from "../file-source.ts";
import { folderHolds } from "../folder.ts";
import type { OpenedModel } from "../open-model.ts";
import { adapterBase, openAdapter } from "./adapt.ts";

/** The folder beside a checkpoint that tells what its parameters are: the adapter that training starts from. */
export const ADAPTER_FOLDER = "adapter";

/** Longest checkpoint read: offsets of flatbuffers have 31 bits. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** Undefined where neither an adapter nor a checkpoint is given. Throws HutError: no adapter, none of this model, a checkpoint that is damaged or another's. */
export function openTrained(opened: OpenedModel, options: TrainedOptions & HeadOptions & { readonly force?: boolean | undefined }): OpenedAdapter | undefined {
  const { checkpoint, force, head, numLabels } = options;
  if (checkpoint === undefined) return openAdapter(options.adapter);
  const trained = readFile(checkpoint);
  const folder = options.adapter ?? join(dirname(checkpoint), ADAPTER_FOLDER);
  if (options.adapter === undefined && !folderHolds(folder, CONFIG_FILE)) throw ortCheckpointAlone(checkpoint, folder);
  const adapter = openAdapter(folder);
  const prepared = prepare(opened.load(), { adapter, force, head, numLabels, saveHead: true });
  const theta = thetaOf(prepared.trainables, trained, checkpoint, folder);
  const base = { ...adapterBase(opened), taskType: adapter?.contents.taskType ?? null, id2label: adapter?.contents.hut?.id2label, problem: adapter?.contents.hut?.problem };
  return { folder: checkpoint, contents: toAdapterFolder(prepared, theta, base) };
}

function readFile(path: string): Checkpoint {
  using source = openFileSource(path);
  if (source.size > MAX_FILE_BYTES) throw fileTooLong(path, source.size, MAX_FILE_BYTES);
  return readCheckpoint(source.read(0, source.size), path);
}
