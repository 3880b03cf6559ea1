/** What a model's config.json says that matters here: the names of its classes. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ProblemName } from "../options.ts";
import { PROBLEMS } from "../tasks/problem.ts";
import { readJson } from "./tokenizer-files.ts";

/** A file that travels with a model: beside it, or in the folder above; undefined where there is none. */
export function companionFile(modelPath: string, name: string): string | undefined {
  return [join(dirname(modelPath), name), join(dirname(modelPath), "..", name)].find((path) => existsSync(path));
}

/** The problem that `problem_type` names; undefined where config.json is missing or says none that we know. */
export function problemOfConfig(modelPath: string): ProblemName | undefined {
  const file = companionFile(modelPath, "config.json");
  const config = file === undefined ? undefined : readJson(file);
  if (typeof config !== "object" || config === null || !("problem_type" in config)) return undefined;
  return PROBLEMS.find(({ hubName }) => hubName === config.problem_type)?.name;
}

/** The classes' names in order, from `id2label`; undefined where config.json is missing or doesn't number them from 0 without gaps. */
export function labelsOfConfig(modelPath: string): string[] | undefined {
  const file = companionFile(modelPath, "config.json");
  const config = file === undefined ? undefined : readJson(file);
  if (typeof config !== "object" || config === null || !("id2label" in config)) return undefined;
  const { id2label } = config;
  if (typeof id2label !== "object" || id2label === null) return undefined;
  const names = Object.entries(id2label).sort(([a], [b]) => Number(a) - Number(b));
  return names.every(([id, name], i) => id === String(i) && typeof name === "string") ? names.map(([, name]) => String(name)) : undefined;
}
