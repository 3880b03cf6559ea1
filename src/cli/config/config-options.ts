/** Which options a config file may hold, and where: at the top for every verb that has them, or in a verb's own section. Derived from the flags. */
import type { Command } from "../command.ts";
import type { Flag } from "../flag.ts";

/** Flags by the option that each one sets. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The options of the file's top. What a verb reads and writes is that verb's business alone: `fold` must not take the output of `train`. Nor can an option have the name of a section. */
export function sharedOptions(commands: readonly Command[]): Flags {
  const sections = commands.map(({ name }): string => name);
  const shared: Record<string, Flag<unknown>> = {};
  for (const { flags } of commands) {
    for (const [option, flag] of Object.entries(flags)) if (flag.group !== "Files:" && !sections.includes(option)) shared[option] ??= flag;
  }
  return shared;
}

/** Verbs that have an option. */
export function verbsWith(option: string, commands: readonly Command[]): string[] {
  return commands.filter(({ flags }) => Object.hasOwn(flags, option)).map(({ name }) => name);
}
