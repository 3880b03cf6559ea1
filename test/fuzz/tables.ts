/** Data files made to be misread: quotes, NULs, marks of byte order, lines that never end, columns without number. */
import type { Random } from "../../src/runtime/random.ts";
import { anyJson, anyText, NUMBERS } from "./hostile-values.ts";
import { bytesOfText, chance, pick } from "./reader.ts";

const COLUMNS = ["sentence", "label", "text", "sentence1", "sentence2", "input_ids", "attention_mask", "labels", "__proto__", "constructor", "toString", "premise", "hypothesis"];
const ENDS = ["\n", "\r\n", "\r", "\n\n", ""];
const PIECES = ["\"", "\"\"", "\\", "\0", "\ufeff", "\u2028", ",", "\t", ";", "\n", "\r\n", "\u001b[2J", "a", "-100", "1e999", "__proto__", "\ud83d", "𝄞", "Σς", "[CLS]", "[SEP] [MASK]", "\u0300".repeat(50)];

/** A table with this separator, sound at times. */
export function anyTable(separator: "," | "\t", random: Random): Uint8Array {
  const width = chance(random, 0.01) ? 100_000 : 1 + random.below(5);
  const columns = Array.from({ length: width }, (_, i) => (i < 2 && chance(random, 0.7) ? (COLUMNS[i] ?? "") : width > 100 ? `c${String(i)}` : pick(random, COLUMNS)));
  const row = (): string => Array.from({ length: chance(random, 0.9) ? width : random.below(width + 3) }, (_, i) => (i < 100 ? cell(random, i) : "")).join(separator);
  const lines = [columns.join(separator), ...Array.from({ length: random.below(5) }, row)];
  return bytesOfText((chance(random, 0.05) ? "\ufeff" : "") + lines.map((line) => line + (chance(random, 0.8) ? "\n" : pick(random, ENDS))).join(""));
}

function cell(random: Random, place: number): string {
  if (place === 1 && chance(random, 0.6)) return chance(random, 0.8) ? String(random.below(3)) : String(pick(random, NUMBERS));
  const plain = Array.from({ length: random.below(6) }, () => (chance(random, 0.5) ? pick(random, PIECES) : "word ")).join("");
  if (chance(random, 0.01)) return "long word ".repeat(2000);
  if (chance(random, 0.01)) return "x".repeat(20_000);
  return chance(random, 0.3) ? `"${plain}"` : plain;
}

/** JSON lines of which some are none, or not of one kind. */
export function anyJsonLines(random: Random): Uint8Array {
  const line = (): string => {
    if (chance(random, 0.1)) return anyText(random);
    if (chance(random, 0.02)) return `${"[".repeat(5000)}${"]".repeat(5000)}`;
    if (chance(random, 0.1)) return JSON.stringify(anyJson(random));
    const value = (): unknown => pick(random, [() => anyJson(random), () => anyText(random), () => random.below(4), () => [1, 2, random.below(20)], () => pick(random, NUMBERS), () => [pick(random, NUMBERS)], () => [[1, 2], [3]]])();
    return `{${Array.from({ length: 1 + random.below(3) }, (_, i) => `${JSON.stringify(i < 2 && chance(random, 0.7) ? COLUMNS[i + 5 * random.below(2)] : pick(random, COLUMNS))}:${JSON.stringify(value())}`).join(",")}}`;
  };
  return bytesOfText((chance(random, 0.05) ? "\ufeff" : "") + Array.from({ length: 1 + random.below(5) }, line).join(chance(random, 0.9) ? "\n" : pick(random, ENDS)));
}
