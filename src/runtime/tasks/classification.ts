/** Tasks of one row of logits for each record. */
import { PROBLEMS, type Problem } from "./problem.ts";
import type { Task } from "./task.ts";

/** Pairs first: QNLI's `question` and `sentence` would otherwise pass for a lone sentence. */
const GLUE_TEXTS = [
  ["sentence1", "sentence2"], ["question1", "question2"], ["premise", "hypothesis"], ["question", "sentence"], ["text", "text_pair"], ["text"], ["sentence"],
] as const;

/** A text or a pair of texts. */
export const TEXT_CLASSIFICATION: readonly Task[] = PROBLEMS.map((problem) => classification({ name: "text-classification", peftType: "SEQ_CLS", texts: GLUE_TEXTS }, problem));

/** An image, which comes as the numbers that the graph takes. */
export const IMAGE_CLASSIFICATION: readonly Task[] = PROBLEMS.map((problem) => classification({ name: "image-classification", peftType: null, texts: [] }, problem));

interface Kind extends Pick<Task, "name" | "peftType"> {
  readonly texts: Task["data"]["texts"];
}

function classification({ name, peftType, texts }: Kind, { name: problem, leastLogits, labelKind, openLabels, attachLoss, count }: Problem): Task {
  return {
    name, problem, peftType, savesHead: true, logits: ["batch", "classes"], leastLogits, data: { texts, labelKind, openLabels }, attachLoss,
    attachEvaluation: (_, logits) => ({
      outputs: [logits],
      start() {
        const counts = count();
        return {
          add(made, { labels, indices }) {
            const { dims = [], data } = made.get(logits.name) ?? {};
            counts.add({ logits: Float32Array.from(data as Float32Array), dims, labels: labels.data as BigInt64Array & Float32Array, indices });
          },
          result: () => counts.result(),
        };
      },
    }),
  };
}
