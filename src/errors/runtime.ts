/** What can go wrong when a model is opened for training, run, or written. */
import { HutError, list, quote } from "./hut-error.ts";

export const modelFileMissing = (path: string): HutError => new HutError("MODEL_MISSING", { path },
  `There is no model at ${quote(path)}. Give an .onnx file, or a folder that holds onnx/model.onnx or model.onnx.`);

export const runtimeMissing = (cause: unknown): HutError => new HutError("RUNTIME_MISSING", { package: "onnxruntime-node" },
  "onnxruntime-node is not usable here, and this command runs the model. Install it: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node.", { cause });

export const sessionFailed = (model: string, cause: unknown): HutError => new HutError("SESSION_FAILED", { model, reason: reasonOf(cause) },
  `ONNX Runtime refuses ${quote(model)}: ${reasonOf(cause)}.`, { cause });

export const runFailed = (model: string, cause: unknown): HutError => new HutError("RUN_FAILED", { model, reason: reasonOf(cause) },
  `ONNX Runtime failed while running ${quote(model)}: ${reasonOf(cause)}.`, { cause });

/** A provider that isn't there; `needs` completes "It needs …". */
export const providerMissing = (provider: string, needs: string, cause: unknown): HutError => new HutError("PROVIDER_MISSING", { provider, needs, reason: reasonOf(cause) },
  `The provider ${quote(provider)} is not available here: ${reasonOf(cause)}. It needs ${needs}. Leave out --provider to run on the CPU.`, { cause });

export const noLogits = (outputs: readonly string[]): HutError => new HutError("NO_LOGITS", { outputs },
  `The model has no logits to train on; its outputs are ${list(outputs)}. `
  + "Attach a classification head with --head mean --num-labels N (or cls, last), or name the output with --output.");

export const noLogitsToEvaluate = (outputs: readonly string[]): HutError => new HutError("NO_LOGITS", { outputs },
  `The model has no logits to evaluate; its outputs are ${list(outputs)}. `
  + "Give the adapter that brings a head with --adapter, or name the output with --output.");

export const adapterHeadTooMany = (folder: string): HutError => new HutError("ADAPTER_HEAD_TOO_MANY", { folder },
  `The adapter ${quote(folder)} was trained on another base model: it brings a head for a model without logits, and this one has some.`);

export const logitsOfOtherTask = (task: string, wanted: readonly string[], output: string, shape: string, fitting: readonly string[]): HutError =>
  new HutError("LOGITS_OF_OTHER_TASK", { task, output, shape, fitting },
    `${task} learns from logits [${wanted.join(", ")}], and the output ${quote(output)} is ${shape}. `
    + (fitting.length === 0 ? "Name the output that holds them with --output." : `That is what --task ${fitting.join(" or ")} learns from; or name another output with --output.`));

export const problemOfOtherTask = (task: string, problem: string): HutError => new HutError("PROBLEM_OF_OTHER_TASK", { task, problem },
  `--problem ${problem} is for the classification tasks, and --task is ${task}. Leave one of them out.`, { exitCode: 2 });

export const poolingOfOtherTask = (task: string, pooling: string): HutError => new HutError("POOLING_OF_OTHER_TASK", { task, pooling },
  `--pooling ${pooling} is for --task feature-extraction, and --task is ${task}. Leave one of them out.`, { exitCode: 2 });

/** Pairs learn from the other pairs of their batch. */
export const batchOfOne = (task: string): HutError => new HutError("BATCH_OF_ONE", { task },
  `--task ${task} learns a pair from the others of its batch, and a batch of one pair has none. Give a --batch-size of 2 or more and as many records.`, { exitCode: 2 });

export const noEmbeddingOutput = (outputs: ReadonlyMap<string, string>): HutError => new HutError("NO_HIDDEN_STATES", { outputs: [...outputs.keys()] },
  `--task feature-extraction needs an output [batch, sequence, width] or [batch, width] to make embeddings of; the model has ${list([...outputs].map(([output, shape]) => `${quote(output)} ${shape}`))}. `
  + "Name one with --output.");

