import { describe } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { shapecheck } from "./shapecheck.ts";

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);
const scalar = (value: number): Tensor => Tensor.ints([], [value]);
const filled = (...dims: number[]): Tensor => Tensor.floats(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i - 2));
const bytes = (dims: readonly number[], dataType: number = DataType.UINT8): Tensor => new Tensor(dataType, dims, Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i % 7));
const half = Tensor.floats([], [0.5]);

describe("shape rules of quantization", () => {
  shapecheck("DequantizeLinear", { x: bytes([2, 3]), x_scale: half }, { opsets: [11, 13, 21, 23] });
  shapecheck("DequantizeLinear", { x: bytes([2, 3]), x_scale: filled(3), x_zero_point: bytes([3]) }, { attributes: { axis: 1 }, opsets: [13, 19, 23] });
  shapecheck("DequantizeLinear", { x: bytes([4, 3]), x_scale: filled(2, 3) }, { attributes: { axis: 0, block_size: 2 }, opsets: [21, 23] });
  shapecheck("QuantizeLinear", { x: filled(2, 3), y_scale: half }, { opsets: [11, 13, 21, 23] });
  shapecheck("QuantizeLinear", { x: filled(2, 3), y_scale: half, y_zero_point: bytes([], DataType.INT8) }, { opsets: [11, 13, 21] });
  shapecheck("QuantizeLinear", { x: filled(2, 3), y_scale: half }, { attributes: { output_dtype: DataType.INT8 }, opsets: [21, 23] });
  shapecheck("DynamicQuantizeLinear", { x: filled(2, 3) }, { outputs: 3, opsets: [11, 20] });
  shapecheck("MatMulInteger", { A: bytes([2, 2, 3]), B: bytes([3, 4]) }, { opsets: [11, 20] });
  shapecheck("MatMulInteger", { A: bytes([2, 3]), B: bytes([3, 4]), b_zero_point: bytes([]) }, { opsets: [11, 20] });
  const product = { a: bytes([2, 3]), a_scale: half, a_zero_point: bytes([]), b: bytes([3, 4]), b_scale: half, b_zero_point: bytes([]), y_scale: half, y_zero_point: bytes([]) };
  shapecheck("QLinearMatMul", product, { opsets: [11, 20] });
  shapecheck("ConvInteger", { x: bytes([1, 2, 5, 4]), w: bytes([3, 2, 2, 2]) }, { attributes: { strides: [2, 1], pads: [1, 0, 0, 1] }, opsets: [11, 20] });
  const convolution = { x: bytes([1, 2, 5, 4]), x_scale: half, x_zero_point: bytes([]), w: bytes([4, 1, 2, 2]), w_scale: half, w_zero_point: bytes([]), y_scale: half, y_zero_point: bytes([]) };
  shapecheck("QLinearConv", convolution, { attributes: { group: 2, dilations: [2, 1] }, opsets: [11, 20] });
});

describe("shape rules of random numbers", () => {
  for (const op of ["RandomNormal", "RandomUniform"]) {
    shapecheck(op, {}, { attributes: { shape: [2, 3] }, opsets: [11, 20] });
    shapecheck(op, {}, { attributes: { shape: [2], dtype: DataType.DOUBLE }, opsets: [11, 20] });
  }
  for (const op of ["RandomNormalLike", "RandomUniformLike"]) {
    shapecheck(op, { input: filled(2, 3) }, { opsets: [11, 20] });
    shapecheck(op, { input: filled(2, 3) }, { attributes: { dtype: DataType.DOUBLE }, opsets: [11, 20] });
  }
  shapecheck("Bernoulli", { input: Tensor.floats([2, 2], [0, 0.5, 1, 0.2]) }, { opsets: [15, 20] });
  shapecheck("Multinomial", { input: filled(2, 3) }, { attributes: { sample_size: 4 }, opsets: [11, 20] });
});

