// Written by scripts/generate-proto.ts from scripts/onnx.proto. Don't edit.
import type { Bytes } from "../../source.ts";
/** An int64 or uint64 as the file holds it: a number where that is exact. */
export type Int = number | bigint;

/** How a field stands on the wire. Enums are int32: a file may hold numbers that no schema knows. */
export type WireKind = "int32" | "int64" | "uint64" | "float" | "double" | "string" | "bytes" | "message";

/** What the codec knows of a field. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: WireKind;
  /** "one" value or undefined; "many" in an array; "lazy": one Bytes (raw_data as it is, a packed field as its payload). */
  readonly held: "one" | "many" | "lazy";
  /** The message type, for kind "message". */
  readonly message?: MessageName;
  /** The other members of its oneof, which it replaces. */
  readonly rivals?: readonly string[];
}

/** Every message type by name. */
export type MessageName = keyof Messages;

/** What the codec knows of a message type: its fields by number, and how to make an empty one. */
export interface MessageSpec<T> {
  readonly fields: Readonly<Record<number, FieldSpec>>;
  readonly create: () => T;
}

/** onnx.Version: see scripts/onnx.proto. */
export const Version = {
    _START_VERSION: 0,
    IR_VERSION_2017_10_10: 1,
    IR_VERSION_2017_10_30: 2,
    IR_VERSION_2017_11_3: 3,
    IR_VERSION_2019_1_22: 4,
    IR_VERSION_2019_3_18: 5,
    IR_VERSION_2019_9_19: 6,
    IR_VERSION_2020_5_8: 7,
    IR_VERSION_2021_7_30: 8,
    IR_VERSION_2023_5_5: 9,
    IR_VERSION_2024_3_25: 10,
    IR_VERSION_2025_05_12: 11,
    IR_VERSION_2025_08_26: 12,
    IR_VERSION_2025_11_06: 13,
    IR_VERSION: 14,
  } as const;
/** onnx.AttributeProto.AttributeType: see scripts/onnx.proto. */
export const AttributeProtoAttributeType = {
    UNDEFINED: 0,
    FLOAT: 1,
    INT: 2,
    STRING: 3,
    TENSOR: 4,
    GRAPH: 5,
    SPARSE_TENSOR: 11,
    TYPE_PROTO: 13,
    FLOATS: 6,
    INTS: 7,
    STRINGS: 8,
    TENSORS: 9,
    GRAPHS: 10,
    SPARSE_TENSORS: 12,
    TYPE_PROTOS: 14,
  } as const;
/** onnx.TensorProto.DataType: see scripts/onnx.proto. */
export const TensorProtoDataType = {
    UNDEFINED: 0,
    FLOAT: 1,
    UINT8: 2,
    INT8: 3,
    UINT16: 4,
    INT16: 5,
    INT32: 6,
    INT64: 7,
    STRING: 8,
    BOOL: 9,
    FLOAT16: 10,
    DOUBLE: 11,
    UINT32: 12,
    UINT64: 13,
    COMPLEX64: 14,
    COMPLEX128: 15,
    BFLOAT16: 16,
    FLOAT8E4M3FN: 17,
    FLOAT8E4M3FNUZ: 18,
    FLOAT8E5M2: 19,
    FLOAT8E5M2FNUZ: 20,
    UINT4: 21,
    INT4: 22,
    FLOAT4E2M1: 23,
    FLOAT8E8M0: 24,
    UINT2: 25,
    INT2: 26,
    FLOAT6E2M3: 27,
    FLOAT6E3M2: 28,
  } as const;
/** onnx.TensorProto.DataLocation: see scripts/onnx.proto. */
export const TensorProtoDataLocation = {
    DEFAULT: 0,
    EXTERNAL: 1,
  } as const;
/** onnx.OperatorStatus: see scripts/onnx.proto. */
export const OperatorStatus = {
    EXPERIMENTAL: 0,
    STABLE: 1,
  } as const;

/** onnx.AttributeProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface AttributeProto {
  name?: string | undefined;
  f?: number | undefined;
  i?: Int | undefined;
  s?: Uint8Array | undefined;
  t?: TensorProto | undefined;
  g?: GraphProto | undefined;
  floats: number[];
  ints: Int[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
  docString?: string | undefined;
  tp?: TypeProto | undefined;
  typeProtos: TypeProto[];
  type?: number | undefined;
  refAttrName?: string | undefined;
  sparseTensor?: SparseTensorProto | undefined;
  sparseTensors: SparseTensorProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new AttributeProto with the fields given and no others. */
