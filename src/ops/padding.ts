/** What adds or takes elements at the ends of axes. */
import { intsOf, stringOf } from "../ir/attribute.ts";
import { addDims, type Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { allNumbers, fromStart } from "../ir/sizes.ts";
import { shapeOf } from "./broadcast.ts";
import { defineOp, type GradientContext, type InferContext } from "./define.ts";

type Padding = GradientContext<"data" | "pads" | "constant_value" | "axes", "output">;

/** Elements added before and after each axis; undefined where the pads or axes are not known. */
function paddedShape(c: InferContext): Dim[] | undefined {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  const [pads, given] = [c.ints(1), c.ints(3)];
  const axes = given === undefined ? (c.has(3) ? undefined : shape.map((_, i) => i)) : given.map((a) => (typeof a === "number" ? fromStart(a, shape.length) : a));
  if (axes === undefined) return shape.map(() => undefined);
  return shape.map((d, axis) => {
    const at = axes.indexOf(axis);
    return at < 0 ? d : addDims(addDims(d, pads?.[at]), pads?.[at + axes.length]);
  });
}

/**
 * y = x with elements before and after along each axis (negative: fewer). dx = dy with what was added cut off, which is a Pad by the negative
 * numbers; elements repeated by "reflect", "edge" or "wrap" add up where they came from. dconstant = Σ of what was cut off.
 */
export const Pad = defineOp({
  name: "Pad", opsets: [11, 13, 18, 19, 21, 23, 24], inputs: ["data", "pads", "constant_value", "axes"], outputs: ["output"],
  shape: (c) => [{ dataType: c.dataType(0), shape: paddedShape(c) }],
  gradient: {
    data: (g) => (stringOf(g.node, "mode", "constant") === "constant" ? cut(g) : repeatsAdded(g)),
    pads: "none",
    constant_value: (g) => {
      const { op, grad: { output } } = g;
      const sum = (v: Value): Value => op.ReduceSum(v, undefined, { keepdims: 0 });
      return op.Reshape(op.Sub(sum(output), sum(cut(g))), op.Shape(g.in.constant_value));
    },
    axes: "none",
  },
});

function cut({ op, has, in: inputs, grad: { output } }: Padding): Value {
  const pads = inputs.pads.facts?.ints;
  const numbers = allNumbers(pads);
  return op.Pad(output, numbers === undefined ? op.Neg(inputs.pads) : numbers.map((d) => 0 - d), undefined, has("axes") ? inputs.axes : undefined);
}

/** Positions of x numbered and padded the same way tell where each element of dy came from. */
function repeatsAdded({ op, node, in: { data }, grad: { output } }: Padding): Value {
  const [size, shape] = [op.Size(data), shapeOf(op, data)];
  const positions = op.Reshape(op.Range(op.scalar(0, size), size, op.scalar(1, size)), shape);
  const [sources] = op.emit("Pad", [positions, node.inputs[1], undefined, node.inputs[3]], { mode: stringOf(node, "mode", "constant") }, 1);
  if (sources === undefined) throw new TypeError("a Pad without output");
  const zeros = op.Expand(op.scalar(0, data), op.Reshape(size, [1]));
  return op.Reshape(op.ScatterElements(zeros, op.Reshape(sources, [-1]), op.Reshape(output, [-1]), { axis: 0, reduction: "add" }), shape);
}

/** y = x cropped or padded to a size, around its middle. dx = dy brought back to x's size in the same way, which leaves out what was added. */
export const CenterCropPad = defineOp({
  name: "CenterCropPad", opsets: [18], inputs: ["input_data", "shape"], outputs: ["output_data"],
  shape: (c) => {
    const [shape, wanted] = [c.shape(0), c.ints(1)];
    const axes = intsOf(c.node, "axes")?.map((a) => fromStart(a, shape?.length)) ?? shape?.map((_, i) => i) ?? [];
    return [{ dataType: c.dataType(0), shape: shape?.map((d, i) => (axes.includes(i) ? wanted?.[axes.indexOf(i)] : d)) }];
  },
  gradient: {
    input_data: ({ op, node, in: { input_data }, grad: { output_data } }) => {
      const [axes, shape] = [intsOf(node, "axes"), shapeOf(op, input_data)];
      if (axes === undefined) return op.CenterCropPad(output_data, shape);
      const rank = input_data.shape?.length;
      if (rank === undefined && axes.some((a) => a < 0)) throw new TypeError(`the rank of "${input_data.name}" must be known`);
      return op.CenterCropPad(output_data, op.Gather(shape, op.ints(axes.map((a) => fromStart(a, rank)))), { axes });
    },
    shape: "none",
  },
});
