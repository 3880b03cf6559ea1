/** `train`: fine-tunes a model on labelled data and writes the adapter. */
import { readFileSync } from "node:fs";
import { trainFileMissing } from "../../../errors/runtime.ts";
import { DataType } from "../../../ir/data-type.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import type { Feed } from "../../data/collate.ts";
import { classificationMetrics, evaluateExamples } from "../../evaluator.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import { DEFAULTS, type TrainOptions, type TrainResult } from "../../options.ts";
import { warmupSteps, type Schedule } from "../../schedule.ts";
import { GraphSession, type OnnxRuntime } from "../../session.ts";
import { initialState, stepsPerEpoch, trainLoop } from "../../trainer.ts";
import { taskLogits, trainingGraph } from "../../training-graphs.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { loadExamples, type LoadedExamples } from "../load-examples.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { compareSettings, RunFolder, type RunSettings } from "../run-folder.ts";
import { adapterBase, openAdapter } from "./adapt.ts";
import { countParameters } from "./inspect.ts";

/** PEFT's word for the task, in adapter_config.json. */
const PEFT_TASK = "SEQ_CLS";

/** Trains. Everything that can be wrong with model, data and flags is checked before the run folder is touched. */
export async function train(path: string, given: TrainOptions, runtime?: OnnxRuntime): Promise<TrainResult> {
  const folder = new RunFolder(given.output);
  const before = given.resume === undefined || given.resume === false ? undefined : folder.readRun().settings;
  if (before !== undefined) compareSettings(before, settingsGiven(given));
  const options = before === undefined ? given : { ...given, ...fromSettings(before) };
  const trainFile = options.train;
  if (trainFile === undefined) throw trainFileMissing();
  using opened = openModel(path);
  const adapter = openAdapter(options.adapter);
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter, saveHead: true });
  const prepared = fresh();
  for (const note of prepared.notes) options.onNotice?.(note);
  const logits = taskLogits(prepared).name;
  const data = loadData(opened, prepared, trainFile, options);
  const plan = planOf(prepared, data.train, options);
  const state = before === undefined ? initialState(initialTheta(prepared.trainables))
    : folder.loadCheckpoint(typeof given.resume === "string" ? given.resume : undefined, parameterCount(prepared.trainables));
  const summary = { trainableParams: parameterCount(prepared.trainables), totalParams: countParameters(opened.load().graph), adapter: folder.adapter };
  if (options.dryRun === true) return { steps: plan.schedule.totalSteps, firstLoss: NaN, lastLoss: NaN, metrics: {}, ...summary, ...rates(0, 0, 0), interrupted: false };

  if (before === undefined) folder.requireFree(options.overwrite === true);
  const ort = runtime ?? await defaultRuntime();
  const session = async (kind: "step" | "eval"): Promise<GraphSession> => GraphSession.create(ort, trainingGraph(kind, fresh),
    { name: `${kind} graph of ${path}`, threads: options.threads, provider: options.provider, folder: opened.folder, save: { reference: (range) => opened.locate(range) } });
  await using stepSession = await session("step");
  await using evalSession = data.dev === undefined ? undefined : await session("eval");

  // Only now that both graphs run is anything written.
  if (before === undefined) folder.begin();
  else folder.truncateLog(state.step);
  folder.writeRun({ version: packageVersion(), model: path, trainableParams: summary.trainableParams, settings: settingsOf(options, prepared, plan.schedule) });
  const losses: { first?: number; last?: number } = {};
  const work = { seconds: 0, tokens: 0, samples: 0 };
  let metrics: Record<string, number> = {};
  let since = performance.now();
  const evaluateNow = async (): Promise<void> => {
    if (data.dev === undefined || evalSession === undefined) return;
    metrics = await evaluateTheta(evalSession, data.dev, state.theta, logits, options);
    folder.log({ step: state.step, epoch: state.step / plan.perEpoch, ...metrics });
  };
  try {
    await trainLoop(state, {
      ...plan, session: stepSession, ...data.train, signal: options.signal,
      onStep: ({ tokens, size, ...record }) => {
        losses.first ??= record.loss;
        losses.last = record.loss;
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
    writeAdapterFolder(folder.adapter, toAdapterFolder(prepared, state.theta, { ...adapterBase(opened), taskType: PEFT_TASK }));
    folder.writeResults({ ...metrics, ...speed, steps: state.step });
  }
  return { steps: state.step, firstLoss: losses.first ?? NaN, lastLoss: losses.last ?? NaN, metrics, ...summary, ...speed, interrupted };
}

interface TrainingData {
  readonly train: LoadedExamples;
  readonly dev: LoadedExamples | undefined;
}

function loadData(opened: OpenedModel, prepared: Prepared, trainFile: string, options: TrainOptions): TrainingData {
  const { graph } = opened.load();
  const numLabels = prepared.logits?.shape?.at(-1);
  const common = { ...options, modelPath: opened.path, graph, labels: "required" as const, numLabels: typeof numLabels === "number" ? numLabels : undefined };
  const train = loadExamples({ ...common, file: trainFile });
  return { train, dev: options.dev === undefined ? undefined : loadExamples({ ...common, file: options.dev, id2label: train.id2label }) };
}

interface Plan {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly perEpoch: number;
  readonly schedule: Schedule;
}

function planOf(prepared: Prepared, { examples }: LoadedExamples, options: TrainOptions): Plan {
  const batchSize = options.batchSize ?? DEFAULTS.batchSize;
  const perEpoch = stepsPerEpoch(examples.length, batchSize);
  const totalSteps = options.maxSteps ?? perEpoch * (options.epochs ?? DEFAULTS.epochs);
  return {
    batchSize, perEpoch, shuffle: options.shuffle ?? true, seed: options.seed ?? DEFAULTS.seed, weightDecay: options.weightDecay ?? DEFAULTS.weightDecay,
    maxGradNorm: options.maxGradNorm ?? DEFAULTS.maxGradNorm,
    schedule: { kind: options.lrScheduler ?? DEFAULTS.lrScheduler, lr: options.lr ?? prepared.method.defaultLearningRate, totalSteps, warmupSteps: warmupSteps(options.warmupRatio ?? DEFAULTS.warmupRatio, totalSteps) },
  };
}

/** The metrics of a data set at theta, as `eval_…`, with the time they took. */
async function evaluateTheta(session: GraphSession, data: LoadedExamples, theta: Float32Array, logits: string, options: TrainOptions): Promise<Record<string, number>> {
  const started = performance.now();
  const extra = new Map<string, Feed>([["theta", { dataType: DataType.FLOAT, dims: [theta.length], data: theta }]]);
  const rows = await evaluateExamples({ session, ...data, batchSize: options.batchSize ?? DEFAULTS.batchSize, outputs: [logits], extra, onProgress: options.onProgress });
  return { ...classificationMetrics(rows, logits, data.examples), eval_runtime: (performance.now() - started) / 1000 };
}

function rates(seconds: number, samples: number, tokens: number): Pick<TrainResult, "train_runtime" | "train_samples_per_second" | "train_tokens_per_second"> {
  const per = (n: number): number => (seconds > 0 ? n / seconds : 0);
  return { train_runtime: seconds, train_samples_per_second: per(samples), train_tokens_per_second: per(tokens) };
}

/** The options that a run's steps depend on. */
const SETTINGS = ["task", "train", "dev", "targetModules", "method", "rank", "alpha", "modulesToSave", "head", "numLabels", "adapter", "outputName", "tokenizer", "batchSize", "maxSeqLength", "lr",
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

/** This package's version, from its package.json. */
export function packageVersion(): string {
  // src/ and dist/ are equally deep.
  const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
}
