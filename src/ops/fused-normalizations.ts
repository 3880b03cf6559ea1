/** Normalizations that ONNX Runtime writes as one operator with the sum before them, or with the embeddings. Composites. */
import { floatOf, intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { broadcastShapes, elements } from "./broadcast.ts";
import { defineOp, type FlopRule, type InferContext, type ShapeRule } from "./define.ts";
import { ORT_DOMAIN } from "./fused-activations.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** Operations an element: a sum, a mean, a variance, a scale. */
const cost: FlopRule = (_, [out]) => mulDims(9, elements(out));
/** ONNX Runtime's own default. */
const EPSILON = 1e-12;
/** The opset since which ONNX has LayerNormalization. */
const HAS_LAYER_NORMALIZATION = 17;

/** What a row's statistics have in place of the last axis. */
function rowShape(shape: Shape | undefined): Shape | undefined {
  return shape?.map((d, i): Dim => (i === shape.length - 1 ? 1 : d));
}

/** y, mean, 1/σ, and the sum before the norm. */
const skipShape: ShapeRule = (c: InferContext) => {
  const shape = broadcastShapes([c.shape(0), c.shape(1)]) ?? c.shape(0);
  const row = { dataType: DataType.FLOAT, shape: rowShape(shape) };
  return [{ dataType: c.dataType(0), shape }, row, row, { dataType: c.dataType(0), shape }];
};

interface Normalized {
  readonly y: Value;
  readonly mean: Value | undefined;
  readonly inverse: Value | undefined;
}

/** (x − mean) / √(variance + ε) ⊙ scale + b over the last axis. */
function layerNorm(op: OpBuilder, x: Value, scale: Value, b: Value | undefined, epsilon: number, statistics: boolean): Normalized {
  if (op.opset >= HAS_LAYER_NORMALIZATION) {
    const [y, mean, inverse] = op.LayerNormalization(x, scale, b, { axis: -1, epsilon }, statistics ? 3 : 1);
    if (y === undefined) throw new TypeError("a LayerNormalization without output");
    return { y, mean, inverse };
  }
  const mean = op.ReduceMean(x, [-1], { keepdims: 1 });
  const centred = op.Sub(x, mean);
  const inverse = op.Reciprocal(op.Sqrt(op.Add(op.ReduceMean(op.Mul(centred, centred), [-1], { keepdims: 1 }), op.scalar(epsilon, x))));
  const scaled = op.Mul(op.Mul(centred, inverse), scale);
  return { y: b === undefined ? scaled : op.Add(scaled, b), mean, inverse };
}

/** x / √(mean(x²) + ε) ⊙ scale over the axes from `axis` on. */
function rmsNorm(op: OpBuilder, x: Value, scale: Value, epsilon: number, axis = -1): Normalized {
  const rank = axis < 0 ? 0 : x.shape?.length;
  if (rank === undefined) throw new TypeError(`the rank of "${x.name}" must be known`);
  const axes = Array.from({ length: rank - axis }, (_, i) => axis + i);
  const inverse = op.Reciprocal(op.Sqrt(op.Add(op.ReduceMean(op.Mul(x, x), axes, { keepdims: 1 }), op.scalar(epsilon, x))));
  return { y: op.Mul(op.Mul(x, inverse), scale), mean: undefined, inverse };
}

/** x + skip (+ bias). */
function summed(op: OpBuilder, x: Value, skip: Value, bias: Value | undefined): Value {
  const sum = op.Add(x, skip);
  return bias === undefined ? sum : op.Add(sum, bias);
}

/** s = x + skip + bias; y = layer norm of s. Outputs: y, mean, 1/σ, s. */
export const SkipLayerNormalization = defineOp({
  name: "SkipLayerNormalization", domain: ORT_DOMAIN, purpose: "normalization", opsets: [1], inputs: ["input", "skip", "gamma", "beta", "bias"],
  outputs: ["output", "mean", "inv_std_var", "input_skip_bias_sum"], shape: skipShape, flops: cost,
  gradient: "opened",
  opens: ({ op, node, given, in: inputs, wanted }) => {
    const sum = summed(op, inputs.input, inputs.skip, given("bias"));
    const { y, mean, inverse } = layerNorm(op, sum, inputs.gamma, given("beta"), floatOf(node, "epsilon", EPSILON), wanted(1) || wanted(2));
    return [y, mean, inverse, sum];
  },
});

/** s = x + skip + bias; y = s / √(mean(s²) + ε) ⊙ gamma. Outputs: y, none, 1/√(..), s. */
export const SkipSimplifiedLayerNormalization = defineOp({
  name: "SkipSimplifiedLayerNormalization", domain: ORT_DOMAIN, purpose: "normalization", opsets: [1], inputs: ["input", "skip", "gamma", "bias"],
  outputs: ["output", "mean", "inv_std_var", "input_skip_bias_sum"], shape: skipShape, flops: cost,
  gradient: "opened",
  opens: ({ op, node, given, in: inputs }) => {
    const sum = summed(op, inputs.input, inputs.skip, given("bias"));
    const { y, mean, inverse } = rmsNorm(op, sum, inputs.gamma, floatOf(node, "epsilon", EPSILON));
    return [y, mean, inverse, sum];
  },
});

/** y = x / √(mean(x²) + ε) ⊙ scale. ONNX Runtime's own, in ONNX's domain. */
export const SimplifiedLayerNormalization = defineOp({
  name: "SimplifiedLayerNormalization", purpose: "normalization", opsets: [1], inputs: ["X", "scale"], outputs: ["Y", "inv_std_var"], flops: cost,
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0) }, { dataType: DataType.FLOAT, shape: rowShape(c.shape(0)) }],
  gradient: "opened",
  opens: ({ op, node, in: { X, scale } }) => {
    const { y, inverse } = rmsNorm(op, X, scale, floatOf(node, "epsilon", Math.fround(1e-5)), intOf(node, "axis", -1));
    return [y, inverse];
  },
});

