/**
 * The words of an English text as the Penn Treebank splits it, and as MS-COCO's evaluation has them from Stanford's PTBTokenizer: lower-cased, without punctuation. Written from what that program gives
 * (fixtures/e2e/make_metrics.py): the same on every text of the E2E data. Telephone numbers and faces such as :-) it knows more of.
 */

/** Of all that may stand at a place the longest is taken, of equally long ones the first; `own` is the token where what follows it counts too. What it becomes, where it isn't itself, stands beside it. */
const TOKENS: readonly { readonly pattern: RegExp; readonly as?: string | ((token: string) => string) }[] = [
  // Tags, addresses, #this and @that.
  { pattern: /<\/?[a-z][^<>]*>/iuy },
  { pattern: /https?:\/\/[^\s"<>|(){}]*[^\s"<>|(){}.!?,;:'-]/iuy },
  { pattern: /[a-z0-9][\w.+-]*@[a-z0-9]+([.-][a-z0-9]+)*/iuy },
  { pattern: /[#@]\p{L}[\p{L}\p{N}_]+/uy },
  // What is cut from the word before it, or in two.
  { pattern: /(?<own>\p{L}[\p{L}\p{N}]*?)n['’]t/iuy },
  { pattern: /n['’]t(?!\p{L})/iuy, as: "n't" },
  { pattern: /['’](s|m|d|ll|re|ve)(?!\p{L})/iuy, as: (token) => token.replace("’", "'") },
  { pattern: /(?<own>can(?=not)|gon(?=na)|got(?=ta)|wan(?=na)|lem(?=me)|gim(?=me))(not|na|ta|me)(?![\p{L}\p{N}]|-[\p{L}\p{N}])/iuy },
  { pattern: /(?<own>['’]t)(is|was)(?![\p{L}\p{N}])/iuy, as: "'t" },
  { pattern: /(?<own>y['’])all(?![\p{L}\p{N}])/iuy },
  // Words with an apostrophe in them, or before.
  { pattern: /[A-HJ-XZn]['’]\p{L}{2,}/uy },
  { pattern: /[dlo]['’]\p{L}{2,}|[jl]['’]/iuy },
  { pattern: /(o['’]clock|ma['’]am|c['’]mon|[en]e?['’]er|['’]em|['’]til|['’]cause|['’]n['’]?|ol['’])(?![\p{L}\p{N}])/iuy },
  { pattern: /['’]\d\ds?(?![\p{L}\p{N}])/uy },
  // Abbreviations keep their dot.
  { pattern: /\p{L}(\.\p{L})*\.(?![\p{L}\p{N}])/uy },
  { pattern: /(mrs?|ms|drs?|prof|rev|hon|gen|col|lt|capt|cmdr|sgt|maj|pvt|gov|sen|rep|pres|supt|jr|sr|ste?|mt|ft|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thurs?|fri|inc|corp?|ltd|bros|cos?|plc|ave|blvd|rd|sq|rt|bldg|dept|assn|univ|vs|etc|al|cf|est|tel|ext|mo|ph\.d|esq|messrs|mme|mlle|adm|atty|insp|intl|natl|asst|assoc|seq)\.(?![\p{L}\p{N}])/iuy },
  { pattern: /(Miss|Mass|Tex|Ill|Wash|Ark|Del|La|Ore|Pa)\.(?![\p{L}\p{N}])/uy },
  { pattern: /(nos?|figs?|pp|ca|op|art|prop)\.(?=\s*\d)/iuy },
  { pattern: /(?<own>\p{L}[\p{L}\p{N}]*\.)\s*[,;:]/uy },
  // Names such as AT&T, words, and several bound by hyphens or strokes.
  { pattern: /[A-Z]+(&[A-Z]+)+/uy },
  { pattern: /(\p{L}[\p{L}\p{M}\p{N}]*|\d+\p{L}[\p{L}\p{M}\p{N}]*)([.!?]\p{L}[\p{L}\p{M}\p{N}]*)*/uy },
  { pattern: /([a-zA-Z0-9][a-zA-Z0-9.,]*|\p{L}[\p{L}\p{N}]*)(-[\p{L}\p{N}]+)+/uy },
  { pattern: /[a-z0-9]+(-[a-z]+){0,2}(\/[a-z0-9]+(-[a-z]+){0,2}){1,2}|[\p{L}\p{N}]+(_[\p{L}\p{N}]+)+/iuy },
  // Numbers; money by the Treebank's signs.
  { pattern: /[-+]?\d*([.:,]\d+)+|[-+]?\d+/uy },
  { pattern: /(US|AU?|CA?|NZ|HK)?\$/uy },
  { pattern: /£/uy, as: "#" },
  { pattern: /€/uy, as: "$" },
  { pattern: /¢/uy, as: "cents" },
  { pattern: /[¼½¾]/uy, as: (token) => ({ "¼": "1/4", "½": "1/2" })[token] ?? "3/4" },
  { pattern: /&amp;/iuy, as: "&" },
  { pattern: /&lt;/iuy, as: "<" },
  { pattern: /&gt;/iuy, as: ">" },
  // Brackets by their names, and faces, whose brackets have them too.
  { pattern: /[:;]-?[()]/uy, as: (token) => token.replace("(", "-lrb-").replace(")", "-rrb-") },
  { pattern: /\(/uy, as: "-lrb-" }, { pattern: /\)/uy, as: "-rrb-" }, { pattern: /\[/uy, as: "-lsb-" }, { pattern: /\]/uy, as: "-rsb-" }, { pattern: /\{/uy, as: "-lcb-" }, { pattern: /\}/uy, as: "-rcb-" },
  // Punctuation, which is left out; two marks that ask or exclaim are a word.
  { pattern: /-{2,}|[-–—]|\.{2,}|[.…,:;!?'’‘`"“”«»]|''|``|&(quot|apos);/iuy, as: "" },
  { pattern: /[!?]{2,}|\*+|\^_\^/uy },
  { pattern: /\S/uy },
];

/** The words, lower-cased. */
export function treebankWords(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length;) {
    const { length, word } = longestAt(text, at);
    if (word !== "") words.push(word.toLowerCase());
    at += length;
  }
  return words;
}

/** A place between words is one character that is no word. */
function longestAt(text: string, at: number): { readonly length: number; readonly word: string } {
  let best = { whole: 0, length: 1, word: "" };
  for (const { pattern, as } of TOKENS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null || found[0].length <= best.whole) continue;
    const token = found.groups?.["own"] ?? found[0];
    best = { whole: found[0].length, length: token.length, word: as === undefined ? token : typeof as === "string" ? as : as(token) };
  }
  return best;
}
