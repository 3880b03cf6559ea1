/**
 * The public verbs' words: what each takes; what each returns is in results.ts. The command line's flags and `--json` keys are these names, so help,
 * library and command can't drift apart. Paths are files or folders as `node:fs` takes them.
 */
import type { EmbeddingPooling } from "../passes/attach-contrastive.ts";
import type { Pooling } from "../passes/attach-head.ts";

/** Tasks, by the hub's pipeline tags. */
export type TaskName = "text-classification" | "token-classification" | "text-generation" | "image-classification" | "feature-extraction";
export const TASKS: readonly TaskName[] = ["text-classification", "token-classification", "text-generation", "image-classification", "feature-extraction"];
/** What a classification task learns of a record: one class, any number of classes, or numbers. */
export type ProblemName = "single" | "multi-label" | "regression";
export const PROBLEMS: readonly ProblemName[] = ["single", "multi-label", "regression"];
/** GLUE's tasks. */
export type GlueName = "cola" | "sst2" | "mrpc" | "stsb" | "qqp" | "mnli" | "qnli" | "rte" | "wnli";
export const GLUE: readonly GlueName[] = ["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli"];
/** Formats of training artifacts. */
export type ArtifactFormat = "step" | "ort-training";
export const ARTIFACT_FORMATS: readonly ArtifactFormat[] = ["step", "ort-training"];
/** Optimizers that are built into the graphs. */
export type OptimizerName = "adamw" | "sgd";
export const OPTIMIZERS: readonly OptimizerName[] = ["adamw", "sgd"];
export type Scheduler = "constant" | "constant_with_warmup" | "linear" | "cosine";
export const SCHEDULERS: readonly Scheduler[] = ["constant", "constant_with_warmup", "linear", "cosine"];
export type Provider = "cpu" | "cuda" | "webgpu" | "dml" | "coreml";
export const PROVIDERS: readonly Provider[] = ["cpu", "cuda", "webgpu", "dml", "coreml"];

/** What long work tells while it runs. */
export interface Progress {
  /** What is being done: "training", "evaluating", "folding". */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** What `done` counts: "steps", "batches", "weights". */
  readonly unit: string;
  /** Figures worth showing: loss, learning_rate, tokens_per_second … */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What every verb takes. */
export interface CommonOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Remarks worth a line on stderr: a word that meant two things, weights that were copied. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** Text as it is generated, piece by piece; `generate` of one prompt alone. */
  readonly onText?: ((piece: string) => void) | undefined;
}

/** How sessions run. */
export interface RunOptions {
  /** Threads of ONNX Runtime; its own default where left out. */
  readonly threads?: number | undefined;
  readonly provider?: Provider | undefined;
}

/** Which weights are trained, and how: the flags that adapt, artifacts and train share. */
export interface TargetOptions {
  readonly targetModules?: readonly string[] | undefined;
  readonly method?: string | undefined;
  readonly rank?: number | undefined;
  readonly alpha?: number | undefined;
  /** LoRA and DoRA: scale by alpha / √rank. */
  readonly rslora?: boolean | undefined;
  /** Modules trained whole; the head for classification tasks, none for text-generation. */
  readonly modulesToSave?: readonly string[] | undefined;
  readonly head?: Pooling | undefined;
  readonly numLabels?: number | undefined;
  /** The adapter to start from: a folder, or an `.onnx_adapter` file. */
  readonly adapter?: string | undefined;
  /** The output that holds the logits (or, for `head`, the hidden states). */
  readonly outputName?: string | undefined;
  /** Take an adapter whose fingerprints don't fit the weights. */
  readonly force?: boolean | undefined;
  readonly seed?: number | undefined;
}

/** What is learned. */
export interface TaskOptions {
  readonly task?: TaskName | undefined;
  /** Of a classification task; where left out, the adapter's own, else that of config.json's `problem_type`, else "single". */
  readonly problem?: ProblemName | undefined;
  /** Of feature-extraction: how an embedding is made of hidden states; where left out, as the adapter was trained, else "mean". */
  readonly pooling?: EmbeddingPooling | undefined;
}

/** How it is measured what is learned. */
export interface OwnLossOptions {
  /** A loss of one's own: a graph in an ONNX file, from `logits` and `labels` to `loss`. docs/tasks.md says what it may read. */
  readonly loss?: string | undefined;
}

export interface DataOptions extends TaskOptions {
  /** tokenizer.json; looked for beside the model and in the folder above where left out. */
  readonly tokenizer?: string | undefined;
  readonly batchSize?: number | undefined;
  readonly maxSeqLength?: number | undefined;
  /** The data are GLUE's files of this task: columns, class names, task and problem follow. */
  readonly glue?: GlueName | undefined;
  /** The column of text, or the two of a pair; found by the names that data sets give them where left out. */
  readonly textColumn?: readonly string[] | undefined;
  /** The column of labels; `label` or `labels` where left out. */
  readonly labelColumn?: string | undefined;
  /** Of text-generation: learn what follows a prompt, or what the assistant says, and not the rest. */
  readonly maskPrompt?: boolean | undefined;
}

