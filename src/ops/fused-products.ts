/** Matrix products that ONNX Runtime writes as one operator with a Transpose, a factor or an activation. Composites. */
import { floatOf, intOf, stringOf } from "../ir/attribute.ts";
import { mulDims, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { broadcastShapes, elements } from "./broadcast.ts";
import { defineOp, type InferContext, type OpDefinition } from "./define.ts";
import { ORT_DOMAIN } from "./fused-activations.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** The order in which an operand's axes come to stand; undefined where it stays as it is. */
function order(node: Node, side: "A" | "B", rank: number): number[] | undefined {
  const swap = intOf(node, `trans${side}`, 0) === 1;
  // The batch axis moves behind the first of the last two: [m, b, k] stands for [b, m, k].
  const batch = intOf(node, `transBatch${side}`, 0) === 1;
  if (rank < 2 || (!swap && !batch)) return undefined;
  const axes = Array.from({ length: rank }, (_, i) => i);
  const moved = batch && rank > 2 ? [...axes.slice(1, rank - 1), 0, rank - 1] : axes;
  return swap ? [...moved.slice(0, -2), moved[rank - 1] ?? 0, moved[rank - 2] ?? 0] : moved;
}

function operandShape(c: InferContext, index: number, side: "A" | "B"): Shape | undefined {
  const shape = c.shape(index);
  const perm = shape === undefined ? undefined : order(c.node, side, shape.length);
  return perm === undefined ? shape : perm.map((p) => shape?.[p]);
}

function operand(op: OpBuilder, node: Node, x: Value, side: "A" | "B"): Value {
  if (x.shape === undefined) throw new TypeError(`the rank of "${x.name}" must be known`);
  const perm = order(node, side, x.shape.length);
  return perm === undefined ? x : op.Transpose(x, { perm });
}

/** y = alpha · op(a) · op(b), op transposing the last two axes where the attributes say so. */
function fusedMatMul(name: string): OpDefinition<"A" | "B", "Y"> {
  return defineOp({
    name, domain: ORT_DOMAIN, opsets: [1], inputs: ["A", "B"], outputs: ["Y"],
    weight: (node) => ({ index: 1, layout: intOf(node, "transB", 0) === 1 ? "nk" : "kn" }),
    shape: (c) => {
      const [a, b] = [operandShape(c, 0, "A"), operandShape(c, 1, "B")];
      const batch = a === undefined || b === undefined ? undefined : broadcastShapes([a.slice(0, -2), b.slice(0, -2)]);
      return [{ dataType: c.dataType(0), shape: batch === undefined ? undefined : [...batch, a?.at(-2), b?.at(-1)] }];
    },
    flops: (c, [out]) => mulDims(2, mulDims(elements(out), operandShape(c, 0, "A")?.at(-1))),
    gradient: "opened",
    opens: ({ op, node, in: { A, B } }) => {
      const alpha = floatOf(node, "alpha", 1);
      const y = op.MatMul(operand(op, node, A, "A"), operand(op, node, B, "B"));
      return [alpha === 1 ? y : op.Mul(y, op.scalar(alpha, y))];
    },
  });
}

/** op(a) and op(b) [.., m, k] · [.., k, n] → [.., m, n]. */
export const FusedMatMul = fusedMatMul("FusedMatMul");
/** Its name before ONNX Runtime 1.7. */
export const TransposeMatMul = fusedMatMul("TransposeMatMul");

/** Activations by the name that ONNX Runtime's attribute `activation` gives. */
const ACTIVATIONS: Readonly<Record<string, (op: OpBuilder, x: Value, node: Node) => Value>> = {
  Relu: (op, x) => op.Relu(x), Tanh: (op, x) => op.Tanh(x), Sigmoid: (op, x) => op.Sigmoid(x),
  Softplus: (op, x) => op.Softplus(x), Softsign: (op, x) => op.Softsign(x),
  LeakyRelu: (op, x, node) => op.LeakyRelu(x, { alpha: floatOf(node, "activation_alpha", Math.fround(0.01)) }),
};

/** y = activation(alpha · op(a) · op(b) + beta · c). */
export const FusedGemm = defineOp({
  name: "FusedGemm", domain: ORT_DOMAIN, opsets: [1], inputs: ["A", "B", "C"], outputs: ["Y"],
  weight: (node) => ({ index: 1, layout: intOf(node, "transB", 0) === 1 ? "nk" : "kn" }),
  shape: (c) => [{ dataType: c.dataType(0), shape: [c.shape(0)?.[intOf(c.node, "transA", 0)], c.shape(1)?.[1 - intOf(c.node, "transB", 0)]] }],
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), c.shape(0)?.[1 - intOf(c.node, "transA", 0)])),
  gradient: "opened",
  opens: ({ op, node, given, in: inputs }) => {
    const name = stringOf(node, "activation", "");
    const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
    if (activation === undefined) throw new TypeError(`the activation "${name}" is not written`);
    const y = op.Gemm(inputs.A, inputs.B, given("C"), { alpha: floatOf(node, "alpha", 1), beta: floatOf(node, "beta", 1),
      transA: intOf(node, "transA", 0), transB: intOf(node, "transB", 0) });
    return [activation(op, y, node)];
  },
});
