/** A model with everything that a file may hold and the IR has no word for: what a round trip must not lose. */
import { attributeProto, deviceConfigurationProto, functionProto, graphProto, intIntListEntryProto, modelProto, nodeDeviceConfigurationProto, nodeProto, operatorSetIdProto,
  shardedDimProto, shardingSpecProto, simpleShardedDimProto, sparseTensorProto, stringStringEntryProto, tensorAnnotation, tensorProto, tensorProtoSegment, tensorShapeProto, tensorShapeProtoDimension, trainingInfoProto, typeProto,
  typeProtoMap, typeProtoOpaque, typeProtoOptional, typeProtoSequence, typeProtoSparseTensor, typeProtoTensor, valueInfoProto,
  type AttributeProto, type GraphProto, type ModelProto, type TensorProto, type TypeProto, type ValueInfoProto } from "../../src/ir/proto/generated/schema.ts";
import { pack } from "../../src/ir/proto/packed.ts";
import { bytesOf } from "../../src/ir/tensor.ts";

/** Field 1000 with the varint 1: one that no schema knows. */
const UNKNOWN = Uint8Array.of(0xc0, 0x3e, 1);
const unknownFields = UNKNOWN;
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const entry = (key: string, value: string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value });

export function floatType(...dims: (number | string | undefined)[]): TypeProto {
  const dim = dims.map((d) => tensorShapeProtoDimension(typeof d === "number" ? { dimValue: d } : d === undefined ? { denotation: "DATA_BATCH" } : { dimParam: d }));
  return typeProto({ tensorType: typeProtoTensor({ elemType: 1, shape: tensorShapeProto({ dim }) }) });
}

export function info(name: string, type: TypeProto = floatType(2)): ValueInfoProto {
  return valueInfoProto({ name, type });
}

export function floats(name: string, values: readonly number[], dims: readonly number[] = [values.length]): TensorProto {
  return tensorProto({ name, dims: [...dims], dataType: 1, rawData: bytesOf(Float32Array.from(values)).slice() });
}

function branch(output = "chosen"): GraphProto {
  // Reads "x" and "w" of the graph around it. Branches use the same names, and may call their result as their node does.
  return graphProto({ name: "branch", docString: "nested", unknownFields, initializer: [floats("own", [1, 2])], metadataProps: [entry("branch", "1")],
    node: [nodeProto({ opType: "Add", input: ["x", "w"], output: ["s"] }), nodeProto({ opType: "Add", input: ["s", "own"], output: [output] })],
    output: [info(output)], valueInfo: [info("s"), info("x")] });
}

function attributes(): AttributeProto[] {
  const sparse = sparseTensorProto({ values: floats("", [1]), indices: tensorProto({ dims: [1], dataType: 7, int64Data: pack(BigInt64Array.of(3n)) }), dims: [5] });
  return [
    attributeProto({ name: "f", type: 1, f: -0, docString: "doc", unknownFields }), attributeProto({ name: "i", type: 2, i: -(2n ** 63n) }), attributeProto({ name: "s", type: 3, s: Uint8Array.of(0xff, 0xfe) }),
    attributeProto({ name: "t", type: 4, t: tensorProto({ dims: [2], dataType: 8, stringData: [text("a"), Uint8Array.of(0xff)], docString: "strings", unknownFields }) }),
    attributeProto({ name: "floats", type: 6, floats: [0.5, -2] }), attributeProto({ name: "ints", type: 7, ints: [1, 2n ** 60n] }), attributeProto({ name: "strings", type: 8, strings: [text("ä"), text("")] }),
    attributeProto({ name: "tensors", type: 9, tensors: [floats("inner", [3]), tensorProto({ dims: [2], dataType: 10, int32Data: Uint8Array.of(1, 2) })] }),
    attributeProto({ name: "sparse", type: 11, sparseTensor: sparse }), attributeProto({ name: "sparses", type: 12, sparseTensors: [sparse, sparse] }),
    attributeProto({ name: "type", type: 13, tp: floatType("n") }), attributeProto({ name: "types", type: 14, typeProtos: [floatType(), typeProto({ denotation: "TEXT" })] }),
    attributeProto({ name: "later", type: 99, i: 5 }), attributeProto({ name: "empty", type: 4 }), attributeProto({ name: "untyped", i: 7 }), attributeProto({ name: "zero", type: 0, floats: [1] }),
    attributeProto({ name: "untypedTensor", t: floats("u", [1]) }),
  ];
}

