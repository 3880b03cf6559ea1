/** Holds what a config file gave against the schema, and says what is wrong in the words that flags use. */
import { configKeyUnknown, configNoOptions, configValueWrong } from "../../errors/config.ts";
import { list } from "../../errors/hut-error.ts";
import type { Command } from "../command.ts";
import type { Flag, FlagKind } from "../flag.ts";
import { similar } from "../similar.ts";
import { sharedOptions, verbsWith, type Flags } from "./config-options.ts";
import { isPlain } from "./plain-values.ts";
import { configSchema, kindText } from "./schema.ts";

/** A config file's options. Objects have no prototype. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/** What is plain (plain-values.ts), as options. `file` names it in messages. Throws CONFIG_NO_OPTIONS, CONFIG_KEY_UNKNOWN, CONFIG_VALUE_WRONG. */
export function checkConfig(values: unknown, file: string, commands: readonly Command[]): ConfigValues {
  if (typeof values !== "object" || values === null || !isPlain(values)) throw configNoOptions(file, values);
  const { error } = configSchema(commands).safeParse(values);
  if (error === undefined) return values as ConfigValues;
  const unknown = error.issues.find((issue) => issue.code === "unrecognized_keys");
  if (unknown !== undefined) throw keyUnknown(file, unknown.keys[0] ?? "", unknown.path[0], commands);
  throw valueWrong(file, (error.issues[0]?.path ?? []).map(String), values, commands);
}

function keyUnknown(file: string, key: string, place: PropertyKey | undefined, commands: readonly Command[]): Error {
  const section = commands.find(({ name }) => name === place);
  const flags = section?.flags ?? sharedOptions(commands);
  const elsewhere = verbsWith(key, commands);
  if (elsewhere.length > 0) {
    const hint = section === undefined ? `It stands in the section of its verb: ${list(elsewhere, 20)}.` : `It is one of ${list(elsewhere)}.`;
    return configKeyUnknown(file, key, section?.name, undefined, hint);
  }
  return configKeyUnknown(file, key, section?.name, suggestion(key, flags, section === undefined ? ["model", ...commands.map(({ name }) => name)] : []), undefined);
}

/** The option meant by a key, which may be the flag's own word: "max-steps", "learningRate", "noShuffle". */
function suggestion(key: string, flags: Flags, others: readonly string[]): string | undefined {
  const words = new Map(others.map((word) => [word, word]));
  for (const [option, flag] of Object.entries(flags)) for (const word of [option, ...flagWords(flag)]) words.set(word, option);
  const camel = key.replace(/^-+/, "").replace(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());
  const near = words.has(camel) ? camel : similar(camel, [...words.keys()]);
  return near === undefined ? undefined : words.get(near);
}

/** "lr" and "learningRate" of "--lr, --learning-rate <number>". */
function flagWords({ flags }: Flag<unknown>): string[] {
  return [...flags.matchAll(/--([\w-]+)/g)].map(([, word = ""]) => word.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
}

function valueWrong(file: string, path: readonly string[], values: object, commands: readonly Command[]): Error {
  const [first = "", second] = path;
  const section = commands.find(({ name }) => name === first);
  if (section !== undefined && second === undefined) {
    const value = valueAt(values, [first]);
    const hint = typeof value === "string" && Object.hasOwn(section.flags, first) ? `Of ${first} the option ${first} is in it: ${first}: { ${first}: ${JSON.stringify(value.slice(0, 100))} }.` : undefined;
    return configValueWrong(file, first, value, `an object of options of \`onnx-hut ${first}\``, { hint });
  }
  const key = section === undefined ? [first] : [first, second ?? ""];
  const flag = section === undefined ? sharedOptions(commands)[first] : section.flags[second ?? ""];
  const kind: FlagKind = flag?.kind ?? { type: "text", path: first === "model", optional: false };
  const value = valueAt(values, key);
  const entry = path.length > key.length;
  const found = entry ? valueAt(values, path) : value;
  const near = "known" in kind && typeof found === "string" ? similar(found, kind.known) : undefined;
  return configValueWrong(file, key.join("."), found, kindText(kind), { entry, hint: near === undefined ? undefined : `Did you mean ${near}?` });
}

function valueAt(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined), values);
}
