/** `train`: fine-tunes a model on labelled data and writes the adapter. */
import { createRequire } from "node:module";
import { freemem } from "node:os";
import { checkpointPastEnd } from "../../../errors/checkpoint.ts";
import { dataChanged, devNeeded, trainFileMissing } from "../../../errors/runtime.ts";
import type { Model } from "../../../ir/model.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { collate } from "../../data/collate.ts";
import { withGlue } from "../../data/glue.ts";
import { overlapNote } from "../../data/overlap.ts";
import type { LoadedExamples } from "../../examples-of.ts";
import { countParameters } from "../../inspect-model.ts";
import { findLearningRate } from "../../find-learning-rate.ts";
import { greaterIsBetter } from "../../metric-names.ts";
import { sizesOfFeeds } from "../../batch-sizes.ts";
import { estimateMemory, processMemory } from "../../memory-estimate.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import { DEFAULTS, type TrainOptions } from "../../options.ts";
import type { NamedClass, TrainResult } from "../../results.ts";
import { bestMetricOf, RunControl, type BestBy } from "../../run-control.ts";
import { firstGraph, OptimizerStep } from "../../optimizer-step.ts";
import { evaluateTheta, planOf, rates } from "../../run-plan.ts";
import { GraphSession, type OnnxRuntime, type SessionOptions } from "../../session.ts";
import { initialState, trainLoop } from "../../trainer.ts";
import { batchNotes, requireTaskLogits } from "../../tasks/registry.ts";
import type { Evaluation, Task } from "../../tasks/task.ts";
import { evaluationGraph } from "../../training-graphs.ts";
import { loadCheckpoint } from "../checkpoint-folder.ts";
import { withDataFolder } from "../data-folder.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { fileHash } from "../file-hash.ts";
import { requireSpace } from "../free-space.ts";
import { inputFiles, refuseFoldersOfModel, refuseInputsAsOutputs } from "../input-files.ts";
import { loadExamples } from "../load-examples.ts";
import { labelsOfConfig } from "../model-config.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { withPooling } from "../pooling.ts";
import { packageVersion } from "../own-package.ts";
import { classesIn, RunFolder, type RunFile } from "../run-folder.ts";
import { fromSettings, settingsOf } from "../run-settings.ts";
import { adapterBase, openAdapter } from "./adapt.ts";
import { readState } from "./open-trained.ts";
import { startOf } from "./run-start.ts";
import { taskOf } from "./task-of.ts";

