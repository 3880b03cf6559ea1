/**
 * Attaches sentence embeddings and a loss that learns them from pairs, with the other pairs of the batch as what doesn't belong together: sentence-transformers'
 * MultipleNegativesRankingLoss (InfoNCE), cosine similarity times 20.
 *
 * Requires: facts inferred; hidden states [rows, sequence, d] or embeddings [rows, d]; the rows of a record one behind the other, all records having as many: the
 * anchor, what belongs to it, and perhaps more that don't belong. Guarantees: a new input `labels`, float32 [records]: 1 where a record's first two rows
 * belong together, else its rows are only what others don't belong to. Rules: (1) an embedding is the pooled hidden states over their length; (2) loss =
 * cross entropy of 20 · cosine of each anchor with every candidate of the batch, its own being the right one.
 */
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { symbol } from "../ir/dim.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { poolHidden, type Pooling } from "./attach-head.ts";
import { crossEntropy, IGNORE_INDEX, type AttachedLoss } from "./attach-loss.ts";

/** What cosines are multiplied by before the softmax: sentence-transformers' default. */
export const SCALE = 20;

/** How an embedding is made of hidden states. */
export type EmbeddingPooling = Exclude<Pooling, "token">;
export const EMBEDDING_POOLINGS: readonly EmbeddingPooling[] = ["mean", "cls", "last"];

/** The least square of a length that is divided by: torch's F.normalize has 1e-12 for the length. */
const LEAST_SQUARE = 1e-24;

/** Embeddings [rows, d] of length 1, float32. */
export function attachEmbedding(model: Model, hidden: Value, pooling: EmbeddingPooling): Value {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-contrastive" });
  const float = hidden.dataType === DataType.FLOAT ? hidden : op.Cast(hidden, { to: DataType.FLOAT });
  const pooled = hidden.shape?.length === 2 ? float : poolHidden(model, op, float, pooling);
  const square = op.ReduceSum(op.Mul(pooled, pooled), [1], { keepdims: 1 });
  return op.Div(pooled, op.Sqrt(op.Max([square, op.scalar(LEAST_SQUARE)])));
}

/** The loss of records of several rows each. */
export function attachContrastive(model: Model, hidden: Value, pooling: EmbeddingPooling): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-contrastive" });
  const embedding = attachEmbedding(model, hidden, pooling);
  const width = embedding.shape?.[1];
  const labels = model.graph.addInput("labels", { dataType: DataType.FLOAT, shape: [symbol("records")] });
  const records = op.Shape(labels);
  const d = typeof width === "number" ? op.ints([width]) : op.Slice(op.Shape(embedding), [1], [2], [0]);
  const rows = op.Reshape(embedding, op.Concat([records, op.ints([-1]), d], { axis: 0 }));
  const anchors = op.Squeeze(op.Slice(rows, [0], [1], [1]), [1]);
  const candidates = op.Reshape(op.Slice(rows, [1], [FAR], [1]), op.Concat([op.ints([-1]), d], { axis: 0 }));
  const similarities = op.Mul(op.MatMul(anchors, op.Transpose(candidates, { perm: [1, 0] })), op.scalar(SCALE));
  // Of record i the first candidate stands at i times the candidates of a record.
  const count = op.Squeeze(records, [0]);
  const each = op.Div(op.Squeeze(op.Slice(op.Shape(candidates), [0], [1], [0]), [0]), count);
  const own = op.Mul(op.Range(op.scalar(0, count), count, op.scalar(1, count)), each);
  const targets = op.Where(op.Less(labels, op.scalar(1)), op.scalar(IGNORE_INDEX, count), own);
  return { labels, at: similarities, ...crossEntropy(op, similarities, targets) };
}

/** Where a Slice to the end ends. */
const FAR = 2 ** 31 - 1;
