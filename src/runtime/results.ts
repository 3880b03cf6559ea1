/** What the public verbs return: the keys of `--json`. What they take is in options.ts. */
import type { Role } from "../passes/weights/find-weights.ts";
import type { DataReport } from "./data/data-report.ts";
import type { ReportData } from "./report/report-data.ts";

export interface InspectedWeight {
  readonly name: string;
  /** Null where the export tells no path. */
  readonly modulePath: string | null;
  readonly role: Role | null;
  readonly layer: number | null;
  /** [k, n]. */
  readonly shape: readonly [number, number];
  readonly stored: "kn" | "nk";
  readonly op: string;
  readonly dtype: string;
}

export interface InspectResult {
  readonly model: string;
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly inputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly string[] }[];
  readonly outputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly string[] }[];
  readonly weights: readonly InspectedWeight[];
  readonly operators: Readonly<Record<string, number>>;
  readonly withoutGradient: readonly { readonly node: string; readonly op: string; readonly path: readonly string[]; readonly why?: string }[];
  /** Numbers in all initializers. */
  readonly parameters: number;
  /** Floating point operations of one forward run: per name of a dimension, as an expression; null where shapes are unknown. */
  readonly flops: string | null;
  readonly bytes: number;
  readonly seconds: number;
}

export interface AdaptedModule {
  readonly modulePath: string;
  /** Of a packed weight adapted by roles: which of them this is. */
  readonly role?: Role;
  readonly shape: readonly [number, number];
  readonly rank: number;
  readonly params: number;
}

