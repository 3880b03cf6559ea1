/** What can be wrong with a checkpoint of ONNX Runtime's training API, and with what is asked of one. */
import { HutError, list, quote } from "./hut-error.ts";

const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
const usage = (code: string, details: Readonly<Record<string, unknown>>, message: string): HutError => new HutError(code, details, message, { exitCode: 2 });

/** A file that is none, or one that is cut short or damaged; `problem` completes "…: ". */
export const ortCheckpointBroken = (file: string, problem: string): HutError => new HutError("ORT_CHECKPOINT_BROKEN", { file, problem },
  `${quote(file)} is not a sound checkpoint of ONNX Runtime's training API: ${problem}. Fetch it again, or save it anew.`);

/** A sound file with nothing in it that could be read; `why` completes "because …". */
export const ortCheckpointUnreadable = (file: string, why: string): HutError => new HutError("ORT_CHECKPOINT_UNREADABLE", { file, why },
  `The checkpoint ${quote(file)} can't be read, because ${why}.`);

/** None of its tensors, or more than those that the adapter trains. */
export const ortCheckpointOfOther = (file: string, adapter: string, names: readonly string[]): HutError =>
  new HutError("ORT_CHECKPOINT_OF_OTHER_MODEL", { file, adapter, tensors: names },
    `The checkpoint ${quote(file)} is of another model: it trains ${list(names.map(quote), 3)}, which the adapter ${quote(adapter)} doesn't. Name the adapter that its artifacts were made with.`);

/** Some of the tensors that the adapter trains aren't in it. */
export const ortCheckpointTensorMissing = (file: string, names: readonly string[]): HutError => new HutError("ORT_CHECKPOINT_TENSOR_MISSING", { file, tensors: names },
  `The checkpoint ${quote(file)} has no ${list(names.map(quote), 3)} among what it trains. Save it anew from a session that holds all parameters.`);

/** A tensor of another shape than the adapter's. */
export const ortCheckpointShapeMismatch = (file: string, name: string, have: readonly number[], want: readonly number[]): HutError =>
  new HutError("ORT_CHECKPOINT_SHAPE_MISMATCH", { file, tensor: name, checkpoint: have, model: want },
    `In the checkpoint ${quote(file)}, ${quote(name)} is ${shapeText(have)}, and this model with this adapter has ${shapeText(want)}. It was trained with another adapter or another export.`);

/** No word on what the parameters of a checkpoint are. */
export const ortCheckpointAlone = (file: string, place: string): HutError => usage("ORT_CHECKPOINT_ALONE", { file, place },
  `What the parameters in ${quote(file)} are is told by the adapter that its artifacts were made with, and ${quote(place)} is none. Put the file beside the manifest.json that artifacts wrote, or name the adapter with --adapter.`);

/** A manifest that was edited, or cut: `problem` completes "… is not sound: ". */
export const manifestContradicts = (file: string, problem: string): HutError => new HutError("MANIFEST_CONTRADICTS", { file, problem },
  `${quote(file)} contradicts itself: ${problem}. Write the artifacts anew with \`onnx-hut artifacts\`.`);

/** A manifest whose layout isn't what its adapter trains on this model. */
export const manifestOfOther = (file: string, adapter: string, problem: string): HutError => new HutError("MANIFEST_OF_OTHER_MODEL", { file, adapter, problem },
  `${quote(file)} doesn't fit this model with the adapter ${quote(adapter)}: ${problem}. Give the model that the artifacts were made of, or write them anew.`);

/** A file given as a checkpoint that is none, nor as long as theta. */
export const thetaLengthWrong = (file: string, bytes: number, numbers: number): HutError => new HutError("THETA_LENGTH_WRONG", { file, bytes, numbers },
  `${quote(file)} is no checkpoint of ONNX Runtime's training API, and no theta either: it has ${String(bytes)} bytes, and the ${String(numbers)} float32 numbers that this adapter trains take ${String(4 * numbers)}. `
  + "Give the file that the training saved, of these artifacts.");

/** A checkpoint of more steps than are to be made in all. */
export const checkpointPastEnd = (file: string, step: number, total: number): HutError => new HutError("CHECKPOINT_PAST_END", { file, step, total },
  `The checkpoint ${quote(file)} has ${String(step)} steps behind it, and the whole training is ${String(total)} long. Give more with --epochs or --max-steps.`, { exitCode: 2 });

/** Neither an adapter nor a checkpoint to fold. */
export const adapterNotGiven = (verb: string): HutError => usage("FLAG_NOT_GIVEN", { verb, flags: ["--adapter <folder>"] },
  `\`onnx-hut ${verb}\` needs --adapter <folder>, or --checkpoint <file> for what ONNX Runtime's training API trained.`);

/** A model that the last official training runtime can't be given; `why` says what in it is too new. */
export const ortTrainingOpset = (opset: number, newest: number, why: string): HutError => new HutError("ORT_TRAINING_OPSET", { opset, newest, why },
  `ONNX Runtime's training API (1.19.2, its last release) reads opset up to ${String(newest)}, and this model has opset ${String(opset)}: ${why}. `
  + "Leave out ort-training: `--format step` runs on every ONNX Runtime.");

/** A flag of artifacts that only one of the formats has a use for. */
export const formatLacks = (flag: string, format: string, instead: string): HutError => usage("FORMAT_LACKS", { flag, format },
  `${flag} has no meaning for --format ${format}. ${instead}`);
