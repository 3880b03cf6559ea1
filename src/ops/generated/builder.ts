// Made by scripts/generate-builders.ts from scripts/onnx-schemas.json. Do not edit.

import { Emitter, type Operand } from "../emitter.ts";
import type { Value } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";

/** One method an operator, in its newest form up to opset 24; `Emitter` brings it to the form of the graph's own opset. */
export class OpBuilder extends Emitter {
    public Abs(X: Operand): Value {
        return this.first(this.emit("Abs", [X], {}, 1));
    }

    public Acos(input: Operand): Value {
        return this.first(this.emit("Acos", [input], {}, 1));
    }

    public Acosh(input: Operand): Value {
        return this.first(this.emit("Acosh", [input], {}, 1));
    }

    public Add(A: Operand, B: Operand): Value {
        return this.first(this.emit("Add", [A, B], {}, 1));
    }

    public AffineGrid(theta: Operand, size: Operand, attributes: { readonly align_corners?: number | undefined } = {}): Value {
        return this.first(this.emit("AffineGrid", [theta, size], attributes, 1));
    }

    public And(A: Operand, B: Operand): Value {
        return this.first(this.emit("And", [A, B], {}, 1));
    }

    public ArgMax(data: Operand, attributes: { readonly select_last_index?: number | undefined; readonly keepdims?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("ArgMax", [data], attributes, 1));
    }

    public ArgMin(data: Operand, attributes: { readonly select_last_index?: number | undefined; readonly keepdims?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("ArgMin", [data], attributes, 1));
    }

    public Asin(input: Operand): Value {
        return this.first(this.emit("Asin", [input], {}, 1));
    }

    public Asinh(input: Operand): Value {
        return this.first(this.emit("Asinh", [input], {}, 1));
    }

    public Atan(input: Operand): Value {
        return this.first(this.emit("Atan", [input], {}, 1));
    }

    public Atanh(input: Operand): Value {
        return this.first(this.emit("Atanh", [input], {}, 1));
    }

