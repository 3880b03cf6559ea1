/**
 * Attaches a classification head: pooling over hidden states, then a Linear; or a Linear on each of them.
 *
 * Requires: facts inferred; a float output h [batch, sequence, d]; for mean and last, an input `attention_mask`. Guarantees: the outputs
 * there stay; a new one, `logits` [batch, N], or [batch, sequence, N] where nothing is pooled, comes last; the head's module path is `classifier`.
 * Rules: token = h, nothing pooled; mean = Σ mask·h / Σ mask; cls = h[:, 0]; last = h at the last 1 of the mask.
 */
import { noAttentionMask, noHiddenStates, widthUnknown } from "../errors/targets.ts";
import { DataType, isFloating } from "../ir/data-type.ts";
import { formatShape } from "../ir/dim.ts";
import type { Model } from "../ir/model.ts";
import type { Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { OpBuilder } from "../ops/generated/builder.ts";

/** How a head makes one vector of a sentence; "token": it doesn't, and has logits for each token. */
export type Pooling = "mean" | "cls" | "last" | "token";
export const POOLINGS: readonly Pooling[] = ["mean", "cls", "last", "token"];
/** The module path of a head that we attach. */
export const HEAD_MODULE = "classifier";
const MASK = "attention_mask";

export interface AttachHeadOptions {
  readonly pooling: Pooling;
  readonly numLabels: number;
  /** The name of the hidden states' output, where there are several. */
  readonly output?: string | undefined;
  /** The head's start: weight [N, d] and bias [N], as torch's Linear starts. */
  readonly start: (shape: readonly number[], fanIn: number) => Float32Array;
}

/** Adds the head. Returns the logits. Throws HutError where the graph gives nothing to pool. */
export function attachHead(model: Model, options: AttachHeadOptions): Value {
  const { graph } = model;
  const hidden = hiddenStates(model, options.output);
  const width = hidden.shape?.[2];
  if (typeof width !== "number") throw widthUnknown(hidden.name, formatShape(hidden.shape));
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "attach-head" });
  const float = hidden.dataType === DataType.FLOAT ? hidden : op.Cast(hidden, { to: DataType.FLOAT });
  const { pooling } = options;
  const pooled = pooling === "token" ? float : poolHidden(model, op, float, pooling);
  const { numLabels } = options;
  const weight = graph.addInitializer(`${HEAD_MODULE}.weight`, Tensor.floats([numLabels, width], options.start([numLabels, width], width)));
  const bias = graph.addInitializer(`${HEAD_MODULE}.bias`, Tensor.floats([numLabels], options.start([numLabels], width)));
  const logits = pooling === "token" ? op.Add(op.MatMul(pooled, op.Transpose(weight, { perm: [1, 0] })), bias) : op.Gemm(pooled, weight, bias, { transB: 1 });
  op.named(logits, "logits");
  const [batch, sequence] = float.shape ?? [];
  logits.facts = { dataType: DataType.FLOAT, shape: [batch, ...(pooling === "token" ? [sequence] : []), numLabels] };
  graph.outputs.push(logits);
  return logits;
}

/** The output that a head can stand on: the one named, else the only float output [batch, sequence, d]. */
function hiddenStates(model: Model, name: string | undefined): Value {
  const fitting = model.graph.outputs.filter((v) => isFloating(v.dataType) && v.shape?.length === 3 && (name === undefined || v.name === name));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  throw noHiddenStates(name, fitting.map((v) => v.name), new Map(model.graph.outputs.map((v) => [v.name, formatShape(v.shape)])));
}

function maskOf(model: Model, pooling: Pooling): Value {
  const mask = model.graph.inputs.find((v) => v.name === MASK);
  if (mask === undefined) throw noAttentionMask(pooling, MASK, model.graph.inputs.map((v) => v.name));
  return mask;
}

/** h [b, s, d] → [b, d], float32. Throws where the graph has no mask that mean and last need. */
export function poolHidden(model: Model, op: OpBuilder, hidden: Value, pooling: Exclude<Pooling, "token">): Value {
  return pool(op, hidden, pooling === "cls" ? undefined : maskOf(model, pooling), pooling);
}

/** h [b, s, d], mask [b, s] → [b, d]. */
function pool(op: OpBuilder, hidden: Value, mask: Value | undefined, pooling: Exclude<Pooling, "token">): Value {
  if (mask === undefined) return op.Squeeze(op.Slice(hidden, [0], [1], [1]), [1]);
  if (pooling === "mean") {
    const weights = op.Unsqueeze(op.Cast(mask, { to: DataType.FLOAT }), [-1]);
    const sum = op.ReduceSum(op.Mul(hidden, weights), [1], { keepdims: 0 });
    return op.Div(sum, op.ReduceSum(weights, [1], { keepdims: 0 }));
  }
  // The last 1: positions numbered from 1, times the mask; the largest is where it stands.
  const ids = op.Cast(mask, { to: DataType.INT64 });
  const positions = op.Mul(op.CumSum(op.Expand(op.ints([1]), op.Shape(ids)), op.scalar(1, ids)), ids);
  const last = op.ArgMax(positions, { axis: 1, keepdims: 1 });
  const index = op.Expand(op.Unsqueeze(last, [-1]), op.Concat([op.ints([1, 1]), op.Slice(op.Shape(hidden), [2], [3], [0])], { axis: 0 }));
  return op.Squeeze(op.GatherElements(hidden, index, { axis: 1 }), [1]);
}
