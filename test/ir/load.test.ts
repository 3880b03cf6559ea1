import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { loadModel, modelFromProto } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, sparseTensorProto, stringStringEntryProto, tensorProto, trainingInfoProto,
  type GraphProto, type ModelProto, type NodeProto, type TensorProto } from "../../src/ir/proto/generated/schema.ts";
import { pack } from "../../src/ir/proto/packed.ts";
import { ByteRange, memorySource, readBytes, type Source } from "../../src/ir/source.ts";
import { bytesOf, type Tensor } from "../../src/ir/tensor.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { failure } from "../passes/workbench.ts";
import { floats, info } from "./everything.ts";

const modelOf = (graph: Partial<GraphProto>, more: Partial<ModelProto> = {}): ModelProto => modelProto({ irVersion: 8, opsetImport: [operatorSetIdProto({ version: 17 })], graph: graphProto(graph), ...more });
const load = (proto: ModelProto, openExternal?: (location: string) => Source): Model => modelFromProto(proto, { file: "m.onnx", openExternal });
const node = (opType: string, input: string[], output: string[], more: Partial<NodeProto> = {}): NodeProto => nodeProto({ opType, input, output, name: `n_${output[0] ?? ""}`, ...more });
const bytesOfModel = (proto: ModelProto): Uint8Array => Buffer.concat(encodeModel(proto).chunks.map(readBytes));

function refuses(graph: Partial<GraphProto>, code: string, message: RegExp): void {
  assert.throws(() => load(modelOf(graph)), failure(code, message));
}

describe("loadModel", () => {
  it("reads an old file, which lists its initializers as inputs, and whose IR version has no operator sets", () => {
    const { graph, opset } = load(modelOf({ input: [info("x"), info("w")], initializer: [floats("w", [1, 2])], node: [node("Add", ["x", "w"], ["y"])], output: [info("y")] }, { irVersion: 2, opsetImport: [] }));
    const [, w] = graph.inputs;
    assert.deepEqual([opset, graph.initializers.has(w as never), [...w?.initializer?.toNumbers() ?? []], w?.shape], [1, true, [1, 2], [2]]);
    assert.deepEqual(verifyGraph(graph), []);
  });

  it("puts nodes in order that aren't, and those that a nested graph captures", () => {
    const branch = graphProto({ node: [node("Neg", ["late"], ["inner"])], output: [info("inner")] });
    const If = node("If", ["c"], ["chosen"], { attribute: [attributeProto({ name: "then_branch", type: 5, g: branch }), attributeProto({ name: "else_branch", type: 5, g: branch })] });
    const { graph } = load(modelOf({ input: [info("x"), info("c")], node: [node("Add", ["chosen", "y"], ["sum"]), If, node("Exp", ["x"], ["late"]), node("Neg", ["x"], ["y"])], output: [info("sum")] }));
    assert.deepEqual(graph.nodes.map((n) => n.opType), ["Exp", "If", "Neg", "Add"]);
    assert.deepEqual(verifyGraph(graph), []);
    const { graph: captured } = load(modelOf({ input: [info("x"), info("c")], node: [If, node("Exp", ["x"], ["late"])], output: [info("chosen")] }));
    assert.deepEqual(captured.nodes.map((n) => n.opType), ["Exp", "If"]);
  });

  it("leaves weights where they lie", () => {
    const reads: number[] = [];
    const bytes = bytesOfModel(modelOf({ initializer: [floats("w", Array.from({ length: 100_000 }, (_, i) => i))] }));
    const whole = memorySource("m.onnx", bytes);
    const { graph } = loadModel({ ...whole, read: (offset, length) => { reads.push(length); return whole.read(offset, length); } });
    const [w] = graph.initializers;
    assert.ok(w?.initializer?.data instanceof ByteRange);
    assert.ok(reads.reduce((a, b) => a + b) < 150_000);
    assert.deepEqual(w.initializer.numbersAt([99_999]), [99_999]);
  });
});

