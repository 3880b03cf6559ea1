/** Every flag of every verb, once. Names and defaults are those of runtime/options.ts; a flag that isn't given isn't passed on. */
import type { EmbeddingPooling } from "../passes/attach-contrastive.ts";
import type { Pooling } from "../passes/attach-head.ts";
import { ARTIFACT_FORMATS, DEFAULTS, GLUE, OPTIMIZERS, PROBLEMS, PROVIDERS, SCHEDULERS, TASKS } from "../runtime/options.ts";
import type { ArtifactFormat, GlueName, OptimizerName, ProblemName, Provider, Scheduler, TaskName } from "../runtime/options.ts";
import { choice, choices, names, number, numbers, optionalText, text, toggle, wordOrNumbers, type Flag } from "./flag.ts";

/** Methods by name, and what `--lr` is by default for each. A copy, since importing the methods loads the whole compiler; a test compares the two. */
export const LEARNING_RATES: Readonly<Record<string, number>> = { hut: 5e-3, lora: 1e-3, dora: 1e-3, loha: 1e-3, ia3: 1e-3, vera: 1e-3, bitfit: 1e-3, head: 1e-3, full: 5e-5 };
/** The poolings of passes/attach-head.ts; a copy for the same reason, compared by the same test. */
export const HEADS: readonly Pooling[] = ["mean", "cls", "last", "token"];
export const EMBEDDING_POOLINGS: readonly EmbeddingPooling[] = ["mean", "cls", "last"];

/** More threads than any machine has; a mistyped number should not be tried. */
const MAX_THREADS = 1024;
/** A regression has one. */
const MIN_LABELS = 1;

const files = { group: "Files:" } as const;
const weights = { group: "Which weights:" } as const;
const data = { group: "Data:" } as const;
const training = { group: "Training:" } as const;
const generating = { group: "Generating:" } as const;
const running = { group: "Running:" } as const;
const general = { group: "General:" } as const;

/** `-o`: what is written. Its meaning is the verb's. */
export const output = (metavar: string, help: string): Flag<string> => text(`-o <${metavar}>`, help, files);
/** `--adapter`: its use is the verb's. */
export const adapter = (help: string): Flag<string> => text("--adapter <folder>", `${help}; a PEFT folder, or an .onnx_adapter file`, files);
export const saveAdapter: Flag<string> = text("--save-adapter <folder>",
  "also write the adapter that it starts with; a name ending in .onnx_adapter gives ONNX Runtime's own file", files);
export const merged: Flag<string> = text("--merged <file>", "the merged model that fold wrote", files);
/** Of a verb that is told of runs, which know their model. */
export const modelOfRuns: Flag<string> = text("--model <file or folder>", "the base model of the runs", { ...files, default: "where each run says that it was" });
export const examples: Flag<number> = number("--examples <n>", "texts of the data that the page shows, of each kind; 0: none", { ...data, default: DEFAULTS.examples, integer: true, min: 0 });
export const embed: Flag<boolean> = toggle("--embed", "write a file that holds its weights itself, instead of pointing into another", files);
export const requantize: Flag<boolean> = toggle("--requantize",
  "round weights that are stored as integers to integers again, instead of making them floats", files);
export const dryRun: Flag<boolean> = toggle("--dry-run", "do everything but write", files);
export const overwrite: Flag<boolean> = toggle("--overwrite", "replace the run that is in the folder; its adapter stays until the new one is whole", files);
export const tensorboard: Flag<boolean> = toggle("--no-tensorboard", "write no event files for TensorBoard into runs/ of the run folder", files);
export const resume: Flag<string | boolean> = optionalText("--resume [checkpoint]",
  "go on from this checkpoint folder, or from the newest in -o, or begin the run that isn't there yet; settings come from run.json. Or begin with a file as --checkpoint takes it elsewhere", files);
export const format: Flag<readonly ArtifactFormat[]> = choices("--format <list>", "what to write", ARTIFACT_FORMATS, { ...files, default: DEFAULTS.format });
export const frozenInCheckpoint: Flag<boolean> = toggle("--frozen-in-checkpoint",
  "with --format ort-training: frozen weights are inputs of the graphs, and lie in the checkpoint", files);
