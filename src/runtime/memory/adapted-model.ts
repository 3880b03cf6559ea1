/** A model in memory with what is trained of it: trained step by step, tried on sentences, folded to bytes. */
import { interrupted, noLogitsToEvaluate } from "../../errors/runtime.ts";
import { DataType } from "../../ir/data-type.ts";
import type { Model } from "../../ir/model.ts";
import { readBytes, type Bytes } from "../../ir/source.ts";
import { parameterCount } from "../../passes/build-step.ts";
import { adaptedModules, savedModules } from "../adapted-modules.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import { adapterFiles } from "../adapter/folder-files.ts";
import { toAdapterFolder } from "../adapter/to-folder.ts";
import type { Feed } from "../data/collate.ts";
import { glueForm, withGlueMetrics } from "../data/glue.ts";
import { overlapNote } from "../data/overlap.ts";
import { collectRows, perTokenOutputs } from "../evaluator.ts";
import { evaluateWith } from "../evaluate-with.ts";
import { examplesOf, type LoadedExamples } from "../examples-of.ts";
import { foldedModel, presentLogitsOf } from "../fold-model.ts";
import { countParameters } from "../inspect-model.ts";
import { problemIn } from "../model-folder/config-json.ts";
import { GRAPH_FILE, madeFiles } from "../model-folder/made-files.ts";
import { DEFAULTS, type CommonOptions, type DataOptions, type FoldOptions, type RunOptions } from "../options.ts";
import type { AdaptedModule, AdaptResult, TrainResult } from "../results.ts";
import { OptimizerStep } from "../optimizer-step.ts";
import { initialTheta, prepare, type Prepared } from "../prepare.ts";
import { RunControl } from "../run-control.ts";
import { evaluateTheta, planOf, rates, type PlanOptions } from "../run-plan.ts";
import { joined, serializedLater } from "../serialized.ts";
import { GraphSession, type OnnxRuntime, type SessionOptions } from "../session.ts";
import { requireTaskLogits, taskNamed } from "../tasks/registry.ts";
import type { Answer, Task, WordAnswers } from "../tasks/task.ts";
import { initialState, trainLoop } from "../trainer.ts";
import { evaluationGraph, trainingGraph } from "../training-graphs.ts";
import { recordsOf, type MemoryData, type OpenedMemory } from "./memory-files.ts";
import type { MemoryAdaptOptions } from "./memory-model.ts";

/** Where sessions run ("cpu" is WASM in a browser), and how text is cut. */
export type MemoryRunOptions = CommonOptions & RunOptions & Pick<DataOptions, "batchSize" | "maxSeqLength" | "glue" | "textColumn" | "labelColumn" | "maskPrompt">;

/** How a model is trained. */
export interface MemoryTrainOptions extends MemoryRunOptions, PlanOptions {
  /** Labelled data to measure on after every epoch. */
  readonly dev?: MemoryData | undefined;
}

/** How a trained model is folded. */
export type MemoryFoldOptions = CommonOptions & Pick<FoldOptions, "requantize">;

/** How a trained model becomes a folder. */
export interface MemoryFolderOptions extends MemoryFoldOptions {
  /** The folder's name, for the model card; `model` where left out. */
  readonly name?: string | undefined;
}

/** What training came to, in the words of `train`. */
export type MemoryTrainResult = Pick<TrainResult, "steps" | "firstLoss" | "lastLoss" | "metrics" | "train_runtime" | "train_samples_per_second" | "train_tokens_per_second" | "interrupted">;

/** A record's logits: [C], or [T, V] without the padding, laid end to end. Of a classifier also what a pipeline answers by them, of one of words an answer for each. */
export interface Prediction extends Partial<Answer>, Partial<WordAnswers> {
  readonly dims: readonly number[];
  readonly logits: readonly number[];
}

