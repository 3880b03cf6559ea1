/**
 * Attaches a task's loss to the logits: as a sum and the number of labels that count, so that micro-batches add up to the large batch.
 *
 * Requires: facts inferred. Guarantees: a new input `labels`; labels of −100 (NaN for the squared error) count for nothing; the logits' own gradient
 * beside the loss. Rules, of the cross entropy: (1) loss = max x − ln max p − x[label], p = softmax(x): nothing of the logits' size but p, and no p that underflows;
 * (2) dx = p, less 1 at the label, 0 where the label doesn't count: p again, changed in place. By the rules of LogSoftmax and GatherElements
 * it would take four more tensors of that size, which for a language model are the largest there are. (3) Of next tokens, positions whose label doesn't count are left out before the head's
 * product, which is as large as the embedding: prompts, padding, and each row's last one.
 */
import { DataType } from "../ir/data-type.ts";
import { symbol } from "../ir/dim.ts";
import type { Model } from "../ir/model.ts";
import type { Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { headProduct, setRows, type HeadProduct } from "./head-product.ts";

/** The label that the loss leaves out, as PyTorch's ignore_index. */
export const IGNORE_INDEX = -100;

/** What a cross entropy can be told, in the words of torch.nn.CrossEntropyLoss. */
export interface LossOptions {
  /** Share of each label that is spread evenly over the classes; 0 where left out. */
  readonly labelSmoothing?: number | undefined;
  /** [C]: what each class counts; 1 where left out. */
  readonly classWeights?: readonly number[] | undefined;
}

/** The summed loss and how many labels it is over, float32 []; their quotient is the mean loss. */
export interface AttachedLoss {
  readonly labels: Value;
  readonly sum: Value;
  readonly count: Value;
  /** Whether labels count with weights: `count` is their sum then, which may be any positive number. */
  readonly weighted?: boolean | undefined;
  /** Where the gradient begins; the logits where left out. */
  readonly at?: Value;
  /** d sum / d logits (or what it begins at), of the logits' shape and type. */
  readonly logitsGradient: Value;
}

/** A sum over the labels that count, as their mean; 0 where none counts, which PyTorch has as NaN: one such batch would end a training. */
export function meanOverLabels(op: OpBuilder, sum: Value, { count, weighted }: Pick<AttachedLoss, "count" | "weighted">): Value {
  return op.Div(sum, weighted === true ? op.Where(op.Greater(count, op.scalar(0)), count, op.scalar(1)) : op.Max([count, op.scalar(1)]));
}

/** Cross entropy of logits [.., C] and int64 labels [..]: Σ over the labels that count of −ln softmax(logits)[label]. */
export function attachCrossEntropy(model: Model, logits: Value, options?: LossOptions): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "attach-loss" });
  const labels = addLabels(model, logits);
  return { labels, ...crossEntropy(op, logits, labels, options) };
}

/** The size that goes by this name: how many labels of a batch count. */
export const COUNTED = "counted_labels";

/**
 * Next-token loss of logits [b, s, V] and int64 labels [b, s], of which the first of each row counts for nothing: the logits at position t are
 * for the label at t + 1. The labels are shifted, not the logits, which would be copied. Where the head's product is found, the logits become
 * [M, V]: those of the M positions whose next label counts, in their order.
 */
export function attachNextTokenLoss(model: Model, logits: Value, options?: LossOptions): AttachedLoss {
  const { graph, opsets } = model;
  const product = headProduct(logits, graph);
  const op = new OpBuilder(graph, { opsets, origin: "attach-loss", before: product?.node });
  const labels = addLabels(model, logits);
  // Padded first: of s + 1 columns all but one are s, where of s all but one may be none.
  const next = op.Slice(op.Pad(labels, [0, 0, 0, 1], op.scalar(IGNORE_INDEX, labels)), [1], [FAR], [1]);
  if (product === undefined) return { labels, ...crossEntropy(op, logits, next, options) };
  const targets = countedAlone(model, op, product, next);
  return { labels, ...crossEntropy(new OpBuilder(graph, { opsets, origin: "attach-loss" }), logits, targets, options) };
}

