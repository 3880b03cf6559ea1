/** Attention and rotary embedding as ONNX Runtime's optimizer and model builder write them. Composites: opened before a gradient has to pass. */
import { floatOf, intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, divideExactly, mulDims, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { addedMask, afterPast, attend, causalMask, joinHeads, numbered, parts, rotate, sizeOf, splitHeads, type ScoreMask } from "./attention-formula.ts";
import { defineOp } from "./define.ts";
import { ORT_DOMAIN } from "./fused-activations.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** What ONNX Runtime adds to the score of a token that is padding. */
const PADDING = -10000;

/** How many heads there are, which ONNX Runtime has no default for. */
function countOf(node: Node, name: string): number {
  const value = intOf(node, name, 0);
  if (value < 1) throw new TypeError(`the attribute "${name}" must be given`);
  return value;
}

/** 0 stands for 1/√d. */
function scaleOf(node: Node): number | undefined {
  const scale = floatOf(node, "scale", 0);
  return scale === 0 ? undefined : scale;
}

/**
 * Which keys count, as something to add to the scores [b, h, s, t]. The mask is [b, t] or [b, s, t] of ones and zeros, or one number or two a row:
 * where the tokens that count end, and where they begin.
 */
function paddingMask(op: OpBuilder, mask: Value, batch: Dim, keys: Value, filler: number, like: Value): Value | undefined {
  const isOne = (v: Value): Value => op.Greater(v, op.scalar(0, v));
  const rank = mask.shape?.length;
  if (rank === 2) return addedMask(op, { allowed: [op.Unsqueeze(isOne(mask), [1, 2])], added: [], filler }, like);
  if (rank === 3) return addedMask(op, { allowed: [op.Unsqueeze(isOne(mask), [1])], added: [], filler }, like);
  const [count] = rank === 1 ? mask.shape ?? [] : [];
  const places = (): Value => op.Cast(numbered(op, keys), { to: mask.dataType });
  const perRow = (v: Value): Value => op.Reshape(v, [-1, 1, 1, 1]);
  if (rank === 1 && sameDim(count, batch)) return addedMask(op, { allowed: [op.Less(places(), perRow(mask))], added: [], filler }, like);
  if (rank === 1 && sameDim(count, mulDims(2, batch))) {
    const [ends, starts] = parts(op, op.Reshape(mask, [2, -1]), [1, 1], 0);
    return addedMask(op, { allowed: [op.And(op.Less(places(), perRow(ends)), op.GreaterOrEqual(places(), perRow(starts)))], added: [], filler }, like);
  }
  throw new TypeError(`a mask of ${rank === undefined ? "unknown rank" : `${String(rank)} axes and this size`} is not written`);
}

/** What a node says of keys that don't count. */
interface MaskInputs {
  readonly padding: Value | undefined;
  readonly batch: Dim;
  readonly past: Value | undefined;
  readonly bias: Value | undefined;
}

/** The mask of q [b, h, s, d] and k [b, h, t, d] by attributes that Attention and MultiHeadAttention share. */
function maskOf(op: OpBuilder, node: Node, q: Value, k: Value, { padding, batch, past, bias }: MaskInputs): ScoreMask {
  const keys = sizeOf(op, k, 2);
  const padded = padding === undefined ? undefined : paddingMask(op, padding, batch, keys, floatOf(node, "mask_filter_value", PADDING), q);
  const isCausal = intOf(node, "unidirectional", 0) === 1;
  const causal = isCausal ? causalMask(op, sizeOf(op, q, 2), keys, past === undefined ? undefined : sizeOf(op, past, 2)) : undefined;
  return { allowed: [causal], added: [padded, bias] };
}

/** Keys and values in one tensor, [2, b, h, t, d], and taken apart. */
function halves(op: OpBuilder, past: Value): [key: Value, value: Value] {
  const [key, value] = parts(op, past, [1, 1], 0);
  return [op.Squeeze(key, [0]), op.Squeeze(value, [0])];
}

/** Widths of q, k and v in a packed product [.., q + k + v]. */
function packedSizes(node: Node, width: Dim): [number, number, number] | undefined {
  const given = intsOf(node, "qkv_hidden_sizes");
  if (given?.length === 3) return [given[0] ?? 0, given[1] ?? 0, given[2] ?? 0];
  return typeof width === "number" ? [width / 3, width / 3, width / 3] : undefined;
}

/**
 * Self-attention with its projection: q ‖ k ‖ v = x·W + bias, W [d, 3d] packed; y = softmax(scale · q·kᵀ + mask)·v.
 * x [b, s, d]; past and present [2, b, h, t, d/h].
 */
export const OrtAttention = defineOp({
  name: "Attention", domain: ORT_DOMAIN, opsets: [1], inputs: ["input", "weights", "bias", "mask_index", "past", "attention_bias", "past_sequence_length"],
  outputs: ["output", "present"], weight: () => ({ index: 1, layout: "kn" }),
  shape: (c) => {
    const [batch, sequence] = c.shape(0) ?? [];
    const sizes = packedSizes(c.node, c.shape(1)?.[1]);
    const heads = intOf(c.node, "num_heads", 0);
    const present = [2, batch, heads, addDims(sequence, c.has(4) ? c.shape(4)?.[3] : 0), divideExactly(sizes?.[2], heads)];
    return [{ dataType: c.dataType(0), shape: [batch, sequence, sizes?.[2]] }, { dataType: c.dataType(0), shape: present }];
  },
  flops: (c) => {
    const [batch, sequence, width] = c.shape(0) ?? [];
    const sizes = packedSizes(c.node, c.shape(1)?.[1]);
    const tokens = mulDims(batch, sequence);
    if (sizes === undefined) return undefined;
    const projection = mulDims(tokens, mulDims(2, mulDims(width, c.shape(1)?.[1])));
    return addDims(projection, mulDims(tokens, mulDims(sequence, 2 * (sizes[0] + sizes[2]))));
  },
  gradient: "opened",
  opens: ({ op, node, has, given, in: inputs, wanted }) => {
    const heads = countOf(node, "num_heads");
    if (intOf(node, "do_rotary", 0) === 1) throw new TypeError("rotary embedding inside of Attention is not written");
    if (intOf(node, "past_present_share_buffer", 0) === 1) throw new TypeError("a cache that is written in place is not written");
    const sizes = packedSizes(node, inputs.weights.shape?.[1]);
    if (sizes === undefined) throw new TypeError(`the shape of "${inputs.weights.name}" must be known`);
    const product = op.MatMul(inputs.input, inputs.weights);
    const packed = has("bias") ? op.Add(product, inputs.bias) : product;
    const [ownQ, ownK, ownV] = parts(op, packed, sizes, -1);
    const q = splitHeads(op, ownQ, heads);
    const [pastKey, pastValue] = has("past") ? halves(op, inputs.past) : [];
    const k = afterPast(op, pastKey, splitHeads(op, ownK, heads));
    const v = afterPast(op, pastValue, splitHeads(op, ownV, heads));
    const { y } = attend(op, { q, k, v, scale: scaleOf(node), mask: maskOf(op, node, q, k, {
      padding: given("mask_index"), batch: inputs.input.shape?.[0], past: pastKey,
      bias: given("attention_bias"),
    }) });
    const both = (): Value => op.Concat([op.Unsqueeze(k, [0]), op.Unsqueeze(v, [0])], { axis: 0 });
    return [joinHeads(op, y), wanted(1) ? both() : undefined];
  },
});

/** The inputs of a MultiHeadAttention that q, k and v are made of. */
interface Projections {
  readonly query: Value;
  readonly key: Value | undefined;
  readonly value: Value | undefined;
  readonly bias: Value | undefined;
}

/** q, k, v as heads [b, h, s, d]: packed [b, s, h, 3, d], k and v packed [b, s, h, 2, d], flat [b, s, h·d], or as heads already. */
function headsOfMany(op: OpBuilder, heads: number, { query, key, value, bias }: Projections): [Value, Value, Value] {
  const unpacked = (part: Value): Value => op.Transpose(op.Squeeze(part, [3]), { perm: [0, 2, 1, 3] });
  const rank = (x: Value): number => {
    if (x.shape === undefined) throw new TypeError(`the rank of "${x.name}" must be known`);
    return x.shape.length;
  };
  if (rank(query) === 5) {
    if (bias !== undefined) throw new TypeError("a bias of packed q, k and v is not written");
    const [q, k, v] = parts(op, query, [1, 1, 1], 3);
    return [unpacked(q), unpacked(k), unpacked(v)];
  }
  if (key === undefined) throw new TypeError("keys are missing");
  const widths = [query, key, value].map((x) => x?.shape?.at(-1));
  const known = widths.filter((w) => typeof w === "number");
  if (bias !== undefined && known.length < 3) throw new TypeError("the widths of q, k and v must be known, since a bias is added");
  const biases = bias === undefined ? [] : parts(op, bias, known, -1);
  const shifted = (x: Value, i: number): Value => { const b = biases[i]; return b === undefined || rank(x) !== 3 ? x : op.Add(x, b); };
  const asHeads = (x: Value, i: number): Value => (rank(x) === 4 ? x : splitHeads(op, shifted(x, i), heads));
  if (rank(key) === 5) {
    const [k, v] = parts(op, key, [1, 1], 3);
    return [asHeads(query, 0), unpacked(k), unpacked(v)];
  }
  if (value === undefined) throw new TypeError("values are missing");
  return [asHeads(query, 0), asHeads(key, 1), asHeads(value, 2)];
}

/** y = softmax(scale · q·kᵀ + mask)·v of projections made outside; q [b, s, h·d], k and v [b, t, h·d] or other layouts of the same. */
export const MultiHeadAttention = defineOp({
  name: "MultiHeadAttention", domain: ORT_DOMAIN, opsets: [1],
  inputs: ["query", "key", "value", "bias", "key_padding_mask", "attention_bias", "past_key", "past_value", "past_sequence_length", "cache_indirection"],
  outputs: ["output", "present_key", "present_value", "qk"],
  shape: (c) => {
    const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)];
    const heads = intOf(c.node, "num_heads", 0);
    const dataType = c.dataType(0);
    const packed = q?.length === 5;
    const packedWidth = k?.length === 5 ? mulDims(heads, k[4]) : undefined;
    const valueWidth = packed ? mulDims(heads, q[4]) : v?.length === 4 ? mulDims(heads, v[3]) : v?.[2] ?? packedWidth;
    const length = packed ? q[1] : k?.length === 4 ? k[2] : k?.[1];
    const present = [q?.[0], heads, addDims(length, c.has(6) ? c.shape(6)?.[2] : 0), divideExactly(valueWidth, heads)];
    return [[q?.[0], q?.[1], valueWidth], present, present, [q?.[0], heads, q?.[1], present[2]]].map((shape) => ({ dataType, shape }));
  },
  flops: (c) => {
    const [q, k] = [c.shape(0), c.shape(1)];
    return q?.length !== 3 || k?.length !== 3 ? undefined : [q[0], q[1], k[1]].reduce(mulDims, mulDims(4, q[2]));
  },
  gradient: "opened",
  opens: ({ op, node, has, given, in: inputs, wanted }) => {
    const heads = countOf(node, "num_heads");
    if (has("cache_indirection")) throw new TypeError("beam search is not written");
    const [q, k0, v0] = headsOfMany(op, heads, { query: inputs.query, key: given("key"),
      value: given("value"), bias: given("bias") });
    const past = given("past_key");
    const [k, v] = [afterPast(op, past, k0), afterPast(op, given("past_value"), v0)];
    const { y, scores } = attend(op, { q, k, v, scale: scaleOf(node), mask: maskOf(op, node, q, k, {
      padding: given("key_padding_mask"), batch: inputs.query.shape?.[0], past,
      bias: given("attention_bias"),
    }) });
    return [joinHeads(op, y), k, v, wanted(3) ? scores[0] : undefined];
  },
});