describe("loadModel reads", () => {
  const rows: [what: string, tensor: Partial<TensorProto>, numbers: number[]][] = [
    ["float_data", { dataType: DataType.FLOAT, floatData: bytesOf(Float32Array.of(0.5, -2)).slice() }, [0.5, -2]],
    ["double_data", { dataType: DataType.DOUBLE, doubleData: bytesOf(Float64Array.of(0.1, -2)).slice() }, [0.1, -2]],
    ["int64_data", { dataType: DataType.INT64, int64Data: pack(BigInt64Array.of(-1n, 2n ** 40n)) }, [-1, 2 ** 40]],
    ["uint64_data", { dataType: DataType.UINT64, uint64Data: pack(BigUint64Array.of(1n, 2n ** 63n)) }, [1, 2 ** 63]],
    ["uint32 in uint64_data", { dataType: DataType.UINT32, uint64Data: pack(BigUint64Array.of(1n, 2n ** 32n - 1n)) }, [1, 2 ** 32 - 1]],
    ["int32_data", { dataType: DataType.INT32, int32Data: pack(Int32Array.of(-1, 2 ** 31 - 1)) }, [-1, 2 ** 31 - 1]],
    ["int16 in int32_data", { dataType: DataType.INT16, int32Data: pack(Int32Array.of(-1, 32767)) }, [-1, 32767]],
    ["uint16 in int32_data", { dataType: DataType.UINT16, int32Data: pack(Int32Array.of(1, 65535)) }, [1, 65535]],
    ["int8 in int32_data", { dataType: DataType.INT8, int32Data: pack(Int32Array.of(-128, 127)) }, [-128, 127]],
    ["uint8 in int32_data", { dataType: DataType.UINT8, int32Data: pack(Int32Array.of(0, 255)) }, [0, 255]],
    ["bool in int32_data", { dataType: DataType.BOOL, int32Data: pack(Int32Array.of(0, 1)) }, [0, 1]],
    ["float16 in int32_data, as bits", { dataType: DataType.FLOAT16, int32Data: pack(Int32Array.of(0x3c00, 0xc000)) }, [1, -2]],
    ["bfloat16 in int32_data, as bits", { dataType: DataType.BFLOAT16, int32Data: pack(Int32Array.of(0x3f80, 0xc000)) }, [1, -2]],
    ["raw_data", { dataType: DataType.FLOAT16, rawData: Uint8Array.of(0, 0x3c, 0, 0xc0) }, [1, -2]],
  ];
  const initializer = (proto: Partial<TensorProto>): Tensor | undefined => [...load(modelOf({ initializer: [tensorProto({ name: "w", ...proto })] })).graph.initializers][0]?.initializer;
  for (const [what, tensor, numbers] of rows) {
    it(what, () => { assert.deepEqual([...initializer({ dims: [2], ...tensor })?.toNumbers() ?? []], numbers); });
  }

  it("pairs of 4 bits in int32_data, and tensors without elements", () => {
    assert.deepEqual(initializer({ dims: [3], dataType: DataType.INT4, int32Data: pack(Int32Array.of(0x21, 0x03)) })?.bytes(), Uint8Array.of(0x21, 0x03));
    assert.deepEqual([initializer({ dims: [3, 0], dataType: DataType.FLOAT })?.bytes().length, initializer({ dims: [0], dataType: DataType.STRING })?.size], [0, 0]);
  });

  it("long packed varints when they are asked for, and tells then how many there are", () => {
    const packed = (count: number): Tensor | undefined => {
      const bytes = bytesOfModel(modelOf({ initializer: [tensorProto({ name: "w", dims: [20_000], dataType: DataType.INT32, int32Data: new Uint8Array(count).fill(3) })] }));
      return [...loadModel(memorySource("m.onnx", bytes)).graph.initializers][0]?.initializer;
    };
    const right = packed(20_000);
    assert.deepEqual([right?.atHand, right?.byteLength, right?.toNumbers()?.[19_999]], [false, 80_000, 3]);
    assert.throws(() => packed(20_001)?.toNumbers(), failure("TENSOR_MISMATCH", /"w" is int32 \[20000\], 80000 bytes, but 80004 are stored/));
  });
});

