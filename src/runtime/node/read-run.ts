/** A run's folder → what a report tells of the run, as far as the folder alone tells it. */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { noRun } from "../../errors/runtime.ts";
import { methodNamed } from "../../methods/registry.ts";
import { CONFIG_FILE } from "../adapter/peft-config.ts";
import type { RunOrigin } from "../report/group-runs.ts";
import type { ReportedRun } from "../report/report-data.ts";
import { thinCurve } from "../report/thin-curve.ts";
import { requireFolder } from "./folder.ts";
import { readAdapterFolder } from "./peft-folder.ts";
import { classesIn, RunFolder } from "./run-folder.ts";

/** A run that was read. Its operations aren't counted yet. */
export interface ReadRun {
  readonly run: ReportedRun;
  readonly origin: RunOrigin;
  /** The adapter that the run wrote; undefined where it isn't done. */
  readonly adapter: string | undefined;
  /** Whether it went on from what a training elsewhere saved. */
  readonly begunElsewhere: boolean;
}

/** What a step or an evaluation is told by, and how long it took, is no figure of the model. */
const NO_FIGURE = /^eval_(?:runtime|samples|classes|steps_per_second|samples_per_second)$/;

/** Throws FOLDER_MISSING, NOT_A_FOLDER, NO_RUN, JSON_BROKEN, RUN_FILE_BROKEN. */
export function readRun(path: string): ReadRun {
  requireFolder(path);
  const folder = new RunFolder(path);
  const file = folder.readRun();
  if (file === undefined) throw noRun(path);
  const { settings, hashes } = file;
  const results = folder.readResults();
  const finished = results !== undefined && existsSync(join(folder.adapter, CONFIG_FILE));
  const { method, rank } = methodOf(settings, finished ? folder.adapter : settings["adapter"]);
  const log = folder.log.steps();
  const evaluations = folder.log.evaluations().map(numbersIn);
  const told = results ?? {};
  const figure = (name: string): number | null => { const value = told[name]; return typeof value === "number" && Number.isFinite(value) ? value : null; };
  const [tokens, samples] = [figure("train_tokens_per_second"), figure("train_samples_per_second")];
  const model = file["model"];
  const trainableParams = file["trainableParams"];
  return {
    origin: { modelBytes: file["modelBytes"], hashes }, adapter: finished ? folder.adapter : undefined, begunElsewhere: file.begunWith !== undefined,
    run: {
      folder: path, name: basename(resolve(path)), model: typeof model === "string" ? model : "a model without a name", method, rank, seed: typeof settings["seed"] === "number" ? settings["seed"] : 0, settings, finished,
      steps: figure("steps") ?? (log.at(-1)?.["step"] ?? 0), bestStep: figure("best_step"), trainableParams: typeof trainableParams === "number" ? trainableParams : null,
      seconds: figure("train_runtime"), tokensPerSecond: tokens, tokensPerRecord: tokens !== null && samples !== null && samples > 0 ? tokens / samples : null, flops: null,
      curve: thinCurve(log), evaluations, metrics: figuresIn(finished ? told : evaluations.at(-1) ?? {}), classes: classesIn(told),
    },
  };
}

/** What trains: a run that began with an adapter has its method and rank from that. */
function methodOf(settings: Readonly<Record<string, unknown>>, adapter: unknown): { method: string; rank: number | null } {
  const { method, rank } = settings;
  if (typeof method === "string") return { method, rank: typeof rank === "number" ? rank : null };
  if (typeof adapter !== "string" || !existsSync(join(adapter, CONFIG_FILE))) return { method: "adapter", rank: null };
  const found = readAdapterFolder(adapter);
  return { method: found.method, rank: methodNamed(found.method).takes.includes("rank") ? found.rank : null };
}

/** The numbers of a record; null, which JSON has for NaN, where a figure has no value. */
function numbersIn(record: Readonly<Record<string, unknown>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(record).filter((entry): entry is [string, number | null] => typeof entry[1] === "number" || entry[1] === null));
}

function figuresIn(record: Readonly<Record<string, unknown>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(numbersIn(record)).filter(([name]) => name.startsWith("eval_") && !NO_FIGURE.test(name)));
}
