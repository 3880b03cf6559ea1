/** The training loop: batches in, theta out. Knows no file; what to do with a step's figures or a checkpoint is the caller's. */
import { lossNotFinite } from "../errors/runtime.ts";
import { DataType } from "../ir/data-type.ts";
import { planBatches } from "./data/batches.ts";
import { collate, type Batch, type Feed, type Padding } from "./data/collate.ts";
import type { Example } from "./data/examples.ts";
import type { InputSpec } from "./data/field.ts";
import { learningRate, type Schedule } from "./schedule.ts";
import type { GraphSession } from "./session.ts";

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
  readonly session: GraphSession;
  readonly examples: readonly Example[];
  readonly inputs: readonly InputSpec[];
  readonly padding: Padding;
  readonly batchSize: number;
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

/** Steps in one epoch; the last short batch counts. */
export function stepsPerEpoch(examples: number, batchSize: number): number {
  return Math.ceil(examples / batchSize);
}

/**
 * Trains from `state` on, changing it step by step. Ends after the schedule's last step, where `afterStep` says so, or between two steps once the signal is aborted.
 * Throws LOSS_NOT_FINITE with `state` still at the last good step.
 */
export async function trainLoop(state: TrainingState, options: TrainerOptions): Promise<void> {
  const perEpoch = stepsPerEpoch(options.examples.length, options.batchSize);
  const { totalSteps } = options.schedule;
  const lengths = options.examples.map((e) => e.length);
  const isStopped = (): boolean => options.signal?.aborted === true;
  while (state.step < totalSteps) {
    const epoch = Math.floor(state.step / perEpoch);
    const plan = planBatches(lengths, { batchSize: options.batchSize, shuffle: options.shuffle, seed: options.seed, epoch, byLength: options.shuffle });
    for (const indices of plan.slice(state.step % perEpoch)) {
      if (isStopped()) return;
      if (state.step >= totalSteps) break;
      const batch = collate(options.examples, indices, options.inputs, options.padding);
      await options.onStep(await trainStep(state, batch, perEpoch, options));
      if (isStopped() || !await options.afterStep(state)) return;
    }
  }
}

async function trainStep(state: TrainingState, batch: Batch, perEpoch: number, options: TrainerOptions): Promise<StepRecord> {
  const rate = learningRate(options.schedule, state.step);
  const vector = (data: Float32Array): Feed => ({ dataType: DataType.FLOAT, dims: [data.length], data });
  const scalar = (value: number): Feed => ({ dataType: DataType.FLOAT, dims: [], data: Float32Array.of(value) });
  const feeds = new Map<string, Feed>([
    ...batch.feeds, ["labels", batch.labels],
    ["theta", vector(state.theta)], ["adam_m", vector(state.adamM)], ["adam_v", vector(state.adamV)],
    ["lr", scalar(rate)], ["weight_decay", scalar(options.weightDecay)], ["max_grad_norm", scalar(options.maxGradNorm)],
    ["step", { dataType: DataType.INT64, dims: [], data: BigInt64Array.of(BigInt(state.step + 1)) }],
  ].filter(([name]) => options.session.inputNames.includes(name as string)) as [string, Feed][]);
  const out = await options.session.run(feeds, ["loss", "grad_norm", "theta_next", "adam_m_next", "adam_v_next"]);
  const floats = (name: string): Float32Array => out.get(name)?.data as Float32Array;
  const loss = floats("loss")[0] ?? NaN;
  const norm = floats("grad_norm")[0] ?? NaN;
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw lossNotFinite(state.step + 1, Number.isFinite(loss) ? norm : loss);
  state.step += 1;
  state.theta = floats("theta_next");
  state.adamM = floats("adam_m_next");
  state.adamV = floats("adam_v_next");
  return { step: state.step, epoch: state.step / perEpoch, loss, grad_norm: norm, learning_rate: rate, tokens: batch.tokens, size: batch.size };
}
