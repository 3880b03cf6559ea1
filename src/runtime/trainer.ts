/** The training loop: batches in, theta out. Knows no file; what to do with a step's figures or a checkpoint is the caller's. */
import type { HutError } from "../errors/hut-error.ts";
import { lossNotFinite, type NotFinite } from "../errors/training.ts";
import { chunks, planBatches } from "./data/batches.ts";
import { collate, type Batch, type Padding } from "./data/collate.ts";
import type { Example } from "./data/examples.ts";
import type { InputSpec } from "./data/field.ts";
import type { OptimizerStep, StepScalars, Stepped } from "./optimizer-step.ts";
import { learningRate, type Schedule } from "./schedule.ts";

/** Everything that the next step depends on, together with the settings: what a checkpoint holds. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  theta: Float32Array;
  adamM: Float32Array;
  adamV: Float32Array;
}

/** The state before the first step. */
export function initialState(theta: Float32Array): TrainingState {
  return { step: 0, theta, adamM: new Float32Array(theta.length), adamV: new Float32Array(theta.length) };
}

export interface TrainerOptions {
  readonly session: OptimizerStep;
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  /** Records of a micro-batch, and how many of these make a step. */
  readonly batchSize: number;
  readonly accumulation: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly schedule: Schedule;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly signal?: AbortSignal | undefined;
  /** After each step; the next one waits for it. */
  readonly onStep: (record: StepRecord) => void | Promise<void>;
  /** After that, unless the signal is aborted: what comes between two steps, and whether there is a next one. */
  readonly afterStep: (state: TrainingState) => Promise<boolean>;
}

/** A step's figures, in Hugging Face's words. */
export interface StepRecord {
  readonly step: number;
  /** Epochs done, with fractions. */
  readonly epoch: number;
  readonly loss: number;
  readonly grad_norm: number;
  readonly learning_rate: number;
  /** Tokens of the batch that count, and records. */
  readonly tokens: number;
  readonly size: number;
}

/** Steps in one epoch; the last short one counts. */
export function stepsPerEpoch(examples: number, { batchSize, accumulation }: Pick<TrainerOptions, "batchSize" | "accumulation">): number {
  return Math.ceil(examples / (batchSize * accumulation));
}

/**
 * Trains from `state` on, changing it step by step. Ends after the schedule's last step, where `afterStep` says so, or between two steps once the signal is aborted.
 * Throws LOSS_NOT_FINITE with `state` still at the last good step.
 */
export async function trainLoop(state: TrainingState, options: TrainerOptions): Promise<void> {
  const perEpoch = stepsPerEpoch(options.examples.length, options);
  const { batchSize } = options;
  const { totalSteps } = options.schedule;
  const lengths = options.examples.map((e) => e.length);
  const isStopped = (): boolean => options.signal?.aborted === true;
  while (state.step < totalSteps) {
    const epoch = Math.floor(state.step / perEpoch);
    // Records are put together as for one large batch, which is then cut: what a step sees doesn't depend on how much of it fits into memory at once.
    const plan = planBatches(lengths, { batchSize: batchSize * options.accumulation, shuffle: options.shuffle, seed: options.seed, epoch, byLength: options.shuffle });
    for (const indices of plan.slice(state.step % perEpoch)) {
      if (isStopped()) return;
      if (state.step >= totalSteps) break;
      const batches = chunks(indices, batchSize).map((part) => collate(options.examples, part, options.inputs, options.padding));
      await options.onStep(await trainStep(state, batches, perEpoch, options));
      if (isStopped() || !await options.afterStep(state)) return;
    }
  }
}

async function trainStep(state: TrainingState, batches: readonly Batch[], perEpoch: number, options: TrainerOptions): Promise<StepRecord> {
  const lr = learningRate(options.schedule, state.step);
  const scalars = { lr, weightDecay: options.weightDecay, maxGradNorm: options.maxGradNorm, seed: options.seed };
  const made = await options.session.run(state, batches, scalars);
  const bad = notFinite(made);
  if (bad !== undefined) throw await whereNotFinite(bad, state, batches, scalars, options);
  state.step += 1;
  state.theta = made.theta;
  state.adamM = made.adamM;
  state.adamV = made.adamV;
  const total = (of: (batch: Batch) => number): number => batches.reduce((sum, batch) => sum + of(batch), 0);
  return { step: state.step, epoch: state.step / perEpoch, loss: made.loss, grad_norm: made.gradNorm, learning_rate: lr, tokens: total((b) => b.tokens), size: total((b) => b.size) };
}

/** What of a step is no number, in the order in which it is computed; undefined where all is sound. */
function notFinite({ loss, gradNorm, theta }: Stepped): readonly [NotFinite, number] | undefined {
  if (!Number.isFinite(loss)) return ["loss", loss];
  if (!Number.isFinite(gradNorm)) return ["gradient", gradNorm];
  const wrong = firstNotFinite(theta);
  return wrong === undefined ? undefined : ["parameters", wrong];
}

/** A loop, since `find` calls a function for each number: for RoBERTa-base's 887,042 that took 11 ms, and the whole step on a GPU takes 45. This takes 1. */
function firstNotFinite(values: Float32Array): number | undefined {
  for (let i = 0; i < values.length; i += 1) if (!Number.isFinite(values[i])) return values[i];
  return undefined;
}

async function whereNotFinite([what, value]: readonly [NotFinite, number], state: TrainingState, batches: readonly Batch[], scalars: StepScalars, { session, examples }: TrainerOptions): Promise<HutError> {
  const bad = await session.firstBad(state, batches, scalars, (index) => examples[index]?.line ?? 0);
  return lossNotFinite(state.step + 1, what, value, bad);
}
