/** A class for each word of a text: names of people and places, parts of speech. */
import { attachCrossEntropy } from "../../passes/attach-loss.ts";
import { TOKEN_NUMBERS } from "../data/task-data.ts";
import { openWordLabels, TAG_COLUMNS, WORD_COLUMNS } from "../data/word-labels.ts";
import { beginsWord } from "../data/word-rows.ts";
import { mainMetric } from "../metric-names.ts";
import { countWords } from "../word-metrics.ts";
import { topClass } from "./classification.ts";
import { softmax } from "./problem.ts";
import type { Task, WordAnswers } from "./task.ts";

/** A word's label is at its first token; the loss and every metric leave the others out. */
export const TOKEN_CLASSIFICATION: Task = {
  name: "token-classification", peftType: "TOKEN_CLS", savesHead: true, logits: ["batch", "sequence", "classes"], overVocabulary: false, leastLogits: 2,
  mainMetric: mainMetric("f1"),
  told: {
    labels: `${TAG_COLUMNS.map((name) => `\`${name}\``).join(", ")}: a list with a class for each word, by name or number`, loss: "cross entropy at the first token of each word",
    metrics: ["loss", "accuracy", "precision", "recall", "f1"],
  },
  data: { texts: [], words: WORD_COLUMNS, labelKind: TOKEN_NUMBERS, openLabels: openWordLabels },
  standInType: "bert", fed: ["input_ids", "attention_mask", "token_type_ids"],
  attachLoss: attachCrossEntropy,
  lossTakes: ["labelSmoothing"],
  attachEvaluation: (_, logits) => ({
    outputs: [logits],
    start(names) {
      const count = countWords(names);
      return {
        add(made, { labels, indices }) {
          const { dims = [], data } = made.get(logits.name) ?? {};
          count.add({ logits: Float32Array.from(data as Float32Array), dims, labels: labels.data as BigInt64Array, indices });
        },
        result: () => Object.fromEntries(Object.entries(count.result()).map(([name, value]) => [`eval_${name}`, value])),
        classes: () => count.classes(),
      };
    },
  }),
  answerWords: wordAnswers,
};

/** Of logits [T, C]: the class with the highest score at the first token of each word, null for words that were cut off; of each token where the words aren't known. */
function wordAnswers(logits: readonly number[], classes: number, words: Parameters<NonNullable<Task["answerWords"]>>[2], names: readonly string[] | undefined): WordAnswers {
  const at = (t: number): readonly [string, number] => {
    const { label, score } = topClass(softmax(logits.slice(t * classes, (t + 1) * classes)), names);
    return [label, score];
  };
  const tokens = logits.length / classes;
  const firsts = words === undefined ? Array.from({ length: tokens }, (_, t) => t) : new Array<number | undefined>(words.count).fill(undefined);
  if (words !== undefined) {
    for (const [t, begins] of beginsWord(words.of).entries()) {
      const word = words.of[t];
      if (begins && word !== undefined) firsts[word] ??= t;
    }
  }
  const answers = firsts.map((t) => (t === undefined ? undefined : at(t)));
  return { labels: answers.map((answer) => answer?.[0] ?? null), scores: answers.map((answer) => answer?.[1] ?? null) };
}
