/** Reads a config file, as a program or as text, into the options for one verb. */
import { dirname, extname, relative, resolve } from "node:path";
import { parseDocument } from "yaml";
import { configBroken, configEndingUnknown } from "../../errors/config.ts";
import { parseStrictJson, type JsonValue } from "../../runtime/adapter/strict-json.ts";
import { readTextFile } from "../../runtime/node/file-source.ts";
import type { Command } from "../command.ts";
import { checkConfig, type ConfigValues } from "./check-config.ts";
import { sharedOptions, type Flags } from "./config-options.ts";
import { CONFIG_ENDINGS } from "./find-config.ts";
import type { ConfigOptions } from "./in-force.ts";
import { plainValues } from "./plain-values.ts";
import { runConfig } from "./run-config.ts";

/** Longest config file that is read. All options together take less than 10 kB. */
const MAX_CONFIG_BYTES = 1024 * 1024;
/** Most nodes that the aliases of a YAML file may stand for, each the number of times that it is used. A file of options needs none. */
const MAX_ALIASES = 100;

/** The options that a file has for a verb: those of its section, then those at its top. Throws FILE_MISSING and its like, JSON_BROKEN, CONFIG_…. */
export async function readConfig(file: string, cwd: string, command: Command, commands: readonly Command[]): Promise<ConfigOptions> {
  const path = resolve(cwd, file);
  const values = checkConfig(await valueOf(file, path), file, commands);
  const here = (place: string): string => relative(cwd, resolve(dirname(path), place)) || ".";
  const section = (values[command.name] ?? {}) as ConfigValues;
  const shared = sharedOptions(commands);
  const top = Object.fromEntries(Object.entries(values).filter(([option]) => Object.hasOwn(shared, option) && Object.hasOwn(command.flags, option)));
  return { file, model: values["model"] === undefined ? undefined : here(values["model"] as string), values: withPaths({ ...top, ...section }, command.flags, here) };
}

/** Paths in the file are relative to it. Here they become relative to the working folder, as a flag would give them. */
function withPaths(values: ConfigValues, flags: Flags, here: (place: string) => string): ConfigValues {
  const isPath = (option: string): boolean => { const kind = flags[option]?.kind; return kind?.type === "text" && kind.path; };
  return Object.fromEntries(Object.entries(values).map(([option, value]) => [option, typeof value === "string" && isPath(option) ? here(value) : value]));
}

function valueOf(file: string, path: string): unknown {
  const ending = extname(path).toLowerCase();
  if (!CONFIG_ENDINGS.includes(ending)) throw configEndingUnknown(file, CONFIG_ENDINGS);
  const text = readTextFile(path, MAX_CONFIG_BYTES);
  switch (ending) {
    case ".json": return plainValues(withoutMaps(parseStrictJson(text, file)));
    case ".yaml": case ".yml": return plainValues(yamlValue(text, file));
    default: return runConfig(file, path);
  }
}

/** A strict JSON value whose Maps are objects. */
function withoutMaps(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(withoutMaps);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, inner]) => [key, withoutMaps(inner)]));
}

/** c12 would read YAML itself, with a parser that takes doubled keys' last one and aliases without end. */
function yamlValue(text: string, file: string): unknown {
  try {
    const document = parseDocument(text, { logLevel: "error", prettyErrors: true, stringKeys: true });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw configBroken(file, firstLine(problem.message), problem);
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // What aliases stand for is counted late, and a file of nothing but brackets overflows the parser's stack.
    if (error instanceof ReferenceError || error instanceof RangeError) throw configBroken(file, firstLine(error.message), error);
    throw error;
  }
}

function firstLine(message: string): string {
  return (message.split("\n", 1)[0] ?? "").replace(/[.:]$/, "");
}