    public Attention(Q: Operand, K: Operand, V: Operand, attn_mask?: Operand, past_key?: Operand, past_value?: Operand, nonpad_kv_seqlen?: Operand, attributes: { readonly qk_matmul_output_mode?: number | undefined; readonly softcap?: number | undefined; readonly softmax_precision?: number | undefined; readonly kv_num_heads?: number | undefined; readonly q_num_heads?: number | undefined; readonly scale?: number | undefined; readonly is_causal?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("Attention", [Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen], attributes, outputs);
    }

    public AveragePool(X: Operand, attributes: { readonly count_include_pad?: number | undefined; readonly dilations?: readonly number[] | undefined; readonly ceil_mode?: number | undefined; readonly pads?: readonly number[] | undefined; readonly auto_pad?: string | undefined; readonly strides?: readonly number[] | undefined; readonly kernel_shape: readonly number[] }): Value {
        return this.first(this.emit("AveragePool", [X], attributes, 1));
    }

    public BatchNormalization(X: Operand, scale: Operand, B: Operand, input_mean: Operand, input_var: Operand, attributes: { readonly training_mode?: number | undefined; readonly momentum?: number | undefined; readonly epsilon?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("BatchNormalization", [X, scale, B, input_mean, input_var], attributes, outputs);
    }

    public Bernoulli(input: Operand, attributes: { readonly dtype?: number | undefined; readonly seed?: number | undefined } = {}): Value {
        return this.first(this.emit("Bernoulli", [input], attributes, 1));
    }

    public BitShift(X: Operand, Y: Operand, attributes: { readonly direction: string }): Value {
        return this.first(this.emit("BitShift", [X, Y], attributes, 1));
    }

    public BitwiseAnd(A: Operand, B: Operand): Value {
        return this.first(this.emit("BitwiseAnd", [A, B], {}, 1));
    }

    public BitwiseNot(X: Operand): Value {
        return this.first(this.emit("BitwiseNot", [X], {}, 1));
    }

    public BitwiseOr(A: Operand, B: Operand): Value {
        return this.first(this.emit("BitwiseOr", [A, B], {}, 1));
    }

    public BitwiseXor(A: Operand, B: Operand): Value {
        return this.first(this.emit("BitwiseXor", [A, B], {}, 1));
    }

    public BlackmanWindow(size: Operand, attributes: { readonly periodic?: number | undefined; readonly output_datatype?: number | undefined } = {}): Value {
        return this.first(this.emit("BlackmanWindow", [size], attributes, 1));
    }

    public Cast(input: Operand, attributes: { readonly round_mode?: string | undefined; readonly saturate?: number | undefined; readonly to: number }): Value {
        return this.first(this.emit("Cast", [input], attributes, 1));
    }

    public CastLike(input: Operand, target_type: Operand, attributes: { readonly round_mode?: string | undefined; readonly saturate?: number | undefined } = {}): Value {
        return this.first(this.emit("CastLike", [input, target_type], attributes, 1));
    }

    public Ceil(X: Operand): Value {
        return this.first(this.emit("Ceil", [X], {}, 1));
    }

    public Celu(X: Operand, attributes: { readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("Celu", [X], attributes, 1));
    }

    public CenterCropPad(input_data: Operand, shape: Operand, attributes: { readonly axes?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("CenterCropPad", [input_data, shape], attributes, 1));
    }

    public Clip(input: Operand, min?: Operand, max?: Operand): Value {
        return this.first(this.emit("Clip", [input, min, max], {}, 1));
    }

    public Col2Im(input: Operand, image_shape: Operand, block_shape: Operand, attributes: { readonly strides?: readonly number[] | undefined; readonly pads?: readonly number[] | undefined; readonly dilations?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("Col2Im", [input, image_shape, block_shape], attributes, 1));
    }

    public Compress(input: Operand, condition: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Compress", [input, condition], attributes, 1));
    }

    public Concat(inputs: readonly Operand[], attributes: { readonly axis: number }): Value {
        return this.first(this.emit("Concat", [...inputs], attributes, 1));
    }

    public ConcatFromSequence(input_sequence: Operand, attributes: { readonly new_axis?: number | undefined; readonly axis: number }): Value {
        return this.first(this.emit("ConcatFromSequence", [input_sequence], attributes, 1));
    }

    public ConstantOfShape(input: Operand, attributes: { readonly value?: Tensor | undefined } = {}): Value {
        return this.first(this.emit("ConstantOfShape", [input], attributes, 1));
    }

    public Conv(X: Operand, W: Operand, B?: Operand, attributes: { readonly group?: number | undefined; readonly pads?: readonly number[] | undefined; readonly auto_pad?: string | undefined; readonly strides?: readonly number[] | undefined; readonly dilations?: readonly number[] | undefined; readonly kernel_shape?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("Conv", [X, W, B], attributes, 1));
    }

    public ConvInteger(x: Operand, w: Operand, x_zero_point?: Operand, w_zero_point?: Operand, attributes: { readonly group?: number | undefined; readonly pads?: readonly number[] | undefined; readonly strides?: readonly number[] | undefined; readonly dilations?: readonly number[] | undefined; readonly kernel_shape?: readonly number[] | undefined; readonly auto_pad?: string | undefined } = {}): Value {
        return this.first(this.emit("ConvInteger", [x, w, x_zero_point, w_zero_point], attributes, 1));
    }

    public ConvTranspose(X: Operand, W: Operand, B?: Operand, attributes: { readonly group?: number | undefined; readonly auto_pad?: string | undefined; readonly strides?: readonly number[] | undefined; readonly pads?: readonly number[] | undefined; readonly output_padding?: readonly number[] | undefined; readonly dilations?: readonly number[] | undefined; readonly output_shape?: readonly number[] | undefined; readonly kernel_shape?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("ConvTranspose", [X, W, B], attributes, 1));
    }

    public Cos(input: Operand): Value {
        return this.first(this.emit("Cos", [input], {}, 1));
    }

    public Cosh(input: Operand): Value {
        return this.first(this.emit("Cosh", [input], {}, 1));
    }

    public CumSum(x: Operand, axis: Operand, attributes: { readonly reverse?: number | undefined; readonly exclusive?: number | undefined } = {}): Value {
        return this.first(this.emit("CumSum", [x, axis], attributes, 1));
    }

    public DFT(input: Operand, dft_length?: Operand, axis?: Operand, attributes: { readonly inverse?: number | undefined; readonly onesided?: number | undefined } = {}): Value {
        return this.first(this.emit("DFT", [input, dft_length, axis], attributes, 1));
    }

    public DeformConv(X: Operand, W: Operand, offset: Operand, B?: Operand, mask?: Operand, attributes: { readonly strides?: readonly number[] | undefined; readonly pads?: readonly number[] | undefined; readonly offset_group?: number | undefined; readonly kernel_shape?: readonly number[] | undefined; readonly group?: number | undefined; readonly dilations?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("DeformConv", [X, W, offset, B, mask], attributes, 1));
    }

    public DepthToSpace(input: Operand, attributes: { readonly mode?: string | undefined; readonly blocksize: number }): Value {
        return this.first(this.emit("DepthToSpace", [input], attributes, 1));
    }

    public DequantizeLinear(x: Operand, x_scale: Operand, x_zero_point?: Operand, attributes: { readonly output_dtype?: number | undefined; readonly block_size?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("DequantizeLinear", [x, x_scale, x_zero_point], attributes, 1));
    }

    public Det(X: Operand): Value {
        return this.first(this.emit("Det", [X], {}, 1));
    }

    public Div(A: Operand, B: Operand): Value {
        return this.first(this.emit("Div", [A, B], {}, 1));
    }

    public Dropout(data: Operand, ratio?: Operand, training_mode?: Operand, attributes: { readonly seed?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("Dropout", [data, ratio, training_mode], attributes, outputs);
    }

    public DynamicQuantizeLinear(x: Operand, outputs: number = 1): Value[] {
        return this.emit("DynamicQuantizeLinear", [x], {}, outputs);
    }

    public Einsum(Inputs: readonly Operand[], attributes: { readonly equation: string }): Value {
        return this.first(this.emit("Einsum", [...Inputs], attributes, 1));
    }

    public Elu(X: Operand, attributes: { readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("Elu", [X], attributes, 1));
    }

    public Equal(A: Operand, B: Operand): Value {
        return this.first(this.emit("Equal", [A, B], {}, 1));
    }

    public Erf(input: Operand): Value {
        return this.first(this.emit("Erf", [input], {}, 1));
    }

    public Exp(input: Operand): Value {
        return this.first(this.emit("Exp", [input], {}, 1));
    }

    public Expand(input: Operand, shape: Operand): Value {
        return this.first(this.emit("Expand", [input, shape], {}, 1));
    }

    public EyeLike(input: Operand, attributes: { readonly dtype?: number | undefined; readonly k?: number | undefined } = {}): Value {
        return this.first(this.emit("EyeLike", [input], attributes, 1));
    }

    public Flatten(input: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Flatten", [input], attributes, 1));
    }

    public Floor(X: Operand): Value {
        return this.first(this.emit("Floor", [X], {}, 1));
    }

    public GRU(X: Operand, W: Operand, R: Operand, B?: Operand, sequence_lens?: Operand, initial_h?: Operand, attributes: { readonly clip?: number | undefined; readonly activation_beta?: readonly number[] | undefined; readonly activation_alpha?: readonly number[] | undefined; readonly hidden_size?: number | undefined; readonly layout?: number | undefined; readonly direction?: string | undefined; readonly linear_before_reset?: number | undefined; readonly activations?: readonly string[] | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("GRU", [X, W, R, B, sequence_lens, initial_h], attributes, outputs);
    }

    public Gather(data: Operand, indices: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Gather", [data, indices], attributes, 1));
    }

    public GatherElements(data: Operand, indices: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("GatherElements", [data, indices], attributes, 1));
    }

    public GatherND(data: Operand, indices: Operand, attributes: { readonly batch_dims?: number | undefined } = {}): Value {
        return this.first(this.emit("GatherND", [data, indices], attributes, 1));
    }

    public Gelu(X: Operand, attributes: { readonly approximate?: string | undefined } = {}): Value {
        return this.first(this.emit("Gelu", [X], attributes, 1));
    }

    public Gemm(A: Operand, B: Operand, C?: Operand, attributes: { readonly beta?: number | undefined; readonly transB?: number | undefined; readonly alpha?: number | undefined; readonly transA?: number | undefined } = {}): Value {
        return this.first(this.emit("Gemm", [A, B, C], attributes, 1));
    }

    public GlobalAveragePool(X: Operand): Value {
        return this.first(this.emit("GlobalAveragePool", [X], {}, 1));
    }

    public GlobalLpPool(X: Operand, attributes: { readonly p?: number | undefined } = {}): Value {
        return this.first(this.emit("GlobalLpPool", [X], attributes, 1));
    }

    public GlobalMaxPool(X: Operand): Value {
        return this.first(this.emit("GlobalMaxPool", [X], {}, 1));
    }

    public Greater(A: Operand, B: Operand): Value {
        return this.first(this.emit("Greater", [A, B], {}, 1));
    }

    public GreaterOrEqual(A: Operand, B: Operand): Value {
        return this.first(this.emit("GreaterOrEqual", [A, B], {}, 1));
    }

    public GridSample(X: Operand, grid: Operand, attributes: { readonly align_corners?: number | undefined; readonly padding_mode?: string | undefined; readonly mode?: string | undefined } = {}): Value {
        return this.first(this.emit("GridSample", [X, grid], attributes, 1));
    }

    public GroupNormalization(X: Operand, scale: Operand, bias: Operand, attributes: { readonly stash_type?: number | undefined; readonly num_groups: number; readonly epsilon?: number | undefined }): Value {
        return this.first(this.emit("GroupNormalization", [X, scale, bias], attributes, 1));
    }

    public HammingWindow(size: Operand, attributes: { readonly periodic?: number | undefined; readonly output_datatype?: number | undefined } = {}): Value {
        return this.first(this.emit("HammingWindow", [size], attributes, 1));
    }

    public HannWindow(size: Operand, attributes: { readonly periodic?: number | undefined; readonly output_datatype?: number | undefined } = {}): Value {
        return this.first(this.emit("HannWindow", [size], attributes, 1));
    }

    public HardSigmoid(X: Operand, attributes: { readonly beta?: number | undefined; readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("HardSigmoid", [X], attributes, 1));
    }

    public HardSwish(X: Operand): Value {
        return this.first(this.emit("HardSwish", [X], {}, 1));
    }

    public Hardmax(input: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Hardmax", [input], attributes, 1));
    }

    public Identity(input: Operand): Value {
        return this.first(this.emit("Identity", [input], {}, 1));
    }

    public ImageDecoder(encoded_stream: Operand, attributes: { readonly pixel_format?: string | undefined } = {}): Value {
        return this.first(this.emit("ImageDecoder", [encoded_stream], attributes, 1));
    }

    public InstanceNormalization(input: Operand, scale: Operand, B: Operand, attributes: { readonly epsilon?: number | undefined } = {}): Value {
        return this.first(this.emit("InstanceNormalization", [input, scale, B], attributes, 1));
    }

    public IsInf(X: Operand, attributes: { readonly detect_negative?: number | undefined; readonly detect_positive?: number | undefined } = {}): Value {
        return this.first(this.emit("IsInf", [X], attributes, 1));
    }

    public IsNaN(X: Operand): Value {
        return this.first(this.emit("IsNaN", [X], {}, 1));
    }

    public LRN(X: Operand, attributes: { readonly bias?: number | undefined; readonly beta?: number | undefined; readonly alpha?: number | undefined; readonly size: number }): Value {
        return this.first(this.emit("LRN", [X], attributes, 1));
    }

    public LSTM(X: Operand, W: Operand, R: Operand, B?: Operand, sequence_lens?: Operand, initial_h?: Operand, initial_c?: Operand, P?: Operand, attributes: { readonly clip?: number | undefined; readonly activation_beta?: readonly number[] | undefined; readonly activation_alpha?: readonly number[] | undefined; readonly hidden_size?: number | undefined; readonly direction?: string | undefined; readonly input_forget?: number | undefined; readonly layout?: number | undefined; readonly activations?: readonly string[] | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("LSTM", [X, W, R, B, sequence_lens, initial_h, initial_c, P], attributes, outputs);
    }

    public LayerNormalization(X: Operand, Scale: Operand, B?: Operand, attributes: { readonly stash_type?: number | undefined; readonly epsilon?: number | undefined; readonly axis?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("LayerNormalization", [X, Scale, B], attributes, outputs);
    }

    public LeakyRelu(X: Operand, attributes: { readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("LeakyRelu", [X], attributes, 1));
    }

    public Less(A: Operand, B: Operand): Value {
        return this.first(this.emit("Less", [A, B], {}, 1));
    }

    public LessOrEqual(A: Operand, B: Operand): Value {
        return this.first(this.emit("LessOrEqual", [A, B], {}, 1));
    }

    public Log(input: Operand): Value {
        return this.first(this.emit("Log", [input], {}, 1));
    }

    public LogSoftmax(input: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("LogSoftmax", [input], attributes, 1));
    }

    public LpNormalization(input: Operand, attributes: { readonly p?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("LpNormalization", [input], attributes, 1));
    }

    public LpPool(X: Operand, attributes: { readonly p?: number | undefined; readonly pads?: readonly number[] | undefined; readonly auto_pad?: string | undefined; readonly ceil_mode?: number | undefined; readonly dilations?: readonly number[] | undefined; readonly strides?: readonly number[] | undefined; readonly kernel_shape: readonly number[] }): Value {
        return this.first(this.emit("LpPool", [X], attributes, 1));
    }

    public MatMul(A: Operand, B: Operand): Value {
        return this.first(this.emit("MatMul", [A, B], {}, 1));
    }

    public MatMulInteger(A: Operand, B: Operand, a_zero_point?: Operand, b_zero_point?: Operand): Value {
        return this.first(this.emit("MatMulInteger", [A, B, a_zero_point, b_zero_point], {}, 1));
    }

    public Max(data_0: readonly Operand[]): Value {
        return this.first(this.emit("Max", [...data_0], {}, 1));
    }

    public MaxPool(X: Operand, attributes: { readonly storage_order?: number | undefined; readonly dilations?: readonly number[] | undefined; readonly ceil_mode?: number | undefined; readonly pads?: readonly number[] | undefined; readonly auto_pad?: string | undefined; readonly strides?: readonly number[] | undefined; readonly kernel_shape: readonly number[] }, outputs: number): Value[] {
        return this.emit("MaxPool", [X], attributes, outputs);
    }

    public MaxRoiPool(X: Operand, rois: Operand, attributes: { readonly spatial_scale?: number | undefined; readonly pooled_shape: readonly number[] }): Value {
        return this.first(this.emit("MaxRoiPool", [X, rois], attributes, 1));
    }

    public MaxUnpool(X: Operand, I: Operand, output_shape: Operand | undefined, attributes: { readonly pads?: readonly number[] | undefined; readonly strides?: readonly number[] | undefined; readonly kernel_shape: readonly number[] }): Value {
        return this.first(this.emit("MaxUnpool", [X, I, output_shape], attributes, 1));
    }

    public Mean(data_0: readonly Operand[]): Value {
        return this.first(this.emit("Mean", [...data_0], {}, 1));
    }

    public MeanVarianceNormalization(X: Operand, attributes: { readonly axes?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("MeanVarianceNormalization", [X], attributes, 1));
    }

    public MelWeightMatrix(num_mel_bins: Operand, dft_length: Operand, sample_rate: Operand, lower_edge_hertz: Operand, upper_edge_hertz: Operand, attributes: { readonly output_datatype?: number | undefined } = {}): Value {
        return this.first(this.emit("MelWeightMatrix", [num_mel_bins, dft_length, sample_rate, lower_edge_hertz, upper_edge_hertz], attributes, 1));
    }

    public Min(data_0: readonly Operand[]): Value {
        return this.first(this.emit("Min", [...data_0], {}, 1));
    }

    public Mish(X: Operand): Value {
        return this.first(this.emit("Mish", [X], {}, 1));
    }

    public Mod(A: Operand, B: Operand, attributes: { readonly fmod?: number | undefined } = {}): Value {
        return this.first(this.emit("Mod", [A, B], attributes, 1));
    }

    public Mul(A: Operand, B: Operand): Value {
        return this.first(this.emit("Mul", [A, B], {}, 1));
    }

    public Multinomial(input: Operand, attributes: { readonly dtype?: number | undefined; readonly seed?: number | undefined; readonly sample_size?: number | undefined } = {}): Value {
        return this.first(this.emit("Multinomial", [input], attributes, 1));
    }

    public Neg(X: Operand): Value {
        return this.first(this.emit("Neg", [X], {}, 1));
    }

    public NegativeLogLikelihoodLoss(input: Operand, target: Operand, weight?: Operand, attributes: { readonly ignore_index?: number | undefined; readonly reduction?: string | undefined } = {}): Value {
        return this.first(this.emit("NegativeLogLikelihoodLoss", [input, target, weight], attributes, 1));
    }

    public NonMaxSuppression(boxes: Operand, scores: Operand, max_output_boxes_per_class?: Operand, iou_threshold?: Operand, score_threshold?: Operand, attributes: { readonly center_point_box?: number | undefined } = {}): Value {
        return this.first(this.emit("NonMaxSuppression", [boxes, scores, max_output_boxes_per_class, iou_threshold, score_threshold], attributes, 1));
    }

    public NonZero(X: Operand): Value {
        return this.first(this.emit("NonZero", [X], {}, 1));
    }

    public Not(X: Operand): Value {
        return this.first(this.emit("Not", [X], {}, 1));
    }

    public OneHot(indices: Operand, depth: Operand, values: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("OneHot", [indices, depth, values], attributes, 1));
    }

    public OptionalGetElement(input: Operand): Value {
        return this.first(this.emit("OptionalGetElement", [input], {}, 1));
    }

    public OptionalHasElement(input?: Operand): Value {
        return this.first(this.emit("OptionalHasElement", [input], {}, 1));
    }

    public Or(A: Operand, B: Operand): Value {
        return this.first(this.emit("Or", [A, B], {}, 1));
    }

    public PRelu(X: Operand, slope: Operand): Value {
        return this.first(this.emit("PRelu", [X, slope], {}, 1));
    }

    public Pad(data: Operand, pads: Operand, constant_value?: Operand, axes?: Operand, attributes: { readonly mode?: string | undefined } = {}): Value {
        return this.first(this.emit("Pad", [data, pads, constant_value, axes], attributes, 1));
    }

    public Pow(X: Operand, Y: Operand): Value {
        return this.first(this.emit("Pow", [X, Y], {}, 1));
    }

    public QLinearConv(x: Operand, x_scale: Operand, x_zero_point: Operand, w: Operand, w_scale: Operand, w_zero_point: Operand, y_scale: Operand, y_zero_point: Operand, B?: Operand, attributes: { readonly group?: number | undefined; readonly pads?: readonly number[] | undefined; readonly strides?: readonly number[] | undefined; readonly dilations?: readonly number[] | undefined; readonly kernel_shape?: readonly number[] | undefined; readonly auto_pad?: string | undefined } = {}): Value {
        return this.first(this.emit("QLinearConv", [x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B], attributes, 1));
    }

    public QLinearMatMul(a: Operand, a_scale: Operand, a_zero_point: Operand, b: Operand, b_scale: Operand, b_zero_point: Operand, y_scale: Operand, y_zero_point: Operand): Value {
        return this.first(this.emit("QLinearMatMul", [a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point], {}, 1));
    }

    public QuantizeLinear(x: Operand, y_scale: Operand, y_zero_point?: Operand, attributes: { readonly precision?: number | undefined; readonly output_dtype?: number | undefined; readonly block_size?: number | undefined; readonly saturate?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("QuantizeLinear", [x, y_scale, y_zero_point], attributes, 1));
    }

    public RMSNormalization(X: Operand, scale: Operand, attributes: { readonly stash_type?: number | undefined; readonly epsilon?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("RMSNormalization", [X, scale], attributes, 1));
    }

    public RNN(X: Operand, W: Operand, R: Operand, B?: Operand, sequence_lens?: Operand, initial_h?: Operand, attributes: { readonly clip?: number | undefined; readonly activation_beta?: readonly number[] | undefined; readonly activation_alpha?: readonly number[] | undefined; readonly hidden_size?: number | undefined; readonly layout?: number | undefined; readonly direction?: string | undefined; readonly activations?: readonly string[] | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("RNN", [X, W, R, B, sequence_lens, initial_h], attributes, outputs);
    }

    public RandomNormal(attributes: { readonly shape: readonly number[]; readonly dtype?: number | undefined; readonly seed?: number | undefined; readonly scale?: number | undefined; readonly mean?: number | undefined }): Value {
        return this.first(this.emit("RandomNormal", [], attributes, 1));
    }

    public RandomNormalLike(input: Operand, attributes: { readonly dtype?: number | undefined; readonly seed?: number | undefined; readonly scale?: number | undefined; readonly mean?: number | undefined } = {}): Value {
        return this.first(this.emit("RandomNormalLike", [input], attributes, 1));
    }

    public RandomUniform(attributes: { readonly shape: readonly number[]; readonly dtype?: number | undefined; readonly seed?: number | undefined; readonly high?: number | undefined; readonly low?: number | undefined }): Value {
        return this.first(this.emit("RandomUniform", [], attributes, 1));
    }

    public RandomUniformLike(input: Operand, attributes: { readonly dtype?: number | undefined; readonly seed?: number | undefined; readonly high?: number | undefined; readonly low?: number | undefined } = {}): Value {
        return this.first(this.emit("RandomUniformLike", [input], attributes, 1));
    }

    public Range(start: Operand, limit: Operand, delta: Operand): Value {
        return this.first(this.emit("Range", [start, limit, delta], {}, 1));
    }

    public Reciprocal(X: Operand): Value {
        return this.first(this.emit("Reciprocal", [X], {}, 1));
    }

    public ReduceL1(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceL1", [data, axes], attributes, 1));
    }

    public ReduceL2(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceL2", [data, axes], attributes, 1));
    }

    public ReduceLogSum(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceLogSum", [data, axes], attributes, 1));
    }

    public ReduceLogSumExp(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceLogSumExp", [data, axes], attributes, 1));
    }

    public ReduceMax(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceMax", [data, axes], attributes, 1));
    }

    public ReduceMean(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceMean", [data, axes], attributes, 1));
    }

    public ReduceMin(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceMin", [data, axes], attributes, 1));
    }

    public ReduceProd(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceProd", [data, axes], attributes, 1));
    }

    public ReduceSum(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceSum", [data, axes], attributes, 1));
    }

    public ReduceSumSquare(data: Operand, axes?: Operand, attributes: { readonly noop_with_empty_axes?: number | undefined; readonly keepdims?: number | undefined } = {}): Value {
        return this.first(this.emit("ReduceSumSquare", [data, axes], attributes, 1));
    }

    public RegexFullMatch(X: Operand, attributes: { readonly pattern?: string | undefined } = {}): Value {
        return this.first(this.emit("RegexFullMatch", [X], attributes, 1));
    }

    public Relu(X: Operand): Value {
        return this.first(this.emit("Relu", [X], {}, 1));
    }

    public Reshape(data: Operand, shape: Operand, attributes: { readonly allowzero?: number | undefined } = {}): Value {
        return this.first(this.emit("Reshape", [data, shape], attributes, 1));
    }

    public Resize(X: Operand, roi?: Operand, scales?: Operand, sizes?: Operand, attributes: { readonly keep_aspect_ratio_policy?: string | undefined; readonly axes?: readonly number[] | undefined; readonly antialias?: number | undefined; readonly extrapolation_value?: number | undefined; readonly exclude_outside?: number | undefined; readonly nearest_mode?: string | undefined; readonly coordinate_transformation_mode?: string | undefined; readonly cubic_coeff_a?: number | undefined; readonly mode?: string | undefined } = {}): Value {
        return this.first(this.emit("Resize", [X, roi, scales, sizes], attributes, 1));
    }

    public ReverseSequence(input: Operand, sequence_lens: Operand, attributes: { readonly batch_axis?: number | undefined; readonly time_axis?: number | undefined } = {}): Value {
        return this.first(this.emit("ReverseSequence", [input, sequence_lens], attributes, 1));
    }

    public RoiAlign(X: Operand, rois: Operand, batch_indices: Operand, attributes: { readonly coordinate_transformation_mode?: string | undefined; readonly mode?: string | undefined; readonly output_height?: number | undefined; readonly sampling_ratio?: number | undefined; readonly output_width?: number | undefined; readonly spatial_scale?: number | undefined } = {}): Value {
        return this.first(this.emit("RoiAlign", [X, rois, batch_indices], attributes, 1));
    }

    public RotaryEmbedding(X: Operand, cos_cache: Operand, sin_cache: Operand, position_ids?: Operand, attributes: { readonly num_heads?: number | undefined; readonly rotary_embedding_dim?: number | undefined; readonly interleaved?: number | undefined } = {}): Value {
        return this.first(this.emit("RotaryEmbedding", [X, cos_cache, sin_cache, position_ids], attributes, 1));
    }

    public Round(X: Operand): Value {
        return this.first(this.emit("Round", [X], {}, 1));
    }

    public STFT(signal: Operand, frame_step: Operand, window?: Operand, frame_length?: Operand, attributes: { readonly onesided?: number | undefined } = {}): Value {
        return this.first(this.emit("STFT", [signal, frame_step, window, frame_length], attributes, 1));
    }

    public Scatter(data: Operand, indices: Operand, updates: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Scatter", [data, indices, updates], attributes, 1));
    }

    public ScatterElements(data: Operand, indices: Operand, updates: Operand, attributes: { readonly reduction?: string | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("ScatterElements", [data, indices, updates], attributes, 1));
    }

    public ScatterND(data: Operand, indices: Operand, updates: Operand, attributes: { readonly reduction?: string | undefined } = {}): Value {
        return this.first(this.emit("ScatterND", [data, indices, updates], attributes, 1));
    }

    public Selu(X: Operand, attributes: { readonly gamma?: number | undefined; readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("Selu", [X], attributes, 1));
    }

    public SequenceAt(input_sequence: Operand, position: Operand): Value {
        return this.first(this.emit("SequenceAt", [input_sequence, position], {}, 1));
    }

    public SequenceConstruct(inputs: readonly Operand[]): Value {
        return this.first(this.emit("SequenceConstruct", [...inputs], {}, 1));
    }

    public SequenceEmpty(attributes: { readonly dtype?: number | undefined } = {}): Value {
        return this.first(this.emit("SequenceEmpty", [], attributes, 1));
    }

    public SequenceErase(input_sequence: Operand, position?: Operand): Value {
        return this.first(this.emit("SequenceErase", [input_sequence, position], {}, 1));
    }

    public SequenceInsert(input_sequence: Operand, tensor: Operand, position?: Operand): Value {
        return this.first(this.emit("SequenceInsert", [input_sequence, tensor, position], {}, 1));
    }

    public SequenceLength(input_sequence: Operand): Value {
        return this.first(this.emit("SequenceLength", [input_sequence], {}, 1));
    }

    public Shape(data: Operand, attributes: { readonly end?: number | undefined; readonly start?: number | undefined } = {}): Value {
        return this.first(this.emit("Shape", [data], attributes, 1));
    }

    public Shrink(input: Operand, attributes: { readonly bias?: number | undefined; readonly lambd?: number | undefined } = {}): Value {
        return this.first(this.emit("Shrink", [input], attributes, 1));
    }

    public Sigmoid(X: Operand): Value {
        return this.first(this.emit("Sigmoid", [X], {}, 1));
    }

    public Sign(input: Operand): Value {
        return this.first(this.emit("Sign", [input], {}, 1));
    }

    public Sin(input: Operand): Value {
        return this.first(this.emit("Sin", [input], {}, 1));
    }

    public Sinh(input: Operand): Value {
        return this.first(this.emit("Sinh", [input], {}, 1));
    }

    public Size(data: Operand): Value {
        return this.first(this.emit("Size", [data], {}, 1));
    }

    public Slice(data: Operand, starts: Operand, ends: Operand, axes?: Operand, steps?: Operand): Value {
        return this.first(this.emit("Slice", [data, starts, ends, axes, steps], {}, 1));
    }

    public Softmax(input: Operand, attributes: { readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("Softmax", [input], attributes, 1));
    }

    public SoftmaxCrossEntropyLoss(scores: Operand, labels: Operand, weights?: Operand, attributes: { readonly ignore_index?: number | undefined; readonly reduction?: string | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("SoftmaxCrossEntropyLoss", [scores, labels, weights], attributes, outputs);
    }

    public Softplus(X: Operand): Value {
        return this.first(this.emit("Softplus", [X], {}, 1));
    }

    public Softsign(input: Operand): Value {
        return this.first(this.emit("Softsign", [input], {}, 1));
    }

    public SpaceToDepth(input: Operand, attributes: { readonly blocksize: number }): Value {
        return this.first(this.emit("SpaceToDepth", [input], attributes, 1));
    }

    public Split(input: Operand, split?: Operand, attributes: { readonly num_outputs?: number | undefined; readonly axis?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("Split", [input, split], attributes, outputs);
    }

    public SplitToSequence(input: Operand, split?: Operand, attributes: { readonly keepdims?: number | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("SplitToSequence", [input, split], attributes, 1));
    }

    public Sqrt(X: Operand): Value {
        return this.first(this.emit("Sqrt", [X], {}, 1));
    }

    public Squeeze(data: Operand, axes?: Operand): Value {
        return this.first(this.emit("Squeeze", [data, axes], {}, 1));
    }

    public StringConcat(X: Operand, Y: Operand): Value {
        return this.first(this.emit("StringConcat", [X, Y], {}, 1));
    }

    public StringNormalizer(X: Operand, attributes: { readonly stopwords?: readonly string[] | undefined; readonly locale?: string | undefined; readonly is_case_sensitive?: number | undefined; readonly case_change_action?: string | undefined } = {}): Value {
        return this.first(this.emit("StringNormalizer", [X], attributes, 1));
    }

    public StringSplit(X: Operand, attributes: { readonly maxsplit?: number | undefined; readonly delimiter?: string | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("StringSplit", [X], attributes, outputs);
    }

    public Sub(A: Operand, B: Operand): Value {
        return this.first(this.emit("Sub", [A, B], {}, 1));
    }

    public Sum(data_0: readonly Operand[]): Value {
        return this.first(this.emit("Sum", [...data_0], {}, 1));
    }

    public Swish(X: Operand, attributes: { readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("Swish", [X], attributes, 1));
    }

    public Tan(input: Operand): Value {
        return this.first(this.emit("Tan", [input], {}, 1));
    }

    public Tanh(input: Operand): Value {
        return this.first(this.emit("Tanh", [input], {}, 1));
    }

    public TensorScatter(past_cache: Operand, update: Operand, write_indices?: Operand, attributes: { readonly mode?: string | undefined; readonly axis?: number | undefined } = {}): Value {
        return this.first(this.emit("TensorScatter", [past_cache, update, write_indices], attributes, 1));
    }

    public TfIdfVectorizer(X: Operand, attributes: { readonly mode: string; readonly ngram_indexes: readonly number[]; readonly weights?: readonly number[] | undefined; readonly ngram_counts: readonly number[]; readonly pool_int64s?: readonly number[] | undefined; readonly pool_strings?: readonly string[] | undefined; readonly max_skip_count: number; readonly min_gram_length: number; readonly max_gram_length: number }): Value {
        return this.first(this.emit("TfIdfVectorizer", [X], attributes, 1));
    }

    public ThresholdedRelu(X: Operand, attributes: { readonly alpha?: number | undefined } = {}): Value {
        return this.first(this.emit("ThresholdedRelu", [X], attributes, 1));
    }

    public Tile(input: Operand, repeats: Operand): Value {
        return this.first(this.emit("Tile", [input, repeats], {}, 1));
    }

    public TopK(X: Operand, K: Operand, attributes: { readonly sorted?: number | undefined; readonly largest?: number | undefined; readonly axis?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("TopK", [X, K], attributes, outputs);
    }

    public Transpose(data: Operand, attributes: { readonly perm?: readonly number[] | undefined } = {}): Value {
        return this.first(this.emit("Transpose", [data], attributes, 1));
    }

    public Trilu(input: Operand, k?: Operand, attributes: { readonly upper?: number | undefined } = {}): Value {
        return this.first(this.emit("Trilu", [input, k], attributes, 1));
    }

    public Unique(X: Operand, attributes: { readonly axis?: number | undefined; readonly sorted?: number | undefined } = {}, outputs: number = 1): Value[] {
        return this.emit("Unique", [X], attributes, outputs);
    }

    public Unsqueeze(data: Operand, axes: Operand): Value {
        return this.first(this.emit("Unsqueeze", [data, axes], {}, 1));
    }

    public Upsample(X: Operand, scales: Operand, attributes: { readonly mode?: string | undefined } = {}): Value {
        return this.first(this.emit("Upsample", [X, scales], attributes, 1));
    }

    public Where(condition: Operand, X: Operand, Y: Operand): Value {
        return this.first(this.emit("Where", [condition, X, Y], {}, 1));
    }

    public Xor(A: Operand, B: Operand): Value {
        return this.first(this.emit("Xor", [A, B], {}, 1));
    }
}
