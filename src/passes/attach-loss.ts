/**
 * Attaches a task's loss to the logits: as a sum and the number of labels that count, so that micro-batches add up to the large batch.
 *
 * Requires: facts inferred. Guarantees: a new input `labels`; labels of −100 count for nothing.
 */
import { DataType } from "../ir/data-type.ts";
import { symbol } from "../ir/dim.ts";
import type { Model } from "../ir/model.ts";
import type { Value } from "../ir/graph.ts";
import { OpBuilder } from "../ops/generated/builder.ts";

/** The label that the loss leaves out, as PyTorch's ignore_index. */
export const IGNORE_INDEX = -100;

/** The summed loss and how many labels it is over; their quotient is the mean loss. All float32 []. */
export interface AttachedLoss {
  readonly labels: Value;
  readonly sum: Value;
  readonly count: Value;
}

/** Cross entropy of logits [.., C] and int64 labels [..]: Σ over the labels that count of −ln softmax(logits)[label]. */
export function attachCrossEntropy(model: Model, logits: Value): AttachedLoss {
  const { graph } = model;
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "attach-loss" });
  const shape = (logits.shape ?? [symbol("batch"), undefined]).slice(0, -1);
  const labels = graph.addInput("labels", { dataType: DataType.INT64, shape });
  const counts = op.Not(op.Equal(labels, op.scalar(IGNORE_INDEX, labels)));
  const weights = op.Cast(counts, { to: DataType.FLOAT });
  const safe = op.Where(counts, labels, op.scalar(0, labels));
  const float = logits.dataType === DataType.FLOAT ? logits : op.Cast(logits, { to: DataType.FLOAT });
  const picked = op.Squeeze(op.GatherElements(op.LogSoftmax(float, { axis: -1 }), op.Unsqueeze(safe, [-1]), { axis: -1 }), [-1]);
  // Where, not a product: a label that doesn't count takes no part even if its logits are infinite.
  const losses = op.Where(counts, op.Neg(picked), op.scalar(0, float));
  return { labels, sum: op.ReduceSum(losses, undefined, { keepdims: 0 }), count: op.ReduceSum(weights, undefined, { keepdims: 0 }) };
}