export function attributeProto(init: Partial<AttributeProto> = {}): AttributeProto {
  return { floats: [], ints: [], strings: [], tensors: [], graphs: [], typeProtos: [], sparseTensors: [], ...init };
}

/** onnx.ValueInfoProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface ValueInfoProto {
  name?: string | undefined;
  type?: TypeProto | undefined;
  docString?: string | undefined;
  metadataProps: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new ValueInfoProto with the fields given and no others. */
export function valueInfoProto(init: Partial<ValueInfoProto> = {}): ValueInfoProto {
  return { metadataProps: [], ...init };
}

/** onnx.NodeProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface NodeProto {
  input: string[];
  output: string[];
  name?: string | undefined;
  opType?: string | undefined;
  attribute: AttributeProto[];
  docString?: string | undefined;
  domain?: string | undefined;
  overload?: string | undefined;
  metadataProps: StringStringEntryProto[];
  deviceConfigurations: NodeDeviceConfigurationProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new NodeProto with the fields given and no others. */
export function nodeProto(init: Partial<NodeProto> = {}): NodeProto {
  return { input: [], output: [], attribute: [], metadataProps: [], deviceConfigurations: [], ...init };
}

/** onnx.IntIntListEntryProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface IntIntListEntryProto {
  key?: Int | undefined;
  value: Int[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new IntIntListEntryProto with the fields given and no others. */
export function intIntListEntryProto(init: Partial<IntIntListEntryProto> = {}): IntIntListEntryProto {
  return { value: [], ...init };
}

/** onnx.NodeDeviceConfigurationProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface NodeDeviceConfigurationProto {
  configurationId?: string | undefined;
  shardingSpec: ShardingSpecProto[];
  pipelineStage?: number | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new NodeDeviceConfigurationProto with the fields given and no others. */
export function nodeDeviceConfigurationProto(init: Partial<NodeDeviceConfigurationProto> = {}): NodeDeviceConfigurationProto {
  return { shardingSpec: [], ...init };
}

/** onnx.ShardingSpecProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface ShardingSpecProto {
  tensorName?: string | undefined;
  device: Int[];
  indexToDeviceGroupMap: IntIntListEntryProto[];
  shardedDim: ShardedDimProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new ShardingSpecProto with the fields given and no others. */
export function shardingSpecProto(init: Partial<ShardingSpecProto> = {}): ShardingSpecProto {
  return { device: [], indexToDeviceGroupMap: [], shardedDim: [], ...init };
}

/** onnx.ShardedDimProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface ShardedDimProto {
  axis?: Int | undefined;
  simpleSharding: SimpleShardedDimProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new ShardedDimProto with the fields given and no others. */
export function shardedDimProto(init: Partial<ShardedDimProto> = {}): ShardedDimProto {
  return { simpleSharding: [], ...init };
}

/** onnx.SimpleShardedDimProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface SimpleShardedDimProto {
  dimValue?: Int | undefined;
  dimParam?: string | undefined;
  numShards?: Int | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new SimpleShardedDimProto with the fields given and no others. */
export function simpleShardedDimProto(init: Partial<SimpleShardedDimProto> = {}): SimpleShardedDimProto {
  return { ...init };
}

/** onnx.TrainingInfoProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TrainingInfoProto {
  initialization?: GraphProto | undefined;
  algorithm?: GraphProto | undefined;
  initializationBinding: StringStringEntryProto[];
  updateBinding: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TrainingInfoProto with the fields given and no others. */
export function trainingInfoProto(init: Partial<TrainingInfoProto> = {}): TrainingInfoProto {
  return { initializationBinding: [], updateBinding: [], ...init };
}

/** onnx.ModelProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface ModelProto {
  irVersion?: Int | undefined;
  producerName?: string | undefined;
  producerVersion?: string | undefined;
  domain?: string | undefined;
  modelVersion?: Int | undefined;
  docString?: string | undefined;
  graph?: GraphProto | undefined;
  opsetImport: OperatorSetIdProto[];
  metadataProps: StringStringEntryProto[];
  trainingInfo: TrainingInfoProto[];
  functions: FunctionProto[];
  configuration: DeviceConfigurationProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new ModelProto with the fields given and no others. */
