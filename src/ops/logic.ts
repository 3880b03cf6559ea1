/** Comparisons, logic, and choice. */
import { DataType } from "../ir/data-type.ts";
import { differentDims, isNonNegative, sameDim, type Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { combineInts } from "./arithmetic.ts";
import { broadcasting, broadcastShapes, likeFirst, unbroadcast } from "./broadcast.ts";
import { defineOp, type OpDefinition } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** true, false as 1, 0 where the sizes tell; else unknown. */
type Decide = (a: Dim, b: Dim) => Dim;
const undecided: Decide = () => undefined;

function comparison(name: string, opsets: readonly number[], decide: Decide): OpDefinition<"A" | "B", "C"> {
  return defineOp({
    name, opsets, inputs: ["A", "B"], outputs: ["C"], gradient: { A: "none", B: "none" }, flops: "elementwise",
    shape: (c) => {
      const ints = combineInts(c, decide);
      return [{ dataType: DataType.BOOL, shape: broadcastShapes([c.shape(0), c.shape(1)]), ...(ints === undefined ? {} : { ints }) }];
    },
  });
}

/** Sizes are never negative, so an expression in them can't be the −1 that exporters compare with. */
const equal: Decide = (a, b) => {
  if (sameDim(a, b)) return 1;
  const negative = (d: Dim): boolean => typeof d === "number" && d < 0;
  return differentDims(a, b) || (negative(a) && isNonNegative(b)) || (negative(b) && isNonNegative(a)) ? 0 : undefined;
};
const numbers = (compare: (a: number, b: number) => boolean): Decide => (a, b) => (typeof a === "number" && typeof b === "number" ? Number(compare(a, b)) : undefined);

export const Equal = comparison("Equal", [7, 11, 13, 19], equal);
export const Greater = comparison("Greater", [7, 9, 13], numbers((a, b) => a > b));
export const GreaterOrEqual = comparison("GreaterOrEqual", [12, 16], numbers((a, b) => a >= b));
export const Less = comparison("Less", [7, 9, 13], numbers((a, b) => a < b));
export const LessOrEqual = comparison("LessOrEqual", [12, 16], numbers((a, b) => a <= b));
export const And = comparison("And", [7], numbers((a, b) => a !== 0 && b !== 0));
export const Or = comparison("Or", [7], numbers((a, b) => a !== 0 || b !== 0));
export const Xor = comparison("Xor", [7], undecided);

export const Not = defineOp({
  name: "Not", opsets: [1], inputs: ["X"], outputs: ["Y"], gradient: { X: "none" }, flops: "elementwise",
  shape: (c) => {
    const ints = c.ints(0)?.map((d): Dim => (typeof d === "number" ? Number(d === 0) : undefined));
    return [{ dataType: DataType.BOOL, shape: c.shape(0), ...(ints === undefined ? {} : { ints }) }];
  },
});

const test = (name: string, opsets: readonly number[]): OpDefinition<"X", "Y"> => defineOp({
  name, opsets, inputs: ["X"], outputs: ["Y"], gradient: { X: "none" }, flops: "elementwise", shape: (c) => [{ dataType: DataType.BOOL, shape: c.shape(0) }],
});

export const IsNaN = test("IsNaN", [9, 13, 20]);
export const IsInf = test("IsInf", [10, 20]);

/**
 * z = x where the condition holds, else y. dx = dz there, dy = dz elsewhere; 0 in the other places. A product with the condition would be
 * faster, but would let through the NaN that Softmax gives for a row masked whole.
 */
export const Where = defineOp({
  name: "Where", opsets: [9, 16], inputs: ["condition", "X", "Y"], outputs: ["output"], flops: "elementwise",
  shape: (c) => {
    const [condition, x, y] = [c.ints(0), c.ints(1), c.ints(2)];
    const count = Math.max(condition?.length ?? 0, x?.length ?? 0, y?.length ?? 0);
    const at = (ints: readonly Dim[], i: number): Dim => ints[ints.length === 1 ? 0 : i];
    const ints = condition === undefined || x === undefined || y === undefined || [condition, x, y].some(({ length }) => length !== 1 && length !== count) ? undefined
      : Array.from({ length: count }, (_, i): Dim => { const chosen = at(condition, i); return typeof chosen === "number" ? at(chosen === 0 ? y : x, i) : undefined; });
    return [{ dataType: c.dataType(1), shape: broadcastShapes([c.shape(0), c.shape(1), c.shape(2)]), ...(ints === undefined ? {} : { ints }) }];
  },
  gradient: {
    condition: "none",
    X: ({ op, in: { condition, X }, grad: { output } }) => unbroadcast(op, op.Where(condition, output, op.scalar(0, X)), X),
    // What guards a softmax needs no mask on its gradient: the softmax's own rule computes with the guarded rows, which are 0.
    Y: ({ op, in: { condition, Y }, out: { output: z }, grad: { output } }) =>
      (Y.producer?.opType === "Softmax" && nanGuard(Y) === z ? output : unbroadcast(op, op.Where(condition, op.scalar(0, Y), output), Y)),
  },
});

/** The value that stands for y with its NaNs replaced by zeros, where the graph makes one: Where(IsNaN(y), 0, y). */
export function nanGuard(y: Value): Value | undefined {
  const guard = y.uses.find(({ node, index }) => node.opType === "Where" && index === 2 && node.inputs[0]?.producer?.opType === "IsNaN"
    && node.inputs[0].producer.inputs[0] === y && node.inputs[1]?.initializer?.atHand === true && node.inputs[1].initializer.toNumbers()?.every((v) => v === 0) === true);
  return guard?.node.outputs[0];
}

/** y = x clipped to [min, max]. dx = dy where min ≤ x ≤ max, as PyTorch has it; dmin, dmax = Σ dy where x lies beyond. */
export const Clip = defineOp({
  name: "Clip", opsets: [11, 12, 13], inputs: ["input", "min", "max"], outputs: ["output"], shape: likeFirst, flops: "elementwise",
  gradient: {
    input: ({ op, has, in: inputs, grad: { output } }) => {
      const zero = op.scalar(0, inputs.input);
      const above = has("min") ? op.Where(op.Less(inputs.input, inputs.min), zero, output) : output;
      return has("max") ? op.Where(op.Greater(inputs.input, inputs.max), zero, above) : above;
    },
    min: ({ op, in: { input, min }, grad: { output } }) => sumWhere(op, op.Less(input, min), output),
    max: ({ op, in: { input, max }, grad: { output } }) => sumWhere(op, op.Greater(input, max), output),
  },
});

/** The sum of dy where the condition holds, as a scalar []. */
function sumWhere(op: OpBuilder, condition: Value, dy: Value): Value {
  return op.ReduceSum(op.Where(condition, dy, op.scalar(0, dy)), undefined, { keepdims: 0 });
}

const bitwise = (name: string): OpDefinition<"A" | "B", "C"> =>
  defineOp({ name, opsets: [18], inputs: ["A", "B"], outputs: ["C"], shape: broadcasting(), flops: "elementwise", gradient: { A: "none", B: "none" } });

export const BitwiseAnd = bitwise("BitwiseAnd");
export const BitwiseOr = bitwise("BitwiseOr");
export const BitwiseXor = bitwise("BitwiseXor");
export const BitwiseNot = defineOp({ name: "BitwiseNot", opsets: [18], inputs: ["X"], outputs: ["Y"], shape: likeFirst, flops: "elementwise", gradient: { X: "none" } });
export const BitShift = defineOp({ name: "BitShift", opsets: [11], inputs: ["X", "Y"], outputs: ["Z"], shape: broadcasting(), flops: "elementwise", gradient: { X: "none", Y: "none" } });
