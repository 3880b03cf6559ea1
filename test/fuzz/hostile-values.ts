/** Names, texts, numbers and JSON that readers stumble over. */
import fc from "fast-check";
import type { Random } from "../../src/runtime/random.ts";
import { chance, pick } from "./reader.ts";

/** Names that mean something to JavaScript, to a terminal, to a file system or to nobody. */
export const NAMES: readonly string[] = [
  "__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype", "length", "", " ", "\0", "\u001b[31mred\u001b[0m", "\r\nsecond line", "\u009b2J", "\u202egnp.exe", "\u2028",
  "\ud800", "\udfff\ud800", "..", "../../etc/passwd", "/etc/passwd", "a".repeat(300), "é".repeat(3000), "1e999", "-1", "NaN", "q", "v", "classifier.weight", "input_ids", "logits", "%s%n", "${x}", "null",
];

/** Numbers as JSON has them. */
export const NUMBERS: readonly number[] = [0, -0, 1, -1, 2, 3, 7, 0.5, 1e-320, 1e308, -1e308, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e21, 100_000, 1_000_000_000];

/** Regular expressions, some of which backtrack for ever in a matcher that does. */
export const PATTERNS: readonly string[] = [
  "(a+)+$", "(a|a)*b", "(.*)*x", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$", "(\\w+\\s?)*$", "(x+x+)+y", "a{1,1000000}", "((a{1,100}){1,100}){1,100}", "(?=a*)*", "[", "(", "*", "\\", "(?P<n>a)(?P=n)", "(a)\\1+", ".*",
  "(?i)q|v", "a**", "[z-a]", "\\p{L}+", "(?<=a+)b", "(?:(?:(?:a*)*)*)*", "(".repeat(2000) + ")".repeat(2000), "a?".repeat(60) + "a".repeat(60), "q_proj|v_proj", ".*\\.(q|v)", "\\d{2,1}", "a{99999999999999999999}",
];

const VALUES = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...NAMES), fc.constantFrom(...NUMBERS), fc.constantFrom(...PATTERNS), fc.constantFrom(null, true, false, [], {}), fc.string({ unit: "binary", maxLength: 40 }),
  fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }));

/** Any JSON value, drawn by fast-check. */
export function anyJson(random: Random): unknown {
  return drawn(VALUES, random);
}

/** One value of an arbitrary. */
export function drawn<T>(arbitrary: fc.Arbitrary<T>, random: Random): T {
  const [value] = fc.sample(arbitrary, { seed: random.below(2 ** 31), numRuns: 1 });
  return value as T;
}

/** A text: a known one, or characters of any kind. */
export function anyText(random: Random): string {
  if (chance(random, 0.6)) return pick(random, NAMES);
  return Array.from({ length: random.below(20) }, () => String.fromCharCode(chance(random, 0.5) ? random.below(128) : random.below(65536))).join("");
}
