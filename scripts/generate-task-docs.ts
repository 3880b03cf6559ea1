/**
 * Writes the tables of docs/tasks.md from the tasks' definitions and the metrics' names; the rest of the page is written by hand.
 *
 *     node --import tsx scripts/generate-task-docs.ts             write
 *     node --import tsx scripts/generate-task-docs.ts --check     exit 1 where the page is stale
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { METRICS } from "../src/runtime/metric-names.ts";
import { TASKS } from "../src/runtime/tasks/registry.ts";
import type { Task } from "../src/runtime/tasks/task.ts";
import { filled } from "./fill-page.ts";
import { writeOrCheck } from "./write-or-check.ts";

const TARGET = fileURLToPath(new URL("../docs/tasks.md", import.meta.url));

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

writeOrCheck(TARGET, filled(filled(readFileSync(TARGET, "utf8"), "generate-task-docs.ts", "tasks", taskTable()), "generate-task-docs.ts", "metrics", metricTable()), "generate-task-docs.ts");
