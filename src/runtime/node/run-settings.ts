/** The settings of a training run that its steps depend on: kept in run.json, read back and compared on resume. */
import { quote } from "../../errors/hut-error.ts";
import { resumeContradicts, runFileBroken } from "../../errors/runtime.ts";
import { DEFAULTS, GLUE, PROBLEMS, SCHEDULERS, TASKS, type TrainOptions } from "../options.ts";
import { EMBEDDING_POOLINGS } from "../../passes/attach-contrastive.ts";
import { POOLINGS } from "../../passes/attach-head.ts";
import type { Prepared } from "../prepare.ts";
import type { Schedule } from "../schedule.ts";

/** As run.json holds them. */
export type RunSettings = Readonly<Record<string, string | number | boolean | null | readonly string[] | readonly number[]>>;

/** Whether a value that somebody may have edited is one, and what it should be. */
interface Kind {
  readonly is: (value: unknown) => boolean;
  readonly words: string;
}

const text: Kind = { is: (v) => typeof v === "string" && v !== "", words: "a text" };
const texts: Kind = { is: (v) => Array.isArray(v) && v.every((entry) => text.is(entry)), words: "a list of texts" };
const toggle: Kind = { is: (v) => typeof v === "boolean", words: "true or false" };
const oneOf = (known: readonly string[]): Kind => ({ is: (v) => known.some((word) => word === v), words: `one of ${known.join(", ")}` });
const number = (words: string, inRange: (n: number) => boolean): Kind => ({ is: (v) => typeof v === "number" && Number.isFinite(v) && inRange(v), words });
const count = number("a whole number of at least 1", (n) => Number.isSafeInteger(n) && n >= 1);
const whole = number("a whole number of at least 0", (n) => Number.isSafeInteger(n) && n >= 0);
const notNegative = number("a number of at least 0", (n) => n >= 0);

const rate = number("a number from 0 to below 1", (n) => n >= 0 && n < 1);

/** The options that a run's steps depend on. */
const SETTINGS = {
  task: oneOf(TASKS), problem: oneOf(PROBLEMS), pooling: oneOf(EMBEDDING_POOLINGS), loss: text, train: text, dev: text, targetModules: texts, method: text, rank: count, alpha: number("a number greater than 0", (n) => n > 0), rslora: toggle,
  modulesToSave: texts, head: oneOf(POOLINGS), numLabels: count, adapter: text, outputName: text, tokenizer: text, glue: oneOf(GLUE), textColumn: texts, labelColumn: text, maskPrompt: toggle, batchSize: count, maxSeqLength: count, lr: notNegative,
  weightDecay: notNegative, maxGradNorm: notNegative, epochs: count, maxSteps: count, lrScheduler: oneOf(SCHEDULERS), warmupRatio: number("a number from 0 to 1", (n) => n >= 0 && n <= 1),
  shuffle: toggle, seed: whole, evalSteps: count, saveSteps: count, saveTotalLimit: count, patience: count,
  bestMetric: { is: (v) => text.is(v) || toggle.is(v), words: "a figure's name, or true" },
  gradAccumulationSteps: count, labelSmoothing: number("a number from 0 to 1", (n) => n >= 0 && n <= 1), decayExempt: toggle, lrGroups: texts, adapterDropout: rate, headDropout: rate,
  classWeights: { is: (v) => v === "balanced" || (Array.isArray(v) && v.every((n) => typeof n === "number" && Number.isFinite(n) && n >= 0)), words: "balanced, or a list of numbers of at least 0" },
} as const satisfies Partial<Record<keyof TrainOptions, Kind>>;
const NAMES = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];

/** What run.json keeps: what was given, and the defaults that were in force. */
export function settingsOf(options: TrainOptions, { method }: Prepared, schedule: Schedule): RunSettings {
  const given = Object.fromEntries(Object.entries(settingsGiven(options)).filter(([, value]) => value !== undefined)) as RunSettings;
  const adapter = options.adapter === undefined 
    ? { method: method.name, ...(method.takes.includes("rank") ? { rank: DEFAULTS.rank } : {}), ...(method.trains === undefined ? { targetModules: DEFAULTS.targetModules } : {}) } : {};
  return { task: DEFAULTS.task, batchSize: DEFAULTS.batchSize, maxSeqLength: DEFAULTS.maxSeqLength, weightDecay: DEFAULTS.weightDecay, maxGradNorm: DEFAULTS.maxGradNorm,
    lrScheduler: DEFAULTS.lrScheduler, warmupRatio: DEFAULTS.warmupRatio, shuffle: true, seed: DEFAULTS.seed, gradAccumulationSteps: DEFAULTS.gradAccumulationSteps, lr: schedule.lr,
    ...(options.maxSteps === undefined ? { epochs: DEFAULTS.epochs } : {}), ...adapter, ...given };
}

/** The options that a run's settings stand for. */
export function fromSettings(settings: RunSettings): Partial<TrainOptions> {
  return Object.fromEntries(NAMES.flatMap((name) => (name in settings ? [[name, settings[name]]] : [])));
}

/** The settings in run.json, checked: somebody may have edited it. Throws RUN_FILE_BROKEN. */
export function checkedSettings(value: unknown, file: string): RunSettings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw runFileBroken(file, "it has no settings");
  for (const [name, kind] of Object.entries(SETTINGS)) {
    if (name in value && !kind.is((value as Record<string, unknown>)[name])) {
      throw runFileBroken(file, `its setting ${name} is ${quote(JSON.stringify((value as Record<string, unknown>)[name]))}, and should be ${kind.words}`);
    }
  }
  if (!("train" in value)) throw runFileBroken(file, "its settings name no training data");
  return value as RunSettings;
}

/** Throws RESUME_CONTRADICTS where a setting given for a resumed run isn't the run's. */
export function compareSettings(before: RunSettings, given: TrainOptions): void {
  for (const [name, value] of Object.entries(settingsGiven(given))) {
    if (value === undefined || JSON.stringify(before[name]) === JSON.stringify(value)) continue;
    throw resumeContradicts(name, JSON.stringify(value), name in before ? JSON.stringify(before[name]) : "nothing");
  }
}

function settingsGiven(options: TrainOptions): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name) => [name, options[name]]));
}
