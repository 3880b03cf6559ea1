/** Products of ONNX Runtime's own domain, whose weight is stored in a form of its own. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { mulDims } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { elements } from "./broadcast.ts";
import { defineOp, type Decoding } from "./define.ts";
import { ORT_DOMAIN } from "./fused-activations.ts";
import type { OpBuilder } from "./generated/builder.ts";

/**
 * y = a · Wᵀ + bias, W [N, K] in blocks of integers of 4 or 8 bits, [N, blocks, bytes of a block], each block with its scale and zero point (8 or
 * 128 where there are none). a [.., K] → [.., N]. Opened it computes in floats: what `accuracy_level` rounds on the way is not differentiated.
 */
export const MatMulNBits = defineOp({
  name: "MatMulNBits", domain: ORT_DOMAIN, opsets: [1],
  inputs: ["A", "B", "scales", "zero_points", "g_idx", "bias"], outputs: ["Y"],
  weight: (node) => (decodingOf(node) === undefined ? undefined : { index: 1, layout: "nk", bias: 5 }), decodes: decodingOf,
  apart: { weight: weightOfNBits, product: matMulOfNBits },
  shape: (c) => [{ dataType: c.dataType(0), shape: c.shape(0)?.with(-1, intOf(c.node, "N", 0)) }],
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), intOf(c.node, "K", 0))),
  gradient: "opened", opens: ({ op, node }) => [matMulOfNBits(op, node, weightOfNBits(op, node))],
});

interface Sizes {
  readonly n: number;
  readonly k: number;
  readonly bits: number;
  readonly blockSize: number;
  /** Of one row of W. */
  readonly blocks: number;
}

function sizesOf(node: Node): Sizes {
  const [n, k, bits, blockSize] = [intOf(node, "N", 0), intOf(node, "K", 0), intOf(node, "bits", 4), intOf(node, "block_size", 0)];
  return { n, k, bits, blockSize, blocks: Math.ceil(k / blockSize) };
}

/** Undefined for what is read otherwise: other widths, and rows that g_idx puts in another order. */
function decodingOf(node: Node): Decoding | undefined {
  const { n, k, bits, blockSize, blocks } = sizesOf(node);
  if ((bits !== 4 && bits !== 8) || blockSize < 1 || node.inputs[4] !== undefined) return undefined;
  return { integers: 1, scale: 2, zero: 3, zeroOtherwise: 2 ** (bits - 1), axis: 1, blockSize,
    packed: { dataType: bits === 4 ? DataType.UINT4 : DataType.UINT8, dims: [n, blocks * blockSize], used: k } };
}

/** W [N, K] of a MatMulNBits, of constants alone, so that ONNX Runtime computes it once, when the session starts. */
function dequantizedNBits(op: OpBuilder, node: Node): Value {
  const [, packed, scales, zeros, order] = node.inputs;
  const { n, k, bits, blockSize, blocks } = sizesOf(node);
  if (packed === undefined || scales === undefined) throw new TypeError("MatMulNBits has no weight");
  if (order !== undefined) throw new TypeError("its g_idx gives the rows another order of blocks, which is not read here");
  if (bits !== 4 && bits !== 8) throw new TypeError(`its weight has ${String(bits)} bits, and 4 or 8 are read here`);
  const numbers = (value: Value): Value => op.Cast(bits === 4 ? halves(op, value) : value, { to: scales.dataType });
  const integers = op.Reshape(numbers(packed), [n, blocks, blockSize]);
  const zero = zeros === undefined ? op.scalar(2 ** (bits - 1), scales) : op.Reshape(zeroPoints(op, zeros, numbers, n, blocks), [n, blocks, 1]);
  const centred = op.Sub(integers, zero);
  const whole = op.Reshape(op.Mul(centred, op.Reshape(scales, [n, blocks, 1])), [n, blocks * blockSize]);
  return blocks * blockSize === k ? whole : op.Slice(whole, [0], [k], [1]);
}

/** Zero points as floats [N, blocks]; packed ones fill each row up to a whole byte. */
function zeroPoints(op: OpBuilder, zeros: Value, numbers: (value: Value) => Value, n: number, blocks: number): Value {
  if (zeros.dataType !== DataType.UINT8) return zeros;
  return op.Slice(op.Reshape(numbers(zeros), [n, -1]), [0], [blocks], [1]);
}

/** The two integers of each byte, the low half first: [..] → [.., 2]. */
function halves(op: OpBuilder, bytes: Value): Value {
  const wide = op.Unsqueeze(op.Cast(bytes, { to: DataType.INT32 }), [-1]);
  const sixteen = op.scalar(16, wide);
  return op.Concat([op.Mod(wide, sixteen), op.Div(wide, sixteen)], { axis: -1 });
}

/** W as the product reads it, [K, N]. */
function weightOfNBits(op: OpBuilder, node: Node): Value {
  return op.Transpose(dequantizedNBits(op, node), { perm: [1, 0] });
}

/** The product of a MatMulNBits with a weight [K, N] in place of its own. */
function matMulOfNBits(op: OpBuilder, node: Node, weight: Value): Value {
  const [a, , , , , bias] = node.inputs;
  if (a === undefined) throw new TypeError("MatMulNBits has no input");
  const product = op.MatMul(a, weight);
  return bias === undefined ? product : op.Add(product, bias);
}
