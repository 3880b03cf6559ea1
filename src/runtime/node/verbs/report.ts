/** `report`: what runs did, as one HTML file. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { HutError, quote } from "../../../errors/hut-error.ts";
import { methodNamed } from "../../../methods/registry.ts";
import { costOf } from "../../cost-of.ts";
import { withGlue, withGlueMetrics } from "../../data/glue.ts";
import { longestSequence } from "../../examples-of.ts";
import { greaterIsBetter, type MainMetric } from "../../metric-names.ts";
import { DEFAULTS, type EvaluateOptions, type ReportOptions, type TrainOptions } from "../../options.ts";
import { groupRuns } from "../../report/group-runs.ts";
import { reportPage } from "../../report/page.ts";
import type { ExaminedRun, ReportData, ReportedRun, RunGroup } from "../../report/report-data.ts";
import type { ReportResult } from "../../results.ts";
import type { PrepareOptions } from "../../prepare.ts";
import type { OnnxRuntime } from "../../session.ts";
import { taskNamed } from "../../tasks/registry.ts";
import { requireWritable, writeFileAtomic } from "../atomic-write.ts";
import { fileHash } from "../file-hash.ts";
import { inputFiles, refuseInputsAsOutputs } from "../input-files.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { packageVersion } from "../own-package.ts";
import { readRun, type ReadRun } from "../read-run.ts";
import { RunFolder } from "../run-folder.ts";
import { checkedSettings, fromSettings } from "../run-settings.ts";
import { openAdapter } from "./adapt.ts";
import { mistakesOf, weightsOf, wordsOf, type Examination } from "./examine-run.ts";
import { taskOf } from "./task-of.ts";

/** The page's name where none is given. */
const PAGE = "report.html";

/** Reads runs, counts and runs what the folders don't tell, and writes the page. What can't be had is left out, and the page says why. */
export async function report(folders: readonly string[], options: ReportOptions = {}, runtime?: OnnxRuntime): Promise<ReportResult> {
  const started = performance.now();
  const output = options.output ?? PAGE;
  const distinct = folders.filter((folder, i) => folders.findIndex((other) => resolve(other) === resolve(folder)) === i);
  const read = distinct.map(readRun);
  refuseInputsAsOutputs([output], [...distinct.flatMap((folder) => new RunFolder(folder).places.files), ...read.flatMap(dataFiles)]);
  requireWritable(output);
  const notes = new Notes(options);
  using models = new Models(read, options);
  for (const opened of models.all()) refuseInputsAsOutputs([output], inputFiles(opened, options));
  for (const why of models.missing()) notes.add(why);
  const runs = countFlops(read, models, notes);
  const groups = groupRuns(runs, read.map(({ origin }) => origin));
  const metric = metricOf(read, models);
  const examined: ExaminedRun[] = [];
  const chosen = toExamine(runs, groups, metric);
  for (const [done, i] of chosen.entries()) {
    options.signal?.throwIfAborted();
    options.onProgress?.({ phase: "examining", done, total: chosen.length, unit: "runs" });
    const each = read[i];
    const opened = each === undefined ? undefined : models.of(each);
    if (each !== undefined && opened !== undefined) examined.push({ run: i, ...await examine(each, opened, options, notes, runtime) });
  }
  const data: ReportData = { metric, runs, groups, examined, notes: notes.all };
  const bytesWritten = writeFileAtomic(output, [new TextEncoder().encode(await reportPage(data, packageVersion()))]);
  return { ...data, output, bytesWritten, seconds: (performance.now() - started) / 1000 };
}

/** The data files that a run names. */
function dataFiles({ run: { settings } }: ReadRun): string[] {
  return ["train", "dev", "loss"].map((name) => settings[name]).filter((file) => typeof file === "string");
}

/** What is left out, each said once. */
class Notes {
  readonly all: string[] = [];
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  add(note: string): void {
    if (this.all.includes(note)) return;
    this.all.push(note);
    this.#options.onNotice?.(note);
  }

  /** Makes what a page can do without; null, and a note, where our own errors say that it can't be had. */
  async orNote<T>(what: string, make: () => T | Promise<T>): Promise<T | null> {
    try {
      return await make();
    } catch (error) {
      this.failed(what, error);
      return null;
    }
  }