export function modelProto(init: Partial<ModelProto> = {}): ModelProto {
  return { opsetImport: [], metadataProps: [], trainingInfo: [], functions: [], configuration: [], ...init };
}

/** onnx.DeviceConfigurationProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface DeviceConfigurationProto {
  name?: string | undefined;
  numDevices?: number | undefined;
  device: string[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new DeviceConfigurationProto with the fields given and no others. */
export function deviceConfigurationProto(init: Partial<DeviceConfigurationProto> = {}): DeviceConfigurationProto {
  return { device: [], ...init };
}

/** onnx.StringStringEntryProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface StringStringEntryProto {
  key?: string | undefined;
  value?: string | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new StringStringEntryProto with the fields given and no others. */
export function stringStringEntryProto(init: Partial<StringStringEntryProto> = {}): StringStringEntryProto {
  return { ...init };
}

/** onnx.TensorAnnotation: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TensorAnnotation {
  tensorName?: string | undefined;
  quantParameterTensorNames: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TensorAnnotation with the fields given and no others. */
export function tensorAnnotation(init: Partial<TensorAnnotation> = {}): TensorAnnotation {
  return { quantParameterTensorNames: [], ...init };
}

/** onnx.GraphProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface GraphProto {
  node: NodeProto[];
  name?: string | undefined;
  initializer: TensorProto[];
  docString?: string | undefined;
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
  quantizationAnnotation: TensorAnnotation[];
  sparseInitializer: SparseTensorProto[];
  metadataProps: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new GraphProto with the fields given and no others. */
export function graphProto(init: Partial<GraphProto> = {}): GraphProto {
  return { node: [], initializer: [], input: [], output: [], valueInfo: [], quantizationAnnotation: [], sparseInitializer: [], metadataProps: [], ...init };
}

/** onnx.TensorProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TensorProto {
  dims: Int[];
  dataType?: number | undefined;
  segment?: TensorProtoSegment | undefined;
  /** The packed payload as it stands in the file: read it with `unpack("float", …)`. */
  floatData?: Bytes | undefined;
  /** The packed payload as it stands in the file: read it with `unpack("int32", …)`. */
  int32Data?: Bytes | undefined;
  stringData: Uint8Array[];
  /** The packed payload as it stands in the file: read it with `unpack("int64", …)`. */
  int64Data?: Bytes | undefined;
  name?: string | undefined;
  rawData?: Bytes | undefined;
  /** The packed payload as it stands in the file: read it with `unpack("double", …)`. */
  doubleData?: Bytes | undefined;
  /** The packed payload as it stands in the file: read it with `unpack("uint64", …)`. */
  uint64Data?: Bytes | undefined;
  docString?: string | undefined;
  externalData: StringStringEntryProto[];
  dataLocation?: number | undefined;
  metadataProps: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TensorProto with the fields given and no others. */
export function tensorProto(init: Partial<TensorProto> = {}): TensorProto {
  return { dims: [], stringData: [], externalData: [], metadataProps: [], ...init };
}

/** onnx.TensorProto.Segment: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TensorProtoSegment {
  begin?: Int | undefined;
  end?: Int | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TensorProtoSegment with the fields given and no others. */
export function tensorProtoSegment(init: Partial<TensorProtoSegment> = {}): TensorProtoSegment {
  return { ...init };
}

/** onnx.SparseTensorProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface SparseTensorProto {
  values?: TensorProto | undefined;
  indices?: TensorProto | undefined;
  dims: Int[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new SparseTensorProto with the fields given and no others. */
export function sparseTensorProto(init: Partial<SparseTensorProto> = {}): SparseTensorProto {
  return { dims: [], ...init };
}

/** onnx.TensorShapeProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TensorShapeProto {
  dim: TensorShapeProtoDimension[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TensorShapeProto with the fields given and no others. */
export function tensorShapeProto(init: Partial<TensorShapeProto> = {}): TensorShapeProto {
  return { dim: [], ...init };
}

/** onnx.TensorShapeProto.Dimension: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TensorShapeProtoDimension {
  dimValue?: Int | undefined;
  dimParam?: string | undefined;
  denotation?: string | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TensorShapeProtoDimension with the fields given and no others. */
export function tensorShapeProtoDimension(init: Partial<TensorShapeProtoDimension> = {}): TensorShapeProtoDimension {
  return { ...init };
}

