/**
 * When a run evaluates and saves, which evaluation was the best, and when it has gone on for long enough without a better one. Knows no file: what it remembers
 * is part of a checkpoint.
 */
import { bestMetricUnknown } from "../errors/runtime.ts";

/** What a run remembers of its evaluations. */
export interface Remembered {
  /** The best evaluation; null before the first, or where the best is not asked for. */
  readonly best: { readonly step: number; readonly value: number } | null;
  /** Evaluations since then. */
  readonly since: number;
  /** The step of the last evaluation; 0 before the first. */
  readonly at: number;
}

export const NOTHING_YET: Remembered = { best: null, since: 0, at: 0 };

/** A figure of an evaluation, by which one is better than another. */
export interface BestBy {
  /** "eval_accuracy". */
  readonly metric: string;
  readonly greaterIsBetter: boolean;
}

export interface RunControlOptions {
  readonly perEpoch: number;
  readonly totalSteps: number;
  /** Steps between evaluations; an epoch where left out. */
  readonly evalSteps?: number | undefined;
  /** Steps between checkpoints; an epoch where left out. */
  readonly saveSteps?: number | undefined;
  /** What the best is told by; undefined where the last is what is wanted. */
  readonly bestBy?: BestBy | undefined;
  /** Evaluations without a better one after which the run ends; undefined where it never does. */
  readonly patience?: number | undefined;
}

/** Decides, after each step, what comes next. */
export class RunControl {
  readonly #options: RunControlOptions;
  #remembered: Remembered;

  constructor(options: RunControlOptions, remembered: Remembered = NOTHING_YET) {
    this.#options = options;
    this.#remembered = remembered;
  }

  get bestBy(): BestBy | undefined {
    return this.#options.bestBy;
  }

  /** What the next checkpoint says. */
  get remembered(): Remembered {
    return this.#remembered;
  }

  /** Whether so many evaluations brought nothing better that the run ends here. */
  get isOver(): boolean {
    return this.#options.patience !== undefined && this.#remembered.since >= this.#options.patience;
  }

  /** Whether an evaluation follows a step, and wasn't made yet: every so many steps, and after the last. */
  evaluatesAt(step: number): boolean {
    return this.#remembered.at !== step && this.#isDue(step, this.#options.evalSteps);
  }

  /** Whether a checkpoint follows a step. The last step has one in any case. */
  savesAt(step: number): boolean {
    return this.#isDue(step, this.#options.saveSteps);
  }

  /** Takes an evaluation's figures, and says whether it is the best so far. NaN is never better. */
  take(step: number, metrics: Readonly<Record<string, number>>): boolean {
    const { bestBy } = this.#options;
    const { best, since } = this.#remembered;
    const value = bestBy === undefined ? NaN : metrics[bestBy.metric] ?? NaN;
    const isBetter = !Number.isNaN(value) && (best === null || (bestBy?.greaterIsBetter === true ? value > best.value : value < best.value));
    this.#remembered = isBetter ? { best: { step, value }, since: 0, at: step } : { best, since: bestBy === undefined ? 0 : since + 1, at: step };
    return isBetter;
  }

  #isDue(step: number, every: number | undefined): boolean {
    return step > 0 && (step % (every ?? this.#options.perEpoch) === 0 || step >= this.#options.totalSteps);
  }
}

/** The figure of an evaluation that `name` means, with `eval_` or without. Throws BEST_METRIC_UNKNOWN where an evaluation has none of that name. */
export function bestMetricOf(name: string, known: readonly string[]): string {
  const metric = known.find((k) => k === name || k === `eval_${name}`);
  if (metric === undefined) throw bestMetricUnknown(name, known);
  return metric;
}