/** Valid ONNX as far as names and tensors go; no runtime knows its operators. */
export function everything(): ModelProto {
  const device = nodeDeviceConfigurationProto({ configurationId: "gpus", pipelineStage: 1, shardingSpec: [shardingSpecProto({ tensorName: "x", device: [0, 1],
    indexToDeviceGroupMap: [intIntListEntryProto({ key: -1, value: [0, 1] })], shardedDim: [shardedDimProto({ axis: 0, simpleSharding: [simpleShardedDimProto({ dimValue: 4, numShards: 2 }), simpleShardedDimProto({ dimParam: "n" })] })] })] });
  const graph = graphProto({
    name: "main", docString: "a graph", unknownFields, metadataProps: [entry("where", "graph"), entry("where", "twice")],
    input: [info("x"), valueInfoProto({ ...info("w"), docString: "a default", metadataProps: [entry("k", "v")], unknownFields }), info("c", typeProto({ tensorType: typeProtoTensor({ elemType: 9 }) })), info("unranked", typeProto({ tensorType: typeProtoTensor({ elemType: 1 }) })),
      info("seq", typeProto({ sequenceType: typeProtoSequence({ elemType: floatType("n", undefined) }) })), info("opt", typeProto({ optionalType: typeProtoOptional({ elemType: floatType() }) })),
      info("map", typeProto({ mapType: typeProtoMap({ keyType: 8, valueType: floatType(1) }) })), info("sp", typeProto({ sparseTensorType: typeProtoSparseTensor({ elemType: 1, shape: tensorShapeProto({ dim: [] }) }) })), info("opaque", typeProto({ opaqueType: typeProtoOpaque({ domain: "com.example", name: "thing" }) })), valueInfoProto({ name: "untyped" })],
    initializer: [floats("w", [1, 2]), tensorProto({ name: "legacy", dims: [2], dataType: 1, floatData: bytesOf(Float32Array.of(1, 2)).slice(), docString: "doc", metadataProps: [entry("a", "b")], unknownFields }),
      tensorProto({ name: "halves", dims: [2], dataType: 10, int32Data: pack(Int32Array.of(0x3c00, 0xc000)) }), tensorProto({ name: "longs", dims: [2], dataType: 7, int64Data: pack(BigInt64Array.of(-1n, 300n)) }),
      tensorProto({ name: "doubles", dims: [1], dataType: 11, doubleData: bytesOf(Float64Array.of(0.1)).slice() }), tensorProto({ name: "unsigned", dims: [2], dataType: 13, uint64Data: pack(BigUint64Array.of(1n, 2n ** 64n - 1n)) }),
      tensorProto({ name: "part", dims: [1], dataType: 1, segment: tensorProtoSegment({ begin: 0, end: 1 }), floatData: new Uint8Array(4) }), tensorProto({ name: "nothing", dims: [0, 3], dataType: 1 }), tensorProto({ name: "words", dims: [1], dataType: 8, stringData: [text("one")] }),
      tensorProto({ name: "fours", dims: [3], dataType: 22, rawData: Uint8Array.of(0x21, 0x03) }), tensorProto({ name: "direct", dims: [1], dataType: 1, rawData: Uint8Array.of(0, 0, 0, 0) })],
    sparseInitializer: [sparseTensorProto({ values: floats("sparse", [7]), indices: tensorProto({ dims: [1], dataType: 7, rawData: new Uint8Array(8) }), dims: [4], unknownFields })],
    node: [
      nodeProto({ opType: "If", input: ["c"], output: ["chosen"], name: "if", attribute: [attributeProto({ name: "then_branch", type: 5, g: branch(), docString: "then" }), attributeProto({ name: "else_branch", g: branch() })] }),
      nodeProto({ opType: "Many", domain: "com.example", overload: "o", name: "many", input: ["", "x", ""], output: ["", "m", ""], attribute: attributes(), docString: "doc", unknownFields,
        metadataProps: [entry("pass", "none"), entry("pass", "twice"), stringStringEntryProto({ key: "bare" })], deviceConfigurations: [device] }),
      nodeProto({ opType: "Switch", domain: "ai.onnx", input: [], output: ["last"], attribute: [attributeProto({ name: "graphs", type: 10, graphs: [branch("one"), branch("other")] })] }),
    ],
    // Not in the order of the nodes; an output and an input are declared here too, and one that there isn't.
    valueInfo: [info("m", floatType("n", undefined, "2*n")), info("chosen", floatType(2)), info("x"), info("legacy"), info("ghost"), valueInfoProto({ ...info("m"), docString: "again" })],
    output: [valueInfoProto({ ...info("chosen"), docString: "an output" }), info("last", floatType()), info("x"), info("direct")],
    quantizationAnnotation: [tensorAnnotation({ tensorName: "x", quantParameterTensorNames: [entry("SCALE_TENSOR", "w")], unknownFields })],
  });
  return modelProto({
    irVersion: 13, producerName: "hand", producerVersion: "1", domain: "org.example", modelVersion: 2n ** 60n, docString: "a model", unknownFields, graph,
    opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "ai.onnx", version: 17 }), operatorSetIdProto({ domain: "com.example", version: 1, unknownFields })],
    metadataProps: [entry("one", "1"), entry("two", "2"), entry("one", "3")],
    functions: [functionProto({ name: "f", domain: "com.example", overload: "o", input: ["a"], output: ["b"], attribute: ["alpha"], attributeProto: [attributeProto({ name: "beta", type: 1, f: 1 })], opsetImport: [operatorSetIdProto({ version: 17 })], docString: "doc", unknownFields,
      node: [nodeProto({ opType: "LeakyRelu", input: ["a"], output: ["b"], attribute: [attributeProto({ name: "alpha", type: 1, refAttrName: "alpha" })] })], valueInfo: [info("b")], metadataProps: [entry("x", "y")] })],
    trainingInfo: [trainingInfoProto({ initialization: graphProto({ name: "start" }), initializationBinding: [entry("w", "s")], algorithm: graphProto({ name: "step", initializer: [floats("g", [1])] }), updateBinding: [entry("w", "g")] })],
    configuration: [deviceConfigurationProto({ name: "gpus", numDevices: 2, device: ["a", "b"] })],
  });
}