/** onnx.TypeProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProto {
  tensorType?: TypeProtoTensor | undefined;
  sequenceType?: TypeProtoSequence | undefined;
  mapType?: TypeProtoMap | undefined;
  denotation?: string | undefined;
  opaqueType?: TypeProtoOpaque | undefined;
  sparseTensorType?: TypeProtoSparseTensor | undefined;
  optionalType?: TypeProtoOptional | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProto with the fields given and no others. */
export function typeProto(init: Partial<TypeProto> = {}): TypeProto {
  return { ...init };
}

/** onnx.TypeProto.Tensor: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoTensor {
  elemType?: number | undefined;
  shape?: TensorShapeProto | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoTensor with the fields given and no others. */
export function typeProtoTensor(init: Partial<TypeProtoTensor> = {}): TypeProtoTensor {
  return { ...init };
}

/** onnx.TypeProto.Sequence: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoSequence {
  elemType?: TypeProto | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoSequence with the fields given and no others. */
export function typeProtoSequence(init: Partial<TypeProtoSequence> = {}): TypeProtoSequence {
  return { ...init };
}

/** onnx.TypeProto.Map: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoMap {
  keyType?: number | undefined;
  valueType?: TypeProto | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoMap with the fields given and no others. */
export function typeProtoMap(init: Partial<TypeProtoMap> = {}): TypeProtoMap {
  return { ...init };
}

/** onnx.TypeProto.Optional: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoOptional {
  elemType?: TypeProto | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoOptional with the fields given and no others. */
export function typeProtoOptional(init: Partial<TypeProtoOptional> = {}): TypeProtoOptional {
  return { ...init };
}

/** onnx.TypeProto.SparseTensor: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoSparseTensor {
  elemType?: number | undefined;
  shape?: TensorShapeProto | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoSparseTensor with the fields given and no others. */
export function typeProtoSparseTensor(init: Partial<TypeProtoSparseTensor> = {}): TypeProtoSparseTensor {
  return { ...init };
}

/** onnx.TypeProto.Opaque: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface TypeProtoOpaque {
  domain?: string | undefined;
  name?: string | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new TypeProtoOpaque with the fields given and no others. */
export function typeProtoOpaque(init: Partial<TypeProtoOpaque> = {}): TypeProtoOpaque {
  return { ...init };
}

/** onnx.OperatorSetIdProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface OperatorSetIdProto {
  domain?: string | undefined;
  version?: Int | undefined;
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new OperatorSetIdProto with the fields given and no others. */
export function operatorSetIdProto(init: Partial<OperatorSetIdProto> = {}): OperatorSetIdProto {
  return { ...init };
}

/** onnx.FunctionProto: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty. */
export interface FunctionProto {
  name?: string | undefined;
  input: string[];
  output: string[];
  attribute: string[];
  node: NodeProto[];
  docString?: string | undefined;
  opsetImport: OperatorSetIdProto[];
  domain?: string | undefined;
  attributeProto: AttributeProto[];
  valueInfo: ValueInfoProto[];
  overload?: string | undefined;
  metadataProps: StringStringEntryProto[];
  /** Fields that the schema doesn't know: tags and values, end to end, as they stood. */
  unknownFields?: Uint8Array | undefined;
}

/** A new FunctionProto with the fields given and no others. */
export function functionProto(init: Partial<FunctionProto> = {}): FunctionProto {
  return { input: [], output: [], attribute: [], node: [], opsetImport: [], attributeProto: [], valueInfo: [], metadataProps: [], ...init };
}