/**
 * s = word[ids] + position[places] + segment[types]; y = layer norm of s. Outputs: y, how many tokens of each row count, s.
 * ids, types, mask [b, s]; tables [.., d].
 */
export const EmbedLayerNormalization = defineOp({
  name: "EmbedLayerNormalization", domain: ORT_DOMAIN, purpose: "normalization", opsets: [1],
  inputs: ["input_ids", "segment_ids", "word_embedding", "position_embedding", "segment_embedding", "gamma", "beta", "mask", "position_ids"],
  outputs: ["output", "mask_index", "embedding_sum"],
  shape: (c) => {
    const [batch, sequence] = c.shape(0) ?? [];
    const whole = { dataType: c.dataType(2), shape: [batch, sequence, c.shape(2)?.[1]] };
    return [whole, { dataType: DataType.INT32, shape: [batch] }, whole];
  },
  flops: cost, gradient: "opened",
  opens: ({ op, node, has, in: inputs, wanted }) => {
    const row = inputs.input_ids;
    const places = has("position_ids") ? op.Gather(inputs.position_embedding, inputs.position_ids)
      : op.Slice(inputs.position_embedding, [0], op.Slice(op.Shape(row), [1], [2], [0]), [0]);
    const words = op.Add(op.Gather(inputs.word_embedding, row), places);
    const sum = has("segment_ids") && has("segment_embedding") ? op.Add(words, op.Gather(inputs.segment_embedding, inputs.segment_ids)) : words;
    const { y } = layerNorm(op, sum, inputs.gamma, inputs.beta, floatOf(node, "epsilon", EPSILON), false);
    const counts = !wanted(1) ? undefined : has("mask") ? op.ReduceSum(op.Cast(inputs.mask, { to: DataType.INT32 }), [1], { keepdims: 0 })
      : op.Expand(op.scalar(0, row.dataType === DataType.INT32 ? row : op.Cast(row, { to: DataType.INT32 })), op.Slice(op.Shape(row), [0], [1], [0]));
    return [y, counts, sum];
  },
});