export const tooFewLogits = (output: string, found: number, least: number): HutError => new HutError("TOO_FEW_LOGITS", { output, found, least },
  `The output ${quote(output)} holds ${String(found)} number a record, and one class of several needs at least ${String(least)}. Give --problem regression to predict a number, `
  + "or --problem multi-label for a class that holds or doesn't.");

export const outputUnknown = (name: string, outputs: readonly string[]): HutError => new HutError("OUTPUT_UNKNOWN", { output: name, outputs },
  `The model has no output ${quote(name)}; it has ${list(outputs)}.`);

export const numLabelsMissing = (): HutError => new HutError("NUM_LABELS_MISSING", {},
  "--head needs --num-labels N: how many classes there are.", { exitCode: 2 });

export const headExists = (output: string): HutError => new HutError("HEAD_EXISTS", { output },
  `The model already has the output ${quote(output)}; leave out --head to train what makes it.`);

export const moduleUnknown = (path: string, near: readonly string[]): HutError => new HutError("MODULE_UNKNOWN", { module: path, nearest: near },
  `The model has no module ${quote(path)} to train whole${near.length === 0 ? "" : `; the nearest are ${list(near.map(quote))}`}.`);

export const adapterModuleMissing = (folder: string, module: string, near: readonly string[]): HutError =>
  new HutError("ADAPTER_MODULE_MISSING", { folder, module, nearest: near },
    `The adapter ${quote(folder)} adapts ${quote(module)}, and the model has no such weight`
    + `${near.length === 0 ? "" : `; the nearest are ${list(near.map(quote))}`}. It was trained on another base model.`);

export const adapterModuleAmbiguous = (folder: string, module: string, candidates: readonly string[]): HutError =>
  new HutError("ADAPTER_MODULE_AMBIGUOUS", { folder, module, candidates },
    `The adapter ${quote(folder)} adapts ${quote(module)}, which could be ${list(candidates.map(quote))} of the model.`);

export const adapterShapeMismatch = (folder: string, module: string, have: readonly number[], want: readonly number[]): HutError =>
  new HutError("ADAPTER_SHAPE_MISMATCH", { folder, module, adapter: have, model: want },
    `The adapter ${quote(folder)} is for another base model: its ${quote(module)} is [${have.join(", ")}], the model's is [${want.join(", ")}].`);

export const adapterBaseMismatch = (folder: string, module: string): HutError => new HutError("ADAPTER_BASE_MISMATCH", { folder, module },
  `The adapter ${quote(folder)} was trained on other weights: the values of ${quote(module)} in this model are not those it knows. `
  + "Use the model it was trained on, or --force.");

export const adapterHeadMissing = (folder: string, module: string): HutError => new HutError("ADAPTER_HEAD_MISSING", { folder, module },
  `The adapter ${quote(folder)} holds a trained ${quote(module)}, and the model has no head. Tell how it pools with --head mean (or cls, last).`);

export const adapterFlagContradicts = (flag: string, given: string, adapter: string): HutError =>
  new HutError("ADAPTER_FLAG_CONTRADICTS", { flag, given, adapter },
    `${flag} ${given} contradicts the adapter to start from, which has ${adapter}. Leave the flag out: the adapter tells it.`, { exitCode: 2 });

export const tokenIdBeyondVocabulary = (file: string, id: number, vocabulary: number): HutError =>
  new HutError("TOKEN_BEYOND_VOCABULARY", { file, id, vocabulary },
    `${quote(file)} needs the token id ${String(id)}, and the model's embedding has ${String(vocabulary)} rows. The tokenizer belongs to another model.`);

export const runFolderInUse = (folder: string): HutError => new HutError("RUN_FOLDER_IN_USE", { folder },
  `${quote(folder)} holds a run already, or an adapter. Continue a run with --resume alone, start anew with --overwrite, or name another folder with -o.`, { exitCode: 2 });

