/** Tasks of one class for each record. */
import { dataLabelColumnMissing } from "../../errors/data.ts";
import { attachCrossEntropy } from "../../passes/attach-loss.ts";
import { readClassLabels, type LabelOptions } from "../data/class-labels.ts";
import { own, type DataFile } from "../data/parse-records.ts";
import type { FileLabels } from "../data/task-data.ts";
import { ACCURACY, Counts, CROSS_ENTROPY } from "../metrics.ts";
import { classNames, scoresOf } from "./problem-type.ts";
import type { Answer, Classes, Task } from "./task.ts";

/** Pairs first: QNLI's `question` and `sentence` would otherwise pass for a lone sentence. */
const GLUE_TEXTS = [
  ["sentence1", "sentence2"], ["question1", "question2"], ["premise", "hypothesis"], ["question", "sentence"], ["text", "text_pair"], ["text"], ["sentence"],
] as const;
/** Names of the label column; the first that is there is read. */
const LABEL_COLUMNS = ["label", "labels"];

/** One of several classes for a text or a pair of texts. */
export const TEXT_CLASSIFICATION: Task = classification({ name: "text-classification", peftType: "SEQ_CLS", texts: GLUE_TEXTS, standInType: "bert",
  fed: ["input_ids", "attention_mask", "token_type_ids"] });

/** One of several classes for an image, which comes as the numbers that the graph takes. */
export const IMAGE_CLASSIFICATION: Task = classification({ name: "image-classification", peftType: null, texts: [], standInType: "vit",
  fed: ["pixel_values"] });

type Parts = Pick<Task, "name" | "peftType"> & Required<Pick<Task, "standInType" | "fed">> & { readonly texts: Task["data"]["texts"] };

function classification({ name, peftType, texts, standInType, fed }: Parts): Task {
  return {
    name, peftType, savesHead: true, logits: ["batch", "classes"], data: { texts, openLabels }, standInType, fed, answer: topClass, attachLoss: attachCrossEntropy,
    attachEvaluation: (_, logits) => ({
      outputs: [logits],
      start() {
        const counts = new Counts([CROSS_ENTROPY, ACCURACY]);
        return {
          add(made, { labels, indices }) {
            const { dims = [], data } = made.get(logits.name) ?? {};
            counts.add({ logits: Float32Array.from(data as Float32Array), dims, labels: labels.data as BigInt64Array, indices });
          },
          result: () => counts.result(),
        };
      },
    }),
  };
}

/** The first of the classes with the highest score, as transformers.js' and Python's pipelines answer. */
function topClass(logits: readonly number[], { names, problem }: Classes): Answer {
  const scores = scoresOf(problem, logits);
  const best = scores.reduce((top, score, i) => (score > (scores[top] ?? NaN) ? i : top), 0);
  return { label: classNames(logits.length, names)[best] ?? "", score: scores[best] ?? NaN };
}

function openLabels(data: DataFile, options: LabelOptions): FileLabels {
  const column = LABEL_COLUMNS.find((name) => data.columns.includes(name));
  if (column === undefined) throw dataLabelColumnMissing(data.file, data.columns, LABEL_COLUMNS);
  const raw = data.records.map(({ line, fields }) => ({ place: { file: data.file, line }, column, value: own(fields, column) }));
  const { labels, id2label } = readClassLabels(data.file, raw, options);
  return {
    id2label,
    of: (index) => ({ dims: [], values: labels.slice(index, index + 1) }),
    finish: () => undefined,
  };
}
