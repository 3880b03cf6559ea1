import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import protobuf from "protobufjs";
import { decodeModel } from "../../../src/ir/proto/decode.ts";
import { encodedLength, encodeModel } from "../../../src/ir/proto/encode.ts";
import {
  attributeProto, type FieldSpec, graphProto, type MessageName, MESSAGES, type ModelProto, modelProto, nodeProto, tensorProto,
} from "../../../src/ir/proto/generated/schema.ts";
import { ByteRange, memorySource, readBytes } from "../../../src/ir/source.ts";

const FIXTURES = [
  "cases/bert/model.ts.onnx", "cases/bert/model.dynamo.onnx", "cases/roberta/model.ts.onnx", "cases/roberta/model.dynamo.onnx", "demo/model.onnx",
];

const bytesOf = (model: ModelProto): Buffer => Buffer.concat(encodeModel(model).chunks.map(readBytes));
const decode = (bytes: Uint8Array): ModelProto => decodeModel(memorySource("x.onnx", bytes));

/** A message with every field of its type set to something, down to a depth, and unknown fields of every wire type at each level. */
function full(type: MessageName, depth: number): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = {
    string: "ä", bytes: Uint8Array.of(1, 2), float: 0.5, double: -0.1, int32: -2, int64: -(2n ** 63n), uint64: 2n ** 64n - 1n,
  };
  const message = MESSAGES[type].create() as unknown as Record<string, unknown>;
  for (const field of Object.values<FieldSpec>(MESSAGES[type].fields)) {
    if (field.message !== undefined && depth === 0) continue;
    if (field.rivals?.some((rival) => message[rival] !== undefined) === true) continue;
    const value = field.held === "lazy" ? new Uint8Array(16) : field.message === undefined ? values[field.kind] : full(field.message, depth - 1);
    message[field.name] = field.held === "many" ? [value, value] : value;
  }
  message["unknownFields"] = new protobuf.Writer().uint32(100 * 8).uint32(300).uint32(101 * 8 + 1).double(1)
    .uint32(102 * 8 + 2).string("new").uint32(103 * 8 + 5).float(2).finish();
  return message;
}

describe("encodeModel", () => {
  for (const name of FIXTURES) {
    it(`writes ${name} byte for byte as it was read`, () => {
      const bytes = readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url));
      const encoded = encodeModel(decodeModel(memorySource(name, bytes)));
      assert.equal(encodedLength(encoded.chunks), bytes.length);
      assert.ok(Buffer.concat(encoded.chunks.map(readBytes)).equals(bytes));
    });
  }

  it("loses no field of any message, known or unknown", () => {
    const model = full("ModelProto", 7);
    const bytes = bytesOf(model as unknown as ModelProto);
    const read = decode(bytes);
    assert.deepEqual(read, model);
    assert.ok(bytesOf(read).equals(bytes));
    assert.ok(bytes.length > 100_000);
  });

  it("is read by onnx-proto's decoder", () => {
    const attribute = [attributeProto({ name: "alpha", type: 1, f: 0.5 }), attributeProto({ name: "ids", type: 7, ints: [-1, 2n ** 60n] })];
    const graph = graphProto({
      name: "g", node: [nodeProto({ opType: "Gemm", input: ["x", "w"], output: ["y"], attribute })],
      initializer: [tensorProto({ name: "w", dims: [2], dataType: 1, rawData: new Uint8Array(20_000).fill(3) })],
    });
    const read = onnxProto.onnx.ModelProto.decode(bytesOf(modelProto({ irVersion: 8, producerName: "", graph })));
    assert.equal(read.graph?.node?.[0]?.attribute?.[0]?.f, 0.5);
    assert.deepEqual(read.graph.node[0].attribute[1]?.ints?.map(String), ["-1", "1152921504606846976"]);
    assert.deepEqual(new Uint8Array(read.graph.initializer?.[0]?.rawData ?? []), new Uint8Array(20_000).fill(3));
    assert.ok(Object.hasOwn(read, "producerName"));
    assert.ok(!Object.hasOwn(read, "domain"));
  });

  it("writes nothing for what is absent or undefined, and something for what is empty", () => {
    assert.deepEqual([...bytesOf(modelProto({ producerName: undefined }))], []);
    assert.deepEqual([...bytesOf(modelProto({ producerName: "", irVersion: 0 }))], [1 * 8, 0, 2 * 8 + 2, 0]);
  });

  it("hands weights on unread", () => {
    const source = { name: "base", size: 2 ** 40, read: (): never => assert.fail("read a weight") };
    const ranges = [new ByteRange(source, 10, 50_000_000), new ByteRange(source, 2 ** 39, 17_000)];
    const small = Uint8Array.of(1, 2, 3);
    const initializer = [...ranges, small].map((rawData) => tensorProto({ name: "w", rawData, docString: "after" }));
    const { chunks } = encodeModel(modelProto({ graph: graphProto({ initializer }) }));
    for (const range of ranges) assert.ok(chunks.includes(range));
    assert.ok(encodedLength(chunks) > 50_017_000 && encodedLength(chunks) < 50_017_100);
  });

  it("refuses a model beyond 2 GiB, and names the way out", () => {
    const source = { name: "base", size: 2 ** 40, read: (): never => assert.fail("read a weight") };
    const model = (length: number): ModelProto => {
      const initializer = [tensorProto({ rawData: new ByteRange(source, 0, length) })];
      return modelProto({ graph: graphProto({ initializer }) });
    };
    assert.equal(encodedLength(encodeModel(model(2 ** 31 - 1 - 18)).chunks), 2 ** 31 - 1);
    assert.throws(() => encodeModel(model(2 ** 31 - 1 - 17)), {
      code: "MODEL_TOO_LARGE", message: /2147483648 bytes; one ONNX file holds at most 2147483647\. .*external data/,
    });
    assert.throws(() => encodeModel(model(5_000_000_000)), { code: "MODEL_TOO_LARGE" });
  });

  it("refuses integers that would not be written as they are", () => {
    assert.throws(() => encodeModel(modelProto({ irVersion: 2 ** 53 })), /irVersion: 9007199254740992 is not an exact integer/);
    assert.throws(() => encodeModel(modelProto({ irVersion: 2n ** 63n })), /does not fit int64/);
    assert.throws(() => encodeModel(modelProto({ graph: graphProto({ initializer: [tensorProto({ dataType: 2 ** 31 })] }) })), /does not fit int32/);
  });
});
