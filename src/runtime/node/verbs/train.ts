/** `train`: fine-tunes a model on labelled data and writes the adapter. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { checkpointPastEnd } from "../../../errors/checkpoint.ts";
import { dataChanged, noCheckpoint, trainFileMissing } from "../../../errors/runtime.ts";
import type { Model } from "../../../ir/model.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import type { LoadedExamples } from "../../examples-of.ts";
import { countParameters } from "../../inspect-model.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import type { NamedClass, TrainOptions, TrainResult } from "../../options.ts";
import { evaluateTheta, planOf, rates, type Plan } from "../../run-plan.ts";
import { GraphSession, type OnnxRuntime } from "../../session.ts";
import { initialState, trainLoop } from "../../trainer.ts";
import { batchNotes, requireTaskLogits } from "../../tasks/registry.ts";
import type { Task } from "../../tasks/task.ts";
import { evaluationGraph, trainingGraph } from "../../training-graphs.ts";
import { loadCheckpoint } from "../checkpoint-folder.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { openFileSource } from "../file-source.ts";
import { isFile } from "../folder.ts";
import { requireSpace } from "../free-space.ts";
import { inputFiles, refuseFoldersOfModel, refuseInputsAsOutputs } from "../input-files.ts";
import { loadExamples } from "../load-examples.ts";
import { labelsOfConfig } from "../model-config.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { packageVersion } from "../own-package.ts";
import { RunFolder, type RunFile } from "../run-folder.ts";
import { compareSettings, fromSettings, settingsOf } from "../run-settings.ts";
import { adapterBase, openAdapter } from "./adapt.ts";
import { besideCheckpoint, readState, type BesideCheckpoint } from "./open-trained.ts";
import { taskOf } from "./task-of.ts";

/** Bytes of a data file that are read at a time. */
const HASH_BYTES = 1024 * 1024;

