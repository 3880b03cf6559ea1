/** Which options are in force, and where each comes from: flags win over the config file. */
import type { Command } from "../command.ts";
import type { Request } from "../program.ts";

/** What a config file has for one verb. */
export interface ConfigOptions {
  /** As messages name it. */
  readonly file: string;
  readonly model: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Where a value comes from. */
export type Origin = "flag" | "file";

/** What holds for a command. */
export interface InForce {
  readonly command: Command;
  /** The config file; undefined where there is none. */
  readonly file: string | undefined;
  /** MODEL; undefined where it is not given, or not taken. */
  readonly model: { readonly value: string; readonly from: Origin } | undefined;
  /** Options, by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly from: ReadonlyMap<string, Origin>;
}

/** Flags, and what the file adds to them. An option of the file that contradicts a flag is left out, like one that the flag itself gives. */
export function inForce({ command, words, given }: Request, config: ConfigOptions | undefined): InForce {
  const [word] = words;
  const model = command.takes === "model" ? word ?? config?.model : undefined;
  const contradicts = (option: string): boolean => command.contradictions.some((pair) => pair.includes(option) && pair.some((other) => other !== option && given[other] !== undefined));
  const added = Object.entries(config?.values ?? {}).filter(([option, value]) => given[option] === undefined && !contradicts(option) && !isUnset(command, option, value));
  return {
    command, file: config?.file, model: model === undefined ? undefined : { value: model, from: word === undefined ? "file" : "flag" },
    values: { ...Object.fromEntries(added), ...given },
    from: new Map([...added.map(([option]) => [option, "file"] as const), ...Object.keys(given).map((option) => [option, "flag"] as const)]),
  };
}

/** Whether the value says no more than an absent flag does: `force: false`, but not `shuffle: false`. */
function isUnset(command: Command, option: string, value: unknown): boolean {
  return value === false && command.flags[option]?.flags.startsWith("--no-") !== true;
}
