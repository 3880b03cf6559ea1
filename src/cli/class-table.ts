/** Each class's figures as a table, below the metrics of all. */
import type { NamedClass } from "../runtime/results.ts";
import { figure, grouped } from "./format.ts";
import { listing } from "./table.ts";

/** Lines; none where there are no classes. */
export function classTable(classes: readonly NamedClass[], verbose: boolean): string[] {
  if (classes.length === 0) return [];
  const columns = [{ title: "class" }, ...["precision", "recall", "f1", "support"].map((title) => ({ title, right: true }))];
  return ["", ...listing(columns, classes.map((c) => [c.label, figure(c.precision), figure(c.recall), figure(c.f1), grouped(c.support)]), verbose)];
}