/** q [b, h, s, d], k and v [b, g, s, d], of separate [b, s, h·d], [b, s, g·d] or packed [b, s, (h + 2g)·d]. */
function groupedHeads(op: OpBuilder, heads: number, groups: number, query: Value, key: Value | undefined, value: Value | undefined): [Value, Value, Value] {
  if (key !== undefined && value !== undefined) return [splitHeads(op, query, heads), splitHeads(op, key, groups), splitHeads(op, value, groups)];
  const width = query.shape?.[2];
  if (typeof width !== "number") throw new TypeError(`the width of "${query.name}" must be known`);
  const size = width / (heads + 2 * groups);
  const [q, k, v] = parts(op, query, [heads * size, groups * size, groups * size], -1);
  return [splitHeads(op, q, heads), splitHeads(op, k, groups), splitHeads(op, v, groups)];
}

/**
 * Causal attention in which h heads of q share g heads of k and v, with rotary embedding inside where the node says so.
 * Rows are padded at their end, as ONNX Runtime wants them: a token never looks at what comes after it, so padding needs no mask of its own.
 */
export const GroupQueryAttention = defineOp({
  name: "GroupQueryAttention", domain: ORT_DOMAIN, opsets: [1],
  inputs: ["query", "key", "value", "past_key", "past_value", "seqlens_k", "total_sequence_length", "cos_cache", "sin_cache", "position_ids",
    "attention_bias", "head_sink"],
  outputs: ["output", "present_key", "present_value", "output_qk"],
  shape: (c) => {
    const q = c.shape(0);
    const [heads, groups] = [intOf(c.node, "num_heads", 0), intOf(c.node, "kv_num_heads", 0)];
    const width = q?.[2];
    const size = divideExactly(width, c.has(1) ? heads : heads + 2 * groups);
    const dataType = c.dataType(0);
    const total = c.ints(6)?.[0] ?? addDims(c.has(3) ? c.shape(3)?.[2] : 0, q?.[1]);
    const present: Shape = [q?.[0], groups, total, size];
    return [[q?.[0], q?.[1], mulDims(heads, size)], present, present, [q?.[0], heads, q?.[1], total]].map((shape) => ({ dataType, shape }));
  },
  flops: (c) => {
    const q = c.shape(0);
    const [heads, groups] = [intOf(c.node, "num_heads", 0), intOf(c.node, "kv_num_heads", 0)];
    const size = divideExactly(q?.[2], c.has(1) ? heads : heads + 2 * groups);
    return [q?.[0], q?.[1], q?.[1], heads].reduce(mulDims, mulDims(4, size));
  },
  gradient: "opened",
  opens: ({ op, node, has, given, in: inputs }) => {
    const [heads, groups] = [countOf(node, "num_heads"), countOf(node, "kv_num_heads")];
    if (has("head_sink") || intOf(node, "smooth_softmax", 0) === 1) throw new TypeError("attention sinks are not written");
    const [q0, k0, v0] = groupedHeads(op, heads, groups, inputs.query, given("key"), given("value"));
    const past = has("past_key") ? sizeOf(op, inputs.past_key, 2) : undefined;
    const turned = (x: Value): Value => {
      if (intOf(node, "do_rotary", 0) !== 1) return x;
      const places = numbered(op, sizeOf(op, x, 2));
      // Of position_ids the kernel takes the very first alone, while nothing is remembered, and counts on from there in every row.
      const first = has("position_ids") ? op.Slice(op.Reshape(inputs.position_ids, [-1]), [0], [1], [0]) : past;
      const angle = (cache: Value): Value => op.Unsqueeze(op.Gather(cache, first === undefined ? places : op.Add(places, first)), [0, 1]);
      return rotate(op, { x, cos: angle(inputs.cos_cache), sin: angle(inputs.sin_cache), interleaved: intOf(node, "rotary_interleaved", 0) === 1,
        rotated: doubled(inputs.cos_cache) });
    };
    const k = afterPast(op, given("past_key"), turned(k0));
    const v = afterPast(op, given("past_value"), v0);
    const window = intOf(node, "local_window_size", -1);
    const causal = causalMask(op, sizeOf(op, q0, 2), sizeOf(op, k, 2), past, window < 0 ? undefined : window);
    const { y } = attend(op, { q: turned(q0), k, v, scale: scaleOf(node), softcap: floatOf(node, "softcap", 0), groups: { q: heads, kv: groups },
      mask: { allowed: [causal], added: [given("attention_bias")] } });
    return [joinHeads(op, y), k, v];
  },
});

