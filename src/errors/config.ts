/** What can be wrong with a config file: the file itself, or an option in it. */
import { HutError, list, quote } from "./hut-error.ts";

const wrong = (code: string, details: Readonly<Record<string, unknown>>, message: string, cause?: unknown): HutError =>
  new HutError(code, details, message, { exitCode: 2, ...(cause === undefined ? {} : { cause }) });

/** A value of the file, as a message repeats it. */
function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? value.length === 0 ? "an empty list" : "a list" : "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

/** Two config files in one folder. */
export const configTwice = (files: readonly string[]): HutError =>
  wrong("CONFIG_TWICE", { files }, `There are several config files here: ${list(files.map(quote))}. Keep one, or name one with --config.`);

/** A file of another kind. */
export const configEndingUnknown = (file: string, endings: readonly string[]): HutError =>
  wrong("CONFIG_ENDING_UNKNOWN", { file, endings }, `${quote(file)}: the ending doesn't say how the config file is written. Name a file that ends in ${list(endings)}.`);

/** Text that is no YAML. */
export const configBroken = (file: string, problem: string, cause?: unknown): HutError =>
  wrong("CONFIG_BROKEN", { file, problem }, `${quote(file)} can't be read as a config file: ${problem}. Correct it, or leave it out with --no-config.`, cause);

/** A program that doesn't compile, or throws. */
export const configFailed = (file: string, problem: string, cause: unknown): HutError =>
  wrong("CONFIG_FAILED", { file, problem }, `${quote(file)} fails: ${quote(problem)}. Correct it, or leave it out with --no-config.`, cause);

/** A program that isn't done. */
export const configSlow = (file: string, seconds: number): HutError =>
  wrong("CONFIG_SLOW", { file, seconds }, `${quote(file)} isn't done after ${String(seconds)} s. A config file says options; let it wait for nothing.`);

/** A file that gives something else than an object of options. */
export const configNoOptions = (file: string, what: unknown): HutError =>
  wrong("CONFIG_NO_OPTIONS", { file },
    `${quote(file)} must give an object of options, and gives ${what instanceof Promise ? "a promise" : what === undefined ? "nothing" : shown(what)}. ${/\.[jt]s$|\.mjs$/.test(file) ? "Write `export default { … }`." : "Write one option a key."}`);

/** A key that is no option where it stands; `hint` is a sentence on where it belongs. */
export const configKeyUnknown = (file: string, key: string, section: string | undefined, suggestion: string | undefined, hint: string | undefined): HutError =>
  wrong("CONFIG_KEY_UNKNOWN", { file, key, section, suggestion },
    `${quote(file)} ${section === undefined ? "has" : `has in ${section}`} a key ${quote(key)}, which is no option${section === undefined ? "" : " of that verb"}.`
    + `${suggestion === undefined ? "" : ` Did you mean ${suggestion}?`}${hint === undefined ? "" : ` ${hint}`}`);

/** A value that the option doesn't take, or with `entry` one in its list; `range` completes "must be …", `hint` is a sentence more. */
export const configValueWrong = (file: string, key: string, value: unknown, range: string, { entry = false, hint }: { entry?: boolean; hint?: string | undefined } = {}): HutError =>
  wrong("CONFIG_VALUE_WRONG", { file, key, value: shown(value), range },
    `In ${quote(file)} ${key} must be ${range}, and ${entry ? "holds" : "is"} ${shown(value)}.${hint === undefined ? "" : ` ${hint}`}`);
