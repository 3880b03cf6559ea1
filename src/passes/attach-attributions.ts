/**
 * Attributes what a model says to its tokens by gradient × input: the score of token t is Σ_d (∂z / ∂e_{t,d}) · e_{t,d}, where e is the row of the word embedding, before
 * positions and segments are added to it, and z what is to be explained. Where the model normalizes that row by itself first (ModernBERT, DeBERTa, BLOOM), e is the normalized one: z doesn't
 * change with the length of the other then, so that every score would be 0.
 *
 * Requires: the training view (`normalizeForTraining`), facts inferred. Guarantees: the forward nodes stay as they are; rows of a batch have scores of their own, as long
 * as the model lets none see another.
 * Rules: (1) where ids are looked up several times, the scores add up; (2) of a classifier z is one logit of each row; of what has a loss for each token, the log-likelihood.
 */
import { noTokenEmbedding } from "../errors/graph.ts";
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import type { AttachedLoss } from "./attach-loss.ts";
import { differentiate } from "./differentiate.ts";
import { entryOf } from "./node-gradient.ts";
import { TOKEN_IDS, tokenLookUps } from "./weights/token-look-ups.ts";

/** What is explained: where the gradient begins, and the gradient that arrives there. */
export interface Explained {
  readonly at: Value;
  readonly seed: Value;
}

/** One logit of each row of logits [batch, C]: that of the new input `labels` [batch], or the highest where the label is negative. */
export function classLogit({ graph, opsets }: Model, logits: Value): Explained {
  const op = new OpBuilder(graph, { opsets, origin: "attach-attributions" });
  const labels = op.Unsqueeze(graph.addInput("labels", { dataType: DataType.INT64, shape: [logits.shape?.[0]] }), [-1]);
  const chosen = op.Where(op.Less(labels, op.scalar(0, labels)), op.ArgMax(logits, { axis: -1, keepdims: 1 }), labels);
  const one = op.Expand(op.scalar(1, logits), op.Shape(chosen));
  return { at: logits, seed: op.ScatterElements(op.Expand(op.scalar(0, logits), op.Shape(logits)), chosen, one, { axis: -1 }) };
}

/** The log-likelihood of the labels: the loss' sum, turned round. */
export function logLikelihood({ graph, opsets }: Model, logits: Value, loss: AttachedLoss): Explained {
  return { at: loss.at ?? logits, seed: new OpBuilder(graph, { opsets, origin: "attach-attributions" }).Neg(loss.logitsGradient) };
}

/** Adds the scores, one for each of the model's token ids, of their shape [batch, T]. Throws NO_TOKEN_EMBEDDING, NO_GRADIENT. */
export function attachAttributions({ graph, opsets }: Model, { at, seed }: Explained): Value {
  const ids = graph.inputs.find((v) => v.name === TOKEN_IDS);
  const embedded = tokenLookUps(graph).flatMap(({ outputs }) => outputs.filter((v) => v !== undefined).map(normalized));
  if (ids === undefined || embedded.length === 0) throw noTokenEmbedding(graph.inputs.map((v) => v.name));
  const gradients = differentiate(graph, { opsets, loss: at, seed, wrt: embedded });
  const op = new OpBuilder(graph, { opsets, origin: "attach-attributions" });
  const scores = embedded.map((e) => op.ReduceSum(op.Mul(gradients.get(e) ?? e, e), [-1], { keepdims: 0 }));
  // Some graphs lay a batch's ids end to end before they look them up.
  return op.named(op.Reshape(scores.reduce((sum, own) => op.Add(sum, own)), op.Shape(ids)), "attributions");
}

/** What a normalization makes of a row, if no gradient comes by another way; else the row. */
function normalized(row: Value): Value {
  const [reader, ...others] = new Set(row.uses.filter(({ node, index }) => entryOf(node, definitionOf(node), index) !== "none").map(({ node }) => node));
  return others.length === 0 && reader?.opType === "LayerNormalization" && reader.domain === "" ? reader.outputs[0] ?? row : row;
}
