/** A run's steps as the points of a curve. */
import type { CurvePoint } from "./report-data.ts";

/** Most points of a curve: more can't be told apart at a picture's width. */
const CURVE_POINTS = 240;

/** One step, as metrics.jsonl has it. */
export type StepRecord = Readonly<Record<string, unknown>>;

/** Stretches of equal length, each with the means of its steps: so runs of one plan have their points at the same steps. */
export function thinCurve(records: readonly StepRecord[]): CurvePoint[] {
  const steps = records.filter((record) => typeof record["step"] === "number" && typeof record["loss"] === "number");
  const length = Math.max(1, Math.ceil(steps.length / CURVE_POINTS));
  return Array.from({ length: Math.ceil(steps.length / length) }, (_, i) => {
    const stretch = steps.slice(i * length, (i + 1) * length);
    return { step: Number(stretch.at(-1)?.["step"]), loss: mean(stretch, "loss") ?? NaN, gradNorm: mean(stretch, "grad_norm"), learningRate: mean(stretch, "learning_rate") };
  });
}

function mean(records: readonly StepRecord[], name: string): number | null {
  const values = records.map((record) => record[name]).filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}
