/** `train`: fine-tunes a model on labelled data and writes the adapter. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { checkpointPastEnd } from "../../../errors/checkpoint.ts";
import { trainFileMissing } from "../../../errors/runtime.ts";
import type { Model } from "../../../ir/model.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import type { LoadedExamples } from "../../examples-of.ts";
import { countParameters } from "../../inspect-model.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import { DEFAULTS, type TrainOptions, type TrainResult } from "../../options.ts";
import { evaluateTheta, planOf, rates } from "../../run-plan.ts";
import type { Schedule } from "../../schedule.ts";
import { GraphSession, type OnnxRuntime } from "../../session.ts";
import { initialState, trainLoop } from "../../trainer.ts";
import { requireTaskLogits } from "../../tasks/registry.ts";
import type { Task } from "../../tasks/task.ts";
import { evaluationGraph, trainingGraph } from "../../training-graphs.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { isFile } from "../folder.ts";
import { loadExamples } from "../load-examples.ts";
import { labelsOfConfig } from "../model-config.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { compareSettings, RunFolder, type RunSettings } from "../run-folder.ts";
import { adapterBase, openAdapter } from "./adapt.ts";
import { besideCheckpoint, readState } from "./open-trained.ts";
import { taskOf } from "./task-of.ts";

/** Trains. Everything that can be wrong with model, data and flags is checked before the run folder is touched. */
export async function train(path: string, given: TrainOptions, runtime?: OnnxRuntime): Promise<TrainResult> {
  const folder = new RunFolder(given.output);
  const elsewhere = typeof given.resume === "string" && isFile(given.resume) ? { file: given.resume, ...besideCheckpoint(given.resume, given.adapter) } : undefined;
  const before = elsewhere !== undefined || given.resume === undefined || given.resume === false ? undefined : folder.readRun(given.resume).settings;
  if (before !== undefined) compareSettings(before, settingsGiven(given));
  const options = before === undefined ? { ...given, adapter: elsewhere?.adapter.folder ?? given.adapter } : { ...given, ...fromSettings(before) };
  const trainFile = options.train;
  if (trainFile === undefined) throw trainFileMissing();
  using opened = openModel(path);
  const adapter = openAdapter(options.adapter);
  const task = taskOf(opened, options, adapter);
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter, saveHead: task.savesHead });
  const prepared = fresh();
  for (const note of prepared.notes) options.onNotice?.(note);
  requireTaskLogits(task, prepared.model.graph, prepared.logits);
  const data = loadData(opened, prepared, task, trainFile, options);
  const plan = planOf(prepared, data.train, options);
  const state = elsewhere !== undefined ? readState(elsewhere.file, prepared, elsewhere.adapter, elsewhere.manifest)
    : before === undefined ? initialState(initialTheta(prepared.trainables))
      : folder.loadCheckpoint(typeof given.resume === "string" ? given.resume : undefined, parameterCount(prepared.trainables));
  if (elsewhere !== undefined && state.step >= plan.schedule.totalSteps) throw checkpointPastEnd(elsewhere.file, state.step, plan.schedule.totalSteps);
  if (elsewhere !== undefined && state.step === 0) options.onNotice?.(`${JSON.stringify(elsewhere.file)} holds no optimizer state: training goes on from its numbers, with moments and steps at 0`);
  const summary = { trainableParams: parameterCount(prepared.trainables), totalParams: countParameters(opened.loadInlined().graph), adapter: folder.adapter };
  if (options.dryRun === true) return { steps: plan.schedule.totalSteps, firstLoss: null, lastLoss: null, metrics: {}, ...summary, ...rates(0, 0, 0), interrupted: false };

  if (before === undefined) folder.requireFree(options.overwrite === true);
  const ort = runtime ?? await defaultRuntime();
  const session = async (kind: string, model: Model): Promise<GraphSession> => GraphSession.create(ort, model,
    { name: `${kind} graph of ${path}`, threads: options.threads, provider: options.provider, folder: opened.folder, save: { reference: (range) => opened.locate(range) } });
  await using stepSession = await session("step", trainingGraph("step", task, fresh));
  const evaluated = data.dev === undefined ? undefined : evaluationGraph(task, fresh);
  await using evalSession = evaluated === undefined ? undefined : await session("eval", evaluated.model);

  // Only now that both graphs run is anything written.
  if (before === undefined) folder.begin();
  else folder.truncateLog(state.step);
  folder.writeRun({ model: path, modelBytes: opened.size, trainableParams: summary.trainableParams, settings: settingsOf(options, prepared, plan.schedule),
    versions: { "onnx-hut": packageVersion(), node: process.versions.node, "onnxruntime-node": runtimeVersion() },
    hashes: { train: fileHash(trainFile), ...(options.dev === undefined ? {} : { dev: fileHash(options.dev) }) } });
  const work = { seconds: 0, tokens: 0, samples: 0 };
  let metrics: Record<string, number> = {};
  let since = performance.now();
  const evaluateNow = async (): Promise<void> => {
    if (data.dev === undefined || evalSession === undefined || evaluated === undefined) return;
    metrics = await evaluateTheta(evalSession, evaluated.evaluation, data.dev, state.theta, options);
    folder.log({ step: state.step, epoch: state.step / plan.perEpoch, ...metrics });
  };
  try {
    await trainLoop(state, {
      ...plan, session: stepSession, ...data.train, signal: options.signal,
      onStep: ({ tokens, size, ...record }) => {
        work.tokens += tokens;
        work.samples += size;
        folder.log(record);
        const seconds = work.seconds + (performance.now() - since) / 1000;
        options.onProgress?.({ phase: "training", done: record.step, total: plan.schedule.totalSteps, unit: "steps", figures: { loss: record.loss, learning_rate: record.learning_rate, tokens_per_second: work.tokens / seconds } });
      },
      onEpoch: async () => {
        work.seconds += (performance.now() - since) / 1000;
        if (state.step < plan.schedule.totalSteps) folder.saveCheckpoint(state);
        await evaluateNow();
        since = performance.now();
      },
    });
  } catch (error) {
    folder.saveCheckpoint(state);
    throw error;
  }
  const interrupted = options.signal?.aborted === true && state.step < plan.schedule.totalSteps;
  if (interrupted) work.seconds += (performance.now() - since) / 1000;
  folder.saveCheckpoint(state);
  const speed = rates(work.seconds, work.samples, work.tokens);
  if (!interrupted) {
    writeAdapterFolder(folder.adapter, toAdapterFolder(prepared, state.theta, { ...adapterBase(opened), taskType: task.peftType, id2label: data.train.id2label, problem: task.problem }));
    folder.writeResults({ ...metrics, ...speed, steps: state.step });
  }
  const losses = folder.loggedLosses();
  return { steps: state.step, firstLoss: losses.first, lastLoss: losses.last, metrics, ...summary, ...speed, interrupted };
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