/** Trains. Everything that can be wrong with model, data and flags is checked before the run folder is touched. */
export async function train(path: string, asked: TrainOptions, runtime?: OnnxRuntime): Promise<TrainResult> {
  const given = withDataFolder(asked);
  const folder = new RunFolder(given.output);
  // A run that is resumed is read under the lock: until then it may be another process'.
  using _lock = given.dryRun === true || given.findLr === true ? undefined : folder.lockIfThere();
  const { before, checkpoint, elsewhere } = startOf(folder, given);
  const settled = before === undefined ? { ...given, adapter: elsewhere?.adapter.folder ?? given.adapter } : { ...given, ...fromSettings(before.settings) };
  const trainFile = settled.train;
  if (trainFile === undefined) throw trainFileMissing();
  using opened = openModel(path);
  const options = withGlue(withPooling(opened, settled));
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
  const plan = planOf(task, prepared, data.train, options);
  for (const note of batchNotes(task, data.train.examples.length, plan.batchSize)) options.onNotice?.(note);
  const { totalSteps } = plan.schedule;
  const saved = checkpoint === undefined ? undefined : loadCheckpoint(checkpoint, parameterCount(prepared.trainables), totalSteps);
  const state = saved !== undefined ? saved.state
    : elsewhere !== undefined ? readState(elsewhere.file, prepared, elsewhere.adapter, elsewhere.manifest)
      : initialState(initialTheta(prepared.trainables));
  if (elsewhere !== undefined && state.step >= totalSteps) throw checkpointPastEnd(elsewhere.file, state.step, totalSteps);
  if (elsewhere !== undefined && state.step === 0) options.onNotice?.(`${JSON.stringify(elsewhere.file)} holds no optimizer state: training goes on from its numbers, with moments and steps at 0`);
  const evaluated = data.dev === undefined ? undefined : evaluationGraph(task, fresh);
  const control = new RunControl({ ...options, perEpoch: plan.perEpoch, totalSteps, bestBy: bestBy(options, task, evaluated?.evaluation) }, saved?.remembered);
  const summary = { trainableParams: parameterCount(prepared.trainables), totalParams: countParameters(opened.loadInlined().graph), adapter: folder.adapter };
  const stepping = { task, fresh, ...plan };
  const stepGraph = firstGraph(stepping);
  const planned = { examples: data.train.examples.length, devExamples: data.dev?.examples.length ?? null, data: [data.train, ...(data.dev === undefined ? [] : [data.dev])].map(({ report }) => report), stepsPerEpoch: plan.perEpoch, totalSteps,
    warmupSteps: plan.schedule.warmupSteps, learningRate: plan.schedule.lr, ...costOf(stepGraph, data.train, plan.batchSize) };
  if (planned.memoryBytes > freemem()) options.onNotice?.(memoryShort(planned.memoryBytes, freemem()));
  const nothing = { firstLoss: null, lastLoss: null, metrics: {}, classes: [], evaluations: [], bestStep: null, ...summary, ...rates(0, 0, 0), interrupted: false, found: null };
  if (options.dryRun === true) return { ...nothing, plan: planned, steps: totalSteps };

  const ort = runtime ?? await defaultRuntime();
  const session = async (kind: string, model: Model, more?: Pick<SessionOptions, "optimize">): Promise<GraphSession> => GraphSession.create(ort, model,
    { ...more, name: `${kind} graph of ${path}`, threads: options.threads, provider: options.provider, folder: opened.folder, save: { reference: (range) => opened.locate(range) } });
  if (options.findLr === true) {
    await using swept = await OptimizerStep.open({ ...stepping, open: session }, stepGraph);
    const found = await findLearningRate(state, { ...plan, session: swept, ...data.train, signal: options.signal }, (done, total, { learning_rate, smoothed }) => {
      options.onProgress?.({ phase: "looking for a learning rate", done, total, unit: "steps", figures: { learning_rate, loss: smoothed } });
    });
    return { ...nothing, plan: planned, steps: 0, found };
  }
  using _newLock = _lock === undefined ? folder.lock() : undefined;
  if (before === undefined) folder.requireFree(options.overwrite === true);
  const saveTotalLimit = options.saveTotalLimit ?? DEFAULTS.saveTotalLimit;
  requireSpace(folder.adapter, spaceOfRun(summary.trainableParams, saveTotalLimit));
  await using stepSession = await OptimizerStep.open({ ...stepping, open: session }, stepGraph);
  await using evalSession = evaluated === undefined ? undefined : await session("eval", evaluated.model);

  // Only now that both graphs run is anything written.
  const run: RunFile = { model: path, modelBytes: opened.size, trainableParams: summary.trainableParams, settings: settingsOf({ ...options, task: task.name, ...(task.pooling === undefined ? {} : { pooling: task.pooling }) }, prepared, plan.schedule),
    begunWith: elsewhere?.file ?? before?.begunWith, versions: { "onnx-hut": packageVersion(), node: process.versions.node, "onnxruntime-node": runtimeVersion() }, hashes };
  using _events = options.tensorboard === false ? undefined : await folder.logEvents(before === undefined ? undefined : state.step);
  if (before === undefined) folder.begin(run);
  else folder.resume(run, state.step, control.remembered.at === state.step);
  const begunAt = state.step;
  const work = { seconds: 0, tokens: 0, samples: 0 };
  let metrics = folder.log.evaluationAt(control.remembered.at) ?? {};
  /** Each class's figures, and the step that they are of. */
  let classes: { readonly at: number; readonly figures: readonly NamedClass[] } = { at: -1, figures: [] };
  let since = performance.now();
  /** What comes between two steps is no part of the time that training takes. */
  const besides = async (): Promise<void> => {
    const evaluates = data.dev !== undefined && control.evaluatesAt(state.step);
    const isBest = evaluates && await evaluateNow();
    if (state.step < totalSteps && (isBest || control.savesAt(state.step))) folder.saveCheckpoint(state, control.remembered, saveTotalLimit);
  };
  const evaluateNow = async (): Promise<boolean> => {
    if (data.dev === undefined || evalSession === undefined || evaluated === undefined) return false;
    metrics = await evaluateTheta(evalSession, evaluated.evaluation, data.dev, state.theta, options, (figures) => { classes = { at: state.step, figures }; });
    folder.log.append({ step: state.step, epoch: state.step / plan.perEpoch, ...metrics });
    return control.take(state.step, metrics);
  };
  try {
    // The run may have been stopped between a step and what follows it.
    if (state.step > 0 && control.evaluatesAt(state.step)) await besides();
    since = performance.now();
    if (!control.isOver) await trainLoop(state, {
      ...plan, session: stepSession, ...data.train, signal: options.signal,
      onStep: ({ tokens, size, ...record }) => {
        work.tokens += tokens;
        work.samples += size;
        folder.log.append(record);
        const seconds = work.seconds + (performance.now() - since) / 1000;
        options.onProgress?.({ phase: "training", done: record.step, total: totalSteps, unit: "steps", figures: {
          loss: record.loss, learning_rate: record.learning_rate, ...figuresOf(metrics, control.bestBy, task), tokens_per_second: work.tokens / seconds, memory_bytes: process.memoryUsage.rss(),
        } });
      },
      afterStep: async () => {
        work.seconds += (performance.now() - since) / 1000;
        await besides();
        since = performance.now();
        return !control.isOver;
      },
    });
  } catch (error) {
    folder.saveCheckpoint(state, control.remembered, saveTotalLimit);
    throw error;
  }
  const isPending = data.dev !== undefined && control.evaluatesAt(state.step);
  const interrupted = options.signal?.aborted === true && !control.isOver && (state.step < totalSteps || isPending);
  if (options.signal?.aborted === true) work.seconds += (performance.now() - since) / 1000;
  folder.saveCheckpoint(state, control.remembered, saveTotalLimit);
  const speed = state.step === begunAt ? speedBefore(folder) : rates(work.seconds, work.samples, work.tokens);
  const { best } = control.remembered;
  if (best !== null) metrics = folder.log.evaluationAt(best.step) ?? metrics;
  const theta = interrupted || best === null || best.step === state.step ? state.theta : folder.thetaAt(best.step, state.theta.length);
  // The log has an evaluation's metrics, and not its classes.
  if (!interrupted && data.dev !== undefined && evalSession !== undefined && evaluated !== undefined && classes.at !== (best?.step ?? state.step)) {
    const known = state.step === begunAt ? folder.readResults() : undefined;
    if (known !== undefined) classes = { at: state.step, figures: classesIn(known) };
    else await evaluateTheta(evalSession, evaluated.evaluation, data.dev, theta, options, (figures) => { classes = { at: state.step, figures }; });
  }
  const losses = folder.log.losses();
  if (!interrupted) {
    writeAdapterFolder(folder.adapter, toAdapterFolder(prepared, theta, { ...adapterBase(opened), taskType: task.peftType, id2label: data.train.id2label, problem: task.problem, pooling: task.pooling, dropout: options.adapterDropout }));
    folder.writeResults({ epoch: state.step / plan.perEpoch, train_samples: data.train.examples.length, train_loss: losses.mean, ...metrics,
      ...(data.dev === undefined ? {} : { eval_samples: data.dev.examples.length }), ...(classes.figures.length === 0 ? {} : { eval_classes: classes.figures }), ...speed, ...(best === null ? {} : { best_step: best.step }), steps: state.step });
  }
  return { plan: planned, steps: state.step, firstLoss: losses.first, lastLoss: losses.last, metrics, classes: classes.figures, evaluations: folder.log.evaluations(), bestStep: best?.step ?? null, ...summary, ...speed, interrupted, found: null };
}

