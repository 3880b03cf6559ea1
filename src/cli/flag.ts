/** What a flag is, and the kinds of flags: each checks the words it is given and throws a usage error that names flag, value and range. */
import { choiceWrong, numberWrong, patternOpen, valueEmpty, valueIsFlag } from "../errors/usage.ts";
import { similar } from "./similar.ts";

/** The headings of a verb's help, in order. */
export type FlagGroup = "Files:" | "Which weights:" | "Data:" | "Training:" | "Generating:" | "Running:" | "General:";

/** What values a flag takes: what `parse` checks of a word, said as data for the config file, whose values are no words. */
export type FlagKind =
  | { readonly type: "number" | "numbers"; readonly range: NumberRange }
  | { readonly type: "choice" | "choices" | "word or numbers"; readonly known: readonly string[] }
  | { readonly type: "names" | "toggle" }
  /** `path`: a file or a folder. `optional`: true stands for a word that was left out. */
  | { readonly type: "text"; readonly path: boolean; readonly optional: boolean };

/** A flag, as data. `T` is the type of the library option that it sets. */
export interface Flag<T> {
  /** As commander reads it: "-o <file>", "--lr, --learning-rate <number>", "--no-shuffle". */
  readonly flags: string;
  readonly help: string;
  readonly group: FlagGroup;
  /** What holds when it is left out, as help shows it. The library alone applies it: a flag not given is not passed on. */
  readonly default?: string | undefined;
  readonly required?: boolean;
  /** Absent from help. */
  readonly hidden?: boolean;
  readonly kind: FlagKind;
  /** The value of the word given; `previous` is the value so far where the flag is repeated. A switch has no word to parse. */
  parse?(word: string, previous: T | undefined): T;
}

/** A flag that the verb can't do without. */
export type RequiredFlag<T> = Flag<T> & { readonly required: true };

/** What every kind of flag is told. */
export interface FlagText {
  readonly group: FlagGroup;
  readonly default?: string | number | undefined;
}

/** The name that messages use: the first one, without its value. */
export function flagName(flags: string): string {
  return flags.split(/[ ,|]/, 1)[0] ?? flags;
}