/** How many numbers of a head are rotated: two for each angle of the table [.., r/2]. */
function doubled(cache: Value): number {
  const half = cache.shape?.at(-1);
  if (typeof half !== "number") throw new TypeError(`the width of "${cache.name}" must be known`);
  return 2 * half;
}

/** Pairs of numbers of each head, turned by the angle of their place. x [b, s, h·d] or [b, h, s, d]; place [b, s], or [1]: the first token's. */
export const OrtRotaryEmbedding = defineOp({
  name: "RotaryEmbedding", domain: ORT_DOMAIN, opsets: [1], inputs: ["input", "position_ids", "cos_cache", "sin_cache"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0) }], flops: (c) => c.shape(0)?.reduce(mulDims, 3),
  gradient: "opened",
  opens: ({ op, node, in: { input, position_ids: ids, cos_cache: cos, sin_cache: sin } }) => {
    const rotated = intOf(node, "rotary_embedding_dim", 0) || doubled(cos);
    const width = input.shape?.[2];
    const told = intOf(node, "num_heads", 0);
    const flat = input.shape?.length === 3;
    if (!flat && input.shape?.length !== 4) throw new TypeError(`the rank of "${input.name}" must be known`);
    const heads = told > 0 ? told : typeof width === "number" ? width / rotated : NaN;
    if (flat && !Number.isInteger(heads)) throw new TypeError(`the number of heads of "${input.name}" must be known`);
    const x = flat ? splitHeads(op, input, heads) : input;
    const first = ids.shape?.length === 1;
    const start = (): Value => (ids.dataType === DataType.INT64 ? ids : op.Cast(ids, { to: DataType.INT64 }));
    const places = first ? op.Add(numbered(op, sizeOf(op, x, 2)), start()) : ids;
    const angle = (cache: Value): Value => op.Unsqueeze(op.Gather(cache, places), first ? [0, 1] : [1]);
    const y = rotate(op, { x, cos: angle(cos), sin: angle(sin), interleaved: intOf(node, "interleaved", 0) === 1, rotated });
    const scale = floatOf(node, "scale", 1);
    const scaled = scale === 1 ? y : op.Mul(y, op.scalar(scale, y));
    return [flat ? joinHeads(op, scaled) : scaled];
  },
});
