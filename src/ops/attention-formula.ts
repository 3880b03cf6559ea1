/** Scaled dot-product attention and rotary embedding in ordinary operators: what every fused form of them is opened into. */
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** Added to a score that must not count: the smallest float32, which stays finite when a score is added. */
export const LOWEST = -3.4028234663852886e38;

/** [b, s, h·d] → [b, h, s, d]. */
export function splitHeads(op: OpBuilder, x: Value, heads: number): Value {
  return op.Transpose(op.Reshape(x, [0, 0, heads, -1]), { perm: [0, 2, 1, 3] });
}

/** [b, h, s, d] → [b, s, h·d]. */
export function joinHeads(op: OpBuilder, x: Value): Value {
  return op.Reshape(op.Transpose(x, { perm: [0, 2, 1, 3] }), [0, 0, -1]);
}

/** x cut along an axis into parts of these sizes. */
export function parts<const S extends readonly number[]>(op: OpBuilder, x: Value, sizes: S, axis: number): { readonly [I in keyof S]: Value } {
  // A Split makes as many values as it is asked for.
  return op.Split(x, sizes, { axis }, sizes.length) as readonly Value[] as { readonly [I in keyof S]: Value };
}

/** One of the sizes of a value as an int64 vector [1]. */
export function sizeOf(op: OpBuilder, x: Value, axis: number): Value {
  const known = x.shape?.at(axis);
  return typeof known === "number" ? op.ints([known]) : op.Gather(op.Shape(x), op.ints([axis]));
}

/** 0, 1, … below a size given as [1]; int64 [size]. */
export function numbered(op: OpBuilder, size: Value): Value {
  const end = op.Squeeze(size, [0]);
  return op.Range(op.scalar(0, end), end, op.scalar(1, end));
}

/** Which keys a query may look at, and what is added to its scores. */
export interface ScoreMask {
  /** Booleans that broadcast to [b, h, s, t]; a score counts where all hold. */
  readonly allowed: readonly (Value | undefined)[];
  /** Floats that broadcast to [b, h, s, t]. */
  readonly added: readonly (Value | undefined)[];
  /** What a score that doesn't count gets instead. */
  readonly filler?: number | undefined;
}

/**
 * Every query of [s] sees the keys of [t] up to its own place, `offset` [1] keys standing before the first; of these only the last `window`, if
 * given. [s, t].
 */
export function causalMask(op: OpBuilder, queries: Value, keys: Value, offset: Value | undefined, window?: number): Value {
  const places = numbered(op, queries);
  const rows = op.Unsqueeze(offset === undefined ? places : op.Add(places, offset), [1]);
  const columns = op.Unsqueeze(numbered(op, keys), [0]);
  const past = op.LessOrEqual(columns, rows);
  return window === undefined ? past : op.And(past, op.Greater(columns, op.Sub(rows, op.ints([window]))));
}

/** The mask as one value to add, of `like`'s type; undefined where everything counts. */
export function addedMask(op: OpBuilder, { allowed, added, filler = LOWEST }: ScoreMask, like: Value): Value | undefined {
  const bias = added.filter((v) => v !== undefined).reduce<Value | undefined>((a, b) => (a === undefined ? b : op.Add(a, b)), undefined);
  const all = allowed.filter((v) => v !== undefined).reduce<Value | undefined>((a, b) => (a === undefined ? b : op.And(a, b)), undefined);
  if (all === undefined) return bias;
  // Chosen, not added: two of the smallest numbers would add up to −∞, and a row of them to NaN.
  return op.Where(all, bias ?? op.scalar(0, like), op.scalar(filler, like));
}

/** What an attention computes from. */
export interface AttentionInputs {
  /** [b, h, s, d]. */
  readonly q: Value;
  /** [b, g, t, d], h a multiple of g: each of its heads serves h / g of q's. */
  readonly k: Value;
  /** [b, g, t, e]. */
  readonly v: Value;
  /** Undefined: 1/√d. */
  readonly scale: number | undefined;
  /** Scores are kept within ±softcap by a tanh. 0: not at all. */
  readonly softcap?: number;
  /** Heads of q, and of k and v, where they differ. */
  readonly groups?: { readonly q: number; readonly kv: number } | undefined;
  readonly mask: ScoreMask;
}

/** What an attention computes on its way. */
export interface AttentionStages {
  /** [b, h, s, e]. */
  readonly y: Value;
  /** The scaled products, after the softcap, after the mask, after the softmax: [b, h, s, t]. */
  readonly scores: readonly Value[];
}

/**
 * y = softmax(cap(scale · q·kᵀ) + mask) · v, softmax over the keys.
 * Where several heads of q share one of k, they are laid behind each other as rows of one product, so that k and v are never repeated.
 */
