/** What can be wrong with a command line itself, whatever the files hold: exit code 2. And the ends of a run that no library function tells of. */
import { HutError, list, quote } from "./hut-error.ts";

const usage = (code: string, details: Readonly<Record<string, unknown>>, message: string): HutError => new HutError(code, details, message, { exitCode: 2 });
const help = (verb: string | undefined): string => `\`onnx-hut ${verb === undefined ? "" : `${verb} `}--help\``;
const didYouMean = (suggestion: string | undefined): string => (suggestion === undefined ? "" : ` Did you mean ${suggestion}?`);

/** `onnx-hut` alone. */
export const verbNotGiven = (verbs: readonly string[]): HutError =>
  usage("VERB_NOT_GIVEN", { verbs }, `Say what to do: ${list(verbs, 20)}. ${help(undefined)} explains them.`);

/** A first word that is no verb. */
export const verbUnknown = (verb: string, verbs: readonly string[], suggestion: string | undefined): HutError =>
  usage("VERB_UNKNOWN", { verb, verbs, suggestion },
    `There is no verb ${quote(verb)}; there are ${list(verbs, 20)}.${didYouMean(suggestion)} ${help(undefined)} explains them.`);

/** A flag that the verb doesn't have; `verb` is undefined where none was given yet. */
export const flagUnknown = (verb: string | undefined, flag: string, suggestion: string | undefined): HutError =>
  usage("FLAG_UNKNOWN", { verb, flag, suggestion },
    `${verb === undefined ? "There is" : `\`onnx-hut ${verb}\` has`} no flag ${quote(flag)}.${didYouMean(suggestion)} ${help(verb)} lists all flags.`);

/** MODEL wasn't given; `hint` is a sentence on where it may have gone. */
export const modelNotGiven = (verb: string, hint: string | undefined): HutError =>
  usage("MODEL_NOT_GIVEN", { verb },
    `\`onnx-hut ${verb}\` needs MODEL, a model.onnx or a folder that holds one.${hint === undefined ? "" : ` ${hint}`} ${help(verb)} shows an example.`);

/** No run was named. */
export const runNotGiven = (verb: string): HutError =>
  usage("RUN_NOT_GIVEN", { verb }, `\`onnx-hut ${verb}\` needs RUN, a folder that \`onnx-hut train\` wrote, or several. ${help(verb)} shows an example.`);

/** Flags that the verb can't do without. */
export const flagsNotGiven = (verb: string, flags: readonly string[], hint: string | undefined): HutError =>
  usage("FLAG_NOT_GIVEN", { verb, flags }, `\`onnx-hut ${verb}\` needs ${list(flags)}.${hint === undefined ? "" : ` ${hint}`} ${help(verb)} shows an example.`);

/** Words beyond MODEL; `takesModel` is false for the verb that takes none. */
export const wordsLeftOver = (verb: string, words: readonly string[], takesModel: boolean): HutError =>
  usage("WORDS_LEFT_OVER", { verb, words },
    `\`onnx-hut ${verb}\` takes ${takesModel ? "one MODEL" : "no MODEL"}; left over: ${list(words.map(quote))}. `
    + "Lists are written with commas and without spaces, as in --target-modules q,v.");

/** A flag that needs a value and stands last. */
export const valueNotGiven = (verb: string | undefined, flag: string): HutError =>
  usage("VALUE_NOT_GIVEN", { verb, flag }, `${flag} needs a value. ${help(verb)} lists all flags.`);

/** A value that looks like a flag where a file or a name is needed, as in `-o --rank 8`. */
export const valueIsFlag = (flag: string, value: string): HutError =>
  usage("VALUE_IS_FLAG", { flag, value }, `${flag} needs a value before ${quote(value)}. For a file of that name write ${quote(`./${value}`)}.`);

/** An empty value, or an empty entry of a list. */
export const valueEmpty = (flag: string, value: string): HutError =>
  usage("VALUE_EMPTY", { flag, value }, `${flag} ${quote(value)} holds an empty name. Give it one, or leave the flag out.`);

/** Not a number, or one outside the range; `range` completes "must be …". */
export const numberWrong = (flag: string, value: string, range: string): HutError =>
  usage("NUMBER_WRONG", { flag, value, range }, `${flag} must be ${range}, and is ${quote(value)}.`);

/** A word that is none of the choices. */
export const choiceWrong = (flag: string, value: string, choices: readonly string[], suggestion: string | undefined): HutError =>
  usage("CHOICE_WRONG", { flag, value, choices, suggestion },
    `${flag} must be ${choices.length === 1 ? "" : "one of "}${list(choices, 20)}, and is ${quote(value)}.${didYouMean(suggestion)}`);

/** A `/regular expression/` in a list that doesn't end. */
export const patternOpen = (flag: string, value: string): HutError =>
  usage("PATTERN_OPEN", { flag, value },
    `${flag} ${quote(value)} begins a /regular expression/ and doesn't end it. End it with "/", before a comma or at the end.`);

/** Two flags that ask for opposite things. */
export const flagsContradict = (first: string, second: string): HutError =>
  usage("FLAGS_CONTRADICT", { flags: [first, second] }, `${first} and ${second} contradict each other. Give one of them.`);

/** A flag that says something of another, which isn't given. */
export const flagNeedsFlag = (flag: string, needed: string): HutError =>
  usage("FLAG_NEEDS_FLAG", { flag, needed }, `${flag} needs ${needed}. Give both, or neither.`);

/** Work ended by Ctrl-C or SIGTERM. */
export const interrupted = (): HutError => new HutError("INTERRUPTED", {}, "Interrupted before it was done.", { exitCode: 130 });

/** Standard output or error takes no more; a closed pipe is none of this. */
export const streamUnwritable = (cause: unknown): HutError =>
  new HutError("STREAM_UNWRITABLE", {},
    `The result can't be printed: ${quote(cause instanceof Error ? cause.message : String(cause))}. Redirect the output to another place.`, { cause });

/** Anything thrown that is no HutError: a mistake of ours. */
export const unexpected = (cause: unknown): HutError =>
  new HutError("UNEXPECTED", {}, `Something unexpected went wrong: ${quote(cause instanceof Error ? cause.message : String(cause))}. `
    + "This is a fault of onnx-hut; please report it together with what the same command shows with --verbose.", { cause });
