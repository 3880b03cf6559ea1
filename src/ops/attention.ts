/** Attention and rotary embedding as ONNX has them since opset 23: composites, opened before a gradient has to pass. */
import { floatOf, intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, divideExactly, mulDims, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { afterPast, attend, causalMask, joinHeads, numbered, rotate, sizeOf, splitHeads } from "./attention-formula.ts";
import { defineOp, type InferContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** Heads and sizes of an attention, from inputs [b, h, s, d] or [b, s, h·d]. */
interface Sizes {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly groups: Dim;
  readonly queries: Dim;
  readonly keys: Dim;
  readonly width: Dim;
  readonly valueWidth: Dim;
}

function sizesOf(c: InferContext): Sizes | undefined {
  const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)];
  if (q === undefined || k === undefined || v === undefined) return undefined;
  const past = c.has(4) ? c.shape(4)?.[2] : 0;
  if (q.length === 4) return { batch: q[0], heads: q[1], groups: k[1], queries: q[2], keys: addDims(k[2], past), width: q[3], valueWidth: v[3] };
  const [heads, groups] = [intOf(c.node, "q_num_heads", 0), intOf(c.node, "kv_num_heads", 0)];
  return { batch: q[0], heads, groups, queries: q[1], keys: addDims(k[1], past), width: divideExactly(q[2], heads), valueWidth: divideExactly(v[2], groups) };
}

/** A value of [b, s, h·d] or [b, h, s, d], as the latter. */
function asHeads(op: OpBuilder, x: Value, heads: Dim): Value {
  if (x.shape?.length === 4) return x;
  if (typeof heads !== "number" || heads < 1) throw new TypeError(`the number of heads of "${x.name}" must be known`);
  return splitHeads(op, x, heads);
}

/** y = softmax(scale · q·kᵀ, capped, masked) · v, by heads. Q [b, h, s, d], K [b, g, t, d], V [b, g, t, e], or each as [b, s, h·d]; Y as Q. */
export const Attention = defineOp({
  name: "Attention", opsets: [23, 24], inputs: ["Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"],
  outputs: ["Y", "present_key", "present_value", "qk_matmul_output"],
  shape: (c) => {
    const sizes = sizesOf(c);
    const dataType = c.dataType(0);
    if (sizes === undefined) return [{ dataType, shape: c.shape(0)?.map(() => undefined) }];
    const { batch, heads, groups, queries, keys, width, valueWidth } = sizes;
    const y: Shape = c.shape(0)?.length === 4 ? [batch, heads, queries, valueWidth] : [batch, queries, mulDims(heads, valueWidth)];
    return [{ dataType, shape: y }, { dataType, shape: [batch, groups, keys, width] }, { dataType: c.dataType(2), shape: [batch, groups, keys, valueWidth] },
      { dataType, shape: [batch, heads, queries, keys] }];
  },
  flops: (c) => {
    const sizes = sizesOf(c);
    if (sizes === undefined) return undefined;
    const { batch, heads, queries, keys, width, valueWidth } = sizes;
    return [batch, heads, queries, keys].reduce(mulDims, addDims(mulDims(2, addDims(width, valueWidth)), 5));
  },
  gradient: "opened",
  opens: ({ op, node, has, given, in: inputs, wanted }) => {
    const [heads, groups] = [headsOf(inputs.Q, intOf(node, "q_num_heads", 0)), headsOf(inputs.K, intOf(node, "kv_num_heads", 0))];
    const alike = sameDim(heads, groups);
    if (!alike && (typeof heads !== "number" || typeof groups !== "number")) throw new TypeError(`the number of heads of "${inputs.Q.name}" must be known`);
    const q = asHeads(op, inputs.Q, heads);
    const k = afterPast(op, given("past_key"), asHeads(op, inputs.K, groups));
    const v = afterPast(op, given("past_value"), asHeads(op, inputs.V, groups));
    const keys = sizeOf(op, k, 2);
    const lengths = has("nonpad_kv_seqlen") ? op.Reshape(inputs.nonpad_kv_seqlen, [-1, 1, 1, 1]) : undefined;
    const offset = has("past_key") ? sizeOf(op, inputs.past_key, 2) : lengths === undefined ? undefined : op.Sub(lengths, sizeOf(op, q, 2));
    const causal = intOf(node, "is_causal", 0) === 1 ? causalMask(op, sizeOf(op, q, 2), keys, offset) : undefined;
    const mask = given("attn_mask");
    const present = lengths === undefined ? undefined : op.Less(numbered(op, keys), lengths);
    const isBoolean = mask?.dataType === DataType.BOOL;
    const full = mask === undefined ? undefined : widened(op, mask, keys);
    const { y, scores } = attend(op, {
      q, k, v, scale: floatOf(node, "scale", undefined), softcap: floatOf(node, "softcap", 0),
      groups: typeof heads === "number" && typeof groups === "number" ? { q: heads, kv: groups } : undefined,
      mask: { allowed: [causal, present, isBoolean ? full : undefined], added: [isBoolean ? undefined : full] },
    });
    return [inputs.Q.shape?.length === 4 ? y : joinHeads(op, y), k, v, wanted(3) ? scores[intOf(node, "qk_matmul_output_mode", 0)] : undefined];
  },
});

/** A mask whose keys may end before the last ones (opset 24) is filled up: these don't count. */
function widened(op: OpBuilder, mask: Value, keys: Value): Value {
  const width = mask.shape?.at(-1);
  if (op.opset < 24 || width === 1 || (typeof width === "number" && keys.facts?.ints?.[0] === width)) return mask;
  const rank = mask.shape?.length;
  if (rank === undefined) throw new TypeError(`the rank of "${mask.name}" must be known`);
  const pads = op.Concat([op.ints(Array.from({ length: 2 * rank - 1 }, () => 0)), op.Sub(keys, sizeOf(op, mask, rank - 1))], { axis: 0 });
  if (mask.dataType !== DataType.BOOL) return op.Pad(mask, pads, op.scalar(-Infinity, mask));
  return op.Cast(op.Pad(op.Cast(mask, { to: DataType.INT32 }), pads), { to: DataType.BOOL });
}

/** The heads of [b, h, s, d], or those the node tells. */
function headsOf(x: Value, told: number): Dim {
  return x.shape?.length === 4 ? x.shape[1] : told;
}

/** Pairs of numbers of each head, turned by the angle of their place. X [b, h, s, d] or [b, s, h·d]; caches [places, r/2], or [b, s, r/2]. */
export const RotaryEmbedding = defineOp({
  name: "RotaryEmbedding", opsets: [23], inputs: ["X", "cos_cache", "sin_cache", "position_ids"], outputs: ["Y"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0) }], flops: (c) => c.shape(0)?.reduce(mulDims, 3),
  gradient: "opened",
  opens: ({ op, node, has, in: inputs }) => {
    const x = asHeads(op, inputs.X, intOf(node, "num_heads", 0));
    const angle = (cache: Value): Value => op.Unsqueeze(has("position_ids") ? op.Gather(cache, inputs.position_ids) : cache, [1]);
    const y = rotate(op, { x, cos: angle(inputs.cos_cache), sin: angle(inputs.sin_cache), interleaved: intOf(node, "interleaved", 0) === 1,
      rotated: intOf(node, "rotary_embedding_dim", 0) || undefined });
    return [inputs.X.shape?.length === 4 ? y : joinHeads(op, y)];
  },
});