export interface OptimizerOptions {
  readonly lr?: number | undefined;
  readonly weightDecay?: number | undefined;
  /** 0 = no clipping. */
  readonly maxGradNorm?: number | undefined;
}

/** The defaults that help shows and the verbs use. The learning rate's is the method's. */
export const DEFAULTS: {
  readonly task: TaskName; readonly problem: ProblemName; readonly method: string; readonly rank: number; readonly targetModules: readonly string[]; readonly epochs: number; readonly batchSize: number;
  readonly maxSeqLength: number; readonly weightDecay: number; readonly maxGradNorm: number; readonly lrScheduler: Scheduler; readonly warmupRatio: number; readonly seed: number; readonly saveTotalLimit: number; readonly format: ArtifactFormat; readonly optimizer: OptimizerName;
  readonly gradAccumulationSteps: number; readonly labelSmoothing: number; readonly adapterDropout: number; readonly headDropout: number;
  readonly examples: number; readonly maxNewTokens: number; readonly numBeams: number; readonly lengthPenalty: number; readonly noRepeatNgramSize: number; readonly temperature: number; readonly topK: number; readonly topP: number;
} = {
  task: "text-classification", problem: "single", method: "hut", rank: 8, targetModules: ["q", "v"], epochs: 3, batchSize: 32,
  maxSeqLength: 128, weightDecay: 0, maxGradNorm: 1, lrScheduler: "linear", warmupRatio: 0.06, seed: 0, saveTotalLimit: 1, format: "step", optimizer: "adamw",
  gradAccumulationSteps: 1, labelSmoothing: 0, adapterDropout: 0, headDropout: 0, examples: 8, maxNewTokens: 64, numBeams: 1, lengthPenalty: 1, noRepeatNgramSize: 0, temperature: 1, topK: 0, topP: 1,
};

export interface InspectOptions extends CommonOptions {
  readonly outputName?: string | undefined;
}

