// Made by scripts/generate-builders.ts from scripts/onnx-schemas.json. Do not edit.

/** One version of an operator. "?" after a name means optional, "*" variadic. */
export interface SchemaVersion {
  readonly since: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** Every operator of ONNX's own domain up to opset 24, oldest version first. */
export const SCHEMAS: Readonly<Record<string, readonly SchemaVersion[]>> = {
  Abs: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Acos: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Acosh: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Add: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","consumed_inputs":"ints?","broadcast":"int?"} },
    { since: 6, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 14, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  AffineGrid: [
    { since: 20, inputs: ["theta","size"], outputs: ["grid"], attributes: {"align_corners":"int?"} },
  ],
  And: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  ArgMax: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axis":"int?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axis":"int?"} },
    { since: 12, inputs: ["data"], outputs: ["reduced"], attributes: {"select_last_index":"int?","keepdims":"int?","axis":"int?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"select_last_index":"int?","keepdims":"int?","axis":"int?"} },
  ],
  ArgMin: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axis":"int?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axis":"int?"} },
    { since: 12, inputs: ["data"], outputs: ["reduced"], attributes: {"select_last_index":"int?","keepdims":"int?","axis":"int?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"select_last_index":"int?","keepdims":"int?","axis":"int?"} },
  ],
  Asin: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Asinh: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Atan: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Atanh: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Attention: [
    { since: 23, inputs: ["Q","K","V","attn_mask?","past_key?","past_value?"], outputs: ["Y","present_key?","present_value?","qk_matmul_output?"], attributes: {"qk_matmul_output_mode":"int?","softcap":"float?","softmax_precision":"int?","kv_num_heads":"int?","q_num_heads":"int?","scale":"float?","is_causal":"int?"} },
    { since: 24, inputs: ["Q","K","V","attn_mask?","past_key?","past_value?","nonpad_kv_seqlen?"], outputs: ["Y","present_key?","present_value?","qk_matmul_output?"], attributes: {"qk_matmul_output_mode":"int?","softcap":"float?","softmax_precision":"int?","kv_num_heads":"int?","q_num_heads":"int?","scale":"float?","is_causal":"int?"} },
  ],
  AveragePool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 7, inputs: ["X"], outputs: ["Y"], attributes: {"count_include_pad":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 10, inputs: ["X"], outputs: ["Y"], attributes: {"count_include_pad":"int?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 11, inputs: ["X"], outputs: ["Y"], attributes: {"count_include_pad":"int?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 19, inputs: ["X"], outputs: ["Y"], attributes: {"count_include_pad":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"count_include_pad":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
  ],
  BatchNormalization: [
    { since: 1, inputs: ["X","scale","B","mean","var"], outputs: ["Y","mean?","var?","saved_mean?","saved_var?"], attributes: {"consumed_inputs":"ints","momentum":"float?","epsilon":"float?","is_test":"int?","spatial":"int?"} },
    { since: 6, inputs: ["X","scale","B","mean","var"], outputs: ["Y","mean?","var?","saved_mean?","saved_var?"], attributes: {"momentum":"float?","epsilon":"float?","is_test":"int?","spatial":"int?"} },
    { since: 7, inputs: ["X","scale","B","mean","var"], outputs: ["Y","mean?","var?","saved_mean?","saved_var?"], attributes: {"momentum":"float?","epsilon":"float?","spatial":"int?"} },
    { since: 9, inputs: ["X","scale","B","mean","var"], outputs: ["Y","mean?","var?","saved_mean?","saved_var?"], attributes: {"momentum":"float?","epsilon":"float?"} },
    { since: 14, inputs: ["X","scale","B","input_mean","input_var"], outputs: ["Y","running_mean?","running_var?"], attributes: {"training_mode":"int?","momentum":"float?","epsilon":"float?"} },
    { since: 15, inputs: ["X","scale","B","input_mean","input_var"], outputs: ["Y","running_mean?","running_var?"], attributes: {"training_mode":"int?","momentum":"float?","epsilon":"float?"} },
  ],
  Bernoulli: [
    { since: 15, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?"} },
  ],
  BitShift: [
    { since: 11, inputs: ["X","Y"], outputs: ["Z"], attributes: {"direction":"string"} },
  ],
  BitwiseAnd: [
    { since: 18, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  BitwiseNot: [
    { since: 18, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  BitwiseOr: [
    { since: 18, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  BitwiseXor: [
    { since: 18, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  BlackmanWindow: [
    { since: 17, inputs: ["size"], outputs: ["output"], attributes: {"periodic":"int?","output_datatype":"int?"} },
  ],
  Cast: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"to":"string"} },
    { since: 6, inputs: ["input"], outputs: ["output"], attributes: {"to":"int"} },
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {"to":"int"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"to":"int"} },
    { since: 19, inputs: ["input"], outputs: ["output"], attributes: {"saturate":"int?","to":"int"} },
    { since: 21, inputs: ["input"], outputs: ["output"], attributes: {"saturate":"int?","to":"int"} },
    { since: 23, inputs: ["input"], outputs: ["output"], attributes: {"saturate":"int?","to":"int"} },
    { since: 24, inputs: ["input"], outputs: ["output"], attributes: {"round_mode":"string?","saturate":"int?","to":"int"} },
  ],
  CastLike: [
    { since: 15, inputs: ["input","target_type"], outputs: ["output"], attributes: {} },
    { since: 19, inputs: ["input","target_type"], outputs: ["output"], attributes: {"saturate":"int?"} },
    { since: 21, inputs: ["input","target_type"], outputs: ["output"], attributes: {"saturate":"int?"} },
    { since: 23, inputs: ["input","target_type"], outputs: ["output"], attributes: {"saturate":"int?"} },
    { since: 24, inputs: ["input","target_type"], outputs: ["output"], attributes: {"round_mode":"string?","saturate":"int?"} },
  ],
  Ceil: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Celu: [
    { since: 12, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
  ],
  CenterCropPad: [
    { since: 18, inputs: ["input_data","shape"], outputs: ["output_data"], attributes: {"axes":"ints?"} },
  ],
  Clip: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"consumed_inputs":"ints?","max":"float?","min":"float?"} },
    { since: 6, inputs: ["input"], outputs: ["output"], attributes: {"max":"float?","min":"float?"} },
    { since: 11, inputs: ["input","min?","max?"], outputs: ["output"], attributes: {} },
    { since: 12, inputs: ["input","min?","max?"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input","min?","max?"], outputs: ["output"], attributes: {} },
  ],
  Col2Im: [
    { since: 18, inputs: ["input","image_shape","block_shape"], outputs: ["output"], attributes: {"strides":"ints?","pads":"ints?","dilations":"ints?"} },
  ],
  Compress: [
    { since: 9, inputs: ["input","condition"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["input","condition"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  Concat: [
    { since: 1, inputs: ["inputs*"], outputs: ["concat_result"], attributes: {"axis":"int?"} },
    { since: 4, inputs: ["inputs*"], outputs: ["concat_result"], attributes: {"axis":"int"} },
    { since: 11, inputs: ["inputs*"], outputs: ["concat_result"], attributes: {"axis":"int"} },
    { since: 13, inputs: ["inputs*"], outputs: ["concat_result"], attributes: {"axis":"int"} },
  ],
  ConcatFromSequence: [
    { since: 11, inputs: ["input_sequence"], outputs: ["concat_result"], attributes: {"new_axis":"int?","axis":"int"} },
  ],
  Constant: [
    { since: 1, inputs: [], outputs: ["output"], attributes: {"value":"tensor"} },
    { since: 9, inputs: [], outputs: ["output"], attributes: {"value":"tensor"} },
    { since: 11, inputs: [], outputs: ["output"], attributes: {"sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 12, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 13, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 19, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 21, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 23, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
    { since: 24, inputs: [], outputs: ["output"], attributes: {"value_strings":"strings?","value_string":"string?","value_floats":"floats?","value_float":"float?","value_ints":"ints?","value_int":"int?","sparse_value":"sparse_tensor?","value":"tensor?"} },
  ],
  ConstantOfShape: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {"value":"tensor?"} },
    { since: 20, inputs: ["input"], outputs: ["output"], attributes: {"value":"tensor?"} },
    { since: 21, inputs: ["input"], outputs: ["output"], attributes: {"value":"tensor?"} },
    { since: 23, inputs: ["input"], outputs: ["output"], attributes: {"value":"tensor?"} },
    { since: 24, inputs: ["input"], outputs: ["output"], attributes: {"value":"tensor?"} },
  ],
  Conv: [
    { since: 1, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","dilations":"ints?","kernel_shape":"ints?"} },
    { since: 11, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","dilations":"ints?","kernel_shape":"ints?"} },
    { since: 22, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","dilations":"ints?","kernel_shape":"ints?"} },
  ],
  ConvInteger: [
    { since: 10, inputs: ["x","w","x_zero_point?","w_zero_point?"], outputs: ["y"], attributes: {"group":"int?","pads":"ints?","strides":"ints?","dilations":"ints?","kernel_shape":"ints?","auto_pad":"string?"} },
  ],
  ConvTranspose: [
    { since: 1, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","auto_pad":"string?","strides":"ints?","pads":"ints?","output_padding":"ints?","dilations":"ints?","output_shape":"ints?","kernel_shape":"ints?"} },
    { since: 11, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","auto_pad":"string?","strides":"ints?","pads":"ints?","output_padding":"ints?","dilations":"ints?","output_shape":"ints?","kernel_shape":"ints?"} },
    { since: 22, inputs: ["X","W","B?"], outputs: ["Y"], attributes: {"group":"int?","auto_pad":"string?","strides":"ints?","pads":"ints?","output_padding":"ints?","dilations":"ints?","output_shape":"ints?","kernel_shape":"ints?"} },
  ],
  Cos: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Cosh: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  CumSum: [
    { since: 11, inputs: ["x","axis"], outputs: ["y"], attributes: {"reverse":"int?","exclusive":"int?"} },
    { since: 14, inputs: ["x","axis"], outputs: ["y"], attributes: {"reverse":"int?","exclusive":"int?"} },
  ],
  DFT: [
    { since: 17, inputs: ["input","dft_length?"], outputs: ["output"], attributes: {"inverse":"int?","axis":"int?","onesided":"int?"} },
    { since: 20, inputs: ["input","dft_length?","axis?"], outputs: ["output"], attributes: {"inverse":"int?","onesided":"int?"} },
  ],
  DeformConv: [
    { since: 19, inputs: ["X","W","offset","B?","mask?"], outputs: ["Y"], attributes: {"strides":"ints?","pads":"ints?","offset_group":"int?","kernel_shape":"ints?","group":"int?","dilations":"ints?"} },
    { since: 22, inputs: ["X","W","offset","B?","mask?"], outputs: ["Y"], attributes: {"strides":"ints?","pads":"ints?","offset_group":"int?","kernel_shape":"ints?","group":"int?","dilations":"ints?"} },
  ],
  DepthToSpace: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"blocksize":"int"} },
    { since: 11, inputs: ["input"], outputs: ["output"], attributes: {"mode":"string?","blocksize":"int"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"mode":"string?","blocksize":"int"} },
  ],
  DequantizeLinear: [
    { since: 10, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {} },
    { since: 13, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {"axis":"int?"} },
    { since: 19, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {"axis":"int?"} },
    { since: 21, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {"block_size":"int?","axis":"int?"} },
    { since: 23, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {"output_dtype":"int?","block_size":"int?","axis":"int?"} },
    { since: 24, inputs: ["x","x_scale","x_zero_point?"], outputs: ["y"], attributes: {"output_dtype":"int?","block_size":"int?","axis":"int?"} },
  ],
  Det: [
    { since: 11, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Div: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","consumed_inputs":"ints?","broadcast":"int?"} },
    { since: 6, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 14, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  Dropout: [
    { since: 1, inputs: ["data"], outputs: ["output","mask?"], attributes: {"is_test":"int?","consumed_inputs":"ints?","ratio":"float?"} },
    { since: 6, inputs: ["data"], outputs: ["output","mask?"], attributes: {"is_test":"int?","ratio":"float?"} },
    { since: 7, inputs: ["data"], outputs: ["output","mask?"], attributes: {"ratio":"float?"} },
    { since: 10, inputs: ["data"], outputs: ["output","mask?"], attributes: {"ratio":"float?"} },
    { since: 12, inputs: ["data","ratio?","training_mode?"], outputs: ["output","mask?"], attributes: {"seed":"int?"} },
    { since: 13, inputs: ["data","ratio?","training_mode?"], outputs: ["output","mask?"], attributes: {"seed":"int?"} },
    { since: 22, inputs: ["data","ratio?","training_mode?"], outputs: ["output","mask?"], attributes: {"seed":"int?"} },
  ],
  DynamicQuantizeLinear: [
    { since: 11, inputs: ["x"], outputs: ["y","y_scale","y_zero_point"], attributes: {} },
  ],
  Einsum: [
    { since: 12, inputs: ["Inputs*"], outputs: ["Output"], attributes: {"equation":"string"} },
  ],
  Elu: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?","alpha":"float?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
  ],
  Equal: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 11, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 19, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  Erf: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Exp: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Expand: [
    { since: 8, inputs: ["input","shape"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input","shape"], outputs: ["output"], attributes: {} },
  ],
  EyeLike: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","k":"int?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","k":"int?"} },
  ],
  Flatten: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 21, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 23, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 24, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  Floor: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  GRU: [
    { since: 1, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h"], attributes: {"clip":"float?","activation_beta":"floats?","output_sequence":"int?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","activations":"strings?"} },
    { since: 3, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","output_sequence":"int?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","linear_before_reset":"int?","activations":"strings?"} },
    { since: 7, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","linear_before_reset":"int?","activations":"strings?"} },
    { since: 14, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","layout":"int?","direction":"string?","linear_before_reset":"int?","activations":"strings?"} },
    { since: 22, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","layout":"int?","direction":"string?","linear_before_reset":"int?","activations":"strings?"} },
  ],
  Gather: [
    { since: 1, inputs: ["data","indices"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["data","indices"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["data","indices"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  GatherElements: [
    { since: 11, inputs: ["data","indices"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["data","indices"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  GatherND: [
    { since: 11, inputs: ["data","indices"], outputs: ["output"], attributes: {} },
    { since: 12, inputs: ["data","indices"], outputs: ["output"], attributes: {"batch_dims":"int?"} },
    { since: 13, inputs: ["data","indices"], outputs: ["output"], attributes: {"batch_dims":"int?"} },
  ],
  Gelu: [
    { since: 20, inputs: ["X"], outputs: ["Y"], attributes: {"approximate":"string?"} },
  ],
  Gemm: [
    { since: 1, inputs: ["A","B","C"], outputs: ["Y"], attributes: {"beta":"float?","broadcast":"int?","transB":"int?","alpha":"float?","transA":"int?"} },
    { since: 6, inputs: ["A","B","C"], outputs: ["Y"], attributes: {"beta":"float?","broadcast":"int?","transB":"int?","alpha":"float?","transA":"int?"} },
    { since: 7, inputs: ["A","B","C"], outputs: ["Y"], attributes: {"beta":"float?","transB":"int?","alpha":"float?","transA":"int?"} },
    { since: 9, inputs: ["A","B","C"], outputs: ["Y"], attributes: {"beta":"float?","transB":"int?","alpha":"float?","transA":"int?"} },
    { since: 11, inputs: ["A","B","C?"], outputs: ["Y"], attributes: {"beta":"float?","transB":"int?","alpha":"float?","transA":"int?"} },
    { since: 13, inputs: ["A","B","C?"], outputs: ["Y"], attributes: {"beta":"float?","transB":"int?","alpha":"float?","transA":"int?"} },
  ],
  GlobalAveragePool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  GlobalLpPool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"p":"float?"} },
    { since: 2, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?"} },
  ],
  GlobalMaxPool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Greater: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 9, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  GreaterOrEqual: [
    { since: 12, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 16, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  GridSample: [
    { since: 16, inputs: ["X","grid"], outputs: ["Y"], attributes: {"align_corners":"int?","padding_mode":"string?","mode":"string?"} },
    { since: 20, inputs: ["X","grid"], outputs: ["Y"], attributes: {"align_corners":"int?","padding_mode":"string?","mode":"string?"} },
    { since: 22, inputs: ["X","grid"], outputs: ["Y"], attributes: {"align_corners":"int?","padding_mode":"string?","mode":"string?"} },
  ],
  GroupNormalization: [
    { since: 18, inputs: ["X","scale","bias"], outputs: ["Y"], attributes: {"num_groups":"int","epsilon":"float?"} },
    { since: 21, inputs: ["X","scale","bias"], outputs: ["Y"], attributes: {"stash_type":"int?","num_groups":"int","epsilon":"float?"} },
  ],
  HammingWindow: [
    { since: 17, inputs: ["size"], outputs: ["output"], attributes: {"periodic":"int?","output_datatype":"int?"} },
  ],
  HannWindow: [
    { since: 17, inputs: ["size"], outputs: ["output"], attributes: {"periodic":"int?","output_datatype":"int?"} },
  ],
  HardSigmoid: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?","beta":"float?","alpha":"float?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {"beta":"float?","alpha":"float?"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"beta":"float?","alpha":"float?"} },
  ],
  HardSwish: [
    { since: 14, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Hardmax: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  Identity: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 14, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 16, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 19, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 21, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 23, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 24, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  If: [
    { since: 1, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 11, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 13, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 16, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 19, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 21, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 23, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
    { since: 24, inputs: ["cond"], outputs: ["outputs*"], attributes: {"else_branch":"graph","then_branch":"graph"} },
  ],
  ImageDecoder: [
    { since: 20, inputs: ["encoded_stream"], outputs: ["image"], attributes: {"pixel_format":"string?"} },
  ],
  InstanceNormalization: [
    { since: 1, inputs: ["input","scale","B"], outputs: ["output"], attributes: {"epsilon":"float?","consumed_inputs":"ints?"} },
    { since: 6, inputs: ["input","scale","B"], outputs: ["output"], attributes: {"epsilon":"float?"} },
    { since: 22, inputs: ["input","scale","B"], outputs: ["output"], attributes: {"epsilon":"float?"} },
  ],
  IsInf: [
    { since: 10, inputs: ["X"], outputs: ["Y"], attributes: {"detect_negative":"int?","detect_positive":"int?"} },
    { since: 20, inputs: ["X"], outputs: ["Y"], attributes: {"detect_negative":"int?","detect_positive":"int?"} },
  ],
  IsNaN: [
    { since: 9, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 20, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  LRN: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"bias":"float?","beta":"float?","alpha":"float?","size":"int"} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {"bias":"float?","beta":"float?","alpha":"float?","size":"int"} },
  ],
  LSTM: [
    { since: 1, inputs: ["X","W","R","B?","sequence_lens?","initial_h?","initial_c?","P?"], outputs: ["Y?","Y_h?","Y_c?"], attributes: {"clip":"float?","activation_beta":"floats?","output_sequence":"int?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","input_forget":"int?","activations":"strings?"} },
    { since: 7, inputs: ["X","W","R","B?","sequence_lens?","initial_h?","initial_c?","P?"], outputs: ["Y?","Y_h?","Y_c?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","input_forget":"int?","activations":"strings?"} },
    { since: 14, inputs: ["X","W","R","B?","sequence_lens?","initial_h?","initial_c?","P?"], outputs: ["Y?","Y_h?","Y_c?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","input_forget":"int?","layout":"int?","activations":"strings?"} },
    { since: 22, inputs: ["X","W","R","B?","sequence_lens?","initial_h?","initial_c?","P?"], outputs: ["Y?","Y_h?","Y_c?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","input_forget":"int?","layout":"int?","activations":"strings?"} },
  ],
  LayerNormalization: [
    { since: 17, inputs: ["X","Scale","B?"], outputs: ["Y","Mean?","InvStdDev?"], attributes: {"stash_type":"int?","epsilon":"float?","axis":"int?"} },
  ],
  LeakyRelu: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?","alpha":"float?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
    { since: 16, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
  ],
  Less: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 9, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  LessOrEqual: [
    { since: 12, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 16, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  Log: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  LogSoftmax: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  Loop: [
    { since: 1, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 11, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 13, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 16, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 19, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 21, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 23, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
    { since: 24, inputs: ["M?","cond?","v_initial*"], outputs: ["v_final_and_scan_outputs*"], attributes: {"body":"graph"} },
  ],
  LpNormalization: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"p":"int?","axis":"int?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"p":"int?","axis":"int?"} },
  ],
  LpPool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"p":"float?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints?"} },
    { since: 2, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 11, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 18, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?","pads":"ints?","auto_pad":"string?","ceil_mode":"int?","dilations":"ints?","strides":"ints?","kernel_shape":"ints"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"p":"int?","pads":"ints?","auto_pad":"string?","ceil_mode":"int?","dilations":"ints?","strides":"ints?","kernel_shape":"ints"} },
  ],
  MatMul: [
    { since: 1, inputs: ["A","B"], outputs: ["Y"], attributes: {} },
    { since: 9, inputs: ["A","B"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["Y"], attributes: {} },
  ],
  MatMulInteger: [
    { since: 10, inputs: ["A","B","a_zero_point?","b_zero_point?"], outputs: ["Y"], attributes: {} },
  ],
  Max: [
    { since: 1, inputs: ["data_0*"], outputs: ["max"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["data_0*"], outputs: ["max"], attributes: {} },
    { since: 8, inputs: ["data_0*"], outputs: ["max"], attributes: {} },
    { since: 12, inputs: ["data_0*"], outputs: ["max"], attributes: {} },
    { since: 13, inputs: ["data_0*"], outputs: ["max"], attributes: {} },
  ],
  MaxPool: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 8, inputs: ["X"], outputs: ["Y","Indices?"], attributes: {"storage_order":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 10, inputs: ["X"], outputs: ["Y","Indices?"], attributes: {"storage_order":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 11, inputs: ["X"], outputs: ["Y","Indices?"], attributes: {"storage_order":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 12, inputs: ["X"], outputs: ["Y","Indices?"], attributes: {"storage_order":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
    { since: 22, inputs: ["X"], outputs: ["Y","Indices?"], attributes: {"storage_order":"int?","dilations":"ints?","ceil_mode":"int?","pads":"ints?","auto_pad":"string?","strides":"ints?","kernel_shape":"ints"} },
  ],
  MaxRoiPool: [
    { since: 1, inputs: ["X","rois"], outputs: ["Y"], attributes: {"spatial_scale":"float?","pooled_shape":"ints"} },
    { since: 22, inputs: ["X","rois"], outputs: ["Y"], attributes: {"spatial_scale":"float?","pooled_shape":"ints"} },
  ],
  MaxUnpool: [
    { since: 9, inputs: ["X","I","output_shape?"], outputs: ["output"], attributes: {"pads":"ints?","strides":"ints?","kernel_shape":"ints"} },
    { since: 11, inputs: ["X","I","output_shape?"], outputs: ["output"], attributes: {"pads":"ints?","strides":"ints?","kernel_shape":"ints"} },
    { since: 22, inputs: ["X","I","output_shape?"], outputs: ["output"], attributes: {"pads":"ints?","strides":"ints?","kernel_shape":"ints"} },
  ],
  Mean: [
    { since: 1, inputs: ["data_0*"], outputs: ["mean"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["data_0*"], outputs: ["mean"], attributes: {} },
    { since: 8, inputs: ["data_0*"], outputs: ["mean"], attributes: {} },
    { since: 13, inputs: ["data_0*"], outputs: ["mean"], attributes: {} },
  ],
  MeanVarianceNormalization: [
    { since: 9, inputs: ["X"], outputs: ["Y"], attributes: {"axes":"ints?"} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {"axes":"ints?"} },
  ],
  MelWeightMatrix: [
    { since: 17, inputs: ["num_mel_bins","dft_length","sample_rate","lower_edge_hertz","upper_edge_hertz"], outputs: ["output"], attributes: {"output_datatype":"int?"} },
  ],
  Min: [
    { since: 1, inputs: ["data_0*"], outputs: ["min"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["data_0*"], outputs: ["min"], attributes: {} },
    { since: 8, inputs: ["data_0*"], outputs: ["min"], attributes: {} },
    { since: 12, inputs: ["data_0*"], outputs: ["min"], attributes: {} },
    { since: 13, inputs: ["data_0*"], outputs: ["min"], attributes: {} },
  ],
  Mish: [
    { since: 18, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Mod: [
    { since: 10, inputs: ["A","B"], outputs: ["C"], attributes: {"fmod":"int?"} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {"fmod":"int?"} },
  ],
  Mul: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","consumed_inputs":"ints?","broadcast":"int?"} },
    { since: 6, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 14, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  Multinomial: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","sample_size":"int?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","sample_size":"int?"} },
  ],
  Neg: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  NegativeLogLikelihoodLoss: [
    { since: 12, inputs: ["input","target","weight?"], outputs: ["loss"], attributes: {"ignore_index":"int?","reduction":"string?"} },
    { since: 13, inputs: ["input","target","weight?"], outputs: ["loss"], attributes: {"ignore_index":"int?","reduction":"string?"} },
    { since: 22, inputs: ["input","target","weight?"], outputs: ["loss"], attributes: {"ignore_index":"int?","reduction":"string?"} },
  ],
  NonMaxSuppression: [
    { since: 10, inputs: ["boxes","scores","max_output_boxes_per_class?","iou_threshold?","score_threshold?"], outputs: ["selected_indices"], attributes: {"center_point_box":"int?"} },
    { since: 11, inputs: ["boxes","scores","max_output_boxes_per_class?","iou_threshold?","score_threshold?"], outputs: ["selected_indices"], attributes: {"center_point_box":"int?"} },
  ],
  NonZero: [
    { since: 9, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Not: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  OneHot: [
    { since: 9, inputs: ["indices","depth","values"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["indices","depth","values"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  Optional: [
    { since: 15, inputs: ["input?"], outputs: ["output"], attributes: {"type":"type_proto?"} },
  ],
  OptionalGetElement: [
    { since: 15, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 18, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  OptionalHasElement: [
    { since: 15, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 18, inputs: ["input?"], outputs: ["output"], attributes: {} },
  ],
  Or: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  PRelu: [
    { since: 1, inputs: ["X","slope"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X","slope"], outputs: ["Y"], attributes: {} },
    { since: 7, inputs: ["X","slope"], outputs: ["Y"], attributes: {} },
    { since: 9, inputs: ["X","slope"], outputs: ["Y"], attributes: {} },
    { since: 16, inputs: ["X","slope"], outputs: ["Y"], attributes: {} },
  ],
  Pad: [
    { since: 1, inputs: ["data"], outputs: ["output"], attributes: {"value":"float?","mode":"string?","paddings":"ints"} },
    { since: 2, inputs: ["data"], outputs: ["output"], attributes: {"value":"float?","mode":"string?","pads":"ints"} },
    { since: 11, inputs: ["data","pads","constant_value?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 13, inputs: ["data","pads","constant_value?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 18, inputs: ["data","pads","constant_value?","axes?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 19, inputs: ["data","pads","constant_value?","axes?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 21, inputs: ["data","pads","constant_value?","axes?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 23, inputs: ["data","pads","constant_value?","axes?"], outputs: ["output"], attributes: {"mode":"string?"} },
    { since: 24, inputs: ["data","pads","constant_value?","axes?"], outputs: ["output"], attributes: {"mode":"string?"} },
  ],
  Pow: [
    { since: 1, inputs: ["X","Y"], outputs: ["Z"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["X","Y"], outputs: ["Z"], attributes: {} },
    { since: 12, inputs: ["X","Y"], outputs: ["Z"], attributes: {} },
    { since: 13, inputs: ["X","Y"], outputs: ["Z"], attributes: {} },
    { since: 15, inputs: ["X","Y"], outputs: ["Z"], attributes: {} },
  ],
  QLinearConv: [
    { since: 10, inputs: ["x","x_scale","x_zero_point","w","w_scale","w_zero_point","y_scale","y_zero_point","B?"], outputs: ["y"], attributes: {"group":"int?","pads":"ints?","strides":"ints?","dilations":"ints?","kernel_shape":"ints?","auto_pad":"string?"} },
  ],
  QLinearMatMul: [
    { since: 10, inputs: ["a","a_scale","a_zero_point","b","b_scale","b_zero_point","y_scale","y_zero_point"], outputs: ["y"], attributes: {} },
    { since: 21, inputs: ["a","a_scale","a_zero_point","b","b_scale","b_zero_point","y_scale","y_zero_point"], outputs: ["y"], attributes: {} },
  ],
  QuantizeLinear: [
    { since: 10, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {} },
    { since: 13, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {"axis":"int?"} },
    { since: 19, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {"saturate":"int?","axis":"int?"} },
    { since: 21, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {"output_dtype":"int?","block_size":"int?","saturate":"int?","axis":"int?"} },
    { since: 23, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {"precision":"int?","output_dtype":"int?","block_size":"int?","saturate":"int?","axis":"int?"} },
    { since: 24, inputs: ["x","y_scale","y_zero_point?"], outputs: ["y"], attributes: {"precision":"int?","output_dtype":"int?","block_size":"int?","saturate":"int?","axis":"int?"} },
  ],
  RMSNormalization: [
    { since: 23, inputs: ["X","scale"], outputs: ["Y"], attributes: {"stash_type":"int?","epsilon":"float?","axis":"int?"} },
  ],
  RNN: [
    { since: 1, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","output_sequence":"int?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","activations":"strings?"} },
    { since: 7, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","direction":"string?","activations":"strings?"} },
    { since: 14, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","layout":"int?","direction":"string?","activations":"strings?"} },
    { since: 22, inputs: ["X","W","R","B?","sequence_lens?","initial_h?"], outputs: ["Y?","Y_h?"], attributes: {"clip":"float?","activation_beta":"floats?","activation_alpha":"floats?","hidden_size":"int?","layout":"int?","direction":"string?","activations":"strings?"} },
  ],
  RandomNormal: [
    { since: 1, inputs: [], outputs: ["output"], attributes: {"shape":"ints","dtype":"int?","seed":"float?","scale":"float?","mean":"float?"} },
    { since: 22, inputs: [], outputs: ["output"], attributes: {"shape":"ints","dtype":"int?","seed":"float?","scale":"float?","mean":"float?"} },
  ],
  RandomNormalLike: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","scale":"float?","mean":"float?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","scale":"float?","mean":"float?"} },
  ],
  RandomUniform: [
    { since: 1, inputs: [], outputs: ["output"], attributes: {"shape":"ints","dtype":"int?","seed":"float?","high":"float?","low":"float?"} },
    { since: 22, inputs: [], outputs: ["output"], attributes: {"shape":"ints","dtype":"int?","seed":"float?","high":"float?","low":"float?"} },
  ],
  RandomUniformLike: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","high":"float?","low":"float?"} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {"dtype":"int?","seed":"float?","high":"float?","low":"float?"} },
  ],
  Range: [
    { since: 11, inputs: ["start","limit","delta"], outputs: ["output"], attributes: {} },
  ],
  Reciprocal: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  ReduceL1: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceL2: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceLogSum: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceLogSumExp: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceMax: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 12, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
    { since: 20, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceMean: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceMin: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 12, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
    { since: 20, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceProd: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceSum: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  ReduceSumSquare: [
    { since: 1, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["reduced"], attributes: {"keepdims":"int?","axes":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["reduced"], attributes: {"axes":"ints?","keepdims":"int?"} },
    { since: 18, inputs: ["data","axes?"], outputs: ["reduced"], attributes: {"noop_with_empty_axes":"int?","keepdims":"int?"} },
  ],
  RegexFullMatch: [
    { since: 20, inputs: ["X"], outputs: ["Y"], attributes: {"pattern":"string?"} },
  ],
  Relu: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 14, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Reshape: [
    { since: 1, inputs: ["data"], outputs: ["reshaped"], attributes: {"consumed_inputs":"ints?","shape":"ints?"} },
    { since: 5, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {} },
    { since: 13, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {} },
    { since: 14, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {"allowzero":"int?"} },
    { since: 19, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {"allowzero":"int?"} },
    { since: 21, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {"allowzero":"int?"} },
    { since: 23, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {"allowzero":"int?"} },
    { since: 24, inputs: ["data","shape"], outputs: ["reshaped"], attributes: {"allowzero":"int?"} },
  ],
  Resize: [
    { since: 10, inputs: ["X","scales"], outputs: ["Y"], attributes: {"mode":"string?"} },
    { since: 11, inputs: ["X","roi","scales","sizes?"], outputs: ["Y"], attributes: {"extrapolation_value":"float?","exclude_outside":"int?","nearest_mode":"string?","coordinate_transformation_mode":"string?","cubic_coeff_a":"float?","mode":"string?"} },
    { since: 13, inputs: ["X","roi?","scales?","sizes?"], outputs: ["Y"], attributes: {"extrapolation_value":"float?","exclude_outside":"int?","nearest_mode":"string?","coordinate_transformation_mode":"string?","cubic_coeff_a":"float?","mode":"string?"} },
    { since: 18, inputs: ["X","roi?","scales?","sizes?"], outputs: ["Y"], attributes: {"keep_aspect_ratio_policy":"string?","axes":"ints?","antialias":"int?","extrapolation_value":"float?","exclude_outside":"int?","nearest_mode":"string?","coordinate_transformation_mode":"string?","cubic_coeff_a":"float?","mode":"string?"} },
    { since: 19, inputs: ["X","roi?","scales?","sizes?"], outputs: ["Y"], attributes: {"keep_aspect_ratio_policy":"string?","axes":"ints?","antialias":"int?","extrapolation_value":"float?","exclude_outside":"int?","nearest_mode":"string?","coordinate_transformation_mode":"string?","cubic_coeff_a":"float?","mode":"string?"} },
  ],
  ReverseSequence: [
    { since: 10, inputs: ["input","sequence_lens"], outputs: ["Y"], attributes: {"batch_axis":"int?","time_axis":"int?"} },
  ],
  RoiAlign: [
    { since: 10, inputs: ["X","rois","batch_indices"], outputs: ["Y"], attributes: {"mode":"string?","output_height":"int?","sampling_ratio":"int?","output_width":"int?","spatial_scale":"float?"} },
    { since: 16, inputs: ["X","rois","batch_indices"], outputs: ["Y"], attributes: {"coordinate_transformation_mode":"string?","mode":"string?","output_height":"int?","sampling_ratio":"int?","output_width":"int?","spatial_scale":"float?"} },
    { since: 22, inputs: ["X","rois","batch_indices"], outputs: ["Y"], attributes: {"coordinate_transformation_mode":"string?","mode":"string?","output_height":"int?","sampling_ratio":"int?","output_width":"int?","spatial_scale":"float?"} },
  ],
  RotaryEmbedding: [
    { since: 23, inputs: ["X","cos_cache","sin_cache","position_ids?"], outputs: ["Y"], attributes: {"num_heads":"int?","rotary_embedding_dim":"int?","interleaved":"int?"} },
  ],
  Round: [
    { since: 11, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  STFT: [
    { since: 17, inputs: ["signal","frame_step","window?","frame_length?"], outputs: ["output"], attributes: {"onesided":"int?"} },
  ],
  Scan: [
    { since: 8, inputs: ["sequence_lens?","initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 9, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 11, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 16, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 19, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 21, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 23, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
    { since: 24, inputs: ["initial_state_and_scan_inputs*"], outputs: ["final_state_and_scan_outputs*"], attributes: {"scan_input_axes":"ints?","scan_output_axes":"ints?","scan_output_directions":"ints?","scan_input_directions":"ints?","num_scan_inputs":"int","body":"graph"} },
  ],
  Scatter: [
    { since: 9, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  ScatterElements: [
    { since: 11, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 16, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"reduction":"string?","axis":"int?"} },
    { since: 18, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"reduction":"string?","axis":"int?"} },
  ],
  ScatterND: [
    { since: 11, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {} },
    { since: 16, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"reduction":"string?"} },
    { since: 18, inputs: ["data","indices","updates"], outputs: ["output"], attributes: {"reduction":"string?"} },
  ],
  Selu: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?","gamma":"float?","alpha":"float?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {"gamma":"float?","alpha":"float?"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"gamma":"float?","alpha":"float?"} },
  ],
  SequenceAt: [
    { since: 11, inputs: ["input_sequence","position"], outputs: ["tensor"], attributes: {} },
  ],
  SequenceConstruct: [
    { since: 11, inputs: ["inputs*"], outputs: ["output_sequence"], attributes: {} },
  ],
  SequenceEmpty: [
    { since: 11, inputs: [], outputs: ["output"], attributes: {"dtype":"int?"} },
  ],
  SequenceErase: [
    { since: 11, inputs: ["input_sequence","position?"], outputs: ["output_sequence"], attributes: {} },
  ],
  SequenceInsert: [
    { since: 11, inputs: ["input_sequence","tensor","position?"], outputs: ["output_sequence"], attributes: {} },
  ],
  SequenceLength: [
    { since: 11, inputs: ["input_sequence"], outputs: ["length"], attributes: {} },
  ],
  SequenceMap: [
    { since: 17, inputs: ["input_sequence","additional_inputs*"], outputs: ["out_sequence*"], attributes: {"body":"graph"} },
  ],
  Shape: [
    { since: 1, inputs: ["data"], outputs: ["shape"], attributes: {} },
    { since: 13, inputs: ["data"], outputs: ["shape"], attributes: {} },
    { since: 15, inputs: ["data"], outputs: ["shape"], attributes: {"end":"int?","start":"int?"} },
    { since: 19, inputs: ["data"], outputs: ["shape"], attributes: {"end":"int?","start":"int?"} },
    { since: 21, inputs: ["data"], outputs: ["shape"], attributes: {"end":"int?","start":"int?"} },
    { since: 23, inputs: ["data"], outputs: ["shape"], attributes: {"end":"int?","start":"int?"} },
    { since: 24, inputs: ["data"], outputs: ["shape"], attributes: {"end":"int?","start":"int?"} },
  ],
  Shrink: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {"bias":"float?","lambd":"float?"} },
  ],
  Sigmoid: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Sign: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Sin: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Sinh: [
    { since: 9, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Size: [
    { since: 1, inputs: ["data"], outputs: ["size"], attributes: {} },
    { since: 13, inputs: ["data"], outputs: ["size"], attributes: {} },
    { since: 19, inputs: ["data"], outputs: ["size"], attributes: {} },
    { since: 21, inputs: ["data"], outputs: ["size"], attributes: {} },
    { since: 23, inputs: ["data"], outputs: ["size"], attributes: {} },
    { since: 24, inputs: ["data"], outputs: ["size"], attributes: {} },
  ],
  Slice: [
    { since: 1, inputs: ["data"], outputs: ["output"], attributes: {"ends":"ints","starts":"ints","axes":"ints?"} },
    { since: 10, inputs: ["data","starts","ends","axes?","steps?"], outputs: ["output"], attributes: {} },
    { since: 11, inputs: ["data","starts","ends","axes?","steps?"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["data","starts","ends","axes?","steps?"], outputs: ["output"], attributes: {} },
  ],
  Softmax: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"axis":"int?"} },
  ],
  SoftmaxCrossEntropyLoss: [
    { since: 12, inputs: ["scores","labels","weights?"], outputs: ["output","log_prob?"], attributes: {"ignore_index":"int?","reduction":"string?"} },
    { since: 13, inputs: ["scores","labels","weights?"], outputs: ["output","log_prob?"], attributes: {"ignore_index":"int?","reduction":"string?"} },
  ],
  Softplus: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Softsign: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  SpaceToDepth: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"blocksize":"int"} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {"blocksize":"int"} },
  ],
  Split: [
    { since: 1, inputs: ["input","split?"], outputs: ["outputs...*"], attributes: {"split":"ints?","axis":"int?"} },
    { since: 2, inputs: ["input"], outputs: ["outputs*"], attributes: {"split":"ints?","axis":"int?"} },
    { since: 11, inputs: ["input"], outputs: ["outputs*"], attributes: {"split":"ints?","axis":"int?"} },
    { since: 13, inputs: ["input","split?"], outputs: ["outputs*"], attributes: {"axis":"int?"} },
    { since: 18, inputs: ["input","split?"], outputs: ["outputs*"], attributes: {"num_outputs":"int?","axis":"int?"} },
  ],
  SplitToSequence: [
    { since: 11, inputs: ["input","split?"], outputs: ["output_sequence"], attributes: {"keepdims":"int?","axis":"int?"} },
    { since: 24, inputs: ["input","split?"], outputs: ["output_sequence"], attributes: {"keepdims":"int?","axis":"int?"} },
  ],
  Sqrt: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["X"], outputs: ["Y"], attributes: {} },
    { since: 13, inputs: ["X"], outputs: ["Y"], attributes: {} },
  ],
  Squeeze: [
    { since: 1, inputs: ["data"], outputs: ["squeezed"], attributes: {"axes":"ints?"} },
    { since: 11, inputs: ["data"], outputs: ["squeezed"], attributes: {"axes":"ints?"} },
    { since: 13, inputs: ["data","axes?"], outputs: ["squeezed"], attributes: {} },
    { since: 21, inputs: ["data","axes?"], outputs: ["squeezed"], attributes: {} },
    { since: 23, inputs: ["data","axes?"], outputs: ["squeezed"], attributes: {} },
    { since: 24, inputs: ["data","axes?"], outputs: ["squeezed"], attributes: {} },
  ],
  StringConcat: [
    { since: 20, inputs: ["X","Y"], outputs: ["Z"], attributes: {} },
  ],
  StringNormalizer: [
    { since: 10, inputs: ["X"], outputs: ["Y"], attributes: {"stopwords":"strings?","locale":"string?","is_case_sensitive":"int?","case_change_action":"string?"} },
  ],
  StringSplit: [
    { since: 20, inputs: ["X"], outputs: ["Y","Z"], attributes: {"maxsplit":"int?","delimiter":"string?"} },
  ],
  Sub: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","consumed_inputs":"ints?","broadcast":"int?"} },
    { since: 6, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 13, inputs: ["A","B"], outputs: ["C"], attributes: {} },
    { since: 14, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
  Sum: [
    { since: 1, inputs: ["data_0*"], outputs: ["sum"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["data_0*"], outputs: ["sum"], attributes: {} },
    { since: 8, inputs: ["data_0*"], outputs: ["sum"], attributes: {} },
    { since: 13, inputs: ["data_0*"], outputs: ["sum"], attributes: {} },
  ],
  Swish: [
    { since: 24, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
  ],
  Tan: [
    { since: 7, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 22, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  Tanh: [
    { since: 1, inputs: ["input"], outputs: ["output"], attributes: {"consumed_inputs":"ints?"} },
    { since: 6, inputs: ["input"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input"], outputs: ["output"], attributes: {} },
  ],
  TensorScatter: [
    { since: 24, inputs: ["past_cache","update","write_indices?"], outputs: ["present_cache"], attributes: {"mode":"string?","axis":"int?"} },
  ],
  TfIdfVectorizer: [
    { since: 9, inputs: ["X"], outputs: ["Y"], attributes: {"mode":"string","ngram_indexes":"ints","weights":"floats?","ngram_counts":"ints","pool_int64s":"ints?","pool_strings":"strings?","max_skip_count":"int","min_gram_length":"int","max_gram_length":"int"} },
  ],
  ThresholdedRelu: [
    { since: 10, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
    { since: 22, inputs: ["X"], outputs: ["Y"], attributes: {"alpha":"float?"} },
  ],
  Tile: [
    { since: 1, inputs: ["input","tiles","axis"], outputs: ["output"], attributes: {} },
    { since: 6, inputs: ["input","repeats"], outputs: ["output"], attributes: {} },
    { since: 13, inputs: ["input","repeats"], outputs: ["output"], attributes: {} },
  ],
  TopK: [
    { since: 1, inputs: ["X"], outputs: ["Values","Indices"], attributes: {"axis":"int?","k":"int"} },
    { since: 10, inputs: ["X","K"], outputs: ["Values","Indices"], attributes: {"axis":"int?"} },
    { since: 11, inputs: ["X","K"], outputs: ["Values","Indices"], attributes: {"sorted":"int?","largest":"int?","axis":"int?"} },
    { since: 24, inputs: ["X","K"], outputs: ["Values","Indices"], attributes: {"sorted":"int?","largest":"int?","axis":"int?"} },
  ],
  Transpose: [
    { since: 1, inputs: ["data"], outputs: ["transposed"], attributes: {"perm":"ints?"} },
    { since: 13, inputs: ["data"], outputs: ["transposed"], attributes: {"perm":"ints?"} },
    { since: 21, inputs: ["data"], outputs: ["transposed"], attributes: {"perm":"ints?"} },
    { since: 23, inputs: ["data"], outputs: ["transposed"], attributes: {"perm":"ints?"} },
    { since: 24, inputs: ["data"], outputs: ["transposed"], attributes: {"perm":"ints?"} },
  ],
  Trilu: [
    { since: 14, inputs: ["input","k?"], outputs: ["output"], attributes: {"upper":"int?"} },
  ],
  Unique: [
    { since: 11, inputs: ["X"], outputs: ["Y","indices?","inverse_indices?","counts?"], attributes: {"axis":"int?","sorted":"int?"} },
  ],
  Unsqueeze: [
    { since: 1, inputs: ["data"], outputs: ["expanded"], attributes: {"axes":"ints"} },
    { since: 11, inputs: ["data"], outputs: ["expanded"], attributes: {"axes":"ints"} },
    { since: 13, inputs: ["data","axes"], outputs: ["expanded"], attributes: {} },
    { since: 21, inputs: ["data","axes"], outputs: ["expanded"], attributes: {} },
    { since: 23, inputs: ["data","axes"], outputs: ["expanded"], attributes: {} },
    { since: 24, inputs: ["data","axes"], outputs: ["expanded"], attributes: {} },
  ],
  Upsample: [
    { since: 1, inputs: ["X"], outputs: ["Y"], attributes: {"mode":"string?","height_scale":"float","width_scale":"float"} },
    { since: 7, inputs: ["X"], outputs: ["Y"], attributes: {"mode":"string?","scales":"floats"} },
    { since: 9, inputs: ["X","scales"], outputs: ["Y"], attributes: {"mode":"string?"} },
  ],
  Where: [
    { since: 9, inputs: ["condition","X","Y"], outputs: ["output"], attributes: {} },
    { since: 16, inputs: ["condition","X","Y"], outputs: ["output"], attributes: {} },
  ],
  Xor: [
    { since: 1, inputs: ["A","B"], outputs: ["C"], attributes: {"axis":"int?","broadcast":"int?"} },
    { since: 7, inputs: ["A","B"], outputs: ["C"], attributes: {} },
  ],
};