describe("loadModel refuses", () => {
  it("versions that are none, which passes took for an opset where no operator exists", () => {
    const opsets = (version: number | bigint, domain?: string): Partial<ModelProto> => ({ opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ version, ...(domain === undefined ? {} : { domain }) })] });
    for (const version of [0, -7, 2n ** 53n + 1n, -(2n ** 63n)]) assert.throws(() => load(modelOf({}, opsets(version))), failure("IMPOSSIBLE_VERSION", /of the operator set "", and there is none/));
    assert.throws(() => load(modelOf({}, opsets(-1, "com.example"))), failure("IMPOSSIBLE_VERSION", /"com\.example"/));
    assert.throws(() => load(modelOf({}, { irVersion: 2n ** 53n + 1n })), failure("IMPOSSIBLE_VERSION", /ONNX's format/));
    load(modelOf({}, opsets(0, "com.example")));
  });

  const chain = { input: [info("x")], node: [node("Neg", ["x"], ["y"])], output: [info("y")] };

  it("a model that says no operator sets, as one that is cut behind its graph", () => {
    const whole = bytesOfModel(modelOf(chain));
    const cut = bytesOfModel(modelOf(chain, { opsetImport: [] }));
    assert.deepEqual(whole.subarray(0, cut.length), cut);
    assert.throws(() => loadModel(memorySource("m.onnx", cut)), failure("NO_OPSET", /^"m\.onnx" doesn't say which operator sets it speaks, which stands behind the graph: the file is cut short\./));
  });

  it("a model without a graph", () => {
    assert.throws(() => load(modelProto({ irVersion: 8 })), failure("NO_GRAPH", /holds no graph/));
  });

  it("a name that is given twice", () => {
    for (const graph of [{ ...chain, node: [...chain.node, node("Exp", ["x"], ["y"])] }, { ...chain, input: [info("x"), info("x")] }, { ...chain, node: [node("Neg", ["x"], ["x"])] },
      { ...chain, initializer: [floats("y", [1])] }, { ...chain, initializer: [floats("w", [1]), floats("w", [2])] }, { ...chain, input: [info("x"), info("w")], initializer: [floats("w", [1]), floats("w", [2])] },
      { ...chain, initializer: [floats("w", [1])], sparseInitializer: [sparseTensorProto({ values: floats("w", [1]), indices: tensorProto({ dims: [1], dataType: 7, rawData: new Uint8Array(8) }), dims: [1] })] }]) {
      refuses(graph, "DUPLICATE_VALUE", /^"m\.onnx" defines the value "[xyw]" twice/);
    }
    refuses({ ...chain, node: [node("Neg", ["x"], ["y"], { attribute: [attributeProto({ name: "a", i: 1 }), attributeProto({ name: "a", i: 2 })] })] }, "DUPLICATE_ATTRIBUTE", /the node "n_y" \("Neg"\) has the attribute "a" twice/);
  });

  it("a value that nothing makes, and names its reader in a way that is safe to print", () => {
    refuses({ ...chain, node: [node("\u001b[2J", ["gone"], ["y"])] }, "UNDEFINED_VALUE", /^"m\.onnx": the node "n_y" \("\\u001b\[2J"\) reads "gone", which nothing in the graph makes/);
    refuses({ ...chain, output: [info("z")] }, "UNDEFINED_VALUE", /the graph's list of outputs reads "z"/);
    // A value of a branch is not seen outside, nor is one of the graph around a branch its output.
    const branch = (inner: string, output: string): NodeProto => node("If", ["x"], ["y"], { attribute: [attributeProto({ name: "then_branch", type: 5, g: graphProto({ node: [node("Neg", ["x"], [inner])], output: [info(output)] }) })] });
    refuses({ ...chain, node: [branch("in", "in"), node("Exp", ["in"], ["z"])] }, "UNDEFINED_VALUE", /"n_z" \("Exp"\) reads "in"/);
    refuses({ ...chain, node: [branch("in", "x")] }, "UNDEFINED_VALUE", /list of outputs reads "x"/);
  });

  it("a cycle, through a nested graph too", () => {
    refuses({ ...chain, node: [node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"])], output: [info("b")] }, "CYCLIC_GRAPH", /^"m\.onnx" is not a valid model: the graph has a cycle through Add "n_a"\./);
    refuses({ ...chain, node: [node("If", ["x"], ["y"], { attribute: [attributeProto({ name: "then_branch", type: 5, g: graphProto({ node: [node("Neg", ["y"], ["in"])], output: [info("in")] }) })] })] }, "CYCLIC_GRAPH", /cycle through If "n_y"/);
  });

  const tensors: [what: string, tensor: Partial<TensorProto>, message: RegExp][] = [
    ["raw_data that is too short", { dims: [2], rawData: new Uint8Array(7) }, /the tensor "w" is float \[2\], 8 bytes, but 7 are stored\. The file is damaged/],
    ["raw_data that is too long", { dims: [2], rawData: new Uint8Array(9) }, /8 bytes, but 9 are stored/],
    ["a scalar without its number", { dims: [] }, /float \[\], 4 bytes, but 0 are stored/],
    ["a tensor without its numbers", { dims: [2] }, /8 bytes, but 0 are stored/],
    ["a typed field with too few numbers", { dims: [2], floatData: new Uint8Array(4) }, /8 bytes, but 4 are stored/],
    ["a typed field that holds another type", { dims: [2], dataType: DataType.FLOAT16, floatData: new Uint8Array(8) }, /float16 \[2\], 4 bytes, but 8 are stored/],
    ["a negative dimension", { dims: [2, -1], rawData: new Uint8Array() }, /has the dimension -1/],
    ["a dimension beyond 2^53", { dims: [2n ** 60n], rawData: new Uint8Array() }, /has the dimension 1152921504606846976/],
    ["dimensions whose product overflows", { dims: [2 ** 31, 2 ** 31, 4], rawData: new Uint8Array() }, /2147483648 × 2147483648 × 4, more elements than can be counted/],
    ["too few strings", { dims: [2], dataType: DataType.STRING, stringData: [new Uint8Array()] }, /is string \[2\], 2 in all, but 1 are stored/],
  ];
  for (const [what, tensor, message] of tensors) {
    it(`${what}, in an initializer, an attribute, a nested graph, a sparse tensor, a function, and training info`, () => {
      const proto = tensorProto({ name: "w", dataType: DataType.FLOAT, ...tensor });
      const constant = node("Constant", [], ["k"], { attribute: [attributeProto({ name: "value", type: 4, t: proto })] });
      refuses({ initializer: [proto] }, "TENSOR_MISMATCH", message);
      refuses({ node: [constant] }, "TENSOR_MISMATCH", message);
      refuses({ node: [node("If", [], ["y"], { attribute: [attributeProto({ name: "then_branch", g: graphProto({ node: [constant] }) })] })] }, "TENSOR_MISMATCH", message);
      refuses({ sparseInitializer: [sparseTensorProto({ values: proto })] }, "TENSOR_MISMATCH", message);
      refuses({ node: [node("Constant", [], ["k"], { attribute: [attributeProto({ name: "sparse_value", type: 11, sparseTensor: sparseTensorProto({ indices: proto }) })] })] }, "TENSOR_MISMATCH", message);
      assert.throws(() => load(modelOf(chain, { functions: [functionProto({ node: [node("If", [], ["y"], { attribute: [attributeProto({ name: "then_branch", g: graphProto({ node: [constant] }) })] })] })] })), failure("TENSOR_MISMATCH", message));
      assert.throws(() => load(modelOf(chain, { trainingInfo: [trainingInfoProto({ algorithm: graphProto({ initializer: [proto] }) })] })), failure("TENSOR_MISMATCH", message));
    });
  }
});

describe("external data", () => {
  const weights = memorySource("weights.bin", bytesOf(Float32Array.of(0, 1, 2, 3)));
  const external = (entries: readonly (readonly [string, string])[], more: Partial<TensorProto> = {}): TensorProto => tensorProto({ name: "w", dims: [2], dataType: 1, dataLocation: 1,
    externalData: entries.map(([key, value]) => stringStringEntryProto({ key, value })), ...more });
  const location = ["location", "weights.bin"] as const;
  const open = (name: string): Source => {
    assert.equal(name, "weights.bin");
    return weights;
  };

  it("is a range of the file it names: at its offset, of its length or the shape's", () => {
    for (const [entries, numbers] of [[[location], [0, 1]], [[location, ["offset", "4"]], [1, 2]], [[location, ["length", "8"], ["offset", "8"], ["checksum", "x"]], [2, 3]]] as const) {
      const [w] = load(modelOf({ initializer: [external(entries)] }), open).graph.initializers;
      assert.ok(w?.initializer?.data instanceof ByteRange);
      assert.deepEqual([...w.initializer.toNumbers() ?? []], numbers);
    }
    const unknown = load(modelOf({ initializer: [external([location, ["offset", "4"]], { dataType: 99 })] }), open);
    assert.equal([...unknown.graph.initializers][0]?.initializer?.data?.length, 12);
  });

  const refused: [what: string, tensor: TensorProto, code: string, message: RegExp][] = [
    ["an unknown key", external([location, ["basepath", "/"]]), "BAD_EXTERNAL_DATA", /the external data of tensor "w" has the unknown key "basepath"/],
    ["a key that stands twice", external([location, ["location", "other.bin"]]), "BAD_EXTERNAL_DATA", /has the key "location" twice/],
    ["no location", external([["offset", "0"]]), "BAD_EXTERNAL_DATA", /names no file/],
    ["an empty location", external([["location", ""]]), "BAD_EXTERNAL_DATA", /names no file/],
    ["a negative offset", external([location, ["offset", "-4"]]), "BAD_EXTERNAL_DATA", /has the offset "-4", which is not a number of bytes/],
    ["a negative length", external([location, ["length", "-1"]]), "BAD_EXTERNAL_DATA", /has the length "-1"/],
    ["an offset that is no number", external([location, ["offset", "0x10"]]), "BAD_EXTERNAL_DATA", /has the offset "0x10"/],
    ["an offset beyond 2^53", external([location, ["offset", "99999999999999999999"]]), "BAD_EXTERNAL_DATA", /has the offset "99999999999999999999"/],
    ["an offset that would overflow with the length", external([location, ["offset", "999999999999999"]]), "BAD_EXTERNAL_DATA", /ends at byte 1000000000000007 of "weights\.bin", which has 16/],
    ["a range past the end of the file", external([location, ["offset", "12"]]), "BAD_EXTERNAL_DATA", /ends at byte 20 of "weights\.bin", which has 16; the file is cut short or belongs to another model/],
    ["an offset past the end, where the type tells no length", external([location, ["offset", "17"]], { dataType: 99 }), "BAD_EXTERNAL_DATA", /ends at byte 17 of/],
    ["a length that isn't the shape's", external([location, ["length", "4"]]), "TENSOR_MISMATCH", /float \[2\], 8 bytes, but 4 are stored/],
    ["strings", external([location], { dataType: DataType.STRING }), "BAD_EXTERNAL_DATA", /should hold strings, which can't lie in another file/],
  ];
  for (const [what, tensor, code, message] of refused) {
    it(`is refused with ${what}, wherever the tensor stands`, () => {
      const constant = node("Constant", [], ["k"], { attribute: [attributeProto({ name: "value", type: 4, t: tensor })] });
      for (const proto of [modelOf({ initializer: [tensor] }), modelOf({ node: [constant] }), modelOf({ sparseInitializer: [sparseTensorProto({ values: tensor })] }), modelOf({}, { functions: [functionProto({ node: [constant] })] })]) {
        assert.throws(() => load(proto, open), failure(code, message));
      }
    });
  }

  it("needs somebody to open it, whose refusals pass", () => {
    assert.throws(() => load(modelOf({ initializer: [external([location])] })), failure("BAD_EXTERNAL_DATA", /lies in "weights\.bin", and the model was opened without a folder to look in/));
    assert.throws(() => load(modelOf({ initializer: [external([["location", "../secret"]])] }), () => { throw new RangeError("outside"); }), /outside/);
  });

  it("that is not said to be external is not looked at", () => {
    const [w] = load(modelOf({ initializer: [external([["anything", "x"]], { dataLocation: 0, rawData: new Uint8Array(8) })] })).graph.initializers;
    assert.deepEqual([...w?.initializer?.toNumbers() ?? []], [0, 0]);
  });
});