/** The options that a run's steps depend on. */
const SETTINGS = ["task", "problem", "train", "dev", "targetModules", "method", "rank", "alpha", "modulesToSave", "head", "numLabels", "adapter", "outputName", "tokenizer", "batchSize", "maxSeqLength", "lr",
  "weightDecay", "maxGradNorm", "epochs", "maxSteps", "lrScheduler", "warmupRatio", "shuffle", "seed"] as const satisfies readonly (keyof TrainOptions)[];

function settingsGiven(options: TrainOptions): Record<string, unknown> {
  return Object.fromEntries(SETTINGS.map((name) => [name, options[name]]));
}

/** What run.json keeps: what was given, and the defaults that were in force. */
function settingsOf(options: TrainOptions, { method }: Prepared, schedule: Schedule): RunSettings {
  const given = Object.fromEntries(Object.entries(settingsGiven(options)).filter(([, value]) => value !== undefined)) as RunSettings;
  const adapter = options.adapter === undefined ? { method: method.name, rank: DEFAULTS.rank, targetModules: DEFAULTS.targetModules } : {};
  return { task: DEFAULTS.task, batchSize: DEFAULTS.batchSize, maxSeqLength: DEFAULTS.maxSeqLength, weightDecay: DEFAULTS.weightDecay, maxGradNorm: DEFAULTS.maxGradNorm,
    lrScheduler: DEFAULTS.lrScheduler, warmupRatio: DEFAULTS.warmupRatio, shuffle: true, seed: DEFAULTS.seed, lr: schedule.lr,
    ...(options.maxSteps === undefined ? { epochs: DEFAULTS.epochs } : {}), ...adapter, ...given };
}

function fromSettings(settings: RunSettings): Partial<TrainOptions> {
  return Object.fromEntries(SETTINGS.flatMap((name) => (name in settings ? [[name, settings[name]]] : [])));
}

/** SHA-256 of a data file: a run is only resumed on the data that it began with. */
function fileHash(file: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(file)).digest("hex")}`;
}

/** The installed ONNX Runtime's version; null where another runtime was handed in. */
function runtimeVersion(): string | null {
  try {
    return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
  } catch {
    return null;
  }
}

/** This package's version, from its package.json. */
function packageVersion(): string {
  // src/ and dist/ are equally deep.
  const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
}