export function attend(op: OpBuilder, { q, k, v, scale, softcap = 0, groups, mask }: AttentionInputs): AttentionStages {
  const shared = groups !== undefined && groups.q !== groups.kv;
  const per = groups === undefined ? 1 : groups.q / groups.kv;
  const factor = scale ?? inverseRoot(op, q);
  const scaled = typeof factor === "number" ? (factor === 1 ? q : op.Mul(q, op.scalar(factor, q))) : op.Mul(q, factor);
  const rows = shared ? stacked(op, scaled, groups.kv, sizeOf(op, q, 3)) : scaled;
  const products = op.MatMul(rows, op.Transpose(k, { perm: [0, 1, 3, 2] }));
  const flat = shared ? unstacked(op, products, groups.kv, per, sizeOf(op, k, 2)) : products;
  const capped = softcap === 0 ? flat : op.Mul(op.Tanh(op.Mul(flat, op.scalar(1 / softcap, flat))), op.scalar(softcap, flat));
  const bias = addedMask(op, mask, flat);
  const masked = bias === undefined ? capped : op.Add(capped, bias);
  const p = op.Softmax(masked, { axis: -1 });
  const y = op.MatMul(shared ? stacked(op, p, groups.kv, sizeOf(op, k, 2)) : p, v);
  return { y: shared ? unstacked(op, y, groups.kv, per, sizeOf(op, v, 3)) : y, scores: [flat, capped, masked, p] };
}

/** [b, h, s, w] → [b, g, h/g · s, w]. */
function stacked(op: OpBuilder, x: Value, kv: number, width: Value): Value {
  return op.Reshape(x, op.Concat([op.ints([0, kv, -1]), width], { axis: 0 }));
}

/** [b, g, h/g · s, w] → [b, h, s, w]. */
function unstacked(op: OpBuilder, x: Value, kv: number, per: number, width: Value): Value {
  return op.Reshape(x, op.Concat([op.ints([0, kv * per, -1]), width], { axis: 0 }));
}

/** 1/√d of [.., d]: a number where d is known. */
function inverseRoot(op: OpBuilder, q: Value): number | Value {
  const width = q.shape?.at(-1);
  if (typeof width === "number") return 1 / Math.sqrt(width);
  return op.Reciprocal(op.Sqrt(op.Cast(sizeOf(op, q, 3), { to: q.dataType === 0 ? DataType.FLOAT : q.dataType })));
}

/** Keys (or values) after those remembered: [b, g, past, d] and [b, g, s, d] → [b, g, past + s, d]. */
export function afterPast(op: OpBuilder, past: Value | undefined, x: Value): Value {
  return past === undefined ? x : op.Concat([past, x], { axis: 2 });
}

/** What a rotary embedding computes from. */
export interface RotaryInputs {
  /** [b, h, s, d]. */
  readonly x: Value;
  /** Both broadcast to [b, h, s, r/2]. */
  readonly cos: Value;
  readonly sin: Value;
  /** Pairs stand side by side, not half a rotation apart. */
  readonly interleaved: boolean;
  /** r: how many of the d are rotated; undefined: all. */
  readonly rotated: number | undefined;
}

/** Rotates pairs of the first r of d: (a, b) → (a·cos − b·sin, b·cos + a·sin). [b, h, s, d]. */
export function rotate(op: OpBuilder, { x, cos, sin, interleaved, rotated }: RotaryInputs): Value {
  const width = x.shape?.at(-1);
  const part = rotated === undefined || rotated === width ? undefined : rotated;
  const turning = part === undefined ? x : op.Slice(x, [0], [part], [3]);
  const end = [Number.MAX_SAFE_INTEGER];
  const half = typeof width === "number" || part !== undefined ? [(part ?? Number(width)) / 2] : undefined;
  const middle = half ?? op.Div(sizeOf(op, x, 3), op.ints([2]));
  const [a, b] = interleaved
    ? [op.Slice(turning, [0], end, [3], [2]), op.Slice(turning, [1], end, [3], [2])]
    : [op.Slice(turning, [0], middle, [3]), op.Slice(turning, middle, end, [3])];
  const first = op.Sub(op.Mul(a, cos), op.Mul(b, sin));
  const second = op.Add(op.Mul(b, cos), op.Mul(a, sin));
  const turned = interleaved
    ? op.Reshape(op.Concat([op.Unsqueeze(first, [-1]), op.Unsqueeze(second, [-1])], { axis: -1 }), [0, 0, 0, -1])
    : op.Concat([first, second], { axis: 3 });
  return part === undefined ? turned : op.Concat([turned, op.Slice(x, [part], end, [3])], { axis: 3 });
}