/** What is trained lies in one vector theta [P], which `train` changes. Sessions are made when they are needed, one at a time: each holds the base's weights. */
export class AdaptedModel implements AsyncDisposable {
  /** P. */
  readonly trainableParams: number;
  readonly totalParams: number;
  readonly adapted: readonly AdaptedModule[];
  readonly modulesToSave: AdaptResult["modulesToSave"];
  readonly #runtime: OnnxRuntime;
  readonly #opened: OpenedMemory;
  readonly #options: MemoryAdaptOptions;
  readonly #task: Task;
  readonly #prepared: Prepared;
  #theta: Float32Array;
  #classes: readonly string[] | undefined;
  /** Of the last training. */
  #dropout: number | undefined;
  #predictor: { readonly session: GraphSession; readonly provider: string; readonly perToken: ReadonlySet<string> } | undefined;

  /** @internal */
  constructor(runtime: OnnxRuntime, opened: OpenedMemory, options: MemoryAdaptOptions, classes: readonly string[] | undefined) {
    this.#runtime = runtime;
    this.#opened = opened;
    this.#options = options;
    this.#task = taskNamed(options, problemIn(opened.config));
    this.#prepared = this.#fresh();
    for (const note of this.#prepared.notes) options.onNotice?.(note);
    requireTaskLogits(this.#task, this.#prepared.model.graph, this.#prepared.logits);
    this.#theta = initialTheta(this.#prepared.trainables);
    this.#classes = classes?.length === this.#numLabels ? classes : undefined;
    this.trainableParams = parameterCount(this.#prepared.trainables);
    this.totalParams = countParameters(opened.loadInlined().graph);
    this.adapted = adaptedModules(this.#prepared);
    this.modulesToSave = savedModules(this.#prepared);
  }

  /** theta [P] as it is now: a copy. */
  get theta(): Float32Array {
    return this.#theta.slice();
  }

  /** The classes' names in order, where the model or the training data told them. */
  get classes(): readonly string[] | undefined {
    return this.#classes;
  }

  /**
   * Trains on labelled data, from theta as it is, with AdamW's moments at 0. Ends early, between two steps, once `signal` is aborted; theta is then that of
   * the last step. Between steps the event loop turns, so that a page can draw and messages arrive. Throws HutError: data that doesn't fit the model, a
   * loss that is no number any more, what the runtime refuses.
   */
  async train(data: MemoryData, options: MemoryTrainOptions = {}): Promise<MemoryTrainResult> {
    const train = this.#examples(data, options, "required", true);
    this.#classes = train.id2label ?? this.#classes;
    const dev = options.dev === undefined ? undefined : this.#examples(options.dev, options, "required");
    const shared = dev === undefined ? undefined : overlapNote(train.texts, dev.texts);
    if (shared !== undefined) options.onNotice?.(shared);
    const plan = planOf(this.#task, this.#prepared, train, { seed: this.#options.seed, ...options });
    await this.#release();
    this.#dropout = options.adapterDropout;
    const state = initialState(this.#theta);
    const control = new RunControl({ perEpoch: plan.perEpoch, totalSteps: plan.schedule.totalSteps });
    const work = { seconds: 0, tokens: 0, samples: 0 };
    const losses: number[] = [];
    let metrics: Record<string, number> = {};
    await using session = await OptimizerStep.open({ task: this.#task, fresh: this.#fresh, ...plan, open: async (kind, model, more) => this.#session(kind, model, { ...options, ...more }) });
    let since = performance.now();
    try {
      await trainLoop(state, {
        ...plan, session, ...train, signal: options.signal,
        onStep: async ({ step, loss, grad_norm, learning_rate, tokens, size }) => {
          work.tokens += tokens;
          work.samples += size;
          losses.push(loss);
          const seconds = work.seconds + (performance.now() - since) / 1000;
          options.onProgress?.({ phase: "training", done: step, total: plan.schedule.totalSteps, unit: "steps", figures: { loss, grad_norm, learning_rate, tokens_per_second: work.tokens / seconds } });
          await eventLoopTurn();
        },
        afterStep: async ({ step, theta }) => {
          if (dev === undefined || !control.evaluatesAt(step)) return true;
          work.seconds += (performance.now() - since) / 1000;
          metrics = await this.#measure(dev, theta, options);
          since = performance.now();
          return true;
        },
      });
    } finally {
      this.#theta = state.theta;
    }
    work.seconds += (performance.now() - since) / 1000;
    const interrupted = options.signal?.aborted === true && state.step < plan.schedule.totalSteps;
    return { steps: state.step, firstLoss: losses[0] ?? null, lastLoss: losses.at(-1) ?? null, metrics, ...rates(work.seconds, work.samples, work.tokens), interrupted };
  }

  /** The task's metrics on labelled data, as `eval_…`. Throws HutError where the data doesn't fit the model. */
  async evaluate(data: MemoryData, options: MemoryRunOptions = {}): Promise<Readonly<Record<string, number>>> {
    const examples = this.#examples(data, options, "required");
    await this.#release();
    return await this.#measure(examples, this.#theta, options);
  }

  /** Each record's logits, in the order of the data. Throws HutError where the data doesn't fit the model. */
  async predict(data: MemoryData, options: MemoryRunOptions = {}): Promise<Prediction[]> {
    const examples = this.#examples(data, options, "none");
    const { logits } = this.#prepared;
    if (logits === undefined) throw noLogitsToEvaluate(this.#prepared.model.graph.outputs.map((v) => v.name));
    const { session, perToken } = await this.#predicting(options);
    const rows = await collectRows({ ...examples, ...options, session, batchSize: options.batchSize ?? DEFAULTS.batchSize, extra: thetaFeed(this.#theta) }, [logits.name], perToken);
    return rows.map((row, i) => {
      const { dims = [], values = [] } = row.get(logits.name) ?? {};
      const numbers = Array.from(values, Number);
      return { dims, logits: numbers, ...this.#task.answer?.(numbers, this.#classes), ...this.#task.answerWords?.(numbers, dims.at(-1) ?? 0, examples.examples[i]?.words, this.#classes) };
    });
  }

  /** merged.onnx: the base's graph, in which only the chosen weights differ, all of its weights inside. */
  async fold(options: MemoryFoldOptions = {}): Promise<Uint8Array> {
    return await this.#merged(this.#trained(this.#adapter()), options);
  }

  /**
   * The files of a folder in Hugging Face's layout by name, as `fold -o DIR` writes it: the merged graph as onnx/model.onnx, all of its weights inside, with
   * config.json, the tokenizer's files and a model card. `onNotice` tells what its readers lack.
   */
  async modelFolder({ name = "model", ...options }: MemoryFolderOptions = {}): Promise<ReadonlyMap<string, Uint8Array>> {
    const { config, tokenizerFiles: tokenizer, companions } = this.#opened;
    const adapter = this.#adapter();
    const prepared = this.#trained(adapter);
    const graph = await this.#merged(prepared, options, (model) => presentLogitsOf(model, prepared));
    const base = { graph: this.#opened.loadInlined().graph, config, tokenizer, copied: new Set(companions.keys()), isPath: () => false };
    const { notes, beside } = madeFiles({ name, base, prepared, adapter, run: undefined });
    for (const note of notes) options.onNotice?.(note);
    const made = [...beside([GRAPH_FILE])].map(([file, text]) => [file, new TextEncoder().encode(text)] as const);
    return new Map([[GRAPH_FILE, graph], ...companions, ...made]);
  }

  /** The files of the adapter's PEFT folder, by name. */
  adapterFiles(): ReadonlyMap<string, Uint8Array> {
    return new Map([...adapterFiles(this.#adapter(), "adapter")].map(([name, pieces]) => [name, joined([...pieces].map((piece: Bytes) => readBytes(piece)))]));
  }

  /** Frees what the runtime holds for `predict`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release();
  }

  readonly #fresh = (): Prepared => prepare(this.#opened.load(), { ...this.#options, saveHead: this.#task.savesHead });

  get #numLabels(): number | undefined {
    const classes = this.#prepared.logits?.shape?.at(-1);
    return typeof classes === "number" ? classes : undefined;
  }

  /** The base with what was trained, ready to be folded. */
  #trained(contents: AdapterFolder): Prepared {
    return prepare(this.#opened.load(), { adapter: { folder: this.#opened.name, contents }, saveHead: true });
  }

  async #merged(prepared: Prepared, options: MemoryFoldOptions, present?: (model: Model) => unknown): Promise<Uint8Array> {
    await using evaluator = evaluateWith(this.#runtime);
    const { model } = await foldedModel(this.#opened, prepared, evaluator.evaluate, options);
    present?.(model);
    return await serializedLater(model, (done, total) => {
      if (options.signal?.aborted === true) throw interrupted();
      options.onProgress?.({ phase: "folding", done: Math.ceil(done / 1e6), total: Math.ceil(total / 1e6), unit: "MB" });
    });
  }

  #adapter(): AdapterFolder {
    return toAdapterFolder(this.#prepared, this.#theta, { name: this.#opened.name, taskType: this.#task.peftType, id2label: this.#classes, problem: this.#task.problem, pooling: this.#task.pooling, dropout: this.#dropout });
  }

  #examples(data: MemoryData, { maxSeqLength, glue, textColumn, labelColumn, maskPrompt, onNotice }: MemoryRunOptions, labels: "required" | "none", learns = false): LoadedExamples {
    return examplesOf(recordsOf(data, glueForm(glue)), this.#opened.tokenizer, {
      task: this.#task, graph: this.#opened.loadInlined().graph, labels, learns, maxSeqLength, glue, textColumn, labelColumn, maskPrompt, onNotice, wholeTexts: labels === "none", numLabels: labels === "none" ? undefined : this.#numLabels, id2label: this.#classes,
    });
  }

  async #measure(examples: LoadedExamples, theta: Float32Array, options: MemoryRunOptions): Promise<Record<string, number>> {
    const { model, evaluation } = evaluationGraph(withGlueMetrics(this.#task, options.glue), this.#fresh);
    await using session = await this.#session("eval", model, options);
    return await evaluateTheta(session, evaluation, examples, theta, options);
  }

  async #predicting(options: MemoryRunOptions): Promise<{ readonly session: GraphSession; readonly perToken: ReadonlySet<string> }> {
    const { provider = "cpu" } = options;
    if (this.#predictor?.provider !== provider) {
      await this.#release();
      const model = trainingGraph("eval", this.#task, this.#fresh);
      this.#predictor = { session: await this.#session("eval", model, options), provider, perToken: perTokenOutputs(model.graph) };
    }
    return this.#predictor;
  }

  async #session(kind: string, model: Model, { threads, provider, optimize }: RunOptions & Pick<SessionOptions, "optimize">): Promise<GraphSession> {
    const { name, externalData, locate } = this.#opened;
    // onnxruntime-web takes the base's weights from where they lie; elsewhere they are copied into the graph.
    const shared = this.#runtime.env?.versions.web === undefined ? {} : { externalData, save: { reference: locate } };
    return await GraphSession.create(this.#runtime, model, { name: `${kind} graph of ${name}`, threads, provider, optimize, ...shared });
  }

  async #release(): Promise<void> {
    const held = this.#predictor;
    this.#predictor = undefined;
    await held?.session[Symbol.asyncDispose]();
  }
}

function thetaFeed(theta: Float32Array): ReadonlyMap<string, Feed> {
  return new Map([["theta", { dataType: DataType.FLOAT, dims: [theta.length], data: theta }]]);
}

/** Lets everything else have its turn: a runtime in WASM only pretends to wait. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, 0); });
}
