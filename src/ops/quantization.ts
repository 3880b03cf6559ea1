/** Between floats and the integers that stand for them: w = (q − zero) · scale. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { defineOp } from "./define.ts";

/** y = (x − zero) · scale, one scale for all, for each place along `axis`, or for each block along it. The integers x are no way for a gradient. */
export const DequantizeLinear = defineOp({
  name: "DequantizeLinear", opsets: [10, 13, 19, 21, 23, 24], inputs: ["x", "x_scale", "x_zero_point"], outputs: ["y"],
  decodes: (node) => ({ integers: 0, scale: 1, zero: 2, zeroOtherwise: 0, axis: intOf(node, "axis", 1), blockSize: intOf(node, "block_size", 0) }),
  shape: (c) => [{ dataType: intOf(c.node, "output_dtype", 0) || c.dataType(1), shape: c.shape(0) }], flops: "elementwise",
  gradient: { x: "none", x_scale: "unwritten", x_zero_point: "none" },
});

/** y = x / scale + zero, rounded and cut to the integer type. */
export const QuantizeLinear = defineOp({
  name: "QuantizeLinear", opsets: [10, 13, 19, 21, 23, 24], inputs: ["x", "y_scale", "y_zero_point"], outputs: ["y"],
  shape: (c) => [{ dataType: intOf(c.node, "output_dtype", 0) || (c.has(2) ? c.dataType(2) : DataType.UINT8), shape: c.shape(0) }], flops: "elementwise",
  gradient: { x: "not differentiable", y_scale: "not differentiable", y_zero_point: "none" },
});
