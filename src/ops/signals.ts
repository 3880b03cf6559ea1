/** Fourier transforms and the windows that go with them. */
import { intOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { addDims, floorDivDims, mulDims, subDims, type Dim } from "../ir/dim.ts";
import { defineOp, type InferContext, type OpDefinition } from "./define.ts";

/** The frequencies of a transform of length n: n, or the first half of them and the middle one. */
const frequencies = (c: InferContext, n: Dim, otherwise: number): Dim => (intOf(c.node, "onesided", otherwise) === 1 ? addDims(floorDivDims(n, 2), 1) : n);

/** The opset since which the axis is an input. */
const AXIS_INPUT = 20;

/** The discrete Fourier transform along an axis: [.., d, .., 1 or 2] → [.., d', .., 2]; the last axis holds real and imaginary part. */
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
  gradient: { input: "unwritten", dft_length: "none", axis: "none" },
});

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
