import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import onnxProto from "onnx-proto";
import protobuf from "protobufjs";
import { HutError } from "../../../src/errors/hut-error.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { decodeModel } from "../../../src/ir/proto/decode.ts";
import { encodeModel } from "../../../src/ir/proto/encode.ts";
import {
  type FieldSpec, graphProto, type MessageName, MESSAGES, type ModelProto, modelProto, nodeProto, TensorProtoDataType, tensorProto,
} from "../../../src/ir/proto/generated/schema.ts";
import { type PackedArrays, unpack } from "../../../src/ir/proto/packed.ts";
import { ByteRange, type Bytes, memorySource, readBytes, type Source } from "../../../src/ir/source.ts";

const FIXTURES = ["cases/bert/model.ts.onnx", "cases/bert/model.dynamo.onnx", "cases/roberta/model.ts.onnx", "cases/roberta/model.dynamo.onnx"];

/** A message written by hand: each call of `body` writes fields with protobufjs. */
function message(body: (writer: protobuf.Writer) => unknown): Uint8Array {
  const writer = new protobuf.Writer();
  body(writer);
  return writer.finish();
}

const tag = (number: number, wireType: number): number => number * 8 + wireType;
/** A length-delimited field with the given bytes. */
const field = (number: number, bytes: Uint8Array): Uint8Array => message((w) => w.uint32(tag(number, 2)).bytes(bytes));
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]));
const irVersion = message((w) => w.uint32(tag(1, 0)).int64(8));
/** A model around the bytes of a graph, or of a tensor that is its one initializer. */
const modelOf = (graph: Uint8Array): Uint8Array => join(irVersion, field(7, graph));
const modelOfTensor = (tensor: Uint8Array): Uint8Array => modelOf(field(5, tensor));

const decode = (bytes: Uint8Array): ModelProto => decodeModel(memorySource("x.onnx", bytes));
const tensorOf = (bytes: Uint8Array): ReturnType<typeof tensorProto> => {
  const tensor = decode(modelOfTensor(bytes)).graph?.initializer[0];
  assert.ok(tensor);
  return tensor;
};
const encode = (model: ModelProto): Uint8Array => join(...encodeModel(model).chunks.map(readBytes));

