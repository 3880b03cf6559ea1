/** One step of the optimizer on the running graphs: step.onnx alone, or grad.onnx for each micro-batch and apply.onnx once. */
import type { BadTensor } from "../errors/training.ts";
import { DataType } from "../ir/data-type.ts";
import type { Model } from "../ir/model.ts";
import type { Batch, Feed } from "./data/collate.ts";
import { firstBadTensor } from "./first-bad-tensor.ts";
import type { Prepared } from "./prepare.ts";
import type { GraphSession, SessionOptions } from "./session.ts";
import type { Task } from "./tasks/task.ts";
import type { StepSettings } from "./step-settings.ts";
import type { TrainingState } from "./trainer.ts";
import { trainingGraph } from "./training-graphs.ts";

/** What a step is told beside its records. */
export interface StepScalars {
  readonly lr: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly seed: number;
}

/** What a step made. Nothing of it need be a number. */
export interface Stepped extends Omit<TrainingState, "step"> {
  readonly loss: number;
  readonly gradNorm: number;
}

export interface OptimizerStepOptions {
  readonly task: Task;
  readonly fresh: () => Prepared;
  readonly accumulation: number;
  readonly settings: StepSettings;
  /** Starts a session on a training graph; `kind` is its name in messages. */
  readonly open: (kind: string, model: Model, options?: Pick<SessionOptions, "optimize">) => Promise<GraphSession>;
}

/** The graph that a step's records are fed to: step.onnx, or grad.onnx where its micro-batches add up. */
export function firstGraph({ task, fresh, accumulation, settings }: Omit<OptimizerStepOptions, "open">): Model {
  return trainingGraph(accumulation === 1 ? "step" : "grad", task, fresh, settings);
}

/** The sessions that a training needs. */
export class OptimizerStep implements AsyncDisposable {
  readonly #options: OptimizerStepOptions;
  /** step.onnx, or grad.onnx and apply.onnx. */
  readonly #sessions: readonly GraphSession[];

  private constructor(options: OptimizerStepOptions, sessions: readonly GraphSession[]) {
    this.#options = options;
    this.#sessions = sessions;
  }

  /** Builds the graphs and starts their sessions. Throws what building and starting throw. */
  static async open(options: OptimizerStepOptions, first: Model = firstGraph(options)): Promise<OptimizerStep> {
    const { task, fresh, accumulation, settings, open } = options;
    if (accumulation === 1) return new OptimizerStep(options, [await open("step", first)]);
    const grad = await open("grad", first);
    try {
      return new OptimizerStep(options, [grad, await open("apply", trainingGraph("apply", task, fresh, settings))]);
    } catch (error) {
      await grad[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Makes the step that follows `state`, on one batch or on its micro-batches. */
  async run(state: TrainingState, batches: readonly Batch[], scalars: StepScalars): Promise<Stepped> {
    const update = updateFeeds(state, scalars);
    const [[first, apply], [only]] = [this.#sessions, batches];
    if (first === undefined || only === undefined) throw new TypeError("a step without records");
    if (apply === undefined) return steppedOf(await first.run(new Map([...update, ...batchFeeds(state, only, 0, scalars)]), OUTPUTS));
    let sums = new Map([["grad_sum", vector(new Float32Array(state.theta.length))], ["loss_sum", scalar(0)], ["count", scalar(0)]]);
    let row = 0;
    for (const batch of batches) {
      const next = await first.run(new Map([...batchFeeds(state, batch, row, scalars), ...sums]));
      sums = new Map([...sums.keys()].map((name) => [name, next.get(`${name}_next`) as Feed]));
      row += batch.size;
    }
    return steppedOf(await apply.run(new Map([...update, ...sums]), OUTPUTS));
  }

  /** The first tensor of a step that holds NaN or infinity, in the order in which the graph computes; undefined where none does when it is run again. */
  async firstBad(state: TrainingState, batches: readonly Batch[], scalars: StepScalars, lineOf: (index: number) => number): Promise<BadTensor | undefined> {
    const { task, fresh, settings, open } = this.#options;
    const update = updateFeeds(state, scalars);
    const before = (b: number): number => batches.slice(0, b).reduce((sum, { size }) => sum + size, 0);
    const fed = batches.map((batch, b) => ({ feeds: new Map([...update, ...batchFeeds(state, batch, before(b), scalars)]), lines: batch.indices.map(lineOf) }));
    return await firstBadTensor(trainingGraph("step", task, fresh, settings), fed, async (model) => open("traced step", model, { optimize: false }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }
}

const OUTPUTS = ["loss", "grad_norm", "theta_next", "adam_m_next", "adam_v_next"];

function steppedOf(out: ReadonlyMap<string, Feed>): Stepped {
  const floats = (name: string): Float32Array => out.get(name)?.data as Float32Array;
  return { loss: floats("loss")[0] ?? NaN, gradNorm: floats("grad_norm")[0] ?? NaN, theta: floats("theta_next"), adamM: floats("adam_m_next"), adamV: floats("adam_v_next") };
}

/** `row`: how many records of the step come before this batch. */
function batchFeeds(state: TrainingState, batch: Batch, row: number, { seed }: StepScalars): Map<string, Feed> {
  return new Map([...batch.feeds, ["labels", batch.labels], ["theta", vector(state.theta)], ["seed", integer(seed)], ["step", integer(state.step + 1)], ["rows", integers([2], row, batch.size)]]);
}

function updateFeeds(state: TrainingState, { lr, weightDecay, maxGradNorm }: StepScalars): Map<string, Feed> {
  return new Map([
    ["theta", vector(state.theta)], ["adam_m", vector(state.adamM)], ["adam_v", vector(state.adamV)],
    ["lr", scalar(lr)], ["weight_decay", scalar(weightDecay)], ["max_grad_norm", scalar(maxGradNorm)], ["step", integer(state.step + 1)],
  ]);
}

function vector(data: Float32Array): Feed {
  return { dataType: DataType.FLOAT, dims: [data.length], data };
}

function scalar(value: number): Feed {
  return { dataType: DataType.FLOAT, dims: [], data: Float32Array.of(value) };
}

function integer(value: number): Feed {
  return integers([], value);
}

function integers(dims: readonly number[], ...values: readonly number[]): Feed {
  return { dataType: DataType.INT64, dims, data: BigInt64Array.from(values, BigInt) };
}