/** The flag and its value, as a usage line writes it: "-o <file>". */
export function flagUsage(flags: string): string {
  const value = /[<[].*$/.exec(flags)?.[0];
  return value === undefined ? flagName(flags) : `${flagName(flags)} ${value}`;
}

/** The same flag, needed. */
export function required<T>(flag: Flag<T>): RequiredFlag<T> {
  return { ...flag, required: true };
}

function base(flags: string, help: string, text: FlagText, kind: FlagKind): Omit<Flag<unknown>, "parse"> {
  return { flags, help, group: text.group, default: text.default === undefined ? undefined : String(text.default), kind };
}

/** The numbers that a flag takes. */
export interface NumberRange {
  readonly integer?: boolean;
  /** Least value. */
  readonly min?: number;
  /** Greatest value. */
  readonly max?: number;
  /** The value must be greater than this. */
  readonly above?: number;
  /** The value must be less than this. */
  readonly below?: number;
}

/** What a number looks like: no blanks, no hexadecimals, no words, all of which `Number` would take. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A finite number in a range. */
export function number(flags: string, help: string, options: FlagText & NumberRange): Flag<number> {
  const name = flagName(flags);
  return {
    ...base(flags, help, options, { type: "number", range: options }),
    parse(word) {
      const value = DECIMAL.test(word) ? Number(word) : NaN;
      if (!Number.isFinite(value) || !inRange(value, options)) throw numberWrong(name, word, rangeText(options));
      return value;
    },
  };
}

function inRange(value: number, { integer, min, max, above, below }: NumberRange): boolean {
  if (integer === true && !Number.isSafeInteger(value)) return false;
  return !(min !== undefined && value < min) && !(max !== undefined && value > max) && !(above !== undefined && value <= above) && !(below !== undefined && value >= below);
}

/** "a whole number of at least 1". */
export function rangeText({ integer, min, max, above, below }: NumberRange): string {
  const kind = integer === true ? "a whole number" : "a number";
  if (above !== undefined) return `${kind} greater than ${String(above)}`;
  if (min !== undefined && below !== undefined) return `${kind} from ${String(min)} to below ${String(below)}`;
  if (min !== undefined && max !== undefined) return `${kind} from ${String(min)} to ${String(max)}`;
  return min === undefined ? kind : `${kind} of at least ${String(min)}`;
}

/** A comma list of numbers, each in the range. Repeating the flag adds to the list. */
export function numbers(flags: string, help: string, options: FlagText & NumberRange): Flag<readonly number[]> {
  const name = flagName(flags);
  const one = number(flags, help, options);
  return {
    ...base(flags, help, options, { type: "numbers", range: options }),
    parse: (word, previous) => [...(previous ?? []), ...splitList(name, word).map((entry) => one.parse?.(entry, undefined) ?? NaN)],
  };
}

/** One word of a few. */
export function choice<T extends string>(flags: string, help: string, known: readonly T[], options: FlagText): Flag<T> {
  return { ...base(flags, `${help}: ${known.join(", ")}`, options, { type: "choice", known }), parse: (word) => chosen(flagName(flags), word, known) };
}

/** A comma list of choices. Repeating the flag adds to the list. */
export function choices<T extends string>(flags: string, help: string, known: readonly T[], options: FlagText): Flag<readonly T[]> {
  const name = flagName(flags);
  return {
    ...base(flags, `${help}: ${known.join(", ")}`, options, { type: "choices", known }),
    parse: (word, previous) => [...(previous ?? []), ...splitList(name, word).map((entry) => chosen(name, entry, known))],
  };
}

function chosen<T extends string>(name: string, word: string, known: readonly T[]): T {
  const found = known.find((c) => c === word);
  if (found !== undefined) return found;
  throw choiceWrong(name, word, known, similar(word, known));
}

/** A comma list of names. Commas inside a `/regular expression/` don't split. Repeating the flag adds to the list. */
export function names(flags: string, help: string, options: FlagText): Flag<readonly string[]> {
  return { ...base(flags, help, options, { type: "names" }), parse: (word, previous) => [...(previous ?? []), ...splitList(flagName(flags), word)] };
}

/** An entry that begins with "/" ends at a "/" before a comma or the end; any other ends at a comma. */
function splitList(name: string, word: string): string[] {
  const entries: string[] = [];
  let rest = word;
  for (;;) {
    rest = rest.trimStart();
    const entry = rest.startsWith("/") ? /^\/.*?\/(?=\s*(?:,|$))/s.exec(rest)?.[0] : /^[^,]*/.exec(rest)?.[0];
    if (entry === undefined) throw patternOpen(name, word);
    if (entry.trim() === "" || entry === "//") throw valueEmpty(name, word);
    entries.push(entry.trim());
    rest = rest.slice(entry.length).trimStart();
    if (rest === "") return entries;
    rest = rest.slice(1);
  }
}

/** One known word, or numbers of at least 0 with commas between. */
export function wordOrNumbers<T extends string>(flags: string, help: string, known: T, options: FlagText): Flag<T | readonly number[]> {
  const name = flagName(flags);
  return {
    ...base(flags, help, options, { type: "word or numbers", known: [known] }),
    parse(word) {
      if (word === known) return known;
      return splitList(name, word).map((entry) => {
        if (!DECIMAL.test(entry) || !(Number(entry) >= 0) || !Number.isFinite(Number(entry))) throw numberWrong(name, word, `${known}, or numbers of at least 0 with commas between`);
        return Number(entry);
      });
    },
  };
}

/** A file, a folder, or a name. */
export function text(flags: string, help: string, options: FlagText): Flag<string> {
  return { ...base(flags, help, options, { type: "text", path: namesPath(flags), optional: false }), parse: (word) => checkedText(flagName(flags), word) };
}

/** A word that may be left out: then the value is true. */
export function optionalText(flags: string, help: string, options: FlagText): Flag<string | boolean> {
  return { ...base(flags, help, options, { type: "text", path: namesPath(flags), optional: true }), parse: (word) => checkedText(flagName(flags), word) };
}

/** Words that stand for a path in a flag's usage, as in "--data <file>". Others name something within a model. */
export const PATH_WORDS: readonly string[] = ["file", "folder", "file or folder", "checkpoint"];

function namesPath(flags: string): boolean {
  return PATH_WORDS.includes(/[<[](.*)[>\]]$/.exec(flags)?.[1] ?? "");
}

function checkedText(name: string, word: string): string {
  if (word.trim() === "") throw valueEmpty(name, word);
  // A forgotten value would take the next flag for a file's name.
  if (word.startsWith("-")) throw valueIsFlag(name, word);
  return word;
}

/** A flag without a value: true, or false for `--no-…`. */
export function toggle(flags: string, help: string, options: FlagText): Flag<boolean> {
  return base(flags, help, options, { type: "toggle" });
}
