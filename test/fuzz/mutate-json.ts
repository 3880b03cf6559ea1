/** JSON damaged as JSON: values replaced, keys renamed, added or doubled, nesting, numbers that no type holds. */
import type { Random } from "../../src/runtime/random.ts";
import { anyJson, anyText, NUMBERS, PATTERNS } from "./hostile-values.ts";
import { bytesOfText, chance, pick } from "./reader.ts";

/** JSON as pairs, so that a key can be anything and stand twice. `raw` is text that goes into the file as it is. */
type Tree = { readonly pairs: [string, Tree][] } | { readonly items: Tree[] } | { readonly raw: string };

/** A copy of a JSON text with one or more places damaged. */
export function mutateJson(text: string, random: Random): Uint8Array {
  let tree = treeOf(JSON.parse(text));
  const times = chance(random, 0.6) ? 1 : 1 + random.below(6);
  for (let i = 0; i < times; i++) tree = damaged(tree, random, chance(random, 0.05) ? 0 : 1 + random.below(8));
  const written = textOf(tree);
  return bytesOfText(chance(random, 0.02) ? `\ufeff${written}` : written);
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { items: value.map(treeOf) };
  if (typeof value === "object" && value !== null) return { pairs: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) };
  return { raw: JSON.stringify(value) };
}

/** Goes down `depth` levels, or as far as it goes, and damages what is there. */
function damaged(tree: Tree, random: Random, depth: number): Tree {
  const size = "pairs" in tree ? tree.pairs.length : "items" in tree ? tree.items.length : 0;
  if (depth > 0 && size > 0) {
    const at = random.below(size);
    if ("pairs" in tree) {
      const pairs = tree.pairs.slice();
      const [key, inner] = pairs[at] as [string, Tree];
      pairs[at] = [key, damaged(inner, random, depth - 1)];
      return { pairs };
    }
    if ("items" in tree) return { items: tree.items.map((inner, i) => (i === at ? damaged(inner, random, depth - 1) : inner)) };
  }
  if ("raw" in tree || chance(random, 0.4)) return replacement(random, tree);
  return "pairs" in tree ? otherPairs(tree.pairs, random) : otherItems(tree.items, random);
}

function otherPairs(pairs: readonly [string, Tree][], random: Random): Tree {
  const copy = pairs.slice();
  const at = random.below(copy.length + 1);
  const chosen = copy[at];
  switch (random.below(4)) {
    case 0: copy.splice(at, 1); break;
    case 1: copy.splice(at, 0, [anyText(random), replacement(random)]); break;
    case 2: if (chosen !== undefined) copy.push([chosen[0], replacement(random)]); break;
    default: if (chosen !== undefined) copy[at] = [anyText(random), chosen[1]];
  }
  return { pairs: copy };
}

function otherItems(items: readonly Tree[], random: Random): Tree {
  const copy = items.slice();
  const at = random.below(copy.length + 1);
  const chosen = copy[at];
  switch (random.below(4)) {
    case 0: copy.splice(at, 1); break;
    case 1: copy.splice(at, 0, replacement(random)); break;
    case 2: return { items: Array.from({ length: 1 + random.below(2000) }, () => chosen ?? { raw: "0" }) };
    default: if (chosen !== undefined) copy.push(chosen);
  }
  return { items: copy };
}

/** Number texts that no double holds, or that are none. */
const RAW_NUMBERS = ["1e999", "-1e999", "1e-999", "123456789012345678901234567890", "01", "+1", ".5", "NaN", "Infinity", "0x10", "-", "1.", "-0"];

function replacement(random: Random, old: Tree = { raw: "null" }): Tree {
  switch (random.below(9)) {
    case 0: return { raw: pick(random, RAW_NUMBERS) };
    case 1: return { raw: JSON.stringify(pick(random, PATTERNS)) };
    case 2: return { raw: String(pick(random, NUMBERS)) };
    case 3: return { raw: JSON.stringify(anyText(random)) };
    case 4: return { items: [old] };
    case 5: return { pairs: [[anyText(random), old]] };
    case 6: return chance(random, 0.3) ? nested(random, old) : { raw: String(random.below(70_000)) };
    default: return treeOf(anyJson(random));
  }
}

/** The old value under many levels of what it may itself be. */
function nested(random: Random, old: Tree): Tree {
  const depth = pick(random, [10, 33, 200, 3000, 20_000]);
  const key = pick(random, ["normalizers", "processors", "pretokenizers", "decoders", "a", "settings"]);
  const [open, close] = chance(random, 0.5) ? ["[", "]"] : [`{"type":"Sequence",${JSON.stringify(key)}:${chance(random, 0.7) ? "[" : ""}`, ""];
  const end = close === "" ? (open.endsWith("[") ? "]}" : "}") : close;
  return { raw: open.repeat(depth) + textOf(old) + end.repeat(depth) };
}

function textOf(tree: Tree): string {
  if ("raw" in tree) return tree.raw;
  return "items" in tree ? `[${tree.items.map(textOf).join(",")}]` : `{${tree.pairs.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(",")}}`;
}
