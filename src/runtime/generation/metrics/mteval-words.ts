/** How mteval-v13a, which BLEU and NIST of the E2E challenge count with, splits a text into words. */

const ENTITIES: readonly (readonly [RegExp, string])[] = [[/<skipped>/g, ""], [/-\n/g, ""], [/\n/g, " "], [/&quot;/g, '"'], [/&amp;/g, "&"], [/&lt;/g, "<"], [/&gt;/g, ">"]];

const MARKS: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/g, " $1 "], [/([^0-9])([.,])/g, "$1 $2 "], [/([.,])([^0-9])/g, " $1 $2"], [/([0-9])(-)/g, "$1 $2 "],
];

/** Lower-cased words; of a text without any, one that is empty, as mteval's Python form has it. */
export function mtevalWords(text: string): string[] {
  const plain = ENTITIES.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text);
  return MARKS.reduce((rest, [pattern, by]) => rest.replace(pattern, by), ` ${plain} `).replace(/\s+/gu, " ").trim().toLowerCase().split(" ");
}
