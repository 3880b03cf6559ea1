/** Embeddings of sentences, learned from pairs that belong together. */
import { noEmbeddingOutput } from "../../errors/runtime.ts";
import { formatShape } from "../../ir/dim.ts";
import { isFloating } from "../../ir/data-type.ts";
import type { Graph, Value } from "../../ir/graph.ts";
import { attachContrastive, attachEmbedding, type EmbeddingPooling } from "../../passes/attach-contrastive.ts";
import { LOGITS } from "../../passes/present-logits.ts";
import { openPairLabels, SCORE_COLUMNS } from "../data/pair-labels.ts";
import { SCORES } from "../data/task-data.ts";
import { mainMetric } from "../metric-names.ts";
import { countPairs } from "../pair-metrics.ts";
import type { Task } from "./task.ts";

/** Names of outputs with one vector a text, and with one a token. */
const EMBEDDINGS = ["sentence_embedding", "text_embeds"];
const HIDDEN = ["last_hidden_state", "token_embeddings"];

/** Columns of texts that belong together, and one that doesn't; then those of a text alone, which can be embedded and teaches nothing. */
const PAIRS = [
  ["anchor", "positive", "negative"], ["anchor", "positive"], ["query", "positive", "negative"], ["query", "positive"], ["query", "answer"], ["question", "answer"],
  ["sentence1", "sentence2"], ["question1", "question2"], ["text", "text_pair"], ["text"], ["sentence"],
] as const;

/** The task with embeddings that are pooled so. */
export function featureExtraction(pooling: EmbeddingPooling): Task {
  return {
    name: "feature-extraction", pooling, peftType: "FEATURE_EXTRACTION", savesHead: false, logits: ["batch", "sequence", "width"], leastLogits: 1, mainMetric: mainMetric("loss"),
    data: { texts: PAIRS, apart: { least: 2 }, labelKind: SCORES, openLabels: openPairLabels },
    told: {
      labels: `none: pairs belong together; or ${SCORE_COLUMNS.map((name) => `\`${name}\``).join(", ")}: how near they are`, loss: "cross entropy of 20 · cosine over the batch's candidates",
      metrics: ["loss", "accuracy", "mrr", "pearson", "spearmanr"],
    },
    batchMatters: true, findOutput: findHidden,
    attachLoss: (model, hidden) => attachContrastive(model, hidden, pooling),
    attachEvaluation(model, hidden) {
      const embedding = attachEmbedding(model, hidden, pooling);
      return {
        outputs: [embedding],
        start() {
          const count = countPairs();
          return {
            add(made, { labels, indices }) {
              const { dims = [], data } = made.get(embedding.name) ?? {};
              count.add({ embeddings: data as Float32Array, dims, labels: labels.data as Float32Array, indices });
            },
            result: () => Object.fromEntries(Object.entries(count.result()).map(([name, value]) => [`eval_${name}`, value])),
          };
        },
      };
    },
    attachEmbedding: (model, hidden) => attachEmbedding(model, hidden, pooling),
  };
}

/** The output that embeddings are made of: the one that was named, else one that is called so, else the only float output with one vector a token. */
function findHidden(graph: Graph, named: Value | undefined): Value {
  const fits = (v: Value): boolean => isFloating(v.dataType) && (v.shape?.length === 3 || v.shape?.length === 2) && typeof v.shape.at(-1) === "number";
  if (named !== undefined && named.name !== LOGITS && fits(named)) return named;
  const fitting = graph.outputs.filter((v) => v.name !== LOGITS && fits(v));
  const called = [...EMBEDDINGS, ...HIDDEN].map((name) => fitting.find((v) => v.name === name)).find((v) => v !== undefined);
  const [only, ...others] = fitting.filter((v) => v.shape?.length === 3);
  const found = called ?? (others.length === 0 ? only : undefined);
  if (found === undefined) throw noEmbeddingOutput(new Map(graph.outputs.map((v) => [v.name, formatShape(v.shape)])));
  return found;
}