describe("shape rules of signals", () => {
  for (const op of ["BlackmanWindow", "HammingWindow", "HannWindow"]) {
    shapecheck(op, { size: scalar(6) }, { opsets: [17, 20] });
    shapecheck(op, { size: scalar(6) }, { attributes: { output_datatype: DataType.DOUBLE }, opsets: [17, 20] });
  }
  shapecheck("DFT", { input: filled(1, 6, 1) }, { opsets: [17, 20] });
  shapecheck("DFT", { input: filled(1, 6, 2) }, { attributes: { inverse: 1 }, opsets: [17, 20] });
  shapecheck("DFT", { input: filled(1, 6, 1), dft_length: scalar(8) }, { attributes: { onesided: 1 }, opsets: [17, 20] });
  shapecheck("DFT", { input: filled(1, 6, 4, 1) }, { attributes: { axis: 2 }, opsets: [17] });
  shapecheck("DFT", { input: filled(1, 6, 4, 1), axis: scalar(1) }, { opsets: [20] });
  shapecheck("STFT", { signal: filled(1, 16, 1), frame_step: scalar(4), frame_length: scalar(8) }, { opsets: [17, 20] });
  shapecheck("STFT", { signal: filled(1, 15, 1), frame_step: scalar(4), window: filled(8) }, { attributes: { onesided: 0 }, opsets: [17, 20] });
  shapecheck("MelWeightMatrix", { num_mel_bins: scalar(3), dft_length: scalar(9), sample_rate: scalar(800), lower_edge_hertz: half, upper_edge_hertz: Tensor.floats([], [300]) }, { opsets: [17, 20] });
});

describe("shape rules of recurrent layers", () => {
  for (const [op, gates] of [["RNN", 1], ["GRU", 3], ["LSTM", 4]] as const) {
    const outputs = op === "LSTM" ? 3 : 2;
    shapecheck(op, { X: filled(5, 2, 3), W: filled(1, 4 * gates, 3), R: filled(1, 4 * gates, 4) }, { attributes: { hidden_size: 4 }, outputs, opsets: [11, 14, 22] });
    shapecheck(op, { X: filled(5, 2, 3), W: filled(2, 4 * gates, 3), R: filled(2, 4 * gates, 4) }, { attributes: { hidden_size: 4, direction: "bidirectional" }, outputs, opsets: [11, 14, 22] });
  }
});

describe("shape rules of images", () => {
  shapecheck("GridSample", { X: filled(2, 3, 4, 5), grid: filled(2, 6, 7, 2) }, { opsets: [16, 20] });
  shapecheck("AffineGrid", { theta: filled(2, 2, 3), size: vector(2, 3, 4, 5) }, { opsets: [20] });
  shapecheck("AffineGrid", { theta: filled(2, 3, 4), size: vector(2, 3, 4, 5, 2) }, { opsets: [20] });
  shapecheck("NonMaxSuppression", { boxes: filled(1, 3, 4), scores: filled(1, 2, 3), max_output_boxes_per_class: scalar(2) }, { opsets: [11, 20], open: "how many stay" });
  shapecheck("MaxRoiPool", { X: filled(1, 2, 6, 6), rois: Tensor.floats([3, 5], [0, 0, 0, 3, 3, 0, 1, 1, 4, 4, 0, 0, 0, 5, 5]) }, { attributes: { pooled_shape: [2, 3] }, opsets: [11, 20] });
  const regions = { X: filled(1, 2, 6, 6), rois: Tensor.floats([2, 4], [0, 0, 3, 3, 1, 1, 4, 4]), batch_indices: vector(0, 0) };
  shapecheck("RoiAlign", regions, { opsets: [11, 16, 20] });
  shapecheck("RoiAlign", regions, { attributes: { output_height: 3, output_width: 2 }, opsets: [11, 16, 20] });
  const found = { X: Tensor.floats([1, 1, 2, 2], [1, 2, 3, 4]), I: Tensor.ints([1, 1, 2, 2], [5, 7, 13, 15]) };
  shapecheck("MaxUnpool", found, { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, opsets: [11, 20] });
  shapecheck("MaxUnpool", { ...found, output_shape: vector(1, 1, 5, 5) }, { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, opsets: [11, 20] });
  shapecheck("EyeLike", { input: filled(2, 3) }, { opsets: [11, 22] });
  shapecheck("EyeLike", { input: filled(2, 3) }, { attributes: { dtype: DataType.INT64 }, opsets: [11, 22] });
});

describe("shape rules of sets", () => {
  shapecheck("Unique", { X: filled(2, 3) }, { outputs: 4, opsets: [11, 20], open: "how many differ" });
  shapecheck("Unique", { X: filled(2, 3) }, { attributes: { axis: -1 }, outputs: 4, opsets: [11, 20], open: "how many differ" });
  shapecheck("Compress", { input: filled(2, 3), condition: Tensor.bools([3], [true, false, true]) }, { attributes: { axis: 1 }, opsets: [11, 20], open: "how many stay" });
});
