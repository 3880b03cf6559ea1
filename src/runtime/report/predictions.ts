/** What a classifier said of labelled records: which classes it confuses, and where it is most wrong. */
import { IGNORED_LABEL } from "../data/task-data.ts";
import { softmax } from "../tasks/problem.ts";
import type { Confusion, WorstExample } from "./report-data.ts";

/** One record that was run. */
export interface Prediction {
  readonly line: number;
  /** Its texts; none where it is no text. */
  readonly texts: readonly string[];
  readonly logits: readonly number[];
  /** The number of its class; -100 where it has none. */
  readonly label: number;
}

/** How often each class was taken for each; records without a class are left out. */
export function confusionOf(predictions: readonly Prediction[], labels: readonly string[], file: string): Confusion {
  const counts = labels.map(() => labels.map(() => 0));
  for (const { label, logits } of predictions) {
    const row = counts[label];
    const said = best(logits);
    if (row !== undefined) row[said] = (row[said] ?? 0) + 1;
  }
  return { file, labels, counts };
}

/** The records with the highest loss, highest first; of equal ones the first of the file. */
export function worstOf(predictions: readonly Prediction[], labels: readonly string[], count: number): WorstExample[] {
  const measured = predictions.filter(({ label }) => label !== IGNORED_LABEL).map(({ line, texts, logits, label }) => ({ line, texts, label, said: best(logits), scores: softmax(logits), loss: crossEntropy(logits, label) }));
  return measured.sort((a, b) => b.loss - a.loss || a.line - b.line).slice(0, count).map(({ line, texts, label, said, scores, loss }) => (
    { line, texts, label: labels[label] ?? String(label), prediction: labels[said] ?? String(said), score: scores[said] ?? NaN, loss }));
}

/** Places of records to look into: half of them with the lowest loss, half with the highest, by turns. */
export function shownRecords(predictions: readonly Prediction[], count: number): number[] {
  const inOrder = predictions.map(({ logits, label }, i) => ({ i, label, loss: crossEntropy(logits, label) })).filter(({ label }) => label !== IGNORED_LABEL).sort((a, b) => a.loss - b.loss || a.i - b.i).map(({ i }) => i);
  const most = Math.min(count, inOrder.length);
  return Array.from({ length: most }, (_, i) => (i % 2 === 0 ? inOrder[i / 2] : inOrder[inOrder.length - (i + 1) / 2]) ?? 0);
}

function best(logits: readonly number[]): number {
  return logits.reduce((top, value, i) => (value > (logits[top] ?? NaN) ? i : top), 0);
}

/** −ln of the softmax: computed from logits, so that a probability that rounds to 0 has a finite loss. */
function crossEntropy(logits: readonly number[], label: number): number {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0)) - (logits[label] ?? NaN);
}
