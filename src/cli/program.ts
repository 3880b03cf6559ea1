/** The commands as a commander program: it parses words, and shows help. */
import { Command as Program, CommanderError, Option } from "commander";
import { flagsContradict, flagsNotGiven, flagUnknown, modelNotGiven, runNotGiven, valueNotGiven, verbNotGiven, verbUnknown, wordsLeftOver } from "../errors/usage.ts";
import type { HutError } from "../errors/hut-error.ts";
import type { Command } from "./command.ts";
import { flagName, flagUsage, type Flag, type FlagGroup } from "./flag.ts";
import { COMMON, CONFIG_FLAGS } from "./flags.ts";
import { similar } from "./similar.ts";

const GROUPS: readonly FlagGroup[] = ["Files:", "Which weights:", "Data:", "Training:", "Generating:", "Running:", "General:"];

/** What usage lines say of the words that are no flags. */
const USAGE: Readonly<Record<Command["takes"], readonly string[]>> = { model: ["MODEL"], runs: ["RUN…"], nothing: [] };

/** A command line that is right: which verb, on what, with which options. */
export interface Invocation {
  readonly command: Command;
  /** MODEL, or the folders of runs; none for a verb that takes nothing. */
  readonly words: readonly string[];
  /** The options whose flags were given, and no others. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What the words say, before a config file adds to it. */
export interface Request {
  readonly command: Command;
  /** Those that are no flags. */
  readonly words: readonly string[];
  /** The options whose flags were given. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly config: ConfigWish;
}

/** What the words say of the config file. */
export interface ConfigWish {
  /** The one to read; false for none, undefined for the one in the working folder. */
  readonly file: string | false | undefined;
  /** Only show what is in force. */
  readonly print: boolean;
}

export interface ProgramOptions {
  readonly version: string;
  /** Columns of help texts. */
  readonly width: number;
  /** Where help and the version go. */
  readonly write: (text: string) => void;
}

/** What the words ask for; undefined where they asked for help or the version, which is then written. Throws HutError (usage). */
export function parseCommandLine(words: readonly string[], commands: readonly Command[], options: ProgramOptions): Request | undefined {
  let request: Request | undefined;
  const asked = words[0] === "help" ? [...words.slice(1), "--help"] : words;
  checkVerb(asked, commands);
  const program = buildProgram(commands, options, (found) => { request = found; });
  try {
    program.parse(asked, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    throw error;
  }
  return request;
}

/** The help text of one verb, or of the program. */
export function helpText(commands: readonly Command[], verb: string | undefined, width: number): string {
  let shown = "";
  parseCommandLine(verb === undefined ? ["--help"] : [verb, "--help"], commands, { version: "", width, write: (text) => { shown += text; } });
  return shown;
}

const HELP_WORDS: readonly string[] = ["--help", "-h", "--version", "-V"];

/** Whether the first word that is no flag of the program itself is a verb. Commander answers `tarin --help` with the help of the whole. */
function checkVerb(words: readonly string[], commands: readonly Command[]): void {
  const verbs = commands.map((c) => c.name);
  const first = words.find((word) => !HELP_WORDS.includes(word) && !COMMON.some((flag) => flagName(flag.flags) === word));
  if (first === undefined && !words.some((word) => HELP_WORDS.includes(word))) throw verbNotGiven(verbs);
  // An unknown flag is commander's to refuse.
  if (first === undefined || first.startsWith("-") || verbs.some((verb) => verb === first)) return;
  throw verbUnknown(first, verbs, commands.find((c) => c.alsoCalled.includes(first.toLowerCase()))?.name ?? similar(first, verbs));
}

function buildProgram(commands: readonly Command[], { version, width, write }: ProgramOptions, onRequest: (request: Request) => void): Program {
  const program = new Program("onnx-hut")
    .commandsGroup("Verbs:")
    .optionsGroup("Flags:")
    .usage("VERB [MODEL] [flags]")
    .description("Fine-tunes ONNX transformers on stock ONNX Runtime by HUT, the Hadamard updated transformation, and merges the result back into the graph.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    // What is wrong, reportError says.
    .configureOutput({ writeOut: write, writeErr: () => undefined, getOutHelpWidth: () => width, getOutHasColors: () => false })
    .configureHelp({ subcommandTerm: (sub) => sub.name() })
    .addHelpText("after", "\n`onnx-hut VERB --help` shows a verb's flags and an example; every verb takes --json, --quiet and --verbose."
      + "\nExit codes: 0 done, 1 failed, 2 the command line is wrong, 130 after Ctrl-C.")
    .exitOverride((error) => { throw fromCommander(error, undefined); });
  // Taken before the verb as well as after it, where help shows them.
  for (const flag of COMMON) program.addOption(optionOf(flag).hideHelp());
  for (const command of commands) addVerb(program, command, width, onRequest);
  return program;
}

function addVerb(program: Program, command: Command, width: number, onRequest: (request: Request) => void): void {
  const flags = inHelpOrder([...Object.values(command.flags), ...COMMON, ...Object.values(CONFIG_FLAGS)]);
  const options = new Map(flags.map((flag) => [flag, optionOf(flag)]));
  const needed = flags.filter((flag) => flag.required === true).map((flag) => flagUsage(flag.flags));
  const verb = program.command(command.name)
    .summary(command.summary)
    .description(command.alsoCalled.length === 0 ? command.description : `${command.description} (Others say: ${command.alsoCalled.join(", ")}.)`)
    .usage([...USAGE[command.takes], ...needed, "[flags]"].join(" "))
    .optionsGroup("General:")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(true)
    .exitOverride((error) => { throw fromCommander(error, command); })
    .addHelpText("after", `\nExample:\n  $ ${command.example}\n\n${program.createHelp().boxWrap(`With --json: ${command.gives.join(", ")}`, width)}`);
  if (command.takes === "runs") verb.argument("[RUN...]", "a folder that `onnx-hut train` wrote; those that differ only in their seed count as one");
  if (command.takes === "model") verb.argument("[MODEL]", "a model.onnx, or a folder that holds onnx/model.onnx or model.onnx");
  for (const option of options.values()) verb.addOption(option);
  verb.action(() => {
    const given = (flags: Readonly<Record<string, Flag<unknown>>>): Record<string, unknown> => Object.fromEntries(Object.entries(flags).flatMap(([key, flag]) => {
      const name = options.get(flag)?.attributeName() ?? key;
      // Only what was given: commander's own default for --no-shuffle is not the user's word.
      return verb.getOptionValueSource(name) === "cli" ? [[key, verb.getOptionValue(name) as unknown] as const] : [];
    }));
    const { file, print } = given(CONFIG_FLAGS);
    onRequest({ command, words: verb.args, given: given(command.flags), config: { file: file as ConfigWish["file"], print: print === true } });
  });
}

/** By group, and within a group required ones first. */
export function inHelpOrder(flags: readonly Flag<unknown>[]): Flag<unknown>[] {
  const rank = (flag: Flag<unknown>): number => 2 * GROUPS.indexOf(flag.group) + (flag.required === true ? 0 : 1);
  return [...flags].sort((a, b) => rank(a) - rank(b));
}

function optionOf(flag: Flag<unknown>): Option {
  const notes = [...(flag.required === true ? ["required"] : []), ...(flag.default === undefined ? [] : [`default: ${flag.default}`])];
  const description = notes.length === 0 ? flag.help : `${flag.help} (${notes.join(", ")})`;
  const option = new Option(flag.flags, description).helpGroup(flag.group).hideHelp(flag.hidden === true);
  if (flag.parse !== undefined) option.argParser((word: string, previous: unknown) => flag.parse?.(word, previous));
  return option;
}

/** What commander doesn't check, or can't say well, and a config file may have had a part in. `fallback` is its MODEL. Throws HutError (usage). */
export function invocationOf(command: Command, words: readonly string[], values: Readonly<Record<string, unknown>>, fallback?: string): Invocation {
  const taken = command.takes === "runs" ? words : command.takes === "nothing" ? [] : [words[0] ?? fallback ?? ""];
  const rest = words.slice(taken.length);
  if (rest.length > 0) throw wordsLeftOver(command.name, rest, command.takes === "model");
  const has = (key: string): boolean => values[key] !== undefined;
  if (command.takes === "runs" && words.every((word) => word === "")) throw runNotGiven(command.name);
  if (command.takes === "model" && taken[0] === "") {
    throw modelNotGiven(command.name, typeof values.resume === "string" ? "--resume took the word after it; put MODEL first." : undefined);
  }
  const missing = Object.entries(command.flags).filter(([key, flag]) => flag.required === true && !has(key)).map(([, flag]) => flagUsage(flag.flags));
  if (missing.length > 0) {
    const mixedUp = !has("output") && has("outputName");
    throw flagsNotGiven(command.name, missing, mixedUp ? "--output names an output of the graph; the file to write is -o." : undefined);
  }
  for (const pair of command.contradictions) {
    if (pair.every(has)) throw flagsContradict(nameOf(command, pair[0]), nameOf(command, pair[1]));
  }
  return { command, words: taken, values };
}

const nameOf = (command: Command, key: string): string => flagName(command.flags[key]?.flags ?? key);

/** Commander's error in our words. Help and version, which it throws as well, pass through. */
function fromCommander(error: CommanderError, command: Command | undefined): CommanderError | HutError {
  const [, word = ""] = /'([^]*?)'(?:$|\n| )/.exec(error.message) ?? [];
  switch (error.code) {
    case "commander.unknownOption":
      return flagUnknown(command?.name, word, similar(word.split("=", 1)[0] ?? word, command === undefined ? ["--help", "--version"] : longNames(command)));
    case "commander.optionMissingArgument":
      return valueNotGiven(command?.name, flagName(word));
    default:
      return error;
  }
}

/** What an unknown flag may have been meant to be: the long names of the verb's flags. */
function longNames(command: Command): string[] {
  const flags = [...Object.values(command.flags), ...COMMON, ...Object.values(CONFIG_FLAGS)].filter((flag) => flag.hidden !== true);
  return ["--help", ...flags.flatMap((flag) => flag.flags.match(/--[\w-]+/g) ?? [])];
}
