/** A training run's plan, and what is measured on its way: the same for every trainer of step.onnx. */
import { DataType } from "../ir/data-type.ts";
import type { Feed } from "./data/collate.ts";
import { measureAll } from "./evaluator.ts";
import type { LoadedExamples } from "./examples-of.ts";
import { DEFAULTS, type StepOptions, type TrainOptions } from "./options.ts";
import type { NamedClass, TrainResult } from "./results.ts";
import type { Prepared } from "./prepare.ts";
import { warmupSteps, type Schedule } from "./schedule.ts";
import type { GraphSession } from "./session.ts";
import { stepSettings, type StepSettings } from "./step-settings.ts";
import type { Evaluation, Task } from "./tasks/task.ts";
import { stepsPerEpoch } from "./trainer.ts";

/** The options that tell how a run goes. */
export type PlanOptions = Pick<TrainOptions, "batchSize" | "epochs" | "maxSteps" | "lr" | "lrScheduler" | "warmupRatio" | "weightDecay" | "maxGradNorm" | "shuffle" | "seed" | "signal" | "onProgress"> & Pick<TrainOptions, keyof StepOptions | "train">;

/** What a run does: its steps, and how each is made. */
export interface Plan {
  readonly batchSize: number;
  /** Batches in a step. */
  readonly accumulation: number;
  /** What the graphs are asked for. */
  readonly settings: StepSettings;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly perEpoch: number;
  readonly schedule: Schedule;
}

/** The plan of a run on these examples, by the options and their defaults. Throws what stepSettings throws. */
export function planOf(task: Task, prepared: Prepared, data: LoadedExamples, options: PlanOptions): Plan {
  const batchSize = options.batchSize ?? DEFAULTS.batchSize;
  const accumulation = options.gradAccumulationSteps ?? DEFAULTS.gradAccumulationSteps;
  const perEpoch = stepsPerEpoch(data.examples.length, { batchSize, accumulation });
  const lr = options.lr ?? prepared.method.defaultLearningRate;
  const totalSteps = options.maxSteps ?? perEpoch * (options.epochs ?? DEFAULTS.epochs);
  return {
    batchSize, accumulation, settings: stepSettings(task, prepared, data, lr, options), perEpoch, shuffle: options.shuffle ?? true, seed: options.seed ?? DEFAULTS.seed, weightDecay: options.weightDecay ?? DEFAULTS.weightDecay,
    maxGradNorm: options.maxGradNorm ?? DEFAULTS.maxGradNorm,
    schedule: { kind: options.lrScheduler ?? DEFAULTS.lrScheduler, lr, totalSteps, warmupSteps: warmupSteps(options.warmupRatio ?? DEFAULTS.warmupRatio, totalSteps) },
  };
}

/** The metrics of a data set at theta, as `eval_…`, with the time they took. `onClasses` is told each class's figures. */
export async function evaluateTheta(session: GraphSession, evaluation: Evaluation, data: LoadedExamples, theta: Float32Array, options: PlanOptions,
  onClasses?: (classes: readonly NamedClass[]) => void): Promise<Record<string, number>> {
  const started = performance.now();
  const extra = new Map<string, Feed>([["theta", { dataType: DataType.FLOAT, dims: [theta.length], data: theta }]]);
  const { metrics, classes } = await measureAll({ session, ...data, batchSize: options.batchSize ?? DEFAULTS.batchSize, extra, onProgress: options.onProgress }, evaluation);
  onClasses?.(classes);
  return { ...metrics, eval_runtime: (performance.now() - started) / 1000 };
}

/** How fast a run was, in the words of results. */
export function rates(seconds: number, samples: number, tokens: number): Pick<TrainResult, "train_runtime" | "train_samples_per_second" | "train_tokens_per_second"> {
  const per = (n: number): number => (seconds > 0 ? n / seconds : 0);
  return { train_runtime: seconds, train_samples_per_second: per(samples), train_tokens_per_second: per(tokens) };
}