export interface AdaptVerbOptions extends CommonOptions, TargetOptions, Pick<TrainedOptions, "checkpoint"> {
  /** adapted.onnx. */
  readonly output: string;
  /** Also write the adapter it starts with: a folder, or ONNX Runtime's own file where the name ends in `.onnx_adapter`. */
  readonly saveAdapter?: string | undefined;
  /** What an adapter brings comes in as inputs, whose defaults leave exactly the base. */
  readonly swappable?: boolean | undefined;
  /** With `swappable`: each row of a batch may have an adapter of its own. */
  readonly perRow?: boolean | undefined;
  /** Write a file that holds its weights itself. */
  readonly embed?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface ArtifactsOptions extends CommonOptions, TargetOptions, TaskOptions, OwnLossOptions, OptimizerOptions {
  /** The folder to write. */
  readonly output: string;
  readonly format?: readonly ArtifactFormat[] | undefined;
  /** `sgd` is for the format `ort-training` alone, which also clips only where `maxGradNorm` is given. */
  readonly optimizer?: OptimizerName | undefined;
  /** In the format `ort-training`: frozen weights are inputs too, and lie in the checkpoint. */
  readonly frozenInCheckpoint?: boolean | undefined;
  readonly embed?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What a step learns from, and how each of the trained numbers learns. */
export interface StepOptions {
  /** Batches of `batchSize` that make one step of the optimizer: the same numbers as one batch as large. */
  readonly gradAccumulationSteps?: number | undefined;
  /** Of a cross entropy: the share of each label that is spread over the classes, from 0 to 1. */
  readonly labelSmoothing?: number | undefined;
  /** Of one class of several: what each class counts, or "balanced", which is n / (classes · records of the class). */
  readonly classWeights?: "balanced" | readonly number[] | undefined;
  /** Biases and norms are not decayed. */
  readonly decayExempt?: boolean | undefined;
  /** Learning rates of their own, "b=1e-2", or as multiples of `lr`, "b=16x": of A (`a`), B (`b`) and what is trained whole (`head`). They follow the same schedule. */
  readonly lrGroups?: readonly string[] | undefined;
  /** Probability with which an element of what the adapted part of a weight multiplies is dropped, from 0 to below 1. */
  readonly adapterDropout?: number | undefined;
  /** The same of what goes into modules trained whole. */
  readonly headDropout?: number | undefined;
}

export interface TrainOptions extends CommonOptions, TargetOptions, DataOptions, OwnLossOptions, OptimizerOptions, RunOptions, StepOptions {
  /** The run folder. */
  readonly output: string;
  /** The labelled data; needed unless the run is resumed, whose settings name it. */
  readonly train?: string | undefined;
  readonly dev?: string | undefined;
  readonly epochs?: number | undefined;
  readonly maxSteps?: number | undefined;
  readonly lrScheduler?: Scheduler | undefined;
  readonly warmupRatio?: number | undefined;
  readonly shuffle?: boolean | undefined;
  /** Continue: from this checkpoint folder, or (true) the newest in `output`; or begin a run with what a training elsewhere saved, a file as of `checkpoint`. */
  readonly resume?: string | boolean | undefined;
  /** Steps between evaluations on `dev`; an epoch where left out. */
  readonly evalSteps?: number | undefined;
  /** Steps between checkpoints; an epoch where left out. The last step has one in any case. */
  readonly saveSteps?: number | undefined;
  /** Checkpoints kept, beside that of the best evaluation. */
  readonly saveTotalLimit?: number | undefined;
  /** The adapter is that of the best evaluation by this figure, or (true) by the task's own; where left out, and `patience` too, it is that of the last step. */
  readonly bestMetric?: string | boolean | undefined;
  /** The run ends after so many evaluations without a better one. */
  readonly patience?: number | undefined;
  /** Only look for a learning rate, in a short run with rising ones; nothing is written. */
  readonly findLr?: boolean | undefined;
  readonly overwrite?: boolean | undefined;
  /** Event files for TensorBoard in the run folder's `runs/`; true where left out. */
  readonly tensorboard?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** For an adapter that PEFT wrote: how the classifier it saved pools, where the export has no head of its own. Ours tell it in hut.json. */
export interface HeadOptions {
  readonly head?: Pooling | undefined;
  readonly numLabels?: number | undefined;
}

/** What was trained: an adapter folder, or what a training elsewhere made of the artifacts. */
export interface TrainedOptions {
  readonly adapter?: string | undefined;
  /**
   * A checkpoint of ONNX Runtime's training API, or a theta of P float32 numbers that a loop on step.onnx saved. `adapter` tells what its parameters are; left out,
   * the manifest and the adapter folder beside it do.
   */
  readonly checkpoint?: string | undefined;
}

export interface EvaluateOptions extends CommonOptions, DataOptions, OwnLossOptions, RunOptions, HeadOptions, TrainedOptions {
  readonly data: string;
  readonly outputName?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface PredictOptions extends Omit<EvaluateOptions, keyof OwnLossOptions> {
  /** JSONL, one record a line. */
  readonly output: string;
  readonly dryRun?: boolean | undefined;
}

export interface CostOptions extends CommonOptions, TaskOptions, Pick<TargetOptions, "targetModules" | "modulesToSave" | "head" | "numLabels" | "outputName"> {
  /** All there are, where left out. */
  readonly methods?: readonly string[] | undefined;
  /** Of the methods that have one. */
  readonly ranks?: readonly number[] | undefined;
  readonly batchSize?: number | undefined;
  /** Tokens of each row. */
  readonly maxSeqLength?: number | undefined;
}

export interface GenerateOptions extends CommonOptions, RunOptions, TrainedOptions, Pick<DataOptions, "textColumn" | "tokenizer" | "batchSize"> {
  /** A text to be continued. */
  readonly prompt?: string | undefined;
  /** Or a file of them. */
  readonly data?: string | undefined;
  /** JSONL, one record a prompt: needed with `data`. */
  readonly output?: string | undefined;
  readonly maxNewTokens?: number | undefined;
  readonly numBeams?: number | undefined;
  /** Of several beams: above 0 longer texts are favoured. */
  readonly lengthPenalty?: number | undefined;
  /** No run of so many tokens comes twice; 0: any may. */
  readonly noRepeatNgramSize?: number | undefined;
  /** Any of these three given, tokens are drawn rather than the likeliest taken. */
  readonly temperature?: number | undefined;
  readonly topK?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  /** Whether a cache is used that the export has; true where left out. */
  readonly cache?: boolean | undefined;
  readonly outputName?: string | undefined;
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** One of `adapter` and `checkpoint` is needed. */
export interface FoldOptions extends CommonOptions, HeadOptions, TrainedOptions {
  /** A file, or a folder that becomes a model folder in Hugging Face's layout. */
  readonly output: string;
  /** Round new values of quantized weights to integers of the form they had. Left out, these weights become floats. */
  readonly requantize?: boolean | undefined;
  /** Weights inside the merged graph, or in a file beside it; where the base's are, if left out. */
  readonly embed?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** One of `adapter` and `checkpoint` is needed. */
export interface VerifyOptions extends CommonOptions, RunOptions, HeadOptions, TrainedOptions {
  readonly merged: string;
  readonly data?: string | undefined;
  readonly tokenizer?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface ReportOptions extends CommonOptions, RunOptions {
  /** The page to write; "report.html" in the working folder where left out. */
  readonly output?: string | undefined;
  /** The base model of the runs, where it isn't where they say. */
  readonly model?: string | undefined;
  /** Labelled data to look for mistakes in; the runs' own dev set where left out. */
  readonly data?: string | undefined;
  /** tokenizer.json, where it isn't where the runs say. */
  readonly tokenizer?: string | undefined;
  /** Texts of the data that the page shows, of each kind; 0: none. */
  readonly examples?: number | undefined;
}

export interface DemoOptions extends CommonOptions, RunOptions {
  /** Where the demo's files go; a temporary folder that is removed where left out. */
  readonly output?: string | undefined;
  readonly seed?: number | undefined;
}
