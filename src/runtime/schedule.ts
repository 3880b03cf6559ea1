/** Learning rates over the steps, as transformers.get_scheduler has them. */
import type { Scheduler } from "./options.ts";

export interface Schedule {
  /** "sweep" rises from the lowest rate to the highest by a constant factor. */
  readonly kind: Scheduler | "sweep";
  /** The highest rate. */
  readonly lr: number;
  readonly totalSteps: number;
  readonly warmupSteps: number;
}

/** The lowest rate of a sweep, as a share of the highest. */
const SWEPT = 1e-7;

/** ⌈ratio · steps⌉. */
export function warmupSteps(ratio: number, totalSteps: number): number {
  return Math.ceil(ratio * totalSteps);
}

/** The rate of a step, counted from 0: the first step of a warm-up has 0. "constant" has no warm-up, as transformers' has none: that is "constant_with_warmup". */
export function learningRate({ kind, lr, totalSteps, warmupSteps: warmup }: Schedule, step: number): number {
  if (kind === "constant") return lr;
  if (kind === "sweep") return lr * SWEPT ** (1 - step / Math.max(1, totalSteps - 1));
  if (step < warmup) return lr * (step / Math.max(1, warmup));
  if (kind === "constant_with_warmup") return lr;
  const progress = (step - warmup) / Math.max(1, totalSteps - warmup);
  return kind === "linear" ? lr * Math.max(0, 1 - progress) : lr * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
}