/** `--checkpoint`: its use is the verb's. */
export const checkpoint = (help: string): Flag<string> => text("--checkpoint <file>",
  `${help}: a checkpoint of ONNX Runtime's training API, or a theta as artifacts' manifest lays it out; --adapter, or what artifacts wrote beside the file, tells what its parameters are`, files);
export const swappable: Flag<boolean> = toggle("--swappable",
  "what an adapter brings comes in as inputs, of any rank; without them the graph is exactly the base", files);
export const perRow: Flag<boolean> = toggle("--per-row", "with --swappable: each row of a batch may have an adapter of its own", files);

export const targetModules: Flag<readonly string[]> = names("--target-modules <list>",
  "weights to adapt: roles (q k v o up gate down head), endings of module paths, /regular expressions/, or all-linear",
  { ...weights, default: DEFAULTS.targetModules.join(",") });
export const method: Flag<string> = choice("--method <name>", "how a weight is updated", Object.keys(LEARNING_RATES), { ...weights, default: DEFAULTS.method });
export const rank: Flag<number> = number("--rank <r>", "rank r of A·B", { ...weights, default: DEFAULTS.rank, integer: true, min: 1 });
export const alpha: Flag<number> = number("--alpha <number>", "A·B is scaled by alpha / r", { ...weights, default: "the rank", above: 0 });
export const rslora: Flag<boolean> = toggle("--rslora", "with lora and dora: A·B is scaled by alpha / √r", weights);
export const modulesToSave: Flag<readonly string[]> = names("--modules-to-save <list>", "modules trained whole", { ...weights, default: "head" });
export const head: Flag<Pooling> = choice("--head <pooling>", "attach a classification head on the hidden states pooled so; token: on each token, for token-classification", HEADS, weights);
export const numLabels: Flag<number> = number("--num-labels <n>", "classes of the head that is attached", { ...weights, integer: true, min: MIN_LABELS });
/** Where an adapter is applied and not trained: for those of PEFT, which don't tell how the classifier they saved is to stand on the model. */
export const savedHead: Flag<Pooling> = choice("--head <pooling>", "how the classifier saved in a PEFT adapter pools; ours tell it themselves", HEADS, weights);
export const savedNumLabels: Flag<number> = number("--num-labels <n>", "classes of that classifier", { ...weights, integer: true, min: MIN_LABELS });
export const outputName: Flag<string> = text("--output <name>", "the graph's output that holds the logits, or with --head the hidden states", weights);
export const force: Flag<boolean> = toggle("--force", "take an adapter whose fingerprints say that it was made for other weights", weights);

export const task: Flag<TaskName> = choice("--task <name>", "what is learned", TASKS, { ...data, default: DEFAULTS.task });
export const pooling: Flag<EmbeddingPooling> = choice("--pooling <name>", "of feature-extraction: how an embedding is made of hidden states; as the adapter was trained, else mean", EMBEDDING_POOLINGS, data);
export const loss: Flag<string> = text("--loss <file>", "a loss of your own instead of the task's: an ONNX graph from logits and labels to loss", data);
export const problem: Flag<ProblemName> = choice("--problem <name>", "what is told of a record by a classification task: one class, any number of classes, numbers", PROBLEMS,
  { ...data, default: "the adapter's, else config.json's, else single" });
export const trainFile: Flag<string> = text("--train <file>", "labelled training data: .tsv, .csv, .jsonl or .parquet, or a folder with train and validation files; needed unless --resume", data);
export const dev: Flag<string> = text("--dev <file>", "labelled data to evaluate on while training", data);
/** `--data`: its use is the verb's. */
export const dataFile = (help: string): Flag<string> => text("--data <file>", help, data);
export const glue: Flag<GlueName> = choice("--glue <name>", "the data are GLUE's files of this task; columns, class names and --problem follow", GLUE, data);
export const maskPrompt: Flag<boolean> = toggle("--mask-prompt", "with text-generation: learn the completion, or what the assistant says, and not the prompt", data);
export const textColumn: Flag<readonly string[]> = names("--text-column <list>", "the column of text, or the two of a pair",
  { ...data, default: "text or sentence, or the pairs that GLUE uses" });