/** Asserts that decoding throws a HutError of this code whose message matches. */
function refuses(bytes: Uint8Array | Source, code: string, text: RegExp): void {
  assert.throws(() => decodeModel(bytes instanceof Uint8Array ? memorySource("x.onnx", bytes) : bytes), (error) => {
    assert.ok(error instanceof HutError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });
}

/** Asserts that our message and onnx-proto's hold the same in every field that both know; counts the values compared. */
function sameAsOracle(type: MessageName, ours: Record<string, unknown>, theirs: Record<string, unknown>, path: string): number {
  // Longs and integers as bigints, so that both sides' ways of holding an int64 compare.
  const plain = (value: unknown): unknown => {
    if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
    if (typeof value !== "object" || value === null || !("low" in value && "high" in value)) return value;
    return (BigInt(value.high as number) << 32n) | BigInt(value.low as number >>> 0);
  };
  const same = (a: unknown, b: unknown, at: string): void => {
    if (a instanceof Uint8Array) assert.ok(Buffer.compare(a, b as Uint8Array) === 0, at);
    else assert.equal(plain(a), plain(b), at);
  };
  let compared = 0;
  for (const spec of Object.values<FieldSpec>(MESSAGES[type].fields)) {
    if (!(spec.name in theirs)) continue;
    const at = `${path}.${spec.name}`;
    const held = ours[spec.name];
    const has = Object.hasOwn(theirs, spec.name);
    const single = spec.held === "one" || (spec.held === "lazy" && spec.kind === "bytes");
    if (single) assert.equal(held !== undefined, has, at);
    if (held === undefined) continue;
    const mine = spec.held === "one" ? [held] : spec.held === "many" ? held as unknown[]
      : single ? [readBytes(held as Bytes)] : [...unpack(spec.kind as keyof PackedArrays, held as Bytes)];
    const other = single ? [theirs[spec.name]] : theirs[spec.name] as unknown[];
    assert.equal(mine.length, other.length, at);
    compared += mine.length;
    mine.forEach((value, i) => {
      if (spec.message === undefined) same(value, other[i], at);
      else compared += sameAsOracle(spec.message, value as Record<string, unknown>, other[i] as Record<string, unknown>, `${at}[${String(i)}]`);
    });
  }
  return compared;
}

describe("decodeModel", () => {
  for (const name of FIXTURES) {
    it(`reads ${name} as onnx-proto's decoder does`, () => {
      const bytes = readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url));
      const ours = decodeModel(memorySource(name, bytes)) as unknown as Record<string, unknown>;
      const compared = sameAsOracle("ModelProto", ours, onnxProto.onnx.ModelProto.decode(bytes) as unknown as Record<string, unknown>, "model");
      assert.ok(compared > 2000, `only ${String(compared)} values compared`);
    });
  }

  it("keeps presence: an explicit 0, empty text and empty bytes are not absent", () => {
    const tensor = tensorOf(message((w) => w.uint32(tag(2, 0)).int32(0).uint32(tag(8, 2)).string("").uint32(tag(9, 2)).bytes(new Uint8Array(0))));
    assert.deepEqual(tensor, tensorProto({ dataType: 0, name: "", rawData: new Uint8Array(0) }));
    assert.deepEqual(tensorOf(new Uint8Array(0)), tensorProto());
  });

  it("merges a message field that stands twice, and lets the last scalar win", () => {
    const model = decode(join(irVersion, field(7, field(2, Buffer.from("a"))), message((w) => w.uint32(tag(1, 0)).int64(9)),
      field(7, join(field(1, field(4, Buffer.from("Relu"))), field(2, Buffer.from("b"))))));
    assert.equal(model.irVersion, 9);
    assert.deepEqual(model.graph, graphProto({ name: "b", node: [nodeProto({ opType: "Relu" })] }));
  });

  it("lets the last member of a oneof win", () => {
    const dimension = join(message((w) => w.uint32(tag(1, 0)).int64(7)), field(2, Buffer.from("batch")));
    const type = field(1, field(2, field(1, dimension)));
    const read = decode(modelOf(field(11, field(2, type)))).graph?.input[0]?.type?.tensorType?.shape?.dim[0];
    assert.deepEqual([read?.dimParam, read?.dimValue], ["batch", undefined]);
  });

  it("reads repeated numbers packed, unpacked and mixed", () => {
    const mixed = message((w) => w.uint32(tag(1, 0)).int64(2).uint32(tag(1, 2)).bytes(Uint8Array.of(3, 4)).uint32(tag(1, 0)).int64(5));
    assert.deepEqual(tensorOf(mixed).dims, [2, 3, 4, 5]);
    const ints = message((w) => w.uint32(tag(7, 0)).int64(-1).uint32(tag(7, 2)).bytes(Uint8Array.of(3, 0x80, 1)).uint32(tag(7, 0)).int64(5));
    assert.deepEqual([...unpack("int64", tensorOf(ints).int64Data ?? new Uint8Array(0))], [-1n, 3n, 128n, 5n]);
    const floats = message((w) => w.uint32(tag(4, 5)).float(1.5).uint32(tag(4, 2)).uint32(4).float(-2).uint32(tag(4, 5)).float(3));
    assert.deepEqual([...unpack("float", tensorOf(floats).floatData ?? new Uint8Array(0))], [1.5, -2, 3]);
  });

  it("reads int64 exactly: numbers where they are, bigints beyond 2^53", () => {
    const values = ["9007199254740991", "9007199254740992", "-9007199254740991", "-9007199254740993", "9223372036854775807", "-9223372036854775808", "-1", "0"];
    const dims = tensorOf(message((w) => { for (const value of values) w.uint32(tag(1, 0)).int64(value); })).dims;
    assert.deepEqual(dims.map(String), values);
    assert.deepEqual(dims.map((dim) => typeof dim), ["number", "bigint", "number", "bigint", "bigint", "bigint", "number", "number"]);
  });

  it("joins thousands of pieces of a field in a message that stands as often", () => {
    const tensor = field(5, message((w) => w.uint32(tag(4, 5)).float(1).uint32(tag(90, 0)).uint32(1)));
    const attribute = new Uint8Array(50_000 * tensor.length);
    for (let i = 0; i < attribute.length; i += tensor.length) attribute.set(tensor, i);
    const merged = decode(modelOf(field(1, field(5, attribute)))).graph?.node[0]?.attribute[0]?.t;
    assert.equal(merged?.floatData?.length, 4 * 50_000);
    assert.equal(merged.unknownFields?.length, 3 * 50_000);
  });

  it("leaves weights in the file and reads little of it", () => {
    const weight = 50_000_000;
    const tensor = join(message((w) => w.uint32(tag(2, 0)).int32(1).uint32(tag(8, 2)).string("w")), message((w) => w.uint32(tag(9, 2)).uint32(weight)));
    const graph = join(message((w) => w.uint32(tag(5, 2)).uint32(tensor.length + weight)), tensor);
    const after = message((w) => w.uint32(tag(2, 2)).string("g"));
    const head = join(irVersion, message((w) => w.uint32(tag(7, 2)).uint32(graph.length + weight + after.length)), graph);
    let bytesRead = 0;
    const source: Source = {
      name: "big.onnx", size: head.length + weight + after.length,
      read(offset, length) {
        bytesRead += length;
        assert.ok(offset >= 0 && offset + length <= this.size);
        return Uint8Array.from({ length }, (_, i) => head[offset + i] ?? after[offset + i - head.length - weight] ?? 0);
      },
    };
    const model = decodeModel(source);
    const data = model.graph?.initializer[0]?.rawData;
    assert.ok(data instanceof ByteRange);
    assert.deepEqual([data.offset, data.length, model.graph?.name], [head.length, weight, "g"]);
    assert.ok(bytesRead < 200_000, `${String(bytesRead)} bytes read`);
  });

  it("keeps short raw_data at hand, apart from the file's buffer, and leaves long packed data in the file", () => {
    const bytes = modelOfTensor(join(field(9, Uint8Array.of(1, 2, 3, 4)), field(4, new Uint8Array(40_000).fill(7))));
    const tensor = decode(bytes).graph?.initializer[0];
    bytes.fill(0xff, bytes.length - 40_020, bytes.length - 40_000);
    assert.deepEqual(tensor?.rawData, Uint8Array.of(1, 2, 3, 4));
    assert.ok(tensor.floatData instanceof ByteRange);
    assert.equal(unpack("float", tensor.floatData).length, 10_000);
  });

  it("reads a text longer than its window", () => {
    const text = "ä".repeat(100_000);
    assert.equal(decode(modelOf(field(10, Buffer.from(text)))).graph?.docString, text);
  });

  it("has the element types of the schema", () => {
    assert.deepEqual({ ...DataType }, { ...TensorProtoDataType });
  });
});

