/** Circular and hyperbolic functions and their inverses. */
import type { Value } from "../ir/graph.ts";
import { perElement } from "./activations.ts";
import { likeFirst } from "./broadcast.ts";
import { defineOp, type OpDefinition } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** A function of one variable by its derivative, made of x and y. dx = dy ⊙ f'(x). */
function smooth(name: string, opsets: readonly number[], derivative: (op: OpBuilder, x: Value, y: Value) => Value): OpDefinition<"input", "output"> {
  return defineOp({
    name, opsets, inputs: ["input"], outputs: ["output"], shape: likeFirst, flops: perElement(8),
    gradient: { input: ({ op, in: { input }, out, grad: { output } }) => op.Mul(output, derivative(op, input, out.output)) },
  });
}

/** x² + c. */
const squarePlus = (op: OpBuilder, x: Value, c: number): Value => op.Add(op.Mul(x, x), op.scalar(c, x));
/** 1 − x². */
const oneMinusSquare = (op: OpBuilder, x: Value): Value => op.Sub(op.scalar(1, x), op.Mul(x, x));

export const Sin = smooth("Sin", [7, 22], (op, x) => op.Cos(x));
export const Cos = smooth("Cos", [7, 22], (op, x) => op.Neg(op.Sin(x)));
export const Tan = smooth("Tan", [7, 22], (op, _, y) => squarePlus(op, y, 1));
export const Asin = smooth("Asin", [7, 22], (op, x) => op.Reciprocal(op.Sqrt(oneMinusSquare(op, x))));
export const Acos = smooth("Acos", [7, 22], (op, x) => op.Neg(op.Reciprocal(op.Sqrt(oneMinusSquare(op, x)))));
export const Atan = smooth("Atan", [7, 22], (op, x) => op.Reciprocal(squarePlus(op, x, 1)));
export const Sinh = smooth("Sinh", [9, 22], (op, x) => op.Cosh(x));
export const Cosh = smooth("Cosh", [9, 22], (op, x) => op.Sinh(x));
export const Asinh = smooth("Asinh", [9, 22], (op, x) => op.Reciprocal(op.Sqrt(squarePlus(op, x, 1))));
export const Acosh = smooth("Acosh", [9, 22], (op, x) => op.Reciprocal(op.Sqrt(squarePlus(op, x, -1))));
export const Atanh = smooth("Atanh", [9, 22], (op, x) => op.Reciprocal(oneMinusSquare(op, x)));