export const labelColumn: Flag<string> = text("--label-column <name>", "the column of labels", { ...data, default: "label or labels" });
export const tokenizer: Flag<string> = text("--tokenizer <file>", "tokenizer.json", { ...data, default: "beside the model, or in the folder above" });
export const maxSeqLength: Flag<number> = number("--max-seq-length <tokens>", "longer texts are cut",
  { ...data, default: DEFAULTS.maxSeqLength, integer: true, min: 1 });
export const wholeSeqLength: Flag<number> = number("--max-seq-length <tokens>", "longer texts are cut",
  { ...data, default: `what the tokenizer says of the model, else ${String(DEFAULTS.maxSeqLength)}`, integer: true, min: 1 });
export const batchSize: Flag<number> = number("--batch-size <n>", "examples in a batch", { ...data, default: DEFAULTS.batchSize, integer: true, min: 1 });
export const shuffle: Flag<boolean> = toggle("--no-shuffle", "batches are consecutive records in file order", data);

export const lr: Flag<number> = number("--lr, --learning-rate <number>", "peak learning rate",
  { ...training, min: 0, default: Object.entries(LEARNING_RATES).map(([name, rate]) => `${String(rate)} for ${name}`).join(", ") });
export const epochs: Flag<number> = number("--epochs <n>", "times through the data", { ...training, default: DEFAULTS.epochs, integer: true, min: 1 });
export const maxSteps: Flag<number> = number("--max-steps <n>", "stop after this many steps, whatever --epochs says", { ...training, integer: true, min: 1 });
export const weightDecay: Flag<number> = number("--weight-decay <number>", "decoupled decay of all trained numbers",
  { ...training, default: DEFAULTS.weightDecay, min: 0 });
export const maxGradNorm: Flag<number> = number("--max-grad-norm <number>", "clip the gradient's norm; 0 = off",
  { ...training, default: DEFAULTS.maxGradNorm, min: 0 });
export const lrScheduler: Flag<Scheduler> = choice("--lr-scheduler <name>", "how the learning rate falls", SCHEDULERS,
  { ...training, default: DEFAULTS.lrScheduler });
export const gradAccumulationSteps: Flag<number> = number("--grad-accumulation-steps <n>", "batches that make one step: the numbers of a batch n times as large, in the memory of one",
  { ...training, default: DEFAULTS.gradAccumulationSteps, integer: true, min: 1 });
export const labelSmoothing: Flag<number> = number("--label-smoothing <share>", "share of each label that is spread over the classes",
  { ...training, default: DEFAULTS.labelSmoothing, min: 0, max: 1 });
export const classWeights: Flag<"balanced" | readonly number[]> = wordOrNumbers("--class-weights <list>",
  "what each class counts in the loss, in the order of the classes' numbers; or balanced: by how many records it has", "balanced", training);
export const decayExempt: Flag<boolean> = toggle("--decay-exempt", "biases and norms are not decayed, as in Hugging Face's Trainer", training);
export const lrGroups: Flag<readonly string[]> = names("--lr-groups <list>",
  "rates of their own for a (A's), b (B's) and head (what is trained whole): b=1e-2, or b=16x for a multiple of --lr, as in LoRA+", training);
export const adapterDropout: Flag<number> = number("--adapter-dropout <p>", "probability with which an element of what an adapter multiplies is dropped in training",
  { ...training, default: DEFAULTS.adapterDropout, min: 0, below: 1 });
export const headDropout: Flag<number> = number("--head-dropout <p>", "the same of what goes into modules trained whole, the head",
  { ...training, default: DEFAULTS.headDropout, min: 0, below: 1 });
export const warmupRatio: Flag<number> = number("--warmup-ratio <share>", "share of the steps in which the learning rate rises",
  { ...training, default: DEFAULTS.warmupRatio, min: 0, max: 1 });
export const optimizer: Flag<OptimizerName> = choice("--optimizer <name>", "the optimizer built in, sgd for --format ort-training alone", OPTIMIZERS,
  { ...training, default: DEFAULTS.optimizer });
export const seed: Flag<number> = number("--seed <n>", "first values and the data's order follow from it",
  { ...training, default: DEFAULTS.seed, integer: true, min: 0 });