export interface AdaptResult {
  readonly adapted: readonly AdaptedModule[];
  readonly modulesToSave: readonly { readonly modulePath: string; readonly params: number }[];
  /** The inputs that an adapter fills: none unless `swappable`. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  readonly trainableParams: number;
  readonly totalParams: number;
  readonly seconds: number;
  readonly bytesWritten: number;
  readonly output: string;
}

export interface ArtifactsResult {
  readonly files: readonly string[];
  readonly trainableParams: number;
  readonly bytesWritten: number;
  readonly seconds: number;
}

/** What a run would do, or did: known before its first step. */
export interface TrainPlan {
  readonly examples: number;
  readonly devExamples: number | null;
  /** What was cut, empty or left out of the training data and of `dev`, by line. */
  readonly data: readonly DataReport[];
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly warmupSteps: number;
  readonly learningRate: number;
  /** Of the longest batch. */
  readonly tokensPerBatch: number;
  /** What the process will take, about. */
  readonly memoryBytes: number;
}

export interface TrainResult {
  readonly plan: TrainPlan;
  readonly steps: number;
  /** Of the whole run, also where it was resumed; null where no step was made (--dry-run). */
  readonly firstLoss: number | null;
  readonly lastLoss: number | null;
  /** Of the best evaluation where one is asked for, else of the last. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Each class's figures in the last evaluation. */
  readonly classes: readonly NamedClass[];
  /** Every evaluation: step, epoch, `eval_…`. */
  readonly evaluations: readonly Readonly<Record<string, number>>[];
  /** The step of the best evaluation; null where it isn't asked for. */
  readonly bestStep: number | null;
  /** The adapter folder written. */
  readonly adapter: string;
  readonly trainableParams: number;
  readonly totalParams: number;
  readonly train_runtime: number;
  readonly train_samples_per_second: number;
  readonly train_tokens_per_second: number;
  /** True after Ctrl-C or SIGTERM: a checkpoint was written and `--resume` goes on from it. */
  readonly interrupted: boolean;
  /** With `findLr`: the rates that were tried with their losses, and the one to begin with; null else. */
  readonly found: { readonly rates: readonly { readonly learning_rate: number; readonly loss: number; readonly smoothed: number }[]; readonly suggested: number | null } | null;
}

/** One class's figures over labelled data, as scikit-learn's classification_report has them. */
export interface NamedClass {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** How many records (of words, how many entities) are of this class. */
  readonly support: number;
}

export interface EvaluateResult {
  readonly examples: number;
  /** NaN, which `--json` has as null, where a figure has no value: a correlation with a constant. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Of each class; none for a task without classes. */
  readonly classes: readonly NamedClass[];
  readonly seconds: number;
}

export interface PredictResult {
  readonly examples: number;
  readonly output: string;
  readonly seconds: number;
}

/** What one method at one rank costs for a batch. */
export interface MethodCost {
  readonly method: string;
  /** Null where the method has none. */
  readonly rank: number | null;
  readonly trainableParams: number;
  /** Floating point operations of forming the new weights, once a run, whatever the number of tokens. */
  readonly updateFlops: number;
  /** Of a forward run of the adapted graph. */
  readonly adaptedFlops: number;
  /** Of a training step: forward, gradients, clipping, AdamW. */
  readonly stepFlops: number;
  /** What a process that trains so takes, about. */
  readonly memoryBytes: number;
  /** Of that, the trained numbers and AdamW's two moments of each. */
  readonly stateBytes: number;
}

export interface CostResult {
  readonly batchSize: number;
  readonly maxSeqLength: number;
  /** Numbers in all initializers of the model. */
  readonly parameters: number;
  /** Operations of a forward run of the model, merged or not: that is what a folded model costs. */
  readonly forwardFlops: number;
  readonly costs: readonly MethodCost[];
  /** Methods that can't be used here, and why. */
  readonly refused: readonly { readonly method: string; readonly why: string }[];
  /** From how many tokens in a batch forming W' by HUT once costs less than LoRA's second branch, which PEFT computes for every token; null without HUT. */
  readonly breakEvenTokens: number | null;
  readonly seconds: number;
}

export interface GenerateResult {
  /** Prompts. */
  readonly examples: number;
  /** Tokens that were added, all prompts together. */
  readonly tokens: number;
  /** With `prompt`: what it is continued with; null with `data`. */
  readonly text: string | null;
  /** The file written; null with `prompt` alone. */
  readonly output: string | null;
  /** Of the texts whose prompts have answers in the file; empty where none has. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly cached: boolean;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

export interface FoldResult {
  readonly folded: readonly { readonly modulePath: string; readonly role?: Role; readonly shape: readonly [number, number] }[];
  readonly replaced: readonly { readonly modulePath: string; readonly params: number }[];
  /** The weights that were stored as integers and are floats now. */
  readonly floated: readonly { readonly modulePath: string; readonly from: string; readonly to: string }[];
  /** With `requantize`: what the rounding to integers costs, ‖rounded − W'‖ / ‖W'‖ and the largest difference of an element. Empty in a dry run. */
  readonly requantized: readonly { readonly modulePath: string; readonly dtype: string; readonly relativeError: number; readonly maxAbsError: number }[];
  readonly seconds: number;
  readonly bytesWritten: number;
  /** The merged graph's file. */
  readonly output: string;
  /** That and, where its weights are in a file of their own, this before it. Empty in a dry run. */
  readonly files: readonly string[];
}

export interface VerifyResult {
  readonly maxAbsDiff: number;
  readonly sameExceptWeights: boolean;
  /** Time of merged over time of base, medians of interleaved pairs. */
  readonly latencyRatio: number;
  /** How far logits may differ; null where the merged weights were rounded to integers, which tells no bound: the weights' bytes decide. */
  readonly tolerance: number | null;
  /** What doesn't hold, in words; empty when ok. */
  readonly problems: readonly string[];
  readonly ok: boolean;
}

/** Everything that the page shows, as data. */
export interface ReportResult extends ReportData {
  /** The page written. */
  readonly output: string;
  readonly bytesWritten: number;
  readonly seconds: number;
}

export interface DemoResult {
  readonly before: { readonly eval_accuracy: number };
  readonly after: { readonly eval_accuracy: number };
  readonly verify: VerifyResult;
  readonly seconds: number;
  readonly trainableParams: number;
  readonly totalParams: number;
  readonly train_runtime: number;
  readonly train_tokens_per_second: number;
  readonly bytes: { readonly base: number; readonly adapted: number; readonly adapter: number; readonly merged: number };
  readonly steps: number;
  readonly output: string | null;
}
