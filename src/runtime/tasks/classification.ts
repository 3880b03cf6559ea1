/** Tasks of one row of logits for each record. */
import { classNames, PROBLEMS, type Problem } from "./problem.ts";
import type { Answer, Task } from "./task.ts";

/** Pairs first: QNLI's `question` and `sentence` would otherwise pass for a lone sentence. */
const GLUE_TEXTS = [
  ["sentence1", "sentence2"], ["question1", "question2"], ["premise", "hypothesis"], ["question", "sentence"], ["text", "text_pair"], ["text"], ["sentence"],
] as const;

/** A text or a pair of texts. */
export const TEXT_CLASSIFICATION: readonly Task[] = PROBLEMS.map((problem) => classification({
  name: "text-classification", peftType: "SEQ_CLS", texts: GLUE_TEXTS, standInType: "bert", fed: ["input_ids", "attention_mask", "token_type_ids"],
}, problem));

/** An image, which comes as the numbers that the graph takes. */
export const IMAGE_CLASSIFICATION: readonly Task[] = PROBLEMS.map((problem) => classification({
  name: "image-classification", peftType: null, texts: [], standInType: "vit", fed: ["pixel_values"],
}, problem));

interface Kind extends Pick<Task, "name" | "peftType">, Required<Pick<Task, "standInType" | "fed">> {
  readonly texts: Task["data"]["texts"];
}

function classification({ name, peftType, texts, standInType, fed }: Kind, problem: Problem): Task {
  const { leastLogits, labelKind, openLabels, attachLoss, lossTakes, told, mainMetric, count } = problem;
  return {
    name, problem: problem.name, peftType, savesHead: true, logits: ["batch", "classes"], leastLogits, data: { texts, labelKind, openLabels }, attachLoss, lossTakes, told, mainMetric,
    standInType, fed, answer: (logits, names) => topClass(problem.scores(logits), names),
    attachEvaluation: (_, logits) => ({
      outputs: [logits],
      start() {
        const classes = logits.shape?.at(-1);
        const counts = count(typeof classes === "number" ? classes : undefined);
        return {
          add(made, { labels, indices }) {
            const { dims = [], data } = made.get(logits.name) ?? {};
            counts.add({ logits: Float32Array.from(data as Float32Array), dims, labels: labels.data as BigInt64Array & Float32Array, indices });
          },
          result: () => counts.result(),
          classes: () => counts.classes(),
        };
      },
    }),
  };
}

/** The first of the classes with the highest score, as transformers.js' and Python's pipelines answer. */
export function topClass(scores: readonly number[], names: readonly string[] | undefined): Answer {
  const best = scores.reduce((top, score, i) => (score > (scores[top] ?? NaN) ? i : top), 0);
  return { label: classNames(scores.length, names)[best] ?? "", score: scores[best] ?? NaN };
}
