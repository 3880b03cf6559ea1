/** The words that METEOR compares: the Treebank's, split once more by the rules of METEOR 1.5's own normalizer for English, and their stems. */
import porter2 from "wink-porter2-stemmer";
import { treebankWords } from "./treebank-words.ts";

const LETTERS = "a-zšžÿß-öø-žЀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ";

/** One after the other: marks stand alone, hyphens between words are blanks, what follows an apostrophe is a word with it. A match takes the character behind it, so that of "a-b-c" one hyphen stays. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`([^0-9${LETTERS}\\s.'\`,‘’-])`, "gu"), " $1 "], [/(?<!\d),|,(?!\d)/gu, " , "], [/[`‘’]/gu, "'"], [new RegExp(`([0-9${LETTERS}.])-([0-9${LETTERS}])`, "gu"), "$1 $2"],
  [new RegExp(`([^${LETTERS}])'([^${LETTERS}])`, "gu"), "$1 ' $2"], [new RegExp(`([^0-9${LETTERS}])'([${LETTERS}])`, "gu"), "$1 ' $2"],
  [new RegExp(`([${LETTERS}])'([^${LETTERS}])`, "gu"), "$1 ' $2"], [new RegExp(`([${LETTERS}])'([${LETTERS}])`, "gu"), "$1 '$2"], [/(\d)'s/gu, "$1 's"],
];

/** Abbreviations that keep their dot before any word. Before a small letter any word keeps it. */
const ABBREVIATIONS = new Set(["v", "vs", "rev"]);

/** English words without meaning of their own, and marks: those that are most frequent in METEOR's corpora, as far as our splitting leaves them. */
const FUNCTION_WORDS = new Set(("the to of and a in that for is on 's it with was as said at he by be from have has are his but an this not i will they -rrb- -lrb- who their had we which were been more or s its would "
  + "about new one after you also up when there than $ all out her people she year two can if last first over other into some what so no time years could ? 't ' \" ) ( . , : - --").split(" "));

export function meteorWords(text: string): string[] {
  const words = RULES.reduce((line, [pattern, by]) => line.replace(pattern, by), ` ${treebankWords(text).join(" ")} `).split(/\s+/u).filter((word) => word !== "");
  return words.flatMap((word, i) => {
    if (word.length < 2 || !word.endsWith(".")) return [word];
    const stem = word.slice(0, -1);
    if (stem.includes(".") && new RegExp(`[${LETTERS}]`, "u").test(stem)) return [word.replaceAll(".", "")];
    return ABBREVIATIONS.has(stem) || /^\p{Ll}/u.test(words[i + 1] ?? "") ? [word] : [stem, "."];
  });
}

export function isFunctionWord(word: string): boolean {
  return FUNCTION_WORDS.has(word);
}

/** By Porter's second algorithm, which leaves words of two letters as they are, and apostrophes around a word out. */
export function stemOf(word: string): string {
  return word.length < 3 ? word : porter2(word.replace(/^'|'$/gu, ""));
}