/** What the best evaluation is told by; undefined where the last is what is wanted. Throws DEV_NEEDED, BEST_METRIC_UNKNOWN. */
function bestBy({ bestMetric, patience, evalSteps }: TrainOptions, task: Task, evaluation: Evaluation | undefined): BestBy | undefined {
  const [flag] = Object.entries({ "--best-metric": bestMetric, "--patience": patience, "--eval-steps": evalSteps }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (evaluation === undefined && flag !== undefined) throw devNeeded(flag);
  if (evaluation === undefined || (bestMetric === undefined && patience === undefined)) return undefined;
  const known = Object.keys(evaluation.start().result());
  const metric = bestMetricOf(typeof bestMetric === "string" ? bestMetric : task.mainMetric.name, known);
  return { metric, greaterIsBetter: greaterIsBetter(metric) };
}

/** Bytes that a run of so many trained numbers writes: checkpoints of theta and its moments, the best one and a new one before an old one goes among them, and the adapter. */
function spaceOfRun(trainableParams: number, saveTotalLimit: number): number {
  return Float32Array.BYTES_PER_ELEMENT * trainableParams * ((saveTotalLimit + 2) * 3 + 1);
}

/** The figures of the last evaluation that are shown while training goes on: that of the best, and the task's official ones or its main one. */
function figuresOf(metrics: Readonly<Record<string, number>>, by: BestBy | undefined, { official, mainMetric }: Task): Record<string, number> {
  const names = [...(by === undefined ? [] : [by.metric]), ...(official ?? (by === undefined ? [mainMetric.name] : []))];
  return Object.fromEntries(names.flatMap((name) => { const value = metrics[name]; return value === undefined ? [] : [[name, value]]; }));
}

/** What the longest batch of a run takes. */
function costOf(graph: Model, { examples, inputs, padding }: LoadedExamples, batchSize: number): { tokensPerBatch: number; memoryBytes: number } {
  const longest = examples.map((_, i) => i).sort((a, b) => (examples[b]?.length ?? 0) - (examples[a]?.length ?? 0)).slice(0, batchSize);
  const batch = collate(examples, longest, inputs, padding);
  return { tokensPerBatch: batch.paddedTokens, memoryBytes: processMemory(estimateMemory(graph, sizesOfFeeds(graph, new Map([...batch.feeds, ["labels", batch.labels]])))) };
}

function memoryShort(wanted: number, free: number): string {
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  return `training takes about ${gigabytes(wanted)} of memory, and ${gigabytes(free)} are free: a smaller --batch-size or --max-seq-length takes less`;
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
  const train = loadExamples({ ...common, learns: true, file: trainFile, id2label: known?.length === numLabels ? known : undefined });
  if (options.dev === undefined) return { train, dev: undefined };
  const dev = loadExamples({ ...common, file: options.dev, id2label: train.id2label });
  const shared = overlapNote(train.texts, dev.texts);
  if (shared !== undefined) options.onNotice?.(shared);
  return { train, dev };
}

/** The installed ONNX Runtime's version; null where another runtime was handed in. */
function runtimeVersion(): string | null {
  try {
    return (createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string }).version;
  } catch {
    return null;
  }
}
