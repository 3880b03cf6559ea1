/** What there is to know of what a classification task learns of a record. A problem is one such definition; a classification task is made of one. */
import type { Value } from "../../ir/graph.ts";
import type { Model } from "../../ir/model.ts";
import { attachBinaryCrossEntropy, attachCrossEntropy, attachSquaredError, type AttachedLoss, type LossOptions } from "../../passes/attach-loss.ts";
import { openClassLabels, type LabelOptions } from "../data/class-labels.ts";
import { openNumberLabels, openSeveralLabels } from "../data/number-labels.ts";
import type { DataFile } from "../data/records.ts";
import { CLASS_NUMBERS, CLASS_SHARES, PREDICTED, type FileLabels, type LabelKind } from "../data/task-data.ts";
import { mainMetric, type MainMetric } from "../metric-names.ts";
import { Counts, CROSS_ENTROPY, ONE_CLASS, type Classified, type Metric } from "../metrics.ts";
import { BINARY_CROSS_ENTROPY, CORRELATIONS, SEVERAL_CLASSES, SQUARED_ERROR, SQUARED_ERROR_LOSS, type Numbers } from "../number-metrics.ts";
import type { ProblemName } from "../options.ts";
import type { TaskWords } from "./task.ts";

export interface Problem {
  readonly name: ProblemName;
  /** `problem_type` of a config.json. */
  readonly hubName: string;
  /** With fewer logits there is nothing to tell apart. */
  readonly leastLogits: number;
  readonly labelKind: LabelKind;
  readonly openLabels: (data: DataFile, options: LabelOptions) => FileLabels;
  readonly attachLoss: (model: Model, logits: Value, options?: LossOptions) => AttachedLoss;
  /** As of a task. */
  readonly lossTakes?: readonly (keyof LossOptions)[];
  /** A record's scores [C] of its logits [C]: what a pipeline makes of them. */
  readonly scores: (logits: readonly number[]) => number[];
  readonly told: TaskWords;
  /** The metric that tells which of two models is better. */
  readonly mainMetric: MainMetric;
  /** Begins to count its metrics, of so many classes where that is known. */
  readonly count: (classes?: number) => Counts<LogitsAndLabels>;
}

/** A batch's logits [N, C] and its labels. */
export interface LogitsAndLabels extends Omit<Classified & Numbers, "labels"> {
  readonly labels: BigInt64Array & Float32Array;
}

/** One of several classes. */
const SINGLE: Problem = {
  name: "single", hubName: "single_label_classification", leastLogits: 2, labelKind: CLASS_NUMBERS, openLabels: openClassLabels, attachLoss: attachCrossEntropy, scores: softmax,
  lossTakes: ["labelSmoothing", "classWeights"],
  told: {
    labels: "`label` or `labels`: a class, by name or number", loss: "cross entropy",
    metrics: ["loss", "accuracy", "f1", "precision", "recall", "f1_macro", "f1_micro", "matthews_correlation"],
  },
  mainMetric: mainMetric("accuracy"),
  count: (classes) => new Counts<LogitsAndLabels>([CROSS_ENTROPY, ONE_CLASS] satisfies Metric<Classified>[], classes),
};

/** Any number of several classes. */
const MULTI_LABEL: Problem = {
  name: "multi-label", hubName: "multi_label_classification", leastLogits: 1, labelKind: CLASS_SHARES, openLabels: openSeveralLabels, attachLoss: attachBinaryCrossEntropy,
  scores: (logits) => logits.map((x) => 1 / (1 + Math.exp(-x))),
  told: {
    labels: "`label` or `labels`: a list of class names, or of a number from 0 to 1 for each class", loss: "binary cross entropy, the mean over all labels",
    metrics: ["loss", "accuracy", "f1_micro", "f1_macro"],
  },
  mainMetric: mainMetric("f1_micro"),
  count: () => new Counts<LogitsAndLabels>([BINARY_CROSS_ENTROPY, SEVERAL_CLASSES] satisfies Metric<Numbers>[]),
};

/** A number, or several. Python's pipeline leaves them as they are. That of transformers.js takes the softmax of the one number, which is 1: see model-card.ts. */
const REGRESSION: Problem = {
  name: "regression", hubName: "regression", leastLogits: 1, labelKind: PREDICTED, openLabels: openNumberLabels, attachLoss: attachSquaredError, scores: (logits) => [...logits],
  told: { labels: "`label` or `labels`: a number, or a list of as many as there are logits", loss: "squared error", metrics: ["loss", "mse", "pearson", "spearmanr"] },
  mainMetric: mainMetric("pearson"),
  count: () => new Counts<LogitsAndLabels>([SQUARED_ERROR_LOSS, SQUARED_ERROR, CORRELATIONS] satisfies Metric<Numbers>[]),
};

/** In the order in which they are listed. */
export const PROBLEMS: readonly Problem[] = [SINGLE, MULTI_LABEL, REGRESSION];

/** config.json's `problem_type`. */
export function problemType(problem: ProblemName): string | undefined {
  return PROBLEMS.find(({ name }) => name === problem)?.hubName;
}

/** The problem that a `problem_type` names; undefined where it names none. */
export function problemOfType(type: unknown): ProblemName | undefined {
  return PROBLEMS.find(({ hubName }) => hubName === type)?.name;
}

/** The names of N classes: those given, where they are as many, else transformers' own, LABEL_0 and on. */
export function classNames(classes: number, names: readonly string[] | undefined): readonly string[] {
  return names?.length === classes ? names : Array.from({ length: classes }, (_, i) => `LABEL_${String(i)}`);
}

export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
