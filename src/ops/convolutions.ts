/** Convolutions over x [N, C, d..], in one, two or three spatial dimensions and in groups. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { addDims, mulDims, numberOfElements, subDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { elements } from "./broadcast.ts";
import { defineOp } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";
import { attributesOf, correlated, padsAttribute, slidShape, spreadBack, windowOf, type Window } from "./windows.ts";

/** The gradient of a bias [M]: the sum over all but the channels of dy [N, M, o..], however many axes that has. */
function channelSum(op: OpBuilder, dy: Value): Value {
  return op.ReduceSum(op.Reshape(dy, [0, 0, -1]), [0, 2], { keepdims: 0 });
}

/** The result of windows over x, with as many channels as there are weights. */
export function convolvedShape(node: Node, x: Shape | undefined, w: Shape | undefined): Shape | undefined {
  const window = windowOf(node, x, w);
  return x === undefined || window === undefined ? undefined : [x[0], w?.[0], ...slidShape(x, window)];
}

/**
 * y[n, m, o] = b[m] + Σ over c, k of w[m, c, k] · x[n, c, o · stride + k · dilation − pad]. x [N, C, d..], w [M, C/g, k..] → [N, M, o..].
 * dx = dy carried back by the same weights (ConvTranspose); dw = x correlated with dy (Conv, the batch being summed over); db = Σ dy.
 */
export const Conv = defineOp({
  name: "Conv", opsets: [1, 11, 22], inputs: ["X", "W", "B"], outputs: ["Y"],
  weight: (node) => (intOf(node, "group", 1) === 1 ? { index: 1, layout: "nk", kernel: true, bias: 2 } : undefined),
  shape: (c) => [{ dataType: c.dataType(0), shape: convolvedShape(c.node, c.shape(0), c.shape(1)) }],
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), sizeOfFilter(c.shape(1)))),
  gradient: {
    X: ({ op, node, in: { X, W }, grad: { Y } }) => spreadBack(op, Y, W, X, windowOf(node, X.shape, W.shape), intOf(node, "group", 1)),
    W: ({ op, node, in: { X, W }, grad: { Y } }) => correlated(op, X, Y, W, windowOf(node, X.shape, W.shape), intOf(node, "group", 1)),
    B: ({ op, grad: { Y } }) => channelSum(op, Y),
  },
});

/** The numbers behind one element of the result: C/g · k... */
export function sizeOfFilter(w: Shape | undefined): Dim {
  return w === undefined ? undefined : numberOfElements(w.slice(1));
}

/**
 * The window of a ConvTranspose, seen from its result: pads are what the node says, or what makes the result as large as it says. Undefined
 * where the number of axes is open.
 */
function transposedWindow(node: Node, x: Shape | undefined, w: Shape | undefined): Window | undefined {
  const window = windowOf(node, x, w);
  const wanted = intsOf(node, "output_shape");
  if (window === undefined || (wanted === undefined && !window.autoPad.startsWith("SAME"))) return window;
  const pads = window.kernel.map((_, i) => {
    const whole = unpadded(node, x, window, i);
    const size = wanted === undefined ? mulDims(x?.[i + 2], window.strides[i]) : wanted.at(i - window.kernel.length);
    if (typeof whole !== "number" || typeof size !== "number") return undefined;
    const total = Math.max(0, whole - size);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return window.autoPad === "SAME_UPPER" ? { before: less, after: more } : { before: more, after: less };
  });
  return { ...window, pads };
}

/** The size of a ConvTranspose's result before anything is cut off: stride · (d − 1) + output_padding + dilation · (k − 1) + 1. */
function unpadded(node: Node, x: Shape | undefined, window: Window, axis: number): Dim {
  const last = addDims(mulDims(window.strides[axis], subDims(x?.[axis + 2], 1)), intsOf(node, "output_padding")?.[axis] ?? 0);
  return addDims(last, addDims(mulDims(window.dilations[axis], subDims(window.kernel[axis], 1)), 1));
}

function knownWindow(node: Node, x: Value, w: Value): Window | undefined {
  const window = transposedWindow(node, x.shape, w.shape);
  if (window?.pads.includes(undefined) === true) throw new TypeError(`the pads follow from the sizes of "${x.name}" and "${w.name}", which must be known`);
  return window;
}

/**
 * y[n, m, i · stride + k · dilation − pad] = Σ over c of x[n, c, i] · w[c, m, k], where several (i, k) meet their sum, plus b[m].
 * x [N, C, d..], w [C, M/g, k..] → [N, M, o..]. dx = Conv(dy, w); dw = dy correlated with x; db = Σ dy.
 */
export const ConvTranspose = defineOp({
  name: "ConvTranspose", opsets: [1, 11, 22], inputs: ["X", "W", "B"], outputs: ["Y"],
  shape: (c) => {
    const [x, w] = [c.shape(0), c.shape(1)];
    const window = transposedWindow(c.node, x, w);
    if (x === undefined || window === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const wanted = intsOf(c.node, "output_shape");
    const sizes = window.kernel.map((_, i): Dim => {
      const pads = window.pads[i];
      if (wanted !== undefined) return wanted.at(i - window.kernel.length);
      if (window.autoPad.startsWith("SAME")) return mulDims(x[i + 2], window.strides[i]);
      return pads === undefined ? undefined : subDims(unpadded(c.node, x, window, i), pads.before + pads.after);
    });
    return [{ dataType: c.dataType(0), shape: [x[0], mulDims(w?.[1], intOf(c.node, "group", 1)), ...sizes] }];
  },
  flops: (c) => mulDims(2, mulDims(elements({ dataType: 0, shape: c.shape(0) }), sizeOfFilter(c.shape(1)))),
  gradient: {
    X: ({ op, node, in: { X, W }, grad: { Y } }) => {
      const window = knownWindow(node, X, W);
      const group = intOf(node, "group", 1);
      if (window === undefined) return op.Conv(Y, W, undefined, { group });
      const pads = window.pads.filter((p) => p !== undefined);
      return op.Conv(Y, W, undefined, { group, ...attributesOf(window), pads: padsAttribute(pads) });
    },
    W: ({ op, node, in: { X, W }, grad: { Y } }) => correlated(op, Y, X, W, knownWindow(node, X, W), intOf(node, "group", 1)),
    B: ({ op, grad: { Y } }) => channelSum(op, Y),
  },
});
