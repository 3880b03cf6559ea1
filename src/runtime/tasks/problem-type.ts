/** What a classifier's logits say of the classes, and the word that config.json has for it. */

/** One class of several, any number of them, or a number. */
export type Problem = "single" | "multi-label" | "regression";

interface ProblemType {
  /** Hugging Face's `problem_type`. */
  readonly name: string;
  /** A record's scores, one a class: what a pipeline makes of its logits. */
  readonly scores: (logits: readonly number[]) => number[];
}

const TYPES: Readonly<Record<Problem, ProblemType>> = {
  "single": { name: "single_label_classification", scores: softmax },
  "multi-label": { name: "multi_label_classification", scores: (logits) => logits.map((x) => 1 / (1 + Math.exp(-x))) },
  // Python's pipeline leaves the number as it is. That of transformers.js takes the softmax of it, which is 1 whatever the number: see model-card.ts.
  "regression": { name: "regression", scores: (logits) => [...logits] },
};

/** config.json's `problem_type`. */
export function problemType(problem: Problem = "single"): string {
  return TYPES[problem].name;
}

/** The problem that a `problem_type` names; undefined where it names none. */
export function problemOfType(name: unknown): Problem | undefined {
  return (Object.keys(TYPES) as Problem[]).find((problem) => TYPES[problem].name === name);
}

/** Scores [N] of a record's logits [N]. */
export function scoresOf(problem: Problem, logits: readonly number[]): number[] {
  return TYPES[problem].scores(logits);
}

/** The names of N classes: those given, where they are as many, else transformers' own, LABEL_0 and on. */
export function classNames(classes: number, names: readonly string[] | undefined): readonly string[] {
  return names?.length === classes ? names : Array.from({ length: classes }, (_, i) => `LABEL_${String(i)}`);
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