/** Trains. Everything that can be wrong with model, data and flags is checked before the run folder is touched. */
export async function train(path: string, given: TrainOptions, runtime?: OnnxRuntime): Promise<TrainResult> {
  const folder = new RunFolder(given.output);
  // A run that is resumed is read under the lock: until then it may be another process'.
  using _lock = given.dryRun === true ? undefined : folder.lockIfThere();
  const { before, checkpoint, elsewhere } = startOf(folder, given);
  const options = before === undefined ? { ...given, adapter: elsewhere?.adapter.folder ?? given.adapter } : { ...given, ...fromSettings(before.settings) };
  const trainFile = options.train;
  if (trainFile === undefined) throw trainFileMissing();
  using opened = openModel(path);
  refuseInputsAsOutputs(folder.places.files, inputFiles(opened, { ...options, checkpoint: elsewhere?.file }));
  refuseFoldersOfModel(folder.places.folders, opened);
  const adapter = openAdapter(options.adapter);
  const task = taskOf(opened, options, adapter);
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter, saveHead: task.savesHead });
  const prepared = fresh();
  for (const note of prepared.notes) options.onNotice?.(note);
  requireTaskLogits(task, prepared.model.graph, prepared.logits);
  const hashes = { train: fileHash(trainFile), ...(options.dev === undefined ? {} : { dev: fileHash(options.dev) }), ...(options.loss === undefined ? {} : { loss: fileHash(options.loss) }) };
  for (const [name, hash] of Object.entries(hashes)) if (before?.hashes !== undefined && before.hashes[name] !== hash) throw dataChanged(options[name as keyof typeof hashes] ?? name, folder.path);
  const data = loadData(opened, prepared, task, trainFile, options);
  const plan = planOf(prepared, data.train, options);
  for (const note of batchNotes(task, data.train.examples.length, plan.batchSize)) options.onNotice?.(note);
  const { totalSteps } = plan.schedule;
  const state = checkpoint !== undefined ? loadCheckpoint(checkpoint, parameterCount(prepared.trainables), totalSteps)
    : elsewhere !== undefined ? readState(elsewhere.file, prepared, elsewhere.adapter, elsewhere.manifest)
      : initialState(initialTheta(prepared.trainables));
  if (elsewhere !== undefined && state.step >= totalSteps) throw checkpointPastEnd(elsewhere.file, state.step, totalSteps);
  if (elsewhere !== undefined && state.step === 0) options.onNotice?.(`${JSON.stringify(elsewhere.file)} holds no optimizer state: training goes on from its numbers, with moments and steps at 0`);
  const summary = { trainableParams: parameterCount(prepared.trainables), totalParams: countParameters(opened.loadInlined().graph), adapter: folder.adapter };
  if (options.dryRun === true) return { steps: totalSteps, firstLoss: null, lastLoss: null, metrics: {}, classes: [], ...summary, ...rates(0, 0, 0), interrupted: false };

  using _newLock = _lock === undefined ? folder.lock() : undefined;
  if (before === undefined) folder.requireFree(options.overwrite === true);
  requireSpace(folder.adapter, spaceOfRun(summary.trainableParams));
  const ort = runtime ?? await defaultRuntime();
  const session = async (kind: string, model: Model): Promise<GraphSession> => GraphSession.create(ort, model,
    { name: `${kind} graph of ${path}`, threads: options.threads, provider: options.provider, folder: opened.folder, save: { reference: (range) => opened.locate(range) } });
  await using stepSession = await session("step", trainingGraph("step", task, fresh));
  const evaluated = data.dev === undefined ? undefined : evaluationGraph(task, fresh);
  await using evalSession = evaluated === undefined ? undefined : await session("eval", evaluated.model);

  // Only now that both graphs run is anything written.
  const run: RunFile = { model: path, modelBytes: opened.size, trainableParams: summary.trainableParams, settings: settingsOf({ ...options, task: task.name, ...(task.pooling === undefined ? {} : { pooling: task.pooling }) }, prepared, plan.schedule),
    begunWith: elsewhere?.file ?? before?.begunWith, versions: { "onnx-hut": packageVersion(), node: process.versions.node, "onnxruntime-node": runtimeVersion() }, hashes };
  if (before === undefined) folder.begin(run);
  else folder.resume(run, state.step);
  const begunAt = state.step;
  const work = { seconds: 0, tokens: 0, samples: 0 };
  let metrics: Record<string, number> = {};
  let classes: readonly NamedClass[] = [];
  let since = performance.now();
  const measureNow = async (): Promise<Record<string, number> | undefined> => (data.dev === undefined || evalSession === undefined || evaluated === undefined ? undefined
    : await evaluateTheta(evalSession, evaluated.evaluation, data.dev, state.theta, options, (figures) => { classes = figures; }));
  const evaluateNow = async (): Promise<void> => {
    const measured = await measureNow();
    if (measured === undefined) return;
    metrics = measured;
    folder.log.append({ step: state.step, epoch: state.step / plan.perEpoch, ...metrics });
  };
  try {
    if (checkpoint !== undefined && isEpochEnd(state.step, plan)) {
      const logged = folder.log.evaluationAt(state.step);
      // The run was stopped between its last step of an epoch and the evaluation that follows.
      if (logged === undefined && folder.log.hasStep(state.step)) await evaluateNow();
      else {
        metrics = logged ?? {};
        // The log has the metrics, and not the classes' own figures: the results of a run that is done have them.
        const results = folder.readResults();
        if (results !== undefined) classes = classesIn(results["eval_classes"]);
        else if (state.step >= totalSteps) await measureNow();
      }
    }
    await trainLoop(state, {
      ...plan, session: stepSession, ...data.train, signal: options.signal,
      onStep: ({ tokens, size, ...record }) => {
        work.tokens += tokens;
        work.samples += size;
        folder.log.append(record);
        const seconds = work.seconds + (performance.now() - since) / 1000;
        options.onProgress?.({ phase: "training", done: record.step, total: totalSteps, unit: "steps", figures: { loss: record.loss, learning_rate: record.learning_rate, tokens_per_second: work.tokens / seconds } });
      },
      onEpoch: async () => {
        work.seconds += (performance.now() - since) / 1000;
        if (state.step < totalSteps) folder.saveCheckpoint(state);
        await evaluateNow();
        since = performance.now();
      },
    });
  } catch (error) {
    folder.saveCheckpoint(state);
    throw error;
  }
  const interrupted = options.signal?.aborted === true && state.step < totalSteps;
  if (interrupted) work.seconds += (performance.now() - since) / 1000;
  folder.saveCheckpoint(state);
  const speed = state.step === begunAt ? speedBefore(folder) : rates(work.seconds, work.samples, work.tokens);
  if (!interrupted) {
    writeAdapterFolder(folder.adapter, toAdapterFolder(prepared, state.theta, { ...adapterBase(opened), taskType: task.peftType, id2label: data.train.id2label, problem: task.problem, pooling: task.pooling }));
    folder.writeResults({ ...metrics, ...(classes.length === 0 ? {} : { eval_classes: classes }), ...speed, steps: state.step });
  }
  const losses = folder.log.losses();
  return { steps: state.step, firstLoss: losses.first, lastLoss: losses.last, metrics, classes, ...summary, ...speed, interrupted };
}

