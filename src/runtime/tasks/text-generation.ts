/** The next token of a text. */
import { attachNextTokenLoss } from "../../passes/attach-loss.ts";
import { PROMPT_FORMS } from "../data/prompt-forms.ts";
import { openTokenLabels } from "../data/token-labels.ts";
import type { Feed } from "../data/collate.ts";
import { TOKEN_NUMBERS } from "../data/task-data.ts";
import { mainMetric } from "../metric-names.ts";
import { Counts, MEAN_LOSS, PERPLEXITY } from "../metrics.ts";
import type { Task } from "./task.ts";

/** Decoders learn the text itself, every token from those before it. Nothing is trained whole unless named: the head is as large as the embedding. */
export const TEXT_GENERATION: Task = {
  name: "text-generation", peftType: "CAUSAL_LM", savesHead: false, logits: ["batch", "sequence", "vocabulary"], overVocabulary: true, leastLogits: 2, mainMetric: mainMetric("loss"),
  told: { labels: "none: the text's own tokens; or `labels`, a token id or -100 for each token", loss: "cross entropy of the next token", metrics: ["loss", "perplexity"] },
  data: { texts: [["text"]], forms: PROMPT_FORMS, labelKind: TOKEN_NUMBERS, openLabels: openTokenLabels },
  attachLoss: attachNextTokenLoss,
  lossTakes: ["labelSmoothing"],
  // The graph itself sums the loss: a batch's logits are too many numbers to be handed out.
  attachEvaluation(model, logits) {
    const { sum, count } = attachNextTokenLoss(model, logits);
    return {
      outputs: [sum, count],
      start() {
        const counts = new Counts([MEAN_LOSS, PERPLEXITY]);
        return {
          add: (made) => { counts.add({ loss: scalar(made.get(sum.name)), count: scalar(made.get(count.name)) }); },
          result: () => counts.result(),
        };
      },
    };
  },
};

function scalar(feed: Feed | undefined): number {
  return Number(feed?.data[0] ?? NaN);
}