/** Gives the head's product the rows of hidden states [b, s, k] whose label counts, [M, k], and returns these labels [M]. */
function countedAlone(model: Model, op: OpBuilder, product: HeadProduct, labels: Value): Value {
  const flat = op.Reshape(labels, [-1]);
  const found = op.NonZero(op.Not(op.Equal(flat, op.scalar(IGNORE_INDEX, flat))));
  // One row where none counts: ONNX Runtime's ReduceMax of no rows makes a wrong shape (1.30).
  const count = op.Slice(op.Shape(found), [1], [2], [0]);
  const least = op.Where(op.Equal(count, op.ints([0])), op.ints([1]), count);
  const rows = op.Slice(op.Concat([op.Squeeze(found, [0]), op.ints([0])], { axis: 0 }), op.ints([0]), least, [0]);
  rows.facts = { dataType: DataType.INT64, shape: [symbol(COUNTED)] };
  setRows(model, product, op.Gather(op.Reshape(product.hidden, [-1, product.k]), rows, { axis: 0 }));
  return op.Gather(flat, rows, { axis: 0 });
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

/**
 * Logits x [.., C] and targets [..]. With class weights w a label counts w[label] times, and the mean is over the sum of these. With smoothing e a label is
 * t = (1 − e)·w[label] at its class and e·w/C more at each: loss = Σ t·(ln Σ exp x − x), dx = p·Σt − t.
 */
export function crossEntropy(op: OpBuilder, logits: Value, targets: Value, options: LossOptions = {}): Omit<AttachedLoss, "labels"> {
  const counts = op.Not(op.Equal(targets, op.scalar(IGNORE_INDEX, targets)));
  const counted = op.Cast(counts, { to: DataType.FLOAT });
  const target = op.Where(counts, targets, op.scalar(0, targets));
  const index = op.Unsqueeze(target, [-1]);
  const { classWeights, labelSmoothing = 0 } = options;
  const weights = classWeights === undefined ? counted : op.Mul(counted, op.Gather(op.floats(classWeights), target, { axis: 0 }));
  const x = asFloat(op, logits);
  const p = op.Softmax(x, { axis: -1 });
  const largest = (v: Value): Value => op.ReduceMax(v, [-1], { keepdims: 1 });
  const logSum = op.Sub(largest(x), op.Log(largest(p)));
  const plain = op.Squeeze(op.Sub(logSum, op.GatherElements(x, index, { axis: -1 })), [-1]);
  const spread = spreadOf(op, x, logSum, options);
  const own = spread === undefined ? weights : op.Mul(weights, op.scalar(1 - labelSmoothing));
  const atLabel = own === counted ? plain : op.Mul(plain, own);
  const each = spread === undefined ? atLabel : op.Add(atLabel, op.Squeeze(spread.loss, [-1]));
  // Where, not a product: a label that doesn't count takes no part even if its logits are infinite.
  const losses = op.Where(counts, each, op.scalar(0, x));

  const weight = op.Unsqueeze(own, [-1]);
  const pulled = spread === undefined ? op.Mul(p, weight) : spreadGradient(op, p, weight, op.Unsqueeze(counted, [-1]), spread);
  const gradient = op.ScatterElements(pulled, index, op.Sub(op.GatherElements(pulled, index, { axis: -1 }), weight), { axis: -1 });
  return {
    sum: op.ReduceSum(losses, undefined, { keepdims: 0 }), count: op.ReduceSum(weights, undefined, { keepdims: 0 }),
    logitsGradient: asType(op, gradient, logits), weighted: classWeights !== undefined,
  };
}

/** p·Σt less what is spread. */
function spreadGradient(op: OpBuilder, p: Value, weight: Value, counted: Value, { total, shares }: Spread): Value {
  return op.Sub(op.Mul(p, op.Add(weight, op.Mul(counted, total))), op.Mul(counted, shares));
}

/** What smoothing spreads over all classes, before anything is left out; undefined without smoothing. */
interface Spread {
  /** Its part of each label's loss [.., 1]. */
  readonly loss: Value;
  /** e·w/C: [C], or [1] where all classes have the same. */
  readonly shares: Value;
  /** Their sum [1]. */
  readonly total: Value;
}

/** Σ e·w/C·(ln Σ exp x − x) over the classes, w·x as one product, so that nothing of the logits' size is made. */
function spreadOf(op: OpBuilder, x: Value, logSum: Value, { labelSmoothing = 0, classWeights }: LossOptions): Spread | undefined {
  if (labelSmoothing === 0) return undefined;
  if (classWeights !== undefined) {
    const shares = classWeights.map((w) => labelSmoothing * w / classWeights.length);
    const total = op.floats([shares.reduce((sum, share) => sum + share, 0)]);
    return { loss: op.Sub(op.Mul(logSum, total), op.MatMul(x, op.constant("shares", Tensor.floats([shares.length, 1], Float32Array.from(shares))))), shares: op.floats(shares), total };
  }
  const total = op.floats([labelSmoothing]);
  const classes = x.shape?.at(-1);
  const shares = typeof classes === "number" ? op.floats([labelSmoothing / classes]) : op.Div(total, op.Cast(op.Slice(op.Shape(x), [-1], [FAR], [0]), { to: DataType.FLOAT }));
  return { loss: op.Mul(op.Sub(logSum, op.ReduceMean(x, [-1], { keepdims: 1 })), total), shares, total };
}
