/** Integers that stand for real numbers, x ≈ scale · (q − zero point), and products of them. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims, type Shape } from "../ir/dim.ts";
import { perElement } from "./activations.ts";
import { elements } from "./broadcast.ts";
import { convolvedShape, sizeOfFilter } from "./convolutions.ts";
import { defineOp, type FlopRule, type InferContext } from "./define.ts";
import { matMulShape } from "./products.ts";

/** x = scale · (q − zero point), the scale being one number, one along an axis, or one a block of `block_size` elements along it. */
export const DequantizeLinear = defineOp({
  name: "DequantizeLinear", opsets: [10, 13, 19, 21, 23, 24], inputs: ["x", "x_scale", "x_zero_point"], outputs: ["y"], flops: perElement(2),
  decodes: (node) => ({ integers: 0, scale: 1, zero: 2, zeroOtherwise: 0, axis: intOf(node, "axis", 1), blockSize: intOf(node, "block_size", 0) }),
  shape: (c) => [{ dataType: intOf(c.node, "output_dtype", 0) || c.dataType(1), shape: c.shape(0) }],
  gradient: { x: "none", x_scale: "unwritten", x_zero_point: "none" },
});

/** q = x / scale + zero point, rounded and kept within the type's range: a staircase, whose slope says nothing. */
export const QuantizeLinear = defineOp({
  name: "QuantizeLinear", opsets: [10, 13, 19, 21, 23, 24], inputs: ["x", "y_scale", "y_zero_point"], outputs: ["y"], flops: perElement(3),
  shape: (c) => [{ dataType: c.has(2) ? c.dataType(2) : intOf(c.node, "output_dtype", 0) || DataType.UINT8, shape: c.shape(0) }],
  gradient: { x: "not differentiable", y_scale: "not differentiable", y_zero_point: "none" },
});

/** QuantizeLinear to uint8 by the scale and zero point that cover all of x and 0. */
export const DynamicQuantizeLinear = defineOp({
  name: "DynamicQuantizeLinear", opsets: [11], inputs: ["x"], outputs: ["y", "y_scale", "y_zero_point"], flops: perElement(5),
  shape: (c) => [{ dataType: DataType.UINT8, shape: c.shape(0) }, { dataType: DataType.FLOAT, shape: [] }, { dataType: DataType.UINT8, shape: [] }],
  gradient: { x: "not differentiable" },
});

/** Two operations for each factor behind an element: [.., T, k] · [.., k, n]. */
const productFlops = (a: number, b: number): FlopRule => (c, [out]) => mulDims(2, mulDims(elements(out), c.shape(a)?.at(-1) ?? c.shape(b)?.at(-2)));

/** (a − its zero point) · (b − its zero point) in int32. */
export const MatMulInteger = defineOp({
  name: "MatMulInteger", opsets: [10], inputs: ["A", "B", "a_zero_point", "b_zero_point"], outputs: ["Y"], flops: productFlops(0, 1),
  shape: (c) => [{ dataType: DataType.INT32, shape: matMulShape(c.shape(0), c.shape(1)) }],
  gradient: { A: "not differentiable", B: "not differentiable", a_zero_point: "none", b_zero_point: "none" },
});

/** a · b of the numbers that integers stand for, quantized again. */
export const QLinearMatMul = defineOp({
  name: "QLinearMatMul", opsets: [10, 21], outputs: ["y"], flops: productFlops(0, 3),
  inputs: ["a", "a_scale", "a_zero_point", "b", "b_scale", "b_zero_point", "y_scale", "y_zero_point"],
  shape: (c) => [{ dataType: c.dataType(7), shape: matMulShape(c.shape(0), c.shape(3)) }],
  gradient: {
    a: "not differentiable", a_scale: "not differentiable", a_zero_point: "none", b: "not differentiable", b_scale: "not differentiable", b_zero_point: "none",
    y_scale: "not differentiable", y_zero_point: "none",
  },
});

const convolved = (weight: number): ((c: InferContext) => Shape | undefined) => (c) => convolvedShape(c.node, c.shape(0), c.shape(weight));
const convolutionFlops = (weight: number): FlopRule => (c, [out]) => mulDims(2, mulDims(elements(out), sizeOfFilter(c.shape(weight))));

/** The convolution of x − its zero point and w − its zero point, in int32. */
export const ConvInteger = defineOp({
  name: "ConvInteger", opsets: [10], inputs: ["x", "w", "x_zero_point", "w_zero_point"], outputs: ["y"], flops: convolutionFlops(1),
  shape: (c) => [{ dataType: DataType.INT32, shape: convolved(1)(c) }],
  gradient: { x: "not differentiable", w: "not differentiable", x_zero_point: "none", w_zero_point: "none" },
});

/** The convolution of the numbers that integers stand for, quantized again. */
export const QLinearConv = defineOp({
  name: "QLinearConv", opsets: [10], outputs: ["y"], flops: convolutionFlops(3),
  inputs: ["x", "x_scale", "x_zero_point", "w", "w_scale", "w_zero_point", "y_scale", "y_zero_point", "B"],
  shape: (c) => [{ dataType: c.dataType(7), shape: convolved(3)(c) }],
  gradient: {
    x: "not differentiable", x_scale: "not differentiable", x_zero_point: "none", w: "not differentiable", w_scale: "not differentiable", w_zero_point: "none",
    y_scale: "not differentiable", y_zero_point: "none", B: "not differentiable",
  },
});
