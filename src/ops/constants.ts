/** What makes values from nothing or from shapes alone. No gradient passes through any of these. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { isNonNegative, numberOfElements, openShape, subDims } from "../ir/dim.ts";
import type { Facts, Node } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import { defineOp } from "./define.ts";
import { factsOfTensor, isSmall, MAX_FOLLOWED_INTS } from "./elements.ts";

/** The value of its one attribute. */
export const Constant = defineOp({
  name: "Constant", opsets: [1, 9, 11, 12, 13, 19, 21, 23, 24], inputs: [], outputs: ["output"], gradient: "none",
  shape: (c): Facts[] => {
    for (const a of c.node.attributes.values()) {
      if (a.kind === "tensor") return [factsOfTensor(a.value)];
      if (a.kind === "int") return [{ dataType: DataType.INT64, shape: [], ints: [Number(a.value)] }];
      if (a.kind === "ints") return [{ dataType: DataType.INT64, shape: [a.value.length], ints: a.value.map(Number) }];
      if (a.kind === "float") return [{ dataType: DataType.FLOAT, shape: [] }];
      if (a.kind === "floats") return [{ dataType: DataType.FLOAT, shape: [a.value.length] }];
      if (a.kind === "string") return [{ dataType: DataType.STRING, shape: [] }];
      if (a.kind === "strings") return [{ dataType: DataType.STRING, shape: [a.value.length] }];
    }
    return [];
  },
});

/** What a Constant holds; undefined for strings and for a sparse tensor. */
export function tensorOfConstant(node: Node): Tensor | undefined {
  for (const a of node.attributes.values()) {
    if (a.kind === "tensor") return a.value.data === undefined ? undefined : a.value;
    if (a.kind === "int") return Tensor.ints([], [a.value]);
    if (a.kind === "ints") return Tensor.ints([a.value.length], a.value);
    if (a.kind === "float") return Tensor.floats([], [a.value]);
    if (a.kind === "floats") return Tensor.floats([a.value.length], a.value);
  }
  return undefined;
}

/** A tensor of the dimensions given, filled with the one element of `value`, or with float zeros. */
export const ConstantOfShape = defineOp({
  name: "ConstantOfShape", opsets: [9, 20, 21, 23, 24], inputs: ["input"], outputs: ["output"], gradient: "none",
  shape: (c) => {
    const value = c.node.attributes.get("value");
    const tensor = value?.kind === "tensor" ? value.value : undefined;
    const shape = c.ints(0);
    const facts = { dataType: tensor?.dataType ?? DataType.FLOAT, shape: shape ?? openShape(c.shape(0)?.[0]) };
    const count = shape?.length === 1 ? shape[0] : undefined;
    const filler = tensor?.dataType === DataType.INT64 && isSmall(tensor) ? tensor.toNumbers()?.[0] : undefined;
    if (typeof count !== "number" || count > MAX_FOLLOWED_INTS || filler === undefined) return [facts];
    return [{ ...facts, ints: Array.from({ length: count }, () => filler) }];
  },
});

/** start, start + delta, … below limit. */
export const Range = defineOp({
  name: "Range", opsets: [11], inputs: ["start", "limit", "delta"], outputs: ["output"], gradient: "none",
  shape: (c) => {
    const [start, limit, delta] = [c.numbers(0)?.[0], c.numbers(1)?.[0], c.numbers(2)?.[0]];
    if (typeof start === "number" && typeof limit === "number" && typeof delta === "number" && delta !== 0) {
      const count = Math.max(0, Math.ceil((limit - start) / delta));
      const followed = count <= MAX_FOLLOWED_INTS && c.ints(0) !== undefined && c.ints(2) !== undefined;
      return [{ dataType: c.dataType(0), shape: [count], ...(followed ? { ints: Array.from({ length: count }, (_, i) => start + i * delta) } : {}) }];
    }
    const count = delta === 1 ? subDims(limit, start) : undefined;
    return [{ dataType: c.dataType(0), shape: [isNonNegative(count) ? count : undefined] }];
  },
});

/** The sizes of x as an int64 vector, from `start` to `end` since opset 15. */
export const Shape = defineOp({
  name: "Shape", opsets: [1, 13, 15, 19, 21, 23, 24], inputs: ["data"], outputs: ["shape"], gradient: { data: "none" },
  shape: (c) => {
    const shape = c.shape(0)?.slice(intOf(c.node, "start", 0), intOf(c.node, "end", undefined));
    return [{ dataType: DataType.INT64, shape: [shape?.length], ...(shape === undefined ? {} : { ints: shape }) }];
  },
});

/** The number of elements. */
export const Size = defineOp({
  name: "Size", opsets: [1, 13, 19, 21, 23, 24], inputs: ["data"], outputs: ["size"], gradient: { data: "none" },
  shape: (c) => {
    const shape = c.shape(0);
    return [{ dataType: DataType.INT64, shape: [], ...(shape === undefined ? {} : { ints: [numberOfElements(shape)] }) }];
  },
});

/** The indices of what isn't zero, [rank, count]. */
export const NonZero = defineOp({
  name: "NonZero", opsets: [9, 13], inputs: ["X"], outputs: ["Y"], gradient: { X: "none" },
  shape: (c) => [{ dataType: DataType.INT64, shape: [c.shape(0)?.length, undefined] }],
});

/** Ones on a diagonal of a matrix like x, zeros elsewhere. */
export const EyeLike = defineOp({
  name: "EyeLike", opsets: [9, 22], inputs: ["input"], outputs: ["output"], gradient: { input: "none" },
  shape: (c) => [{ dataType: intOf(c.node, "dtype", 0) || c.dataType(0), shape: c.shape(0) }],
});
