/** Activations that ONNX Runtime's optimizer writes as one operator. Composites: opened before a gradient has to pass. */
import { floatOf } from "../ir/attribute.ts";
import type { Value } from "../ir/graph.ts";
import { perElement } from "./activations.ts";
import { likeFirst } from "./broadcast.ts";
import { defineOp } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** The domain of ONNX Runtime's own operators. */
export const ORT_DOMAIN = "com.microsoft";
/** The opset since which ONNX has Gelu. */
const HAS_GELU = 20;

/** x ⊙ Φ(x): one node where the opset has it. */
function gelu(op: OpBuilder, x: Value): Value {
  if (op.opset >= HAS_GELU) return op.Gelu(x, { approximate: "none" });
  return op.Mul(op.Mul(x, op.scalar(0.5, x)), op.Add(op.Erf(op.Mul(x, op.scalar(Math.SQRT1_2, x))), op.scalar(1, x)));
}

/** ½x ⊙ (1 + tanh(√(2/π)(x + 0.044715 x³))): one node where the opset has it. */
function tanhGelu(op: OpBuilder, x: Value): Value {
  if (op.opset >= HAS_GELU) return op.Gelu(x, { approximate: "tanh" });
  const inner = op.Mul(x, op.Add(op.Mul(op.Mul(x, x), op.scalar(0.044715, x)), op.scalar(1, x)));
  const t = op.Tanh(op.Mul(inner, op.scalar(Math.sqrt(2 / Math.PI), x)));
  return op.Mul(op.Mul(x, op.scalar(0.5, x)), op.Add(t, op.scalar(1, x)));
}

/** y = x ⊙ Φ(x). */
export const OrtGelu = defineOp({
  name: "Gelu", domain: ORT_DOMAIN, purpose: "activation", opsets: [1], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(12),
  gradient: "opened", opens: ({ op, in: { X } }) => [gelu(op, X)],
});

/** y = (a + b) ⊙ Φ(a + b). */
export const BiasGelu = defineOp({
  name: "BiasGelu", domain: ORT_DOMAIN, purpose: "activation", opsets: [1], inputs: ["A", "B"], outputs: ["C"], shape: likeFirst, flops: perElement(13),
  gradient: "opened", opens: ({ op, in: { A, B } }) => [gelu(op, op.Add(A, B))],
});

/** The tanh form of GELU, of x + bias where a bias is given. */
export const FastGelu = defineOp({
  name: "FastGelu", domain: ORT_DOMAIN, purpose: "activation", opsets: [1], inputs: ["X", "bias"], outputs: ["Y"], shape: likeFirst, flops: perElement(13),
  gradient: "opened", opens: ({ op, has, in: inputs }) => [tanhGelu(op, has("bias") ? op.Add(inputs.X, inputs.bias) : inputs.X)],
});

/** y = x ⊙ σ(αx). */
export const QuickGelu = defineOp({
  name: "QuickGelu", domain: ORT_DOMAIN, purpose: "activation", opsets: [1], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: perElement(6),
  gradient: "opened", opens: ({ op, node, in: { X } }) => [op.Mul(X, op.Sigmoid(op.Mul(X, op.scalar(floatOf(node, "alpha", Math.fround(1.702)), X))))],
});
