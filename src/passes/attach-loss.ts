/**
 * Attaches a task's loss to the logits: as a sum and the number of labels that count, so that micro-batches add up to the large batch.
 *
 * Requires: facts inferred. Guarantees: a new input `labels`; labels of −100 (NaN for the squared error) count for nothing; the logits' own gradient
 * beside the loss. Rules, of the cross entropy: (1) loss = max x − ln max p − x[label], p = softmax(x): nothing of the logits' size but p, and no p that underflows;
 * (2) dx = p, less 1 at the label, 0 where the label doesn't count: p again, changed in place. By the rules of LogSoftmax and GatherElements
 * it would take four more tensors of that size, which for a language model are the largest there are.
 */
import { DataType } from "../ir/data-type.ts";
import { symbol } from "../ir/dim.ts";
import type { Model } from "../ir/model.ts";
import type { Value } from "../ir/graph.ts";
import { OpBuilder } from "../ops/generated/builder.ts";

/** The label that the loss leaves out, as PyTorch's ignore_index. */
export const IGNORE_INDEX = -100;

/** The summed loss and how many labels it is over, float32 []; their quotient is the mean loss. */
export interface AttachedLoss {
  readonly labels: Value;
  readonly sum: Value;
  readonly count: Value;
  /** Where the gradient begins; the logits where left out. */
  readonly at?: Value;
  /** d sum / d logits (or what it begins at), of the logits' shape and type. */
  readonly logitsGradient: Value;
}

/** A sum over the labels that count, as their mean; 0 where none counts, which PyTorch has as NaN: one such batch would end a training. */
export function meanOverLabels(op: OpBuilder, sum: Value, count: Value): Value {
  return op.Div(sum, op.Max([count, op.scalar(1)]));
}

/** Cross entropy of logits [.., C] and int64 labels [..]: Σ over the labels that count of −ln softmax(logits)[label]. */
export function attachCrossEntropy(model: Model, logits: Value): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-loss" });
  const labels = addLabels(model, logits);
  return { labels, ...crossEntropy(op, logits, labels) };
}

/**
 * Next-token loss of logits [b, s, V] and int64 labels [b, s], of which the first of each row counts for nothing: the logits at position t are
 * for the label at t + 1. The labels are shifted, not the logits, which would be copied.
 */
export function attachNextTokenLoss(model: Model, logits: Value): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-loss" });
  const labels = addLabels(model, logits);
  const next = op.Pad(op.Slice(labels, [1], [FAR], [1]), [0, 0, 0, 1], op.scalar(IGNORE_INDEX, labels));
  return { labels, ...crossEntropy(op, logits, next) };
}

/**
 * Binary cross entropy of logits x [..] and float32 labels y [..] from 0 to 1: Σ over the labels that count of max(x, 0) − x·y + ln(1 + e^−|x|), which is
 * −y·ln σ(x) − (1 − y)·ln(1 − σ(x)) without an overflow. Its gradient is σ(x) − y. Negative labels count for nothing.
 */
export function attachBinaryCrossEntropy(model: Model, logits: Value): AttachedLoss {
  return attachElementwise(model, logits, (op, x, y) => ({
    counts: op.Not(op.Less(y, op.scalar(0, y))),
    each: op.Add(op.Sub(op.Relu(x), op.Mul(x, y)), op.Softplus(op.Neg(op.Abs(x)))),
    gradient: op.Sub(op.Sigmoid(x), y),
  }));
}

/** Squared error of predictions x [..] and float32 labels y [..]: Σ over the labels that count of (x − y)², whose gradient is 2·(x − y). NaN counts for nothing. */
export function attachSquaredError(model: Model, logits: Value): AttachedLoss {
  return attachElementwise(model, logits, (op, x, y) => {
    const difference = op.Sub(x, y);
    return { counts: op.Not(op.IsNaN(y)), each: op.Mul(difference, difference), gradient: op.Mul(difference, op.scalar(2, x)) };
  });
}

/** A loss of each number by itself, labels of the logits' shape: which count, each one's loss, and that by x. */
type Elementwise = (op: OpBuilder, x: Value, y: Value) => { readonly counts: Value; readonly each: Value; readonly gradient: Value };

function attachElementwise(model: Model, logits: Value, formula: Elementwise): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-loss" });
  const labels = model.graph.addInput("labels", { dataType: DataType.FLOAT, shape: logits.shape ?? [symbol("batch"), undefined] });
  const x = asFloat(op, logits);
  const { counts, each, gradient } = formula(op, x, labels);
  // Where, not a product: what doesn't count may be infinite or NaN.
  const counted = (v: Value): Value => op.Where(counts, v, op.scalar(0, x));
  const total = (v: Value): Value => op.ReduceSum(v, undefined, { keepdims: 0 });
  return { labels, sum: total(counted(each)), count: total(op.Cast(counts, { to: DataType.FLOAT })), logitsGradient: asType(op, counted(gradient), logits) };
}

/** x in float32. */
function asFloat(op: OpBuilder, x: Value): Value {
  return x.dataType === DataType.FLOAT ? x : op.Cast(x, { to: DataType.FLOAT });
}

/** A float32 value in the type of `like`. */
function asType(op: OpBuilder, value: Value, like: Value): Value {
  return like.dataType === DataType.FLOAT ? value : op.Cast(value, { to: like.dataType });
}

/** Where a Slice to the end ends. */
const FAR = 2 ** 31 - 1;

function addLabels({ graph }: Model, logits: Value): Value {
  const shape = (logits.shape ?? [symbol("batch"), undefined]).slice(0, -1);
  return graph.addInput("labels", { dataType: DataType.INT64, shape });
}

/** Logits x [.., C] and targets [..]. */
export function crossEntropy(op: OpBuilder, logits: Value, targets: Value): Omit<AttachedLoss, "labels"> {
  const counts = op.Not(op.Equal(targets, op.scalar(IGNORE_INDEX, targets)));
  const weights = op.Cast(counts, { to: DataType.FLOAT });
  const index = op.Unsqueeze(op.Where(counts, targets, op.scalar(0, targets)), [-1]);
  const x = asFloat(op, logits);
  const p = op.Softmax(x, { axis: -1 });
  const largest = (v: Value): Value => op.ReduceMax(v, [-1], { keepdims: 1 });
  const each = op.Sub(op.Sub(largest(x), op.Log(largest(p))), op.GatherElements(x, index, { axis: -1 }));
  // Where, not a product: a label that doesn't count takes no part even if its logits are infinite.
  const losses = op.Where(counts, op.Squeeze(each, [-1]), op.scalar(0, x));

  const weight = op.Unsqueeze(weights, [-1]);
  const weighted = op.Mul(p, weight);
  const gradient = op.ScatterElements(weighted, index, op.Sub(op.GatherElements(weighted, index, { axis: -1 }), weight), { axis: -1 });
  return {
    sum: op.ReduceSum(losses, undefined, { keepdims: 0 }), count: op.ReduceSum(weights, undefined, { keepdims: 0 }),
    logitsGradient: asType(op, gradient, logits),
  };
}