  /** Notes what was thrown; throws on what is no error of ours, and Ctrl-C. */
  failed(what: string, error: unknown): void {
    if (!(error instanceof HutError) || error.exitCode === 130) throw error;
    this.add(`${what}: ${error.message}`);
  }
}

/** The base models of runs, each opened once. */
class Models implements Disposable {
  readonly #opened = new Map<string, OpenedModel>();
  readonly #given: string | undefined;
  readonly #read: readonly ReadRun[];

  /** Throws what openModel throws of a model that the user named. */
  constructor(read: readonly ReadRun[], { model }: ReportOptions) {
    this.#given = model;
    this.#read = read;
    for (const each of read) this.#open(this.#pathOf(each));
  }

  /** Undefined where there is none. */
  of(run: ReadRun): OpenedModel | undefined {
    return this.#opened.get(this.#pathOf(run));
  }

  all(): OpenedModel[] {
    return [...this.#opened.values()];
  }

  /** What is to be said of models that aren't there. */
  missing(): string[] {
    return [...new Set(this.#read.filter((run) => this.of(run) === undefined).map(({ run }) => `Operations, mistakes and weights of runs on ${quote(run.model)}: the model isn't there. Say where it is with --model.`))];
  }

  #pathOf({ run }: ReadRun): string {
    return this.#given ?? run.model;
  }

  #open(path: string): void {
    if (!this.#opened.has(path) && (this.#given !== undefined || existsSync(path))) this.#opened.set(path, openModel(path));
  }

  [Symbol.dispose](): void {
    for (const opened of this.#opened.values()) opened[Symbol.dispose]();
  }
}

/** The run's settings as options of a verb. */
function optionsOf({ run }: ReadRun, { tokenizer }: ReportOptions): Partial<TrainOptions> {
  const settings = fromSettings(checkedSettings(run.settings, join(run.folder, "run.json")));
  return withGlue({ ...settings, ...(tokenizer === undefined ? {} : { tokenizer }) });
}

/** The runs, with the operations of their steps: those of a step of full batches of records of the mean length, times steps. Runs of equal settings are counted once. */
function countFlops(read: readonly ReadRun[], models: Models, notes: Notes): ReportedRun[] {
  const known = new Map<string, number>();
  return read.map((each): ReportedRun => {
    const { run } = each;
    const opened = models.of(each);
    if (opened === undefined || run.tokensPerRecord === null || run.steps === 0) return run;
    try {
      const options = optionsOf(each, {});
      const batchSize = options.batchSize ?? DEFAULTS.batchSize;
      const length = Math.max(1, Math.min(Math.round(run.tokensPerRecord), longestSequence(opened.loadInlined().graph)));
      const { targetModules, modulesToSave, head, numLabels, outputName, alpha, rslora } = options;
      const targets = { targetModules, modulesToSave, head, numLabels, outputName, alpha, rslora };
      const key = JSON.stringify([opened.path, run.method, run.rank, batchSize, length, options.task, options.problem, targets]);
      const step = known.get(key) ?? costOf({ load: () => opened.load(), task: taskOf(opened, options, undefined), options: targets, batchSize, length }, methodNamed(run.method), run.rank).stepFlops;
      known.set(key, step);
      return { ...run, flops: step * (options.gradAccumulationSteps ?? 1) * run.steps };
    } catch (error) {
      notes.failed(`Operations of ${run.name}`, error);
      return run;
    }
  });
}

/** What the first run that was evaluated goes by: what it was asked for, else its task's; the loss where it has neither. */
function metricOf(read: readonly ReadRun[], models: Models): MainMetric | null {
  const first = read.find(({ run }) => Object.keys(run.metrics).length > 0);
  if (first === undefined) return null;
  const { bestMetric, glue, task, problem, pooling } = optionsOf(first, {});
  const named = typeof bestMetric === "string" ? `eval_${bestMetric.replace(/^eval_/, "")}` : undefined;
  if (named !== undefined && named in first.run.metrics) return { name: named, greaterIsBetter: greaterIsBetter(named) };
  const opened = models.of(first);
  const { mainMetric } = opened === undefined ? withGlueMetrics(taskNamed({ task, problem, pooling }), glue) : taskOf(opened, { task, problem, pooling, glue }, undefined);
  return mainMetric.name in first.run.metrics ? mainMetric : { name: "eval_loss", greaterIsBetter: false };
}

/** Of each method the run with the best figure; the first where there is none. Runs that aren't done have no adapter to examine. */
function toExamine(runs: readonly ReportedRun[], groups: readonly RunGroup[], metric: MainMetric | null): number[] {
  const worth = (i: number): number => { const value = metric === null ? null : runs[i]?.metrics[metric.name] ?? null; return value === null ? -Infinity : metric?.greaterIsBetter === false ? -value : value; };
  const methods = [...new Set(groups.map(({ method }) => method))];
  return methods.flatMap((method) => {
    const own = runs.map((_, i) => i).filter((i) => runs[i]?.method === method && runs[i].finished);
    const [first, ...others] = own;
    return first === undefined ? [] : [others.reduce((best, i) => (worth(i) > worth(best) ? i : best), first)];
  });
}

async function examine(each: ReadRun, opened: OpenedModel, options: ReportOptions, notes: Notes, runtime: OnnxRuntime | undefined): Promise<Omit<ExaminedRun, "run">> {
  const { run, adapter } = each;
  const settings = optionsOf(each, options);
  const data = options.data ?? settings.dev;
  if (adapter === undefined) return { confusion: null, worst: null, correlations: null, attributions: null };
  const { task, problem, pooling, glue, tokenizer, textColumn, labelColumn, maxSeqLength, batchSize, outputName } = settings;
  const asked: EvaluateOptions = {
    data: data ?? "", adapter, task, problem, pooling, glue, tokenizer, textColumn, labelColumn, maxSeqLength, batchSize, outputName,
    threads: options.threads, provider: options.provider, signal: options.signal, onProgress: options.onProgress,
  };
  // What the user names is there, and fits, or it is an error.
  const isNamed = [options.model, options.data, options.tokenizer].some((name) => name !== undefined);
  const orNote = async <T>(what: string, make: () => Promise<T>): Promise<T | null> => (isNamed ? await make() : await notes.orNote(what, make));
  const begun = await notes.orNote(`What ${run.name} began with`, () => begunWith(each, opened, settings));
  const examination: Examination = { opened, asked, begun: begun ?? undefined, shown: options.examples ?? DEFAULTS.examples, runtime };
  const correlations = await orNote(`Weights of ${run.name}`, () => weightsOf(examination));
  const what = `Mistakes of ${run.name}`;
  const found = { confusion: null, worst: null, correlations, attributions: null };
  if (data === undefined) {
    notes.add(`${what}: the run had no dev set. Name labelled data with --data.`);
    return found;
  }
  if (options.data === undefined && existsSync(data) && each.origin.hashes?.["dev"] !== fileHash(data)) {
    notes.add(`${what}: ${quote(data)} has changed since the run. Name the data with --data.`);
    return found;
  }
  const mistakes = await orNote(what, () => mistakesOf(examination));
  if (mistakes === null) return found;
  if (mistakes === undefined) {
    notes.add(`${what}: they are drawn of classifiers with one class a record, and this run's task is another.`);
    return found;
  }
  const attributions = examination.shown === 0 ? null : await notes.orNote(`Words of ${run.name}`, () => wordsOf(examination, mistakes.predictions));
  return { correlations, confusion: mistakes.confusion, worst: mistakes.worst, attributions };
}

/** How the run prepared its model. Null where it began with what a training elsewhere saved, which is no part of the run. Throws where the adapter that it began with is gone. */
function begunWith(each: ReadRun, opened: OpenedModel, settings: Partial<TrainOptions>): PrepareOptions | null {
  const { targetModules, method, rank, alpha, rslora, modulesToSave, head, numLabels, outputName, seed } = settings;
  if (each.begunElsewhere) return null;
  const adapter = openAdapter(settings.adapter);
  return { targetModules, method, rank, alpha, rslora, modulesToSave, head, numLabels, outputName, seed, adapter, saveHead: taskOf(opened, { ...settings, loss: undefined }, adapter).savesHead };
}
