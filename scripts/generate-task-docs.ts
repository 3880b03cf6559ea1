/**
 * Writes the tables of docs/tasks.md and docs/generation.md from the tasks' definitions and the metrics' names; the rest of the pages is written by hand.
 *
 *     node --import tsx scripts/generate-task-docs.ts             write
 *     node --import tsx scripts/generate-task-docs.ts --check     exit 1 where a page is stale
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TEXT_METRICS } from "../src/runtime/generation/metrics/text-metrics.ts";
import { METRICS } from "../src/runtime/metric-names.ts";
import { TASKS } from "../src/runtime/tasks/registry.ts";
import type { Task } from "../src/runtime/tasks/task.ts";
import { filled } from "./fill-page.ts";
import { writeOrCheck } from "./write-or-check.ts";

const pageAt = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

const code = (word: string): string => `\`${word}\``;

function columns({ data: { texts, words = [] } }: Task): string {
  const named = [...texts.map((entry) => entry.map(code).join(" + ")), ...words.map(code)];
  return named.length === 0 ? "the graph's inputs by their names" : named.join(", ");
}

function taskTable(): string[] {
  return [
    "| `--task` | `--problem` | text | labels | logits | loss | metrics, the main one first | PEFT |", "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...TASKS.map((task) => {
      const main = task.mainMetric.name.replace(/^eval_/, "");
      const metrics = [main, ...task.told.metrics.filter((name) => name !== main)].map(code).join(", ");
      return `| ${[code(task.name), task.problem === undefined ? "" : code(task.problem), columns(task), task.told.labels, `[${task.logits.join(", ")}]`, task.told.loss, metrics, task.peftType ?? "–"].join(" | ")} |`;
    }),
  ];
}

function metricTable(): string[] {
  return ["| in logs | is | better |", "| --- | --- | --- |", ...Object.entries(METRICS).map(([name, { words, greaterIsBetter }]) => `| ${code(`eval_${name}`)} | ${words} | ${greaterIsBetter ? "higher" : "lower"} |`)];
}

function textMetricTable(): string[] {
  return ["| in `metrics` | is |", "| --- | --- |", ...Object.entries(TEXT_METRICS).map(([name, { words }]) => `| ${code(name)} | ${words} |`)];
}

for (const [name, tables] of Object.entries({ "tasks.md": { tasks: taskTable(), metrics: metricTable() }, "generation.md": { metrics: textMetricTable() } })) {
  const page = Object.entries(tables).reduce((text, [mark, lines]) => filled(text, "generate-task-docs.ts", mark, lines), readFileSync(pageAt(name), "utf8"));
  writeOrCheck(pageAt(name), page, "generate-task-docs.ts");
}
