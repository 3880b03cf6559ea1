/** What there is to know of a task. A task is one such definition, listed in registry.ts; nothing else asks for a task's name. */
import type { Graph, Value } from "../../ir/graph.ts";
import type { Model } from "../../ir/model.ts";
import type { EmbeddingPooling } from "../../passes/attach-contrastive.ts";
import type { AttachedLoss, LossOptions } from "../../passes/attach-loss.ts";
import type { Batch, Feed } from "../data/collate.ts";
import type { TaskData, TokenRow } from "../data/task-data.ts";
import type { ClassFigures } from "../class-counts.ts";
import type { MainMetric, MetricName } from "../metric-names.ts";
import type { ProblemName, TaskName } from "../options.ts";

export interface Task {
  /** The hub's pipeline tag. */
  readonly name: TaskName;
  /** Of a classification task: what it learns of a record. */
  readonly problem?: ProblemName;
  /** Of a task of embeddings: how they are made of hidden states. */
  readonly pooling?: EmbeddingPooling;
  /** PEFT's word for it, in adapter_config.json; null where PEFT has none. */
  readonly peftType: string | null;
  /** Whether the module that makes the logits is trained whole where --modules-to-save names none. */
  readonly savesHead: boolean;
  /** The axes of the logits it is learnt from, in words: a graph with another number of axes is refused. */
  readonly logits: readonly string[];
  /** Whether that last axis is the vocabulary, where tasks with as many axes differ by it. */
  readonly overVocabulary?: boolean;
  /** The least length of their last axis: with fewer there is nothing to learn. */
  readonly leastLogits: number;
  /** A record's loss depends on the others of its batch: batches can't be accumulated, and one of a single record teaches nothing. */
  readonly batchMatters?: boolean;
  /** What it is learnt from, where that isn't the logits; `named` is the output that the user named, or the graph's logits. Throws where there is none. */
  readonly findOutput?: (graph: Graph, named: Value | undefined) => Value;
  /** Adds one vector [rows, d] for each text, which a prediction tells. */
  readonly attachEmbedding?: (model: Model, hidden: Value) => Value;
  /** How records become examples. */
  readonly data: TaskData;
  /** The only inputs that a pipeline of transformers.js feeds a graph for this task. Those of decoders have more, as the model's config.json says. */
  readonly fed?: readonly string[];
  /**
   * `model_type` for a base whose config.json says none: transformers.js and optimum choose a class by it and build nothing of the model from it, so that any
   * type of this task will do. Decoders have caches by it, and there none does.
   */
  readonly standInType?: string;
  /** What a pipeline says of a record, from its logits and the classes' names, where these are known; a task without classes has no such answer. */
  readonly answer?: (logits: readonly number[], names: readonly string[] | undefined) => Answer;
  /** Which settings of a cross entropy its loss takes; none where left out. */
  readonly lossTakes?: readonly (keyof LossOptions)[] | undefined;
  /** The same for each word, of logits [T, C] laid end to end: `words` tells which token is of which, where the record came as words. */
  readonly answerWords?: (logits: readonly number[], classes: number, words: TokenRow["words"], names: readonly string[] | undefined) => WordAnswers;
  /** What docs/tasks.md tells of it: what a record's labels are, the loss, and what is measured. */
  readonly told: TaskWords;
  /** The metric that tells which of two models is better: of checkpoints, the one to keep. */
  readonly mainMetric: MainMetric;
  /** `eval_…` of the figures that a benchmark reports of it, the main one first. */
  readonly official?: readonly string[];
  /** Adds the input `labels` and the loss. */
  attachLoss(model: Model, logits: Value, options?: LossOptions): AttachedLoss;
  /** Adds to a graph what its metrics are counted from. The graph's outputs stay as they are. */
  attachEvaluation(model: Model, logits: Value): Evaluation;
}

/** A task in words, for its row in docs/tasks.md. */
export interface TaskWords {
  readonly labels: string;
  readonly loss: string;
  readonly metrics: readonly MetricName[];
}

/** The class with the highest score. */
export interface Answer {
  readonly label: string;
  readonly score: number;
}

/** The class with the highest score, for each word; null for a word that the text was cut before. */
export interface WordAnswers {
  readonly labels: readonly (string | null)[];
  readonly scores: readonly (number | null)[];
}

/** How a graph's outputs become metrics. */
export interface Evaluation {
  /** The values to run the graph for, and its only outputs while it is evaluated. */
  readonly outputs: readonly Value[];
  /** Begins to count. `names` are the classes', in order, where they are known. */
  start(names?: readonly string[]): Meter;
}

/** Metrics being counted, batch by batch. */
export interface Meter {
  add(made: ReadonlyMap<string, Feed>, batch: Batch): void;
  /** `eval_<metric>`; NaN where every label is left out. */
  result(): Record<string, number>;
  /** Each class's own figures, in the order of the classes; none where the task has no classes. */
  classes?(): readonly ClassFigures[];
}