/** Every message type. */
export interface Messages {
  AttributeProto: AttributeProto;
  ValueInfoProto: ValueInfoProto;
  NodeProto: NodeProto;
  IntIntListEntryProto: IntIntListEntryProto;
  NodeDeviceConfigurationProto: NodeDeviceConfigurationProto;
  ShardingSpecProto: ShardingSpecProto;
  ShardedDimProto: ShardedDimProto;
  SimpleShardedDimProto: SimpleShardedDimProto;
  TrainingInfoProto: TrainingInfoProto;
  ModelProto: ModelProto;
  DeviceConfigurationProto: DeviceConfigurationProto;
  StringStringEntryProto: StringStringEntryProto;
  TensorAnnotation: TensorAnnotation;
  GraphProto: GraphProto;
  TensorProto: TensorProto;
  TensorProtoSegment: TensorProtoSegment;
  SparseTensorProto: SparseTensorProto;
  TensorShapeProto: TensorShapeProto;
  TensorShapeProtoDimension: TensorShapeProtoDimension;
  TypeProto: TypeProto;
  TypeProtoTensor: TypeProtoTensor;
  TypeProtoSequence: TypeProtoSequence;
  TypeProtoMap: TypeProtoMap;
  TypeProtoOptional: TypeProtoOptional;
  TypeProtoSparseTensor: TypeProtoSparseTensor;
  TypeProtoOpaque: TypeProtoOpaque;
  OperatorSetIdProto: OperatorSetIdProto;
  FunctionProto: FunctionProto;
}
/** The table the codec works by. */
export const MESSAGES: { readonly [N in MessageName]: MessageSpec<Messages[N]> } = {
  AttributeProto: {
    create: attributeProto,
    fields: {
      1: { name: "name", kind: "string", held: "one" },
      2: { name: "f", kind: "float", held: "one" },
      3: { name: "i", kind: "int64", held: "one" },
      4: { name: "s", kind: "bytes", held: "one" },
      5: { name: "t", kind: "message", held: "one", message: "TensorProto" },
      6: { name: "g", kind: "message", held: "one", message: "GraphProto" },
      7: { name: "floats", kind: "float", held: "many" },
      8: { name: "ints", kind: "int64", held: "many" },
      9: { name: "strings", kind: "bytes", held: "many" },
      10: { name: "tensors", kind: "message", held: "many", message: "TensorProto" },
      11: { name: "graphs", kind: "message", held: "many", message: "GraphProto" },
      13: { name: "docString", kind: "string", held: "one" },
      14: { name: "tp", kind: "message", held: "one", message: "TypeProto" },
      15: { name: "typeProtos", kind: "message", held: "many", message: "TypeProto" },
      20: { name: "type", kind: "int32", held: "one" },
      21: { name: "refAttrName", kind: "string", held: "one" },
      22: { name: "sparseTensor", kind: "message", held: "one", message: "SparseTensorProto" },
      23: { name: "sparseTensors", kind: "message", held: "many", message: "SparseTensorProto" },
    },
  },
  ValueInfoProto: {
    create: valueInfoProto,
    fields: {
      1: { name: "name", kind: "string", held: "one" },
      2: { name: "type", kind: "message", held: "one", message: "TypeProto" },
      3: { name: "docString", kind: "string", held: "one" },
      4: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
  NodeProto: {
    create: nodeProto,
    fields: {
      1: { name: "input", kind: "string", held: "many" },
      2: { name: "output", kind: "string", held: "many" },
      3: { name: "name", kind: "string", held: "one" },
      4: { name: "opType", kind: "string", held: "one" },
      5: { name: "attribute", kind: "message", held: "many", message: "AttributeProto" },
      6: { name: "docString", kind: "string", held: "one" },
      7: { name: "domain", kind: "string", held: "one" },
      8: { name: "overload", kind: "string", held: "one" },
      9: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
      10: { name: "deviceConfigurations", kind: "message", held: "many", message: "NodeDeviceConfigurationProto" },
    },
  },
  IntIntListEntryProto: {
    create: intIntListEntryProto,
    fields: {
      1: { name: "key", kind: "int64", held: "one" },
      2: { name: "value", kind: "int64", held: "many" },
    },
  },
  NodeDeviceConfigurationProto: {
    create: nodeDeviceConfigurationProto,
    fields: {
      1: { name: "configurationId", kind: "string", held: "one" },
      2: { name: "shardingSpec", kind: "message", held: "many", message: "ShardingSpecProto" },
      3: { name: "pipelineStage", kind: "int32", held: "one" },
    },
  },
  ShardingSpecProto: {
    create: shardingSpecProto,
    fields: {
      1: { name: "tensorName", kind: "string", held: "one" },
      2: { name: "device", kind: "int64", held: "many" },
      3: { name: "indexToDeviceGroupMap", kind: "message", held: "many", message: "IntIntListEntryProto" },
      4: { name: "shardedDim", kind: "message", held: "many", message: "ShardedDimProto" },
    },
  },
  ShardedDimProto: {
    create: shardedDimProto,
    fields: {
      1: { name: "axis", kind: "int64", held: "one" },
      2: { name: "simpleSharding", kind: "message", held: "many", message: "SimpleShardedDimProto" },
    },
  },
  SimpleShardedDimProto: {
    create: simpleShardedDimProto,
    fields: {
      1: { name: "dimValue", kind: "int64", held: "one", rivals: ["dimParam"] },
      2: { name: "dimParam", kind: "string", held: "one", rivals: ["dimValue"] },
      3: { name: "numShards", kind: "int64", held: "one" },
    },
  },
  TrainingInfoProto: {
    create: trainingInfoProto,
    fields: {
      1: { name: "initialization", kind: "message", held: "one", message: "GraphProto" },
      2: { name: "algorithm", kind: "message", held: "one", message: "GraphProto" },
      3: { name: "initializationBinding", kind: "message", held: "many", message: "StringStringEntryProto" },
      4: { name: "updateBinding", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
  ModelProto: {
    create: modelProto,
    fields: {
      1: { name: "irVersion", kind: "int64", held: "one" },
      2: { name: "producerName", kind: "string", held: "one" },
      3: { name: "producerVersion", kind: "string", held: "one" },
      4: { name: "domain", kind: "string", held: "one" },
      5: { name: "modelVersion", kind: "int64", held: "one" },
      6: { name: "docString", kind: "string", held: "one" },
      7: { name: "graph", kind: "message", held: "one", message: "GraphProto" },
      8: { name: "opsetImport", kind: "message", held: "many", message: "OperatorSetIdProto" },
      14: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
      20: { name: "trainingInfo", kind: "message", held: "many", message: "TrainingInfoProto" },
      25: { name: "functions", kind: "message", held: "many", message: "FunctionProto" },
      26: { name: "configuration", kind: "message", held: "many", message: "DeviceConfigurationProto" },
    },
  },
  DeviceConfigurationProto: {
    create: deviceConfigurationProto,
    fields: {
      1: { name: "name", kind: "string", held: "one" },
      2: { name: "numDevices", kind: "int32", held: "one" },
      3: { name: "device", kind: "string", held: "many" },
    },
  },
  StringStringEntryProto: {
    create: stringStringEntryProto,
    fields: {
      1: { name: "key", kind: "string", held: "one" },
      2: { name: "value", kind: "string", held: "one" },
    },
  },
  TensorAnnotation: {
    create: tensorAnnotation,
    fields: {
      1: { name: "tensorName", kind: "string", held: "one" },
      2: { name: "quantParameterTensorNames", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
  GraphProto: {
    create: graphProto,
    fields: {
      1: { name: "node", kind: "message", held: "many", message: "NodeProto" },
      2: { name: "name", kind: "string", held: "one" },
      5: { name: "initializer", kind: "message", held: "many", message: "TensorProto" },
      10: { name: "docString", kind: "string", held: "one" },
      11: { name: "input", kind: "message", held: "many", message: "ValueInfoProto" },
      12: { name: "output", kind: "message", held: "many", message: "ValueInfoProto" },
      13: { name: "valueInfo", kind: "message", held: "many", message: "ValueInfoProto" },
      14: { name: "quantizationAnnotation", kind: "message", held: "many", message: "TensorAnnotation" },
      15: { name: "sparseInitializer", kind: "message", held: "many", message: "SparseTensorProto" },
      16: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
  TensorProto: {
    create: tensorProto,
    fields: {
      1: { name: "dims", kind: "int64", held: "many" },
      2: { name: "dataType", kind: "int32", held: "one" },
      3: { name: "segment", kind: "message", held: "one", message: "TensorProtoSegment" },
      4: { name: "floatData", kind: "float", held: "lazy" },
      5: { name: "int32Data", kind: "int32", held: "lazy" },
      6: { name: "stringData", kind: "bytes", held: "many" },
      7: { name: "int64Data", kind: "int64", held: "lazy" },
      8: { name: "name", kind: "string", held: "one" },
      9: { name: "rawData", kind: "bytes", held: "lazy" },
      10: { name: "doubleData", kind: "double", held: "lazy" },
      11: { name: "uint64Data", kind: "uint64", held: "lazy" },
      12: { name: "docString", kind: "string", held: "one" },
      13: { name: "externalData", kind: "message", held: "many", message: "StringStringEntryProto" },
      14: { name: "dataLocation", kind: "int32", held: "one" },
      16: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
  TensorProtoSegment: {
    create: tensorProtoSegment,
    fields: {
      1: { name: "begin", kind: "int64", held: "one" },
      2: { name: "end", kind: "int64", held: "one" },
    },
  },
  SparseTensorProto: {
    create: sparseTensorProto,
    fields: {
      1: { name: "values", kind: "message", held: "one", message: "TensorProto" },
      2: { name: "indices", kind: "message", held: "one", message: "TensorProto" },
      3: { name: "dims", kind: "int64", held: "many" },
    },
  },
  TensorShapeProto: {
    create: tensorShapeProto,
    fields: {
      1: { name: "dim", kind: "message", held: "many", message: "TensorShapeProtoDimension" },
    },
  },
  TensorShapeProtoDimension: {
    create: tensorShapeProtoDimension,
    fields: {
      1: { name: "dimValue", kind: "int64", held: "one", rivals: ["dimParam"] },
      2: { name: "dimParam", kind: "string", held: "one", rivals: ["dimValue"] },
      3: { name: "denotation", kind: "string", held: "one" },
    },
  },
  TypeProto: {
    create: typeProto,
    fields: {
      1: { name: "tensorType", kind: "message", held: "one", message: "TypeProtoTensor", rivals: ["sequenceType","mapType","optionalType","sparseTensorType","opaqueType"] },
      4: { name: "sequenceType", kind: "message", held: "one", message: "TypeProtoSequence", rivals: ["tensorType","mapType","optionalType","sparseTensorType","opaqueType"] },
      5: { name: "mapType", kind: "message", held: "one", message: "TypeProtoMap", rivals: ["tensorType","sequenceType","optionalType","sparseTensorType","opaqueType"] },
      6: { name: "denotation", kind: "string", held: "one" },
      7: { name: "opaqueType", kind: "message", held: "one", message: "TypeProtoOpaque", rivals: ["tensorType","sequenceType","mapType","optionalType","sparseTensorType"] },
      8: { name: "sparseTensorType", kind: "message", held: "one", message: "TypeProtoSparseTensor", rivals: ["tensorType","sequenceType","mapType","optionalType","opaqueType"] },
      9: { name: "optionalType", kind: "message", held: "one", message: "TypeProtoOptional", rivals: ["tensorType","sequenceType","mapType","sparseTensorType","opaqueType"] },
    },
  },
  TypeProtoTensor: {
    create: typeProtoTensor,
    fields: {
      1: { name: "elemType", kind: "int32", held: "one" },
      2: { name: "shape", kind: "message", held: "one", message: "TensorShapeProto" },
    },
  },
  TypeProtoSequence: {
    create: typeProtoSequence,
    fields: {
      1: { name: "elemType", kind: "message", held: "one", message: "TypeProto" },
    },
  },
  TypeProtoMap: {
    create: typeProtoMap,
    fields: {
      1: { name: "keyType", kind: "int32", held: "one" },
      2: { name: "valueType", kind: "message", held: "one", message: "TypeProto" },
    },
  },
  TypeProtoOptional: {
    create: typeProtoOptional,
    fields: {
      1: { name: "elemType", kind: "message", held: "one", message: "TypeProto" },
    },
  },
  TypeProtoSparseTensor: {
    create: typeProtoSparseTensor,
    fields: {
      1: { name: "elemType", kind: "int32", held: "one" },
      2: { name: "shape", kind: "message", held: "one", message: "TensorShapeProto" },
    },
  },
  TypeProtoOpaque: {
    create: typeProtoOpaque,
    fields: {
      1: { name: "domain", kind: "string", held: "one" },
      2: { name: "name", kind: "string", held: "one" },
    },
  },
  OperatorSetIdProto: {
    create: operatorSetIdProto,
    fields: {
      1: { name: "domain", kind: "string", held: "one" },
      2: { name: "version", kind: "int64", held: "one" },
    },
  },
  FunctionProto: {
    create: functionProto,
    fields: {
      1: { name: "name", kind: "string", held: "one" },
      4: { name: "input", kind: "string", held: "many" },
      5: { name: "output", kind: "string", held: "many" },
      6: { name: "attribute", kind: "string", held: "many" },
      7: { name: "node", kind: "message", held: "many", message: "NodeProto" },
      8: { name: "docString", kind: "string", held: "one" },
      9: { name: "opsetImport", kind: "message", held: "many", message: "OperatorSetIdProto" },
      10: { name: "domain", kind: "string", held: "one" },
      11: { name: "attributeProto", kind: "message", held: "many", message: "AttributeProto" },
      12: { name: "valueInfo", kind: "message", held: "many", message: "ValueInfoProto" },
      13: { name: "overload", kind: "string", held: "one" },
      14: { name: "metadataProps", kind: "message", held: "many", message: "StringStringEntryProto" },
    },
  },
};
