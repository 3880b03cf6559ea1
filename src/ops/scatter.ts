/** Picking single elements or slices by index, and putting them somewhere. */
import { intOf, stringOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import { fromStart } from "../ir/sizes.ts";
import { likeFirst } from "./broadcast.ts";
import { defineOp, type GradientContext, type GradientEntries } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { zerosLike } from "./indexing.ts";

/** y[..i..] = x[..index[i]..] along `axis`. dx = zeros with dy added in. */
export const GatherElements = defineOp({
  name: "GatherElements", opsets: [11, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(1) }],
  gradient: {
    data: ({ op, node, in: { data, indices }, grad: { output } }) =>
      op.ScatterElements(zerosLike(op, data), indices, output, { axis: intOf(node, "axis", 0), reduction: "add" }),
    indices: "none",
  },
});

/** y = slices of x at index tuples [.., m], after `batch_dims` shared axes. dx = zeros with dy added in. */
export const GatherND = defineOp({
  name: "GatherND", opsets: [11, 12, 13], inputs: ["data", "indices"], outputs: ["output"],
  shape: (c) => {
    const [data, indices] = [c.shape(0), c.shape(1)];
    const depth = indices?.at(-1);
    const shape = data === undefined || indices === undefined || typeof depth !== "number" ? undefined
      : [...indices.slice(0, -1), ...data.slice(intOf(c.node, "batch_dims", 0) + depth)];
    return [{ dataType: c.dataType(0), shape }];
  },
  gradient: {
    data: ({ op, node, in: { data, indices }, grad: { output: dy } }) => {
      const batch = intOf(node, "batch_dims", 0);
      return batch === 0 ? op.ScatterND(zerosLike(op, data), indices, dy, { reduction: "add" }) : batchedScatter(op, data, indices, dy, batch);
    },
    indices: "none",
  },
});

/** data [b.., rest..] as [B, rest..], each index tuple led by the number of its batch: [B, K, 1 + m]. */
function batchedScatter(op: OpBuilder, data: Value, indices: Value, dy: Value, batch: number): Value {
  const end = [Number.MAX_SAFE_INTEGER];
  const [whole, tuples] = [op.Shape(data), op.Shape(indices)];
  const count = op.ReduceProd(op.Slice(whole, [0], [batch], [0]), [0], { keepdims: 1 });
  const rest = op.Slice(whole, [batch], end, [0]);
  const depth = op.Slice(tuples, [-1], end, [0]);
  const flat = op.Reshape(indices, op.Concat([count, op.ints([-1]), depth], { axis: 0 }));
  const scalar = op.Squeeze(count, [0]);
  const numbers = op.Unsqueeze(op.Range(op.scalar(0, scalar), scalar, op.scalar(1, scalar)), [1, 2]);
  const lead = op.Expand(numbers, op.Concat([op.Slice(op.Shape(flat), [0], [2], [0]), op.ints([1])], { axis: 0 }));
  const slice = op.Slice(rest, depth, end, [0]);
  const updates = op.Reshape(dy, op.Concat([op.Slice(op.Shape(flat), [0], [2], [0]), slice], { axis: 0 }));
  const zeros = op.Expand(op.scalar(0, data), op.Concat([count, rest], { axis: 0 }));
  return op.Reshape(op.ScatterND(zeros, op.Concat([lead, flat], { axis: 2 }), updates, { reduction: "add" }), whole);
}

type Scatter = GradientContext<"data" | "indices" | "updates", "output">;

/** The gradients of both scatters, by how each puts updates in and takes them out. Without a reduction, equal indices have no order, so no gradient either. */
function scatterGradient(overwrite: (g: Scatter, zeros: Value) => Value, pick: (g: Scatter) => Value): GradientEntries<"data" | "indices" | "updates", "output"> {
  return {
    data: (g) => {
      const { op, in: { updates }, grad: { output: dy } } = g;
      return reductionOf(g) === "add" ? dy : overwrite(g, zerosLike(op, updates));
    },
    indices: "none",
    updates: (g) => {
      reductionOf(g);
      return pick(g);
    },
  };
}

