/** Load then save loses nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import onnxProto from "onnx-proto";
import { differences } from "../../src/ir/compare.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { everyNode } from "../../src/ir/nested.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, MESSAGES, modelProto, nodeProto, operatorSetIdProto, sparseTensorProto, stringStringEntryProto, tensorProto, trainingInfoProto,
  type FieldSpec, type MessageName, type ModelProto, type NodeProto, type TensorProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto, type SaveOptions } from "../../src/ir/save.ts";
import { ByteRange, memorySource, readBytes } from "../../src/ir/source.ts";
import { bytesOf, Tensor } from "../../src/ir/tensor.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { everything, floats, info } from "./everything.ts";

const FIXTURES = ["cases/bert/model.ts.onnx", "cases/bert/model.dynamo.onnx", "cases/roberta/model.ts.onnx", "cases/roberta/model.dynamo.onnx", "demo/model.onnx"];

const load = (proto: ModelProto): Model => modelFromProto(proto, { file: "x.onnx", openExternal: undefined });
const bytesOfModel = (proto: ModelProto): Uint8Array => Buffer.concat(encodeModel(proto).chunks.map(readBytes));
const decode = (bytes: Uint8Array): ModelProto => decodeModel(memorySource("x.onnx", bytes));
const saved = (proto: ModelProto, options: SaveOptions = {}): ModelProto => decode(bytesOfModel(modelToProto(load(proto), options)));

describe("load then save", () => {
  it("leaves out a declared size that no size is where a pass declares a value anew: an inexact one couldn't be written", () => {
    const model = load(decode(bytesOfModel(everything())));
    const { graph } = model;
    const [x] = graph.inputs;
    graph.addInput("made", { dataType: x?.dataType ?? 1, shape: [2 ** 63, 3] });
    const made = decode(bytesOfModel(modelToProto(model))).graph?.input.find((info) => info.name === "made");
    assert.deepEqual(made?.type?.tensorType?.shape?.dim.map((d) => d.dimValue), [undefined, 3]);
  });

  for (const file of FIXTURES) {
    it(`gives ${file} as it was, by our decoder and by onnx-proto's`, () => {
      const bytes = new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)));
      const proto = decode(bytes);
      const model = load(proto);
      assert.deepEqual(verifyGraph(model.graph), []);
      const written = bytesOfModel(modelToProto(model));
      assert.deepEqual(differences(proto, decode(written)), []);
      const theirs = (file_: Uint8Array): unknown => onnxProto.onnx.ModelProto.decode(file_);
      assert.deepEqual(differences(theirs(bytes), theirs(written)), []);
    });
  }

  it("gives everything a file may hold as it was, in the same order", () => {
    const proto = decode(bytesOfModel(everything()));
    assert.deepEqual(differences(proto, everything()), [], "the codec");
    assert.deepEqual(verifyGraph(load(proto).graph), []);
    assert.deepEqual(differences(proto, saved(proto)), []);
    assert.deepEqual(Buffer.compare(bytesOfModel(proto), bytesOfModel(modelToProto(load(proto)))), 0);
  });

  describe("with what nobody changed copied from the file", () => {
    const copied = (proto: ModelProto): Uint8Array => Buffer.concat(encodeModel(proto, { copies: true }).chunks.map(readBytes));
    const models = [...FIXTURES.map((file) => [file, new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)))] as const), ["everything", bytesOfModel(everything())] as const];

    for (const [name, bytes] of models) {
      it(`gives ${name} byte for byte`, () => {
        const proto = modelToProto(load(decode(bytes)));
        assert.ok(Buffer.from(copied(proto)).equals(bytes));
        const { chunks } = encodeModel(proto, { copies: true });
        assert.ok(chunks.length < 12, `${String(chunks.length)} chunks`);
      });

      it(`gives ${name} as the encoder does, whatever changed in it`, () => {
        for (let kind = 0; kind < 7; kind += 1) {
          const model = load(decode(bytes));
          const { graph } = model;
          const every = [...everyNode(graph)];
          for (const [i, node] of every.entries()) {
            if (i % 7 !== 3) continue;
            const [input] = node.inputs;
            const [output] = node.outputs;
            if (kind === 0) node.name = `other ${String(i)}`;
            else if (kind === 1 && output !== undefined) output.name = graph.freshName(`${output.name}'`);
            else if (kind === 2) node.setInput(node.inputs.length, input);
            else if (kind === 3) node.attributes.set("new", { kind: "int", value: 3 });
            else if (kind === 4) node.metadata.set("by", "a test");
            else if (kind === 5) node.attributes.delete([...node.attributes.keys()][0] ?? "");
          }
          if (kind === 6) for (const constant of [...graph.initializers].filter((v) => v.initializer !== undefined && v.sparse === undefined).slice(0, 3)) constant.initializer = Tensor.floats([2], [1, kind]);
          const proto = modelToProto(model);
          const written = copied(proto);
          assert.deepEqual(differences(decode(bytesOfModel(proto)), decode(written)), []);
          assert.ok(kind === 5 || !Buffer.from(written).equals(bytes));
        }
      });
    }

    it("takes no copy of a message, and none that stood in another field, for what was read", () => {
      const proto = decode(bytesOfModel(modelProto({ graph: graphProto({ node: [nodeProto({ opType: "Relu", name: "a" })] }), functions: [functionProto({ name: "f", node: [nodeProto({ opType: "Relu", name: "b" })] })] })));
      const [a] = proto.graph?.node ?? [];
      const [b] = proto.functions[0]?.node ?? [];
      assert.ok(a !== undefined && b !== undefined);
      const changed = modelProto({ graph: graphProto({ node: [{ ...a, name: "c" }, b, a, a] }) });
      assert.deepEqual(differences(decode(copied(changed)), changed), []);
      assert.deepEqual(decode(copied(changed)).graph?.node.map((node) => node.name), ["c", "b", "a", "a"]);
    });

    it("keeps a message as it stands, in whatever form", () => {
      // op_type first, then an input, a field the schema doesn't know, op_type again and another input; lengths in more bytes than they need.
      const node = Uint8Array.of(34, 3, 65, 98, 115, 10, 1, 120, 0xc0, 0x3e, 5, 34, 0x84, 0, 82, 101, 108, 117, 10, 0x81, 0x80, 0, 121);
      const bytes = Uint8Array.of(8, 8, 58, node.length + 3, 10, node.length | 0x80, 0, ...node);
      bytes[3] = node.length + 3;
      const proto = decode(bytes);
      assert.deepEqual(proto.graph?.node.map(({ opType, input }) => [opType, input]), [["Relu", ["x", "y"]]]);
      assert.deepEqual([...copied(proto)], [...bytes]);
      assert.notDeepEqual([...bytesOfModel(proto)], [...bytes]);
      assert.deepEqual(differences(decode(bytesOfModel(proto)), proto), []);
    });
  });

  it("is tested on every field of the schema", () => {
    const seen = new Set<string>();
    const visit = (type: MessageName, message: Readonly<Record<string, unknown>>): void => {
      for (const field of Object.values<FieldSpec>(MESSAGES[type].fields)) {
        const value = message[field.name];
        const items = Array.isArray(value) ? value as unknown[] : value === undefined ? [] : [value];
        if (items.length > 0) seen.add(`${type}.${field.name}`);
        for (const item of items) if (field.message !== undefined) visit(field.message, item as Readonly<Record<string, unknown>>);
      }
    };
    visit("ModelProto", everything() as unknown as Readonly<Record<string, unknown>>);
    const all = (Object.keys(MESSAGES) as MessageName[]).flatMap((type) => Object.values<FieldSpec>(MESSAGES[type].fields).map((field) => `${type}.${field.name}`));
    // External data has tests of its own: it is written anew.
    assert.deepEqual(all.filter((name) => !seen.has(name)), ["TensorProto.externalData", "TensorProto.dataLocation"]);
  });

  it("links captured values to the graphs around, and reads attributes for what they are", () => {
    const { graph } = load(everything());
    const [choose, many] = graph.nodes;
    assert.ok(choose && many);
    const [then, otherwise] = choose.subgraphs;
    assert.deepEqual([then?.parent, then?.nodes[0]?.inputs, otherwise?.nodes[0]?.inputs], [graph, [graph.inputs[0], graph.inputs[1]], [graph.inputs[0], graph.inputs[1]]]);
    assert.deepEqual(graph.inputs[0]?.uses.map((u) => u.node.opType), ["Add", "Add", "Many", "Add", "Add"]);
    assert.deepEqual([...many.attributes].map(([name, a]) => `${name}: ${a.kind}`), ["f: float", "i: int", "s: string", "t: tensor", "floats: floats", "ints: ints", "strings: strings", "tensors: tensors",
      "sparse: sparse", "sparses: sparse", "type: type", "types: type", "later: unknown", "empty: unknown", "untyped: int", "zero: floats", "untypedTensor: tensor"]);
    assert.deepEqual([many.inputs[0], many.outputs[2], many.domain, many.overload, graph.nodes[2]?.domain], [undefined, undefined, "com.example", "o", ""]);
    assert.deepEqual([...graph.initializers].map((v) => v.name), ["w", "legacy", "halves", "longs", "doubles", "unsigned", "part", "nothing", "words", "fours", "direct", "sparse"]);
    assert.equal(graph.inputs[1]?.initializer?.toNumbers()?.[1], 2);
  });

  it("writes what a pass changed, and all else as it was", () => {
    const model = load(everything());
    const { graph } = model;
    const legacy = [...graph.initializers].find((v) => v.name === "legacy");
    assert.ok(legacy);
    legacy.initializer = new Tensor(1, [2], Tensor.floats([2], [5, 6]).data, legacy.initializer?.carried, false);
    model.opsets.set("", 20);
    model.metadata.set("three", "3");
    graph.nodes[1]?.metadata.set("pass", "test");
    const output = graph.outputs[0];
    assert.ok(output);
    output.name = "renamed";
    const sparse = [...graph.initializers].find((v) => v.sparse !== undefined);
    assert.ok(sparse);
    sparse.name = "thin";
    assert.deepEqual(differences(everything(), decode(bytesOfModel(modelToProto(model))), 99).sort(), [
      "graph.initializer[legacy].floatData", "graph.initializer[legacy].rawData", "graph.node[if].output[0]", "graph.node[many].metadataProps (3 entries against 2)",
      "graph.output[chosen].name", "graph.sparseInitializer[0].values.name", "graph.valueInfo[chosen].name",
      "metadataProps[0].value", "metadataProps[2].key", "opsetImport (3 entries against 2)",
    ]);
  });

  it("refers to bytes that may be pointed at, and copies the others", () => {
    const big = Float32Array.from({ length: 8192 }, (_, i) => i);
    const proto = decode(bytesOfModel({ ...everything(), graph: { ...everythingGraph(), initializer: [floats("big", [...big]), { ...floats("packed", []), dims: [8192], rawData: undefined, floatData: new Uint8Array(big.buffer.slice(0)) },
      { ...floats("varints", []), dims: [40_000], dataType: 7, rawData: undefined, int64Data: new Uint8Array(40_000).fill(5) }] } }));
    const [raw, packed, varints] = proto.graph?.initializer ?? [];
    assert.ok(raw?.rawData instanceof ByteRange && packed?.floatData instanceof ByteRange && varints?.int64Data instanceof ByteRange);
    const asked: number[] = [];
    const again = saved(proto, { reference: ({ offset }) => { asked.push(offset); return { location: "base.onnx", offset }; } });
    assert.deepEqual(asked, [raw.rawData.offset, packed.floatData.offset]);
    const entries = (offset: number): [string | undefined, string | undefined][] => [["location", "base.onnx"], ["offset", String(offset)], ["length", "32768"]];
    const written = again.graph?.initializer.map((t) => t.externalData.map((e): [string | undefined, string | undefined] => [e.key, e.value]));
    assert.deepEqual(written, [entries(raw.rawData.offset), entries(packed.floatData.offset), []]);
    assert.deepEqual(again.graph?.initializer.map((t) => [t.name, t.dims, t.dataType, t.dataLocation, t.rawData, t.floatData, t.int64Data?.length]),
      [["big", [8192], 1, 1, undefined, undefined, undefined], ["packed", [8192], 1, 1, undefined, undefined, undefined], ["varints", [40_000], 7, undefined, undefined, undefined, 40_000]]);
    // And back: what was external is written inside when nothing may be pointed at.
    const source = memorySource("base.onnx", bytesOfModel(proto));
    const inside = modelToProto(modelFromProto(again, { file: "x.onnx", openExternal: () => source }));
    assert.deepEqual(inside.graph?.initializer.map((t) => [t.dataLocation, t.externalData.length, t.rawData?.length]), [[undefined, 0, 32768], [undefined, 0, 32768], [undefined, 0, undefined]]);
  });

  it("takes the external data of functions, training info and sparse tensors along, by reference or inside", () => {
    const source = memorySource("weights", bytesOf(Float32Array.of(0, 1, 2, 3)).slice());
    const entry = (key: string, value: string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value });
    const far = (name: string): TensorProto => tensorProto({ name, dims: [2], dataType: 1, dataLocation: 1, externalData: [entry("location", "weights"), entry("offset", "4")] });
    const constant = (t: TensorProto): NodeProto => nodeProto({ opType: "Constant", output: ["k"], attribute: [attributeProto({ name: "value", type: 4, t })] });
    const sparse = sparseTensorProto({ values: far("s"), indices: tensorProto({ dims: [2], dataType: 7, rawData: new Uint8Array(16) }), dims: [9] });
    const proto = modelProto({ irVersion: 9, opsetImport: [operatorSetIdProto({ version: 17 })], graph: graphProto({ sparseInitializer: [sparse],
      node: [nodeProto({ opType: "Constant", output: ["c"], attribute: [attributeProto({ name: "sparse_value", type: 11, sparseTensor: { ...sparse, values: far("a") } })] })] }),
    functions: [functionProto({ name: "F", domain: "f", output: ["k"], node: [constant(far("f"))] })], trainingInfo: [trainingInfoProto({ initialization: graphProto({ initializer: [far("t")] }) })] });
    const again = (options: SaveOptions): TensorProto[] => {
      const written = decode(bytesOfModel(modelToProto(modelFromProto(proto, { file: "m.onnx", openExternal: () => source }), options)));
      return [written.graph?.sparseInitializer[0]?.values, written.graph?.node[0]?.attribute[0]?.sparseTensor?.values, written.functions[0]?.node[0]?.attribute[0]?.t,
        written.trainingInfo[0]?.initialization?.initializer[0]].map((t) => t ?? tensorProto());
    };
    assert.deepEqual(again({}).map((t) => [t.name, t.dataLocation, t.externalData, t.rawData]), ["s", "a", "f", "t"].map((name) => [name, undefined, [], bytesOf(Float32Array.of(1, 2))]));
    assert.deepEqual(again({ reference: ({ offset }) => ({ location: "elsewhere", offset }) }).map((t) => t.externalData.map((e) => e.value)), Array.from({ length: 4 }, () => ["elsewhere", "4", "8"]));
  });

  it("declares inputs and outputs that a pass added by what is known of them", () => {
    const model = load(everything());
    const made = model.graph.addInput("labels", { dataType: 7, shape: [2, undefined] });
    model.graph.outputs.push(made);
    const [graph] = [saved(modelToProto(model)).graph];
    for (const list of [graph?.input, graph?.output]) {
      const tensor = list?.at(-1)?.type?.tensorType;
      assert.deepEqual([list?.at(-1)?.name, tensor?.elemType, tensor?.shape?.dim.map((d) => d.dimValue)], ["labels", 7, [2, undefined]]);
    }
    assert.deepEqual(info("x").name, graph?.input[0]?.name);
  });
});

function everythingGraph(): NonNullable<ModelProto["graph"]> {
  const { graph } = everything();
  assert.ok(graph);
  return { ...graph, node: [], output: [], sparseInitializer: [], input: [] };
}
