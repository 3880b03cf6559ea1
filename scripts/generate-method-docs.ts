/**
 * Writes the tables of docs/methods.md from the methods' definitions; the rest of the page is written by hand.
 *
 *     node --import tsx scripts/generate-method-docs.ts             write
 *     node --import tsx scripts/generate-method-docs.ts --check     exit 1 where the page is stale
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { METHODS } from "../src/methods/registry.ts";
import type { UpdatedTransformation, WeightShape } from "../src/methods/updated-transformation.ts";
import { filled } from "./fill-page.ts";
import { writeOrCheck } from "./write-or-check.ts";

const TARGET = fileURLToPath(new URL("../docs/methods.md", import.meta.url));
/** A weight of BERT-base, and the default rank. */
const EXAMPLE: WeightShape = { k: 768, n: 768, rank: 8, scale: 1 };

const code = (word: string): string => `\`${word}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);

/** `LORA` with `use_dora`. */
function typeOf({ peft }: UpdatedTransformation): string {
  const variant = Object.entries(peft?.variant ?? {}).flatMap(([key, value]) => (value ? [` with ${code(key)}`] : []));
  return peft === undefined ? "none" : code(peft.type) + variant.join("");
}

function shape(axes: readonly (string | number)[]): string {
  const words: Readonly<Record<string, string>> = { in: "k", out: "n", rank: "r" };
  return `[${axes.map((axis) => words[axis] ?? String(axis)).join(", ")}]`;
}

function methodTable(): string[] {
  return table(["`--method`", "what it is", "numbers of a weight [k, n]", `of [768, 768], r = 8`, "operations to form W' there", "flags", "`--lr` by default", "`peft_type`"], METHODS.map((m) => {
    const count = m.parameters(EXAMPLE).reduce((sum, { shape: sizes }) => sum + sizes.reduce((a, b) => a * b, 1), 0);
    const own = m.trains === "everything" ? EXAMPLE.k * EXAMPLE.n : m.trains === "biases" ? EXAMPLE.n : count;
    const flags = m.takes.filter((flag) => flag !== "feedforward").map((flag) => code(`--${flag}`));
    return [code(m.name), m.summary, m.numbers, own.toLocaleString("en-US"), `${(Number(m.flops(EXAMPLE)) / 1e6).toFixed(1)} M`, flags.length === 0 ? "–" : flags.join(" "), String(m.defaultLearningRate), typeOf(m)];
  }));
}

function tensorTable(): string[] {
  const rows = METHODS.flatMap((m) => {
    const both = m.takes.includes("feedforward") ? [false, true] : [false];
    const own = both.flatMap((feedforward) => m.parameters({ ...EXAMPLE, feedforward }).map((spec) => ({ spec, note: feedforward ? "feed-forward" : "" })));
    const shared = (m.shared?.(EXAMPLE) ?? []).map((spec) => ({ spec, note: "frozen, one for all" }));
    return [...own, ...shared].map(({ spec, note }) => [code(m.name), code(spec.name), shape(spec.axes), code(spec.peft.name), shape(spec.peft.axes),
      [...(spec.scalable && m.peft?.alpha === undefined ? ["s multiplied in"] : []), ...(note === "" ? [] : [note])].join("; ") || "–"]);
  });
  return table(["method", "here", "its shape", "in PEFT's file", "its shape there", ""], rows);
}

const page = filled(readFileSync(TARGET, "utf8"), "generate-method-docs.ts", "methods", methodTable());
writeOrCheck(TARGET, filled(page, "generate-method-docs.ts", "tensors", tensorTable()), "generate-method-docs.ts");
