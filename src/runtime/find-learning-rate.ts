/**
 * A learning rate to begin with: the rate rises from tiny to huge within one short run, and the loss tells where it learns fastest (Smith, arXiv 1506.01186).
 * Of fastai's two rules, the steepest descent and a tenth of the rate with the least loss, the smaller one counts. The run's numbers are thrown away.
 */
import { HutError } from "../errors/hut-error.ts";
import type { Schedule } from "./schedule.ts";
import { trainLoop, type TrainerOptions, type TrainingState } from "./trainer.ts";

/** Steps of the run, and the highest rate. */
const STEPS = 100;
const HIGHEST = 10;
/** Share of the past in the smoothed loss. */
const SMOOTHING = 0.9;
/** So much above its least the loss has to be for the run to be over. */
const BLOWN_UP = 4;
/** At the beginning and the end the smoothed loss says little. */
const LEAST_POINTS = 10;

/** A step: its rate, the loss before it, and that smoothed. */
export interface SweptRate {
  readonly learning_rate: number;
  readonly loss: number;
  readonly smoothed: number;
}

export interface FoundRate {
  readonly rates: readonly SweptRate[];
  /** The rate to begin with; null where the smoothed loss falls nowhere. */
  readonly suggested: number | null;
}

/** Sweeps from `state`, which is changed and of no use afterwards. */
export async function findLearningRate(state: TrainingState, options: Omit<TrainerOptions, "schedule" | "onStep" | "afterStep">, onStep: (done: number, total: number, rate: SweptRate) => void): Promise<FoundRate> {
  const schedule: Schedule = { kind: "sweep", lr: HIGHEST, totalSteps: STEPS, warmupSteps: 0 };
  const rates: SweptRate[] = [];
  let mean = 0;
  let least = Infinity;
  try {
    await trainLoop(state, {
      ...options, schedule,
      onStep: ({ loss, learning_rate }) => {
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
        const smoothed = mean / (1 - SMOOTHING ** (rates.length + 1));
        least = Math.min(least, smoothed);
        rates.push({ learning_rate, loss, smoothed });
        onStep(rates.length, STEPS, { learning_rate, loss, smoothed });
      },
      afterStep: () => Promise.resolve(rates.length < LEAST_POINTS || (rates.at(-1)?.smoothed ?? 0) <= BLOWN_UP * least),
    });
  } catch (error) {
    // That is where a sweep ends.
    if (!(error instanceof HutError && error.code === "LOSS_NOT_FINITE")) throw error;
  }
  return { rates, suggested: suggestedRate(rates) };
}

/** The rate at which the smoothed loss falls fastest per step, or a tenth of that where it is least, if that is smaller; null where it falls nowhere. */
export function suggestedRate(rates: readonly SweptRate[]): number | null {
  const lowest = rates.reduce((best, { smoothed }, i) => (smoothed < (rates[best]?.smoothed ?? Infinity) ? i : best), 0);
  let found: { readonly rate: number; readonly slope: number } | undefined;
  for (let i = 1; i < lowest; i += 1) {
    const slope = ((rates[i + 1]?.smoothed ?? NaN) - (rates[i - 1]?.smoothed ?? NaN)) / 2;
    if (slope < (found?.slope ?? 0)) found = { rate: rates[i]?.learning_rate ?? NaN, slope };
  }
  return found === undefined ? null : Math.min(found.rate, (rates[lowest]?.learning_rate ?? NaN) / 10);
}