export const evalSteps: Flag<number> = number("--eval-steps <n>", "evaluate on --dev every n steps", { ...training, default: "once an epoch", integer: true, min: 1 });
export const saveSteps: Flag<number> = number("--save-steps <n>", "write a checkpoint every n steps", { ...training, default: "once an epoch", integer: true, min: 1 });
export const saveTotalLimit: Flag<number> = number("--save-total-limit <n>", "checkpoints kept, beside that of the best evaluation", { ...training, default: DEFAULTS.saveTotalLimit, integer: true, min: 1 });
export const bestMetric: Flag<string | boolean> = optionalText("--best-metric [name]", "write the adapter of the best evaluation by this figure, not the last; alone: by the task's own", training);
export const patience: Flag<number> = number("--patience <n>", "stop after n evaluations without a better one, and write the best", { ...training, integer: true, min: 1 });

export const findLr: Flag<boolean> = toggle("--find-lr", "only look for a learning rate, in a short run with rising ones; nothing is written", training);

export const methods: Flag<readonly string[]> = choices("--methods <list>", "methods to count", Object.keys(LEARNING_RATES), { ...weights, default: "all" });
export const ranks: Flag<readonly number[]> = numbers("--ranks <list>", "ranks to count them at", { ...weights, default: DEFAULTS.rank, integer: true, min: 1 });
export const prompt: Flag<string> = text("--prompt <words>", "the text to be continued", data);
export const maxNewTokens: Flag<number> = number("--max-new-tokens <n>", "most tokens that are added", { ...generating, default: DEFAULTS.maxNewTokens, integer: true, min: 1 });
export const numBeams: Flag<number> = number("--num-beams <n>", "look for the likeliest text with so many beams", { ...generating, default: `${String(DEFAULTS.numBeams)}: the likeliest token each time`, integer: true, min: 1 });
export const lengthPenalty: Flag<number> = number("--length-penalty <x>", "with beams: a text's log probability is divided by its length to this power", { ...generating, default: DEFAULTS.lengthPenalty });
export const noRepeatNgramSize: Flag<number> = number("--no-repeat-ngram-size <n>", "no run of n tokens comes twice; 0: any may", { ...generating, default: DEFAULTS.noRepeatNgramSize, integer: true, min: 0 });
export const temperature: Flag<number> = number("--temperature <x>", "draw tokens, from logits divided by this", { ...generating, default: `${String(DEFAULTS.temperature)} where tokens are drawn`, above: 0 });
export const topK: Flag<number> = number("--top-k <k>", "draw from the k likeliest tokens; 0: from all", { ...generating, default: `${String(DEFAULTS.topK)} where tokens are drawn`, integer: true, min: 0 });
export const topP: Flag<number> = number("--top-p <p>", "draw from the likeliest tokens that have this probability together", { ...generating, default: `${String(DEFAULTS.topP)} where tokens are drawn`, above: 0, max: 1 });
export const noCache: Flag<boolean> = toggle("--no-cache", "compute every text anew for each token, also where the export has a cache", generating);

export const threads: Flag<number> = number("--threads <n>", "threads of ONNX Runtime",
  { ...running, default: "ONNX Runtime's own choice", integer: true, min: 1, max: MAX_THREADS });
export const provider: Flag<Provider> = choice("--provider <name>", "where it runs", PROVIDERS, { ...running, default: "cpu" });

/** Flags of every verb, which the command line itself obeys. */
export const COMMON: readonly Flag<boolean>[] = [
  toggle("--json", "print one JSON object on stdout and nothing else, errors included", general),
  toggle("--quiet", "no progress and no notes on stderr", general),
  toggle("--verbose", "show the stack of an error, and more of the result", general),
];

/** Where options come from beside the flags; the command line obeys these too. After the verb alone, since a program's own words come before it. */
export const CONFIG_FLAGS: { readonly file: Flag<string>; readonly none: Flag<boolean>; readonly print: Flag<boolean> } = {
  file: text("-c, --config <file>", "options that aren't given as flags come from this file", { ...general, default: "hut.config.ts, .js, .mjs, .json, .yaml or .yml in the working folder" }),
  none: toggle("--no-config", "read no config file", general),
  print: toggle("--print-config", "show which options are in force and where each comes from, and do nothing else", general),
};
