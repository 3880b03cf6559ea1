/** Elementwise arithmetic with broadcasting. */
import { intOf } from "../ir/attribute.ts";
import { addDims, floorDivDims, maxDims, minDims, mulDims, subDims, type Dim } from "../ir/dim.ts";
import type { Facts, Value } from "../ir/graph.ts";
import { broadcasting, broadcastShapes, likeFirst, unbroadcast } from "./broadcast.ts";
import { defineOp, type InferContext, type OpDefinition, type ShapeRule } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** Broadcasting that also follows shape arithmetic: sizes added, multiplied, divided. */
function arithmetic(combine: (a: Dim, b: Dim) => Dim): ShapeRule {
  return (c) => {
    const shape = broadcastShapes([c.shape(0), c.shape(1)]);
    const ints = combineInts(c, combine);
    return [{ dataType: c.dataType(0), shape, ...(ints === undefined ? {} : { ints }) }];
  };
}

/** Two followed vectors combined element by element, a single element standing for all. */
export function combineInts(c: InferContext, combine: (a: Dim, b: Dim) => Dim): Dim[] | undefined {
  const a = c.ints(0);
  const b = c.ints(1);
  if (a === undefined || b === undefined || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined;
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => combine(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]));
}

/** The quotient as ONNX has it for integers: cut towards 0, which is the floor where neither is negative. */
function divideInts(a: Dim, b: Dim): Dim {
  return typeof a === "number" && typeof b === "number" ? (b === 0 ? undefined : Math.trunc(a / b)) : floorDivDims(a, b);
}

/** z = a + b. da = dz and db = dz, each summed back to its input's shape. */
export const Add = defineOp({
  name: "Add", opsets: [7, 13, 14], inputs: ["A", "B"], outputs: ["C"], shape: arithmetic(addDims), flops: "elementwise",
  gradient: { A: ({ op, in: { A }, grad: { C } }) => unbroadcast(op, C, A), B: ({ op, in: { B }, grad: { C } }) => unbroadcast(op, C, B) },
});

/** z = a − b. da = dz, db = −dz. */
export const Sub = defineOp({
  name: "Sub", opsets: [7, 13, 14], inputs: ["A", "B"], outputs: ["C"], shape: arithmetic(subDims), flops: "elementwise",
  gradient: { A: ({ op, in: { A }, grad: { C } }) => unbroadcast(op, C, A), B: ({ op, in: { B }, grad: { C } }) => op.Neg(unbroadcast(op, C, B)) },
});

/** z = a ⊙ b. da = dz ⊙ b and db = dz ⊙ a. */
export const Mul = defineOp({
  name: "Mul", opsets: [7, 13, 14], inputs: ["A", "B"], outputs: ["C"], shape: arithmetic(mulDims), flops: "elementwise",
  gradient: {
    A: ({ op, in: { A, B }, grad: { C } }) => unbroadcast(op, op.Mul(C, B), A),
    B: ({ op, in: { A, B }, grad: { C } }) => unbroadcast(op, op.Mul(C, A), B),
  },
});

/** z = a / b. da = dz / b, db = −Σ (dz ⊙ z) / b: b is the same along what is summed, so it divides the sum. Integers are cut towards 0. */
export const Div = defineOp({
  name: "Div", opsets: [7, 13, 14], inputs: ["A", "B"], outputs: ["C"], shape: arithmetic(divideInts), flops: "elementwise",
  gradient: {
    A: ({ op, in: { A, B }, grad: { C } }) => unbroadcast(op, op.Div(C, B), A),
    B: ({ op, in: { B }, out: { C: z }, grad: { C } }) => op.Neg(op.Div(unbroadcast(op, op.Mul(C, z), B), B)),
  },
});

/** z = aᵇ. da = dz ⊙ b ⊙ aᵇ⁻¹, db = dz ⊙ z ⊙ ln a (0 where a is 0, as PyTorch has it). */
export const Pow = defineOp({
  name: "Pow", opsets: [7, 12, 13, 15], inputs: ["X", "Y"], outputs: ["Z"], shape: broadcasting(), flops: "elementwise",
  gradient: {
    X: ({ op, in: { X, Y }, grad: { Z } }) => unbroadcast(op, op.Mul(Z, powDerivative(op, X, Y)), X),
    Y: ({ op, in: { X, Y }, out: { Z: z }, grad: { Z } }) => {
      const isZero = op.Equal(X, op.scalar(0, X));
      return unbroadcast(op, op.Mul(op.Mul(Z, z), op.Where(isZero, op.scalar(0, X), op.Log(op.Where(isZero, op.scalar(1, X), X)))), Y);
    },
  },
});

/** b ⊙ aᵇ⁻¹; 2a and 3a² without a power where the exponent is a constant at hand. */
function powDerivative(op: OpBuilder, a: Value, b: Value): Value {
  const exponent = b.initializer?.size === 1 ? b.initializer.toNumbers()?.[0] : undefined;
  if (exponent === 0) return op.Mul(a, op.scalar(0, a));
  if (exponent === 2) return op.Mul(a, op.scalar(2, a));
  if (exponent === 3) return op.Mul(op.Mul(a, a), op.scalar(3, a));
  if (exponent !== undefined) return op.Mul(op.Pow(a, op.scalar(exponent - 1, a)), op.scalar(exponent, a));
  const floating = b.dataType === a.dataType ? b : op.Cast(b, { to: a.dataType });
  return op.Mul(floating, op.Pow(a, op.Sub(floating, op.scalar(1, a))));
}