function reductionOf({ node }: Scatter): "none" | "add" {
  const reduction = stringOf(node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add") throw new TypeError(`the gradient of ${node.opType} with reduction "${reduction}" is not written`);
  return reduction;
}

/** y = x with slices at index tuples replaced by (or added to) updates. dx = dy with zeros there (or dy); dupdates = dy there. */
export const ScatterND = defineOp({
  name: "ScatterND", opsets: [11, 13, 16, 18], inputs: ["data", "indices", "updates"], outputs: ["output"], shape: likeFirst,
  gradient: scatterGradient(({ op, in: { indices }, grad }, zeros) => op.ScatterND(grad.output, indices, zeros),
    ({ op, in: { indices }, grad }) => op.GatherND(grad.output, indices)),
});

/** y = x with elements along `axis` replaced by (or added to) updates. dx = dy with zeros there (or dy); dupdates = dy there. */
export const ScatterElements = defineOp({
  name: "ScatterElements", opsets: [11, 13, 16, 18], inputs: ["data", "indices", "updates"], outputs: ["output"], shape: likeFirst,
  gradient: scatterGradient(({ op, node, in: { indices }, grad }, zeros) => op.ScatterElements(grad.output, indices, zeros, { axis: intOf(node, "axis", 0) }),
    ({ op, node, in: { indices }, grad }) => op.GatherElements(grad.output, indices, { axis: intOf(node, "axis", 0) })),
});

/** The oldest form of ScatterElements. */
export const Scatter = defineOp({
  name: "Scatter", opsets: [9], inputs: ["data", "indices", "updates"], outputs: ["output"], shape: likeFirst,
  gradient: {
    data: ({ op, node, in: { indices, updates }, grad: { output } }) => op.Scatter(output, indices, zerosLike(op, updates), { axis: intOf(node, "axis", 0) }),
    indices: "none", updates: "unwritten",
  },
});

/**
 * y = a cache [B, .., S, ..] with an update [B, .., L, ..] written in along `axis` from a place of each batch on (0 where none is given); in mode
 * "circular" it goes on at the beginning. dcache = dy with zeros written in; dupdate = dy there.
 */
export const TensorScatter = defineOp({
  name: "TensorScatter", opsets: [24], inputs: ["past_cache", "update", "write_indices"], outputs: ["present_cache"], shape: likeFirst,
  gradient: {
    past_cache: ({ op, node, has, in: inputs, grad: { present_cache: dy } }) =>
      op.TensorScatter(dy, zerosLike(op, inputs.update), has("write_indices") ? inputs.write_indices : undefined, { axis: intOf(node, "axis", -2), mode: stringOf(node, "mode", "linear") }),
    update: ({ op, node, has, in: inputs, grad: { present_cache: dy } }) => {
      const rank = inputs.update.shape?.length ?? inputs.past_cache.shape?.length;
      if (rank === undefined) throw new TypeError(`the rank of "${inputs.update.name}" must be known`);
      const axis = (intOf(node, "axis", -2) + rank) % rank;
      const sizeOf = (v: Value): Value => op.Gather(op.Shape(v), op.ints([axis]));
      const length = op.Squeeze(sizeOf(inputs.update), [0]);
      const steps = op.Range(op.scalar(0, length), length, op.scalar(1, length));
      const places = has("write_indices") ? op.Add(op.Unsqueeze(inputs.write_indices, [1]), steps) : op.Unsqueeze(steps, [0]);
      const wrapped = stringOf(node, "mode", "linear") === "circular" ? op.Mod(places, sizeOf(dy)) : places;
      // [B, L] stands at the first axis and at `axis`, and is the same along the others.
      const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 0 && i !== axis);
      return op.GatherElements(dy, op.Expand(op.Unsqueeze(wrapped, others), op.Shape(inputs.update)), { axis });
    },
    write_indices: "none",
  },
});

/** The k largest (or smallest) along `axis`, and where they stand. dx = zeros with dvalues put back there. */
export const TopK = defineOp({
  name: "TopK", opsets: [10, 11, 24], inputs: ["X", "K"], outputs: ["Values", "Indices"],
  shape: (c) => {
    const shape = c.shape(0);
    const axis = intOf(c.node, "axis", -1);
    const at = fromStart(axis, shape?.length);
    const picked = shape?.map((d, i) => (i === at ? c.ints(1)?.[0] : d));
    return [{ dataType: c.dataType(0), shape: picked }, { dataType: DataType.INT64, shape: picked }];
  },
  gradient: {
    X: ({ op, node, in: { X }, out: { Indices }, grad: { Values } }) =>
      op.ScatterElements(zerosLike(op, X), Indices, Values, { axis: intOf(node, "axis", -1) }),
    K: "none",
  },
});

/** y = x with parts of an axis turned around, by lengths of their own. dx = dy turned around the same way. */
export const ReverseSequence = defineOp({
  name: "ReverseSequence", opsets: [10], inputs: ["input", "sequence_lens"], outputs: ["Y"], shape: likeFirst,
  gradient: {
    input: ({ op, node, in: { sequence_lens }, grad: { Y } }) =>
      op.ReverseSequence(Y, sequence_lens, { batch_axis: intOf(node, "batch_axis", 1), time_axis: intOf(node, "time_axis", 0) }),
    sequence_lens: "none",
  },
});
