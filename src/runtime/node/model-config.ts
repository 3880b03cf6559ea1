/** What a model's config.json says that matters here: the names of its classes, and what the logits say of them. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isObject, labelsIn, problemIn, type Json } from "../model-folder/config-json.ts";
import type { ProblemName } from "../options.ts";
import { isInside } from "./external-data.ts";
import { readJson } from "./json-file.ts";

/**
 * A file that travels with a model: beside it, or in the folder above; undefined where there is none. As with external data, a link is followed when it ends in
 * its own folder or where the graph itself really lies; another is none of the model's.
 */
export function companionFile(modelPath: string, name: string): string | undefined {
  return [join(dirname(modelPath), name), join(dirname(modelPath), "..", name)].find((path) => existsSync(path) && isOwn(path, dirname(path), modelPath));
}

/** Whether a file, links followed, lies in `folder` or where the model itself really lies. */
export function isOwn(path: string, folder: string, modelPath: string): boolean {
  const real = realpathSync(path);
  return isInside(real, realpathSync(folder)) || isInside(real, dirname(realpathSync(modelPath)));
}

/** config.json as it stands beside a model; undefined where it is missing or holds no object. */
export function openConfig(modelPath: string): Json | undefined {
  const file = companionFile(modelPath, "config.json");
  const config = file === undefined ? undefined : readJson(file);
  return isObject(config) ? config : undefined;
}

/** The classes' names in order, from the config.json beside a model; undefined where it doesn't tell. */
export function labelsOfConfig(modelPath: string): string[] | undefined {
  return labelsIn(openConfig(modelPath));
}

/** What a classifier was trained for, from the config.json beside it; undefined where it doesn't tell. */
export function problemOfConfig(modelPath: string): ProblemName | undefined {
  return problemIn(openConfig(modelPath));
}

/** What ends a text by generation_config.json, else by config.json: one id or several; none where neither tells. */
export function eosOfConfig(modelPath: string): number[] {
  const file = companionFile(modelPath, "generation_config.json");
  const generation = file === undefined ? undefined : readJson(file);
  const told = (isObject(generation) ? generation["eos_token_id"] : undefined) ?? openConfig(modelPath)?.["eos_token_id"];
  return (Array.isArray(told) ? told : [told]).filter((id: unknown): id is number => Number.isSafeInteger(id));
}