describe("decodeModel refuses", () => {
  it("every truncation of a model, unless it ends between two fields of the model itself", () => {
    const toGraph = modelOf(join(field(1, field(4, Buffer.from("Relu"))), field(5, field(9, new Uint8Array(300)))));
    const small = join(toGraph, field(8, message((w) => w.uint32(tag(2, 0)).int64(17))));
    assert.ok(decode(small).graph);
    for (let length = 0; length < small.length; length += 1) {
      if (length === toGraph.length) continue;
      refuses(small.subarray(0, length), length > irVersion.length ? "TRUNCATED_MODEL" : "NOT_AN_ONNX_FILE", /cut short|is not an ONNX model/);
    }
  });

  it("whatever becomes of a model when a byte is changed, with a HutError or not at all", () => {
    const small = encode(modelProto({ irVersion: 8, graph: graphProto({
      node: [nodeProto({ opType: "Relu", input: ["x"], output: ["y"] })],
      initializer: [tensorProto({ dims: [2], int64Data: Uint8Array.of(1, 2), rawData: Uint8Array.of(9) })],
    }) }));
    let refused = 0;
    for (let at = 0; at < small.length; at += 1) {
      for (let value = 0; value < 256; value += 1) {
        const broken = small.slice();
        broken[at] = value;
        try {
          decode(broken);
        } catch (error) {
          assert.ok(error instanceof HutError, `byte ${String(at)} = ${String(value)}: ${String(error)}`);
          refused += 1;
        }
      }
    }
    assert.ok(refused > 1000);
  });

  it("nesting deeper than 100 messages, and accepts 100", () => {
    const nest = (levels: number): Uint8Array => {
      let type = new Uint8Array(0) as Uint8Array;
      for (let i = 0; i < levels; i += 1) type = field(i % 2 === 0 ? 1 : 4, type); // TypeProto.sequence_type and its elem_type in turn
      return modelOf(field(11, field(2, type)));
    };
    assert.ok(decode(nest(97)).graph); // graph, input, type and 97 more: 100 levels
    refuses(nest(98), "MALFORMED_MODEL", /nested deeper than 100 .*graph\.input\[0\]\.type\.sequenceType\.elemType/);
    refuses(nest(10_000), "MALFORMED_MODEL", /nested deeper than 100/);
  });

  it("lengths beyond their message, naming the field and the byte", () => {
    const tensor = join(field(8, Buffer.from("w")), message((w) => w.uint32(tag(9, 2)).uint32(1000)));
    refuses(join(modelOfTensor(tensor), new Uint8Array(2000)), "MALFORMED_MODEL",
      /1000 bytes should follow, there are 0 \(graph\.initializer\[0\]\.rawData, byte 10\)/);
  });

  it("a claimed length of 2 GB and more without allocating it", () => {
    refuses(join(irVersion, message((w) => w.uint32(tag(7, 2)).uint32(0x7fffffff))), "TRUNCATED_MODEL",
      /2147483647 bytes should follow, there are 0 \(graph, byte 3\)/);
    refuses(join(irVersion, message((w) => w.uint32(tag(7, 2)).uint32(0xffffffff))), "MALFORMED_MODEL", /too many bytes/);
  });

  it("groups, unknown wire types, field number 0, endless varints, bad UTF-8, odd packed data", () => {
    refuses(modelOf(Uint8Array.of(tag(1, 3))), "MALFORMED_MODEL", /wire type 3 \(graph, byte 4\)/);
    refuses(modelOf(Uint8Array.of(tag(1, 7))), "MALFORMED_MODEL", /wire type 7/);
    refuses(modelOf(Uint8Array.of(0, 0)), "MALFORMED_MODEL", /number 0/);
    refuses(modelOf(new Uint8Array(20).fill(0x80)), "MALFORMED_MODEL", /too many bytes/);
    refuses(modelOfTensor(join(Uint8Array.of(tag(1, 0)), new Uint8Array(20).fill(0xff))), "MALFORMED_MODEL",
      /too many bytes \(graph\.initializer\[0\]\.dims\[0\]/);
    refuses(modelOf(field(2, Uint8Array.of(0xff, 0xfe))), "MALFORMED_MODEL", /not valid UTF-8 \(graph\.name, byte 5\)/);
    refuses(modelOfTensor(field(4, new Uint8Array(5))), "MALFORMED_MODEL", /no whole number of floats/);
    refuses(modelOfTensor(field(4, new Uint8Array(40_001))), "MALFORMED_MODEL", /no whole number of floats/);
    refuses(modelOfTensor(field(7, Uint8Array.of(0x80))), "MALFORMED_MODEL", /incomplete/);
  });

  it("files of another kind, saying what they look like", () => {
    const safetensors = join(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0), Buffer.from(`{"a":{}}`));
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [new Uint8Array(0), /an empty file/],
      [Buffer.from("<!DOCTYPE html><html>"), /a web page/],
      [Buffer.from("PK\x03\x04\0\0archive/data.pkl"), /zip archive, as PyTorch/],
      [safetensors, /a safetensors file/],
      [Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), /Git LFS pointer/],
      [Buffer.from(`{"model_type": "bert"}`), /a JSON file/],
      [Buffer.from("Entry not found"), /a text file/],
      [Buffer.from("\x80\x02ctorch", "latin1"), /a Python pickle/],
      [Buffer.from("GGUF\x03\0\0\0", "latin1"), /a GGUF model/],
      [irVersion, /there is no graph in it/],
      [field(9, Buffer.from("some TensorProto")), /no graph/],
      [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /too many bytes at byte 0/],
    ];
    for (const [bytes, text] of cases) refuses(bytes, "NOT_AN_ONNX_FILE", text);
  });

  it("names the file, its own words escaped", () => {
    assert.throws(() => decodeModel(memorySource("a\u001b[31m.onnx", new Uint8Array(0))), {
      message: `"a\\u001b[31m.onnx" is not an ONNX model: it looks like an empty file. Give a model that was exported to ONNX (model.onnx).`,
    });
  });
});
