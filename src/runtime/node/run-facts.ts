/** What a run folder tells of the adapter in it, for a model card. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { METRICS } from "../metric-names.ts";
import { TOLD_SETTINGS, type RunFacts } from "../model-folder/model-card.ts";
import { readJson } from "./json-file.ts";

/** `eval_accuracy` is a metric; `eval_runtime` and `eval_samples` are none. */
const METRIC = /^eval_(.+)$/;

/** Undefined where the adapter lies in no run folder, or in that of a run which isn't done: the adapter is an older run's then. Throws JSON_BROKEN. */
export function runFacts(adapter: string): RunFacts | undefined {
  const folder = dirname(resolve(adapter));
  const run = objectIn(join(folder, "run.json"));
  const settings = run?.["settings"];
  const told = objectIn(join(folder, "all_results.json"));
  if (basename(resolve(adapter)) !== "adapter" || !isObject(settings) || told === undefined) return undefined;
  const file = (key: string): string | undefined => { const named = settings[key]; return typeof named === "string" ? basename(named) : undefined; };
  const numbers = (values: Readonly<Record<string, unknown>>): [string, number][] => Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  const results = numbers(told);
  return {
    train: file("train"), dev: file("dev"),
    settings: Object.fromEntries(numbers(settings).filter(([key]) => key in TOLD_SETTINGS)),
    metrics: Object.fromEntries(results.flatMap(([name, value]) => {
      const metric = METRIC.exec(name)?.[1];
      return metric === undefined || !Object.hasOwn(METRICS, metric) ? [] : [[metric, value]];
    })),
  };
}

function objectIn(file: string): Readonly<Record<string, unknown>> | undefined {
  const value = existsSync(file) ? readJson(file) : undefined;
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
