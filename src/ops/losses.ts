/** Losses over classes: x [N, C, d..] and the right class of each place, t [N, d..]. */
import { intOf, stringOf } from "../ir/attribute.ts";
import { mulDims, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { elements } from "./broadcast.ts";
import { defineOp, type InferContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { zerosLike } from "./indexing.ts";

/** [] unless every place's loss is kept: then [N, d..]. */
const lossShape = (c: InferContext): Shape | undefined => (stringOf(c.node, "reduction", "mean") === "none" ? c.shape(1) : []);

/**
 * The gradient of the losses l = −w[t] · x[t] with respect to x: −w[t] · c at the right classes and 0 at all others, c being what arrives at
 * each l: dy, or with reduction "mean" dy / Σ w[t]. Places whose class is `ignore_index` weigh nothing; it may lie beyond the classes.
 */
function atRightClasses(op: OpBuilder, node: Node, x: Value, classes: Value, weights: Value | undefined, dy: Value): Value {
  const ignored = node.attributes.has("ignore_index") ? op.Equal(classes, op.scalar(intOf(node, "ignore_index", 0), classes)) : undefined;
  const safe = ignored === undefined ? classes : op.Where(ignored, op.scalar(0, classes), classes);
  const weighed = weights === undefined ? op.Expand(op.scalar(1, x), op.Shape(classes)) : op.Gather(weights, safe);
  const weight = ignored === undefined ? weighed : op.Where(ignored, op.scalar(0, x), weighed);
  const arriving = stringOf(node, "reduction", "mean") === "mean" ? op.Div(dy, op.ReduceSum(weight, undefined, { keepdims: 0 })) : dy;
  return op.ScatterElements(zerosLike(op, x), op.Unsqueeze(safe, [1]), op.Unsqueeze(op.Neg(op.Mul(weight, arriving)), [1]), { axis: 1 });
}

/** l = −w[t] · x[t], the loss of logarithms of probabilities: each, their sum, or their mean weighted by w. */
export const NegativeLogLikelihoodLoss = defineOp({
  name: "NegativeLogLikelihoodLoss", opsets: [12, 13, 22], inputs: ["input", "target", "weight"], outputs: ["loss"],
  shape: (c) => [{ dataType: c.dataType(0), shape: lossShape(c) }],
  flops: (c) => mulDims(2, elements({ dataType: 0, shape: c.shape(1) })),
  gradient: {
    input: ({ op, node, has, in: inputs, grad: { loss } }) =>
      atRightClasses(op, node, inputs.input, inputs.target, has("weight") ? inputs.weight : undefined, loss),
    target: "none", weight: "unwritten",
  },
});

/**
 * l = −w[t] · log p[t] with p = softmax(x) over the classes; log p is output 2. dx = g − p ⊙ Σ g over the classes, g being the gradient of log p:
 * what the losses give and what arrives at output 2.
 */
export const SoftmaxCrossEntropyLoss = defineOp({
  name: "SoftmaxCrossEntropyLoss", opsets: [12, 13], inputs: ["scores", "labels", "weights"], outputs: ["output", "log_prob"],
  shape: (c) => [{ dataType: c.dataType(0), shape: lossShape(c) }, { dataType: c.dataType(0), shape: c.shape(0) }],
  flops: (c) => mulDims(6, elements({ dataType: 0, shape: c.shape(0) })),
  gradient: {
    scores: ({ op, node, has, reached, in: inputs, out, grad }) => {
      const logs = out.log_prob;
      const losses = reached("output") ? atRightClasses(op, node, logs, inputs.labels, has("weights") ? inputs.weights : undefined, grad.output) : undefined;
      const g = losses === undefined ? grad.log_prob : reached("log_prob") ? op.Add(losses, grad.log_prob) : losses;
      return op.Sub(g, op.Mul(op.Exp(logs), op.ReduceSum(g, [1], { keepdims: 1 })));
    },
    labels: "none", weights: "unwritten",
  },
});
