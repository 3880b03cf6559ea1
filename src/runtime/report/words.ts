/** Names and figures as a report says them, on the page and on the terminal. */
import { figure, label } from "../format.ts";
import type { Spread } from "./report-data.ts";

/** A metric's name: "eval_matthews_correlation" → "matthews correlation". */
export function metricWords(name: string): string {
  return label(name.replace(/^eval_/, ""));
}

/** "0.7712 ± 0.0042", or the figure alone. */
export function spreadWords({ mean, deviation }: Spread): string {
  return deviation === null ? figure(mean) : `${figure(mean)} ± ${figure(deviation)}`;
}

/** With a capital at its start. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A setting's value: "q, v". */
export function valueWords(value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value)) return value.map(valueWords).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A setting's name: "gradAccumulationSteps" → "grad accumulation steps". */
export function settingWords(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`);
}
