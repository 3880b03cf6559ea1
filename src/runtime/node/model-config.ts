/** What a model's config.json says that matters here: the names of its classes, and what the logits say of them. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ProblemName } from "../options.ts";
import { problemOfType } from "../tasks/problem.ts";
import { readJson } from "./tokenizer-files.ts";

/** A file that travels with a model: beside it, or in the folder above; undefined where there is none. */
export function companionFile(modelPath: string, name: string): string | undefined {
  return [join(dirname(modelPath), name), join(dirname(modelPath), "..", name)].find((path) => existsSync(path));
}

/** config.json as it stands beside a model; undefined where it is missing or holds no object. */
export function openConfig(modelPath: string): Readonly<Record<string, unknown>> | undefined {
  const file = companionFile(modelPath, "config.json");
  const config = file === undefined ? undefined : readJson(file);
  return typeof config === "object" && config !== null && !Array.isArray(config) ? (config as Record<string, unknown>) : undefined;
}

/** The classes' names in order, from `id2label`; undefined where config.json is missing or doesn't number them from 0 without gaps. */
export function labelsOfConfig(modelPath: string): string[] | undefined {
  const id2label = openConfig(modelPath)?.["id2label"];
  if (typeof id2label !== "object" || id2label === null) return undefined;
  const names = Object.entries(id2label).sort(([a], [b]) => Number(a) - Number(b));
  return names.every(([id, name], i) => id === String(i) && typeof name === "string") ? names.map(([, name]) => String(name)) : undefined;
}

/** What a classifier was trained for, from `problem_type`; undefined where config.json doesn't tell. */
export function problemOfConfig(modelPath: string): ProblemName | undefined {
  return problemOfType(openConfig(modelPath)?.["problem_type"]);
}