/** Bytes that a run of so many trained numbers writes: two checkpoints of theta and its moments, for a new one is there before the old one goes, and the adapter. */
function spaceOfRun(trainableParams: number): number {
  return Float32Array.BYTES_PER_ELEMENT * trainableParams * (2 * 3 + 1);
}

/** What a run goes on from. */
interface Start {
  /** The run that is resumed; undefined for a new one. */
  readonly before: RunFile | undefined;
  /** Its checkpoint; undefined where it had none yet. */
  readonly checkpoint: string | undefined;
  /** The file of a training elsewhere that it begins with, and what stands beside it. */
  readonly elsewhere: (BesideCheckpoint & { readonly file: string }) | undefined;
}

/** Throws NO_CHECKPOINT where nothing is to be resumed, RESUME_CONTRADICTS, and what damaged files throw. */
function startOf(folder: RunFolder, given: TrainOptions): Start {
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

/** The classes' figures that a results file has; none where somebody made something else of them. */
function classesIn(value: unknown): readonly NamedClass[] {
  const isOne = (entry: unknown): entry is NamedClass => typeof entry === "object" && entry !== null && "label" in entry && typeof entry.label === "string";
  return Array.isArray(value) && value.every(isOne) ? value : [];
}

/** Whether an evaluation follows this step. */
function isEpochEnd(step: number, { perEpoch, schedule }: Plan): boolean {
  return step > 0 && (step % perEpoch === 0 || step >= schedule.totalSteps);
}

/** The speed that a run had which is done already. */
function speedBefore(folder: RunFolder): ReturnType<typeof rates> {
  const results = folder.readResults() ?? {};
  const figure = (name: keyof ReturnType<typeof rates>): number => { const value = results[name]; return typeof value === "number" ? value : 0; };
  return { train_runtime: figure("train_runtime"), train_samples_per_second: figure("train_samples_per_second"), train_tokens_per_second: figure("train_tokens_per_second") };
}

interface TrainingData {
  readonly train: LoadedExamples;
  readonly dev: LoadedExamples | undefined;
}

function loadData(opened: OpenedModel, prepared: Prepared, task: Task, trainFile: string, options: TrainOptions): TrainingData {
  const { graph } = opened.loadInlined();
  const numLabels = prepared.logits?.shape?.at(-1);
  const common = { ...options, task, modelPath: opened.path, graph, labels: "required" as const, numLabels: typeof numLabels === "number" ? numLabels : undefined };
  const known = openAdapter(options.adapter)?.contents.hut?.id2label ?? labelsOfConfig(opened.path);
  const train = loadExamples({ ...common, file: trainFile, id2label: known?.length === numLabels ? known : undefined });
  return { train, dev: options.dev === undefined ? undefined : loadExamples({ ...common, file: options.dev, id2label: train.id2label }) };
}

/** SHA-256 of a data file: a run is only resumed on the data that it began with. Throws what openFileSource throws. */
function fileHash(file: string): string {
  using source = openFileSource(file);
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += HASH_BYTES) hash.update(source.read(at, Math.min(HASH_BYTES, source.size - at)));
  return `sha256:${hash.digest("hex")}`;
}

/** The installed ONNX Runtime's version; null where another runtime was handed in. */
function runtimeVersion(): string | null {
  try {
    return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
  } catch {
    return null;
  }
}
