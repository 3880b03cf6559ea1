/** "Did you mean": the one known word that a mistyped one was likely meant to be. */
import { nearest } from "../errors/nearest.ts";

/** Share of letters, in any order, that a suggestion has in common with the word; below it a suggestion would only puzzle. */
const LEAST_IN_COMMON = 0.6;

/** The nearest known word, or undefined where none is near. */
export function similar(word: string, known: readonly string[]): string | undefined {
  const [best] = nearest(word, known, 1);
  return best !== undefined && inCommon(bare(word), bare(best)) >= LEAST_IN_COMMON ? best : undefined;
}

const bare = (word: string): string => word.toLowerCase().replace(/^-+/, "");

function inCommon(a: string, b: string): number {
  const left = Array.from(b);
  let shared = 0;
  for (const letter of a) {
    const at = left.indexOf(letter);
    if (at === -1) continue;
    left.splice(at, 1);
    shared += 1;
  }
  return shared / Math.max(a.length, b.length, 1);
}
