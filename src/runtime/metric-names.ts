/** What metrics are called, as scikit-learn, seqeval and Hugging Face's `evaluate` call them, and which way each is better. One definition a metric. */

/** By name; in logs and `--json` each begins with `eval_`. */
export const METRICS = {
  loss: { words: "mean loss over the labels that count", greaterIsBetter: false },
  accuracy: { words: "share of right answers; of several labels at once, of records with all of them right", greaterIsBetter: true },
  f1: { words: "F1 of class 1; of words, F1 of entities", greaterIsBetter: true },
  precision: { words: "precision, likewise", greaterIsBetter: true },
  recall: { words: "recall, likewise", greaterIsBetter: true },
  f1_micro: { words: "F1 of all classes counted together", greaterIsBetter: true },
  f1_macro: { words: "mean of the classes' F1", greaterIsBetter: true },
  matthews_correlation: { words: "Matthews' correlation coefficient", greaterIsBetter: true },
  mse: { words: "mean squared error", greaterIsBetter: false },
  pearson: { words: "Pearson's correlation", greaterIsBetter: true },
  spearmanr: { words: "Spearman's rank correlation", greaterIsBetter: true },
  mrr: { words: "mean reciprocal rank of what belongs to an anchor, among the candidates of its batch", greaterIsBetter: true },
  perplexity: { words: "e to the mean loss", greaterIsBetter: false },
} as const satisfies Readonly<Record<string, { readonly words: string; readonly greaterIsBetter: boolean }>>;

export type MetricName = keyof typeof METRICS;

/** Some metrics' figures. NaN, which JSON has as null, where a figure has no value: a correlation with a constant, a mean of nothing. */
export type Figures = Readonly<Partial<Record<MetricName, number>>>;

/** The metric that tells which of two models is better: its key in logs, and which way. */
export interface MainMetric {
  readonly name: string;
  readonly greaterIsBetter: boolean;
}

export function mainMetric(name: MetricName): MainMetric {
  return { name: `eval_${name}`, greaterIsBetter: METRICS[name].greaterIsBetter };
}

/** Which way a metric that the user names is better, with `eval_` or without. One that isn't ours is told as Hugging Face's Trainer tells it, by its ending. */
export function greaterIsBetter(metric: string): boolean {
  const name = metric.replace(/^eval_/, "");
  return Object.hasOwn(METRICS, name) ? METRICS[name as MetricName].greaterIsBetter : !name.endsWith("loss");
}
