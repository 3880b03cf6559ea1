/** What a report shows, as facts alone: read from run folders, computed from models, drawn by page.ts. Also what `report --json` prints. */
import type { MainMetric } from "../metric-names.ts";
import type { NamedClass } from "../results.ts";

/** Everything on the page. */
export interface ReportData {
  /** The figure that runs are compared by; null where no run was evaluated. */
  readonly metric: MainMetric | null;
  readonly runs: readonly ReportedRun[];
  /** Runs that differ in nothing but the seed, in the order in which their first one was named. */
  readonly groups: readonly RunGroup[];
  /** What was found by running models: of each method, the run with the best figure. */
  readonly examined: readonly ExaminedRun[];
  /** What the page lacks, and why. */
  readonly notes: readonly string[];
}

/** One run folder. */
export interface ReportedRun {
  /** As the user named it. */
  readonly folder: string;
  /** What tells it from the other runs here. */
  readonly name: string;
  /** The base model, as the run named it. */
  readonly model: string;
  readonly method: string;
  /** Null where the method has none. */
  readonly rank: number | null;
  readonly seed: number;
  /** Everything that run.json keeps of the run's settings, the seed included. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** False where the run was stopped before its end, or goes on. */
  readonly finished: boolean;
  /** Steps done. */
  readonly steps: number;
  /** The step whose numbers the adapter has, where the best evaluation was asked for. */
  readonly bestStep: number | null;
  readonly trainableParams: number | null;
  /** Of training, evaluations left out; null where the run isn't done. */
  readonly seconds: number | null;
  readonly tokensPerSecond: number | null;
  /** Mean tokens of a record, padding left out. */
  readonly tokensPerRecord: number | null;
  /** Floating point operations of all its steps, counted from the graphs for records of that many tokens; null where they can't be counted. */
  readonly flops: number | null;
  /** Its steps, thinned: each point is the mean of so many. */
  readonly curve: readonly CurvePoint[];
  /** Every evaluation: step, epoch, `eval_…`. */
  readonly evaluations: readonly Readonly<Record<string, number | null>>[];
  /** `eval_…` of the adapter that was written, or of the last evaluation where there is none yet. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly classes: readonly NamedClass[];
}

/** A stretch of a run's steps: the last of them, and the means of what was logged. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
  readonly gradNorm: number | null;
  readonly learningRate: number | null;
}

/** Runs that differ in nothing but the seed. */
export interface RunGroup {
  readonly name: string;
  readonly method: string;
  readonly rank: number | null;
  /** Places of its runs in `runs`. */
  readonly runs: readonly number[];
  readonly seeds: readonly number[];
  readonly finished: boolean;
  /** Of each figure that all its runs have. */
  readonly metrics: Readonly<Record<string, Spread>>;
  readonly flops: number | null;
  readonly trainableParams: number | null;
  /** Of the training time. */
  readonly seconds: Spread | null;
}

/** A figure over the seeds. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** The sample's standard deviation, n − 1 below; null of one value. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
}

/** What running a model showed. */
export interface ExaminedRun {
  /** Its place in `runs`. */
  readonly run: number;
  /** Null where the task has no classes to confuse, or there was nothing to run. */
  readonly confusion: Confusion | null;
  /** Highest loss first; null where there are none to show. */
  readonly worst: readonly WorstExample[] | null;
  /** Of each adapted matrix, in the model's order; null where they weren't computed. */
  readonly correlations: readonly MatrixCorrelation[] | null;
  /** What the words of some texts did; null where that wasn't computed. */
  readonly attributions: readonly AttributedText[] | null;
}

/** How often each class was taken for each. */
export interface Confusion {
  /** The data that was run. */
  readonly file: string;
  readonly labels: readonly string[];
  /** [true class][predicted class]. */
  readonly counts: readonly (readonly number[])[];
}

/** A record that the model is wrong about, or least sure of. */
export interface WorstExample {
  /** Where it starts in its file. */
  readonly line: number;
  /** Its texts, one or a pair; none where the data are no text. */
  readonly texts: readonly string[];
  readonly label: string;
  readonly prediction: string;
  /** The model's probability of the prediction. */
  readonly score: number;
  /** Of the label: −ln of its probability. */
  readonly loss: number;
}

/** How a trained matrix W' correlates with the W₀ that it was, over its entries. */
export interface MatrixCorrelation {
  /** The module's path. */
  readonly module: string;
  /** q, k, v …, of a packed weight or where it is known. */
  readonly role?: string;
  /** Whether parameters of the method update it, or it is trained whole. */
  readonly trained: "adapted" | "whole";
  /** Pearson's of W₀ and W', at the start of training and of the adapter that was written. Null where either is constant. */
  readonly correlation: BeforeAndAfter;
  /** Pearson's of W₀ and the update W' − W₀. Null where there is no update, as where a method starts. */
  readonly updateCorrelation: BeforeAndAfter;
  /** ‖W' − W₀‖ / ‖W₀‖. */
  readonly relativeUpdate: BeforeAndAfter;
  /** Some entries [w₀, w'] after training. */
  readonly sample: readonly (readonly [number, number])[];
}

/** A figure at the start of training, and after it. */
export interface BeforeAndAfter {
  readonly before: number | null;
  readonly after: number | null;
}

/** One text, read by two models. */
export interface AttributedText {
  readonly label: string | null;
  readonly original: WordScores;
  readonly tuned: WordScores;
}

/** How much each word did for what a model says, by gradient × input. */
export interface WordScores {
  readonly words: readonly string[];
  readonly scores: readonly number[];
  readonly prediction: string;
}
