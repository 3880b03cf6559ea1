/** Fourier transforms and the windows that go with them. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, floorDivDims, mulDims, subDims, type Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { shapeOf } from "./broadcast.ts";
import { defineOp, type GradientContext, type InferContext, type OpDefinition } from "./define.ts";

/** The frequencies of a transform of length n: n, or the first half of them and the middle one. */
const frequencies = (c: InferContext, n: Dim, otherwise: number): Dim => (intOf(c.node, "onesided", otherwise) === 1 ? addDims(floorDivDims(n, 2), 1) : n);

/** The opset since which the axis is an input. */
const AXIS_INPUT = 20;

/**
 * The discrete Fourier transform of length N along an axis: [.., d, .., 1 or 2] → [.., N', .., 2]; the last axis holds real and imaginary part.
 * Y = F·X for the first N elements, with zeros behind where there are fewer; F[k, n] = exp(−2πi·k·n / N), and conj(F) / N for the inverse.
 */
export const DFT = defineOp({
  name: "DFT", opsets: [17, 20], inputs: ["input", "dft_length", "axis"], outputs: ["output"],
  shape: (c) => {
    const shape = c.shape(0);
    const axis: Dim = c.opset < AXIS_INPUT ? intOf(c.node, "axis", 1) : c.has(2) ? c.ints(2)?.[0] : -2;
    if (shape === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const [onesided, inverse] = [intOf(c.node, "onesided", 0) === 1, intOf(c.node, "inverse", 0) === 1];
    const last = onesided && inverse ? 1 : 2;
    const sized = (at: number | undefined, size: Dim): Dim[] => shape.map((d, i) => (i === shape.length - 1 ? last : at === undefined || i === at ? size : d));
    // All frequencies of an axis are as many as its elements, whichever it is.
    if (!c.has(1) && !onesided) return [{ dataType: c.dataType(0), shape: sized(-1, undefined) }];
    if (typeof axis !== "number") return [{ dataType: c.dataType(0), shape: sized(undefined, undefined) }];
    const at = axis < 0 ? axis + shape.length : axis;
    const given: Dim = c.has(1) ? c.ints(1)?.[0] : shape[at];
    // Half of the frequencies give back all elements.
    if (last === 1) return [{ dataType: c.dataType(0), shape: sized(at, c.has(1) ? given : mulDims(2, subDims(given, 1))) }];
    return [{ dataType: c.dataType(0), shape: sized(at, frequencies(c, given, 0)) }];
  },
  gradient: { input: transformedBack, dft_length: "none", axis: "none" },
});

/**
 * F is symmetric, so the transpose of the map, real and imaginary parts taken as numbers apart, is conj(F): dX is the transform of dY the other way,
 * times N forward and divided by N for the inverse. Frequencies that were left out (onesided) count as zeros behind the others, elements that were
 * left out (d > N) get zeros, and of a real input only the real part counts.
 */
function transformedBack({ op, node, has, in: inputs, grad: { output } }: GradientContext<"input" | "dft_length" | "axis", "output">): Value {
  const x = inputs.input;
  const [onesided, inverse] = [intOf(node, "onesided", 0) === 1, intOf(node, "inverse", 0) === 1];
  if (onesided && inverse) throw new TypeError("the inverse of half of the frequencies is not written");
  const place = op.opset < AXIS_INPUT ? intOf(node, "axis", 1) : has("axis") ? inputs.axis.facts?.ints?.[0] : -2;
  const axis = typeof place === "number" ? op.ints([place]) : op.Reshape(inputs.axis, [1]);
  const length = op.Reshape(onesided && has("dft_length") ? inputs.dft_length : op.Gather(shapeOf(op, onesided ? x : output), axis), []);
  const [back] = op.emit("DFT", [output, onesided ? length : undefined, node.inputs[2]], { axis: intOf(node, "axis", undefined), inverse: inverse ? 0 : 1 }, 1);
  if (back === undefined) throw new TypeError("a DFT without output");
  const size = op.Cast(length, { to: x.dataType });
  const whole = inverse ? op.Div(back, size) : op.Mul(back, size);
  if (!has("dft_length") && x.shape?.at(-1) === 2) return whole;
  const axes = op.Concat([axis, op.ints([-1])], { axis: 0 });
  const cut = (v: Value): Value => op.Slice(v, [0, 0], op.Gather(shapeOf(op, x), axes), axes);
  if (!has("dft_length")) return cut(whole);
  if (typeof place !== "number") throw new TypeError("the axis must be known where dft_length is given");
  return cut(op.Concat([cut(whole), op.Expand(op.scalar(0, x), shapeOf(op, x))], { axis: place }));
}

/** Fourier transforms of frames of a signal: [N, L, 1 or 2] → [N, frames, frequencies, 2]. */
export const STFT = defineOp({
  name: "STFT", opsets: [17], inputs: ["signal", "frame_step", "window", "frame_length"], outputs: ["output"],
  shape: (c) => {
    const [signal, step] = [c.shape(0), c.ints(1)?.[0]];
    const length: Dim = c.has(3) ? c.ints(3)?.[0] : c.shape(2)?.[0];
    return [{ dataType: c.dataType(0), shape: [signal?.[0], addDims(floorDivDims(subDims(signal?.[1], length), step), 1), frequencies(c, length, 1), 2] }];
  },
  gradient: { signal: "unwritten", frame_step: "none", window: "unwritten", frame_length: "none" },
});

/** A bell of `size` numbers. */
const bell = (name: string): OpDefinition<"size", "output"> => defineOp({
  name, opsets: [17], inputs: ["size"], outputs: ["output"], gradient: { size: "none" }, flops: "elementwise",
  shape: (c) => [{ dataType: intOf(c.node, "output_datatype", DataType.FLOAT), shape: [c.ints(0)?.[0]] }],
});

export const BlackmanWindow = bell("BlackmanWindow");
export const HammingWindow = bell("HammingWindow");
export const HannWindow = bell("HannWindow");

/** The weights from frequencies to the mel scale: [⌊dft_length / 2⌋ + 1, num_mel_bins]. */
export const MelWeightMatrix = defineOp({
  name: "MelWeightMatrix", opsets: [17], inputs: ["num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"], outputs: ["output"], gradient: "none",
  shape: (c) => [{ dataType: intOf(c.node, "output_datatype", DataType.FLOAT), shape: [addDims(floorDivDims(c.ints(1)?.[0], 2), 1), c.ints(0)?.[0]] }],
});
