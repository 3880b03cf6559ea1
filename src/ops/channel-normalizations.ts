/** Normalizations of x [N, C, d..] over channels, groups of them and neighbours, by statistics given, and along chosen axes. */
import { floatOf, intOf, intsOf } from "../ir/attribute.ts";
import { mulDims } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { elements, likeFirst, shapeOf } from "./broadcast.ts";
import { defineOp, type FlopRule, type GradientContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { restoredShape } from "./products.ts";

const eightEach: FlopRule = (_, [out]) => mulDims(8, elements(out));

/** Rows brought to mean 0 and deviation 1 along `axes`: x̂ = (x − mean) / σ, with 1/σ. */
interface Standardized {
  readonly hat: Value;
  readonly inverse: Value;
}

function standardized(op: OpBuilder, x: Value, axes: readonly number[], epsilon: number): Standardized {
  const centred = op.Sub(x, op.ReduceMean(x, axes, { keepdims: 1 }));
  const variance = op.ReduceMean(op.Mul(centred, centred), axes, { keepdims: 1 });
  const inverse = op.Reciprocal(op.Sqrt(op.Add(variance, op.scalar(epsilon, x))));
  return { hat: op.Mul(centred, inverse), inverse };
}

/** dx = (g − mean(g) − x̂ ⊙ mean(g ⊙ x̂)) / σ, where g is the gradient of x̂. */
function standardizedGradient(op: OpBuilder, g: Value, { hat, inverse }: Standardized, axes: readonly number[]): Value {
  const along = (v: Value): Value => op.ReduceMean(v, axes, { keepdims: 1 });
  return op.Mul(op.Sub(op.Sub(g, along(g)), op.Mul(hat, along(op.Mul(g, hat)))), inverse);
}

/** x [N, C, d..] as [N, C, L], and [C] as [C, 1] against it. */
const flat = (op: OpBuilder, x: Value): Value => op.Reshape(x, [0, 0, -1]);
const column = (op: OpBuilder, v: Value): Value => op.Unsqueeze(v, [1]);
const restored = (op: OpBuilder, x: Value, from: Value): Value => op.Reshape(from, restoredShape(op, x, from));
/** The sum for each channel of v [N, C, L]. */
const channelSum = (op: OpBuilder, v: Value): Value => op.ReduceSum(v, [0, 2], { keepdims: 0 });

/**
 * y = x̂ ⊙ scale + b, x̂ being x with mean 0 and deviation 1 over the axes of each channel. x [N, C, d..], scale and b [C].
 * dx as of any standardized rows, for g = dy ⊙ scale; dscale = Σ dy ⊙ x̂; db = Σ dy.
 */
export const InstanceNormalization = defineOp({
  name: "InstanceNormalization", purpose: "normalization", opsets: [1, 6, 22],
  inputs: ["input", "scale", "B"], outputs: ["output"], parameters: [undefined, "weight", "bias"], shape: likeFirst, flops: eightEach,
  gradient: {
    input: ({ op, node, in: { input, scale }, grad: { output } }) => {
      const rows = standardized(op, flat(op, input), [2], floatOf(node, "epsilon", 1e-5));
      return restored(op, input, standardizedGradient(op, op.Mul(flat(op, output), column(op, scale)), rows, [2]));
    },
    scale: ({ op, node, in: { input }, grad: { output } }) =>
      channelSum(op, op.Mul(flat(op, output), standardized(op, flat(op, input), [2], floatOf(node, "epsilon", 1e-5)).hat)),
    B: ({ op, grad: { output } }) => channelSum(op, flat(op, output)),
  },
});

type GroupNorm = GradientContext<"X" | "scale" | "bias", "Y">;

/** The opset since which scale and bias are [C], one a channel; before, they are [G], one a group. */
const PER_CHANNEL = 21;

/** x [N, C, d..] as [N, G, L]. */
const grouped = (op: OpBuilder, node: Node, x: Value): Value => op.Reshape(x, [0, intOf(node, "num_groups", 1), -1]);
const standardGroups = ({ op, node, in: { X } }: GroupNorm): Standardized => standardized(op, grouped(op, node, X), [2], floatOf(node, "epsilon", 1e-5));
/** Rows against which scale and bias are columns: the groups' or, since opset 21, the channels'. */
const scaledRows = (g: GroupNorm, x: Value): Value => (g.op.opset >= PER_CHANNEL ? flat(g.op, x) : grouped(g.op, g.node, x));

/**
 * y = x̂ ⊙ scale + b, x̂ being x with mean 0 and deviation 1 over each group of C/G channels. x [N, C, d..]. Gradients as InstanceNormalization's.
 */
export const GroupNormalization = defineOp({
  name: "GroupNormalization", purpose: "normalization", opsets: [18, 21], inputs: ["X", "scale", "bias"], outputs: ["Y"],
  parameters: [undefined, "weight", "bias"], shape: likeFirst, flops: eightEach,
  gradient: {
    X: (g) => {
      const { op, node, in: { X, scale }, grad: { Y } } = g;
      const scaled = op.Mul(scaledRows(g, Y), column(op, scale));
      return restored(op, X, standardizedGradient(op, op.Reshape(scaled, op.Shape(grouped(op, node, X))), standardGroups(g), [2]));
    },
    scale: (g) => {
      const { op, in: { X }, grad: { Y } } = g;
      const { hat } = standardGroups(g);
      return channelSum(op, op.Mul(scaledRows(g, Y), op.Reshape(hat, op.Shape(scaledRows(g, X)))));
    },
    bias: (g) => channelSum(g.op, scaledRows(g, g.grad.Y)),
  },
});

type BatchNorm = GradientContext<"X" | "scale" | "B" | "input_mean" | "input_var", "Y" | "running_mean" | "running_var">;

/** The opset since which an attribute says that means and variances are the batch's; before, further outputs do. */
const TRAINING_MODE = 14;

/** 1/σ [C, 1] and x̂ [N, C, L] from the statistics given. Training mode computes them of the batch and is refused. */
function givenStatistics({ op, node, in: { X, input_mean, input_var } }: BatchNorm): Standardized {
  const training = op.opset >= TRAINING_MODE ? intOf(node, "training_mode", 0) === 1 : node.outputs.filter((o) => o !== undefined).length > 1;
  if (training) throw new TypeError("it is in training mode, where rows of a batch depend on each other; export the model for inference");
  if (intOf(node, "spatial", 1) === 0) throw new TypeError("spatial = 0 of opset 7 is not supported");
  const inverse = column(op, op.Reciprocal(op.Sqrt(op.Add(input_var, op.scalar(floatOf(node, "epsilon", 1e-5), input_var)))));
  return { hat: op.Mul(op.Sub(flat(op, X), column(op, input_mean)), inverse), inverse };
}

/**
 * Inference: y = (x − mean) / σ ⊙ scale + b with σ = √(var + ε). x [N, C, d..], the others [C]. dx = dy ⊙ scale / σ; dscale = Σ dy ⊙ x̂; db = Σ dy;
 * dmean = −Σ dy ⊙ scale / σ; dvar = −½ Σ dy ⊙ x̂ ⊙ scale / σ².
 */
export const BatchNormalization = defineOp({
  name: "BatchNormalization", purpose: "normalization", opsets: [7, 9, 14, 15],
  inputs: ["X", "scale", "B", "input_mean", "input_var"], outputs: ["Y", "running_mean", "running_var"],
  parameters: [undefined, "weight", "bias", "running_mean", "running_var"],
  shape: (c) => [0, 3, 4].map((i) => ({ dataType: c.dataType(i), shape: c.shape(i) })),
  flops: (_, [out]) => mulDims(2, elements(out)),
  gradient: {
    X: (g) => {
      const { op, in: { X, scale }, grad: { Y } } = g;
      return restored(op, X, op.Mul(flat(op, Y), op.Mul(column(op, scale), givenStatistics(g).inverse)));
    },
    scale: (g) => channelSum(g.op, g.op.Mul(flat(g.op, g.grad.Y), givenStatistics(g).hat)),
    B: ({ op, grad: { Y } }) => channelSum(op, flat(op, Y)),
    input_mean: (g) => {
      const { op, in: { scale }, grad: { Y } } = g;
      return op.Neg(channelSum(op, op.Mul(flat(op, Y), op.Mul(column(op, scale), givenStatistics(g).inverse))));
    },
    input_var: (g) => {
      const { op, in: { scale }, grad: { Y } } = g;
      const { hat, inverse } = givenStatistics(g);
      const sum = channelSum(op, op.Mul(op.Mul(flat(op, Y), hat), op.Mul(column(op, scale), op.Mul(inverse, inverse))));
      return op.Mul(sum, op.scalar(-0.5, sum));
    },
  },
});

/**
 * y = x / ‖x‖ₚ along `axis`, p 1 or 2. dx = (dy − s ⊙ Σ dy ⊙ y) / ‖x‖ₚ with s = y for p = 2 and sign x for p = 1. A row of zeros stays, with
 * gradient dy.
 */
export const LpNormalization = defineOp({
  name: "LpNormalization", opsets: [1, 22], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: (_, [out]) => mulDims(3, elements(out)),
  gradient: {
    input: ({ op, node, in: { input }, out: { output: y }, grad: { output } }) => {
      const axes = [intOf(node, "axis", -1)];
      const one = intOf(node, "p", 2) === 1;
      const norm = one ? op.ReduceL1(input, axes, { keepdims: 1 }) : op.ReduceL2(input, axes, { keepdims: 1 });
      const slope = one ? op.Sign(input) : y;
      const divisor = op.Where(op.Equal(norm, op.scalar(0, norm)), op.scalar(1, norm), norm);
      return op.Div(op.Sub(output, op.Mul(slope, op.ReduceSum(op.Mul(output, y), axes, { keepdims: 1 }))), divisor);
    },
  },
});

/** What ONNX adds to the deviation of a MeanVarianceNormalization: too little to show beside any deviation but 0. */
const MVN_EPSILON = 1e-9;

/** y = (x − mean) / σ over axes. dx = (dy − mean(dy) − y ⊙ mean(dy ⊙ y)) / σ. */
export const MeanVarianceNormalization = defineOp({
  name: "MeanVarianceNormalization", purpose: "normalization", opsets: [9, 13], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: eightEach,
  gradient: {
    X: ({ op, node, in: { X }, grad: { Y } }) => {
      const axes = intsOf(node, "axes") ?? [0, 2, 3];
      return standardizedGradient(op, Y, standardized(op, X, axes, MVN_EPSILON ** 2), axes);
    },
  },
});

/**
 * y = x / s^β, s = bias + α · mean of x² over `size` neighbouring channels (a mean that counts what lies beyond the first and last as 0).
 * dx = dy / s^β − 2αβ x ⊙ mean'(dy ⊙ x / s^(β+1)), mean' over the windows that a channel lies in.
 */
export const LRN = defineOp({
  name: "LRN", opsets: [1, 13], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: (c, [out]) => mulDims(2 * intOf(c.node, "size", 1) + 4, elements(out)),
  gradient: {
    X: ({ op, node, in: { X }, grad: { Y } }) => {
      const [alpha, beta, bias, size] = [floatOf(node, "alpha", 1e-4), floatOf(node, "beta", 0.75), floatOf(node, "bias", 1), intOf(node, "size", 1)];
      const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
      const mean = (v: Value, pads: readonly number[]): Value =>
        op.Squeeze(op.AveragePool(op.Unsqueeze(v, [1]), { kernel_shape: [size, 1], pads, count_include_pad: 1 }), [1]);
      const [x, dy] = [flat(op, X), flat(op, Y)];
      const s = op.Add(op.Mul(mean(op.Mul(x, x), [before, 0, after, 0]), op.scalar(alpha, x)), op.scalar(bias, x));
      const direct = op.Div(dy, op.Pow(s, op.scalar(beta, x)));
      const shared = op.Mul(op.Mul(x, op.scalar(2 * alpha * beta, x)), mean(op.Div(op.Mul(direct, x), s), [after, 0, before, 0]));
      return op.Reshape(op.Sub(direct, shared), shapeOf(op, X));
    },
  },
});