/** Which inputs are the largest (or smallest); on a tie the gradient is shared among them, as PyTorch has it. */
function extremum<const O extends string>(name: string, output: O, opsets: readonly number[], combine: (a: Dim, b: Dim) => Dim): OpDefinition<"data_0", O> {
  return defineOp({
    name, opsets, inputs: ["data_0"], outputs: [output], flops: "elementwise",
    shape: (c) => [{ dataType: c.dataType(0), shape: broadcastShapes(c.node.inputs.map((_, i) => c.shape(i))),
      ...(c.node.inputs.length === 2 ? intsIfKnown(combineInts(c, combine)) : {}) }],
    gradient: {
      data_0: ({ op, node, index, out, grad }) => {
        const [z, dz] = [out[output], grad[output]];
        const inputs = node.inputs.filter((v) => v !== undefined);
        const hits = inputs.map((x) => op.Cast(op.Equal(x, z), { to: z.dataType }));
        const [hit, input] = [hits[index], inputs[index]];
        if (hit === undefined || input === undefined) throw new TypeError("a gradient was asked for an input that isn't there");
        return unbroadcast(op, op.Mul(dz, op.Div(hit, hits.reduce((a, b) => op.Add(a, b)))), input);
      },
    },
  });
}

function intsIfKnown(ints: readonly Dim[] | undefined): Partial<Facts> {
  return ints === undefined ? {} : { ints };
}

export const Max = extremum("Max", "max", [8, 12, 13], maxDims);
export const Min = extremum("Min", "min", [8, 12, 13], minDims);

/** z = Σ inputs. Each gets dz. */
export const Sum = defineOp({
  name: "Sum", opsets: [8, 13], inputs: ["data_0"], outputs: ["sum"], flops: "elementwise",
  shape: (c) => [{ dataType: c.dataType(0), shape: broadcastShapes(c.node.inputs.map((_, i) => c.shape(i))) }],
  gradient: {
    data_0: ({ op, node, index, grad: { sum } }) => {
      const input = node.inputs[index];
      if (input === undefined) throw new TypeError("a gradient was asked for an input that isn't there");
      return unbroadcast(op, sum, input);
    },
  },
});

/** z = the mean of the inputs. Each gets dz / n. */
export const Mean = defineOp({
  name: "Mean", opsets: [8, 13], inputs: ["data_0"], outputs: ["mean"], flops: "elementwise",
  shape: (c) => [{ dataType: c.dataType(0), shape: broadcastShapes(c.node.inputs.map((_, i) => c.shape(i))) }],
  gradient: {
    data_0: ({ op, node, index, grad: { mean } }) => {
      const input = node.inputs[index];
      if (input === undefined) throw new TypeError("a gradient was asked for an input that isn't there");
      return unbroadcast(op, op.Mul(mean, op.scalar(1 / node.inputs.length, mean)), input);
    },
  },
});

/** What is left of a division, with b's sign, or a's with fmod = 1. It jumps wherever a / b is whole, which is what it is used for. */
export const Mod = defineOp({
  name: "Mod", opsets: [10, 13], inputs: ["A", "B"], outputs: ["C"], flops: "elementwise",
  shape: (c) => arithmetic((a, b) => (typeof a === "number" && typeof b === "number" && b !== 0 ? (intOf(c.node, "fmod", 0) === 1 ? a % b : a - b * Math.floor(a / b)) : undefined))(c),
  gradient: { A: "not differentiable", B: "not differentiable" },
});

/** y = −x. */
export const Neg = defineOp({
  name: "Neg", opsets: [6, 13], inputs: ["X"], outputs: ["Y"], flops: "elementwise",
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0), ...intsIfKnown(c.ints(0)?.map((d) => mulDims(-1, d))) }],
  gradient: { X: ({ op, grad: { Y } }) => op.Neg(Y) },
});

/** y = |x|. dx = dy ⊙ sign x. */
export const Abs = defineOp({
  name: "Abs", opsets: [6, 13], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise",
  gradient: { X: ({ op, in: { X }, grad: { Y } }) => op.Mul(Y, op.Sign(X)) },
});

/** y = √x. dx = dy / 2y. */
export const Sqrt = defineOp({
  name: "Sqrt", opsets: [6, 13], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise",
  gradient: { X: ({ op, out: { Y: y }, grad: { Y } }) => op.Div(Y, op.Mul(y, op.scalar(2, y))) },
});

/** y = 1/x. dx = −dy ⊙ y². */
export const Reciprocal = defineOp({
  name: "Reciprocal", opsets: [6, 13], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise",
  gradient: { X: ({ op, out: { Y: y }, grad: { Y } }) => op.Neg(op.Mul(Y, op.Mul(y, y))) },
});

/** y = eˣ. dx = dy ⊙ y. */
export const Exp = defineOp({
  name: "Exp", opsets: [6, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: "elementwise",
  gradient: { input: ({ op, out: { output: y }, grad: { output } }) => op.Mul(output, y) },
});

/** y = ln x. dx = dy / x. */
export const Log = defineOp({
  name: "Log", opsets: [6, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: "elementwise",
  gradient: { input: ({ op, in: { input }, grad: { output } }) => op.Div(output, input) },
});

/** Steps: their derivative is 0 wherever it exists, so nothing flows through them. */
const step = (name: string, opsets: readonly number[]): OpDefinition<"X", "Y"> =>
  defineOp({ name, opsets, inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise", gradient: { X: "none" } });

export const Sign = defineOp({ name: "Sign", opsets: [9, 13], inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: "elementwise", gradient: { input: "none" } });
export const Floor = step("Floor", [6, 13]);
export const Ceil = step("Ceil", [6, 13]);
export const Round = step("Round", [11, 22]);