/** Another trainer's checkpoints go by the same name: they would be taken for ours, and removed. */
export const runFolderForeign = (folder: string, checkpoint: string): HutError => new HutError("RUN_FOLDER_FOREIGN", { folder, checkpoint },
  `${quote(folder)} holds a checkpoint of another program, ${quote(checkpoint)}, which a run there would replace. Name another folder with -o.`, { exitCode: 2 });

export const noRun = (folder: string): HutError => new HutError("NO_RUN", { folder },
  `${quote(folder)} holds no run: it has no run.json. Name a folder that \`onnx-hut train\` wrote.`);

export const noCheckpoint = (folder: string): HutError => new HutError("NO_CHECKPOINT", { folder },
  `${quote(folder)} holds no checkpoint to resume from. Name the folder of the run with -o, or a checkpoint's file with --resume.`);

/** A run.json that was edited, or cut; `problem` completes "…: ". */
export const runFileBroken = (file: string, problem: string): HutError => new HutError("RUN_FILE_BROKEN", { file, problem },
  `${quote(file)} can't be resumed: ${problem}. Put back what was there, or start a new run.`);

/** A data file whose contents aren't those that the run began with. */
export const dataChanged = (file: string, folder: string): HutError => new HutError("RESUME_DATA_CHANGED", { file, folder },
  `${quote(file)} has changed since the run in ${quote(folder)} began with it. Put the old contents back, or start a new run.`);

export const checkpointBroken = (folder: string, problem: string): HutError => new HutError("CHECKPOINT_BROKEN", { folder, problem },
  `The checkpoint ${quote(folder)} can't be resumed: ${problem}.`);

export const trainFileMissing = (): HutError => new HutError("TRAIN_FILE_MISSING", {},
  "Training needs --train FILE, the labelled data. (With --resume, the run's own settings name it.)", { exitCode: 2 });

/** A flag that only means something where the run evaluates. */
export const attributionsUnsupported = (task: string): HutError => new HutError("ATTRIBUTIONS_UNSUPPORTED", { task },
  `Words have scores for a class or for the next token, and --task ${task} has neither.`, { exitCode: 2 });

export const devNeeded = (flag: string): HutError => new HutError("DEV_NEEDED", { flag },
  `${flag} goes by evaluations, and there is no --dev FILE to evaluate on. Name one, or leave ${flag} out.`, { exitCode: 2 });

export const bestMetricUnknown = (name: string, known: readonly string[]): HutError => new HutError("BEST_METRIC_UNKNOWN", { name, known },
  `--best-metric ${quote(name)} is no figure of an evaluation here. There are ${known.map((k) => k.replace(/^eval_/, "")).join(", ")}.`, { exitCode: 2 });

export const resumeContradicts = (setting: string, now: string, before: string): HutError => new HutError("RESUME_CONTRADICTS", { setting, now, before },
  `--resume continues a run with ${setting} = ${before}, and ${now} is given now. Leave it out, or start a new run.`, { exitCode: 2 });

export const weightNotFoldable = (module: string, why: string): HutError => new HutError("WEIGHT_NOT_FOLDABLE", { module, why },
  `The weight of ${quote(module)} can't be folded: ${why}.`);

export const interrupted = (): HutError => new HutError("INTERRUPTED", {}, "Stopped before it was done; nothing was written.", { exitCode: 130 });

function reasonOf(cause: unknown): string {
  // ONNX Runtime puts its own place in front: "/src/x.cc:136 … was false. What is wrong".
  const text = (cause instanceof Error ? cause.message : String(cause)).replace(/^\S+\.(?:cc|h):\d+ .*? was false\. /, "");
  const line = text.split("\n").find((l) => l.trim() !== "") ?? text;
  return quote(line.length > 300 ? `${line.slice(0, 300)}…` : line).slice(1, -1).replace(/\.$/, "");
}
