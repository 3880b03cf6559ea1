/** `inspect` on whatever is an ONNX file: it tells what is there, or says in a HutError why the file is no valid model. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/run-cli.ts";
import { HutError } from "../../src/errors/hut-error.ts";
import * as verbs from "../../src/index.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, tensorProto, trainingInfoProto, typeProto, typeProtoOptional, typeProtoSequence,
  typeProtoTensor, valueInfoProto, type GraphProto, type ModelProto, type NodeProto, type TensorProto, type TypeProto, type ValueInfoProto } from "../../src/ir/proto/generated/schema.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { readNodeTests } from "../ir/node-tests.ts";
import { Captured } from "./run.ts";

const FLOAT = 1;
const STRING = 8;

const tensorOf = (elemType: number): TypeProto => typeProto({ tensorType: typeProtoTensor({ elemType }) });
const value = (name: string, type?: TypeProto): ValueInfoProto => valueInfoProto({ name, type });
const float = (name: string): ValueInfoProto => value(name, tensorOf(FLOAT));
const node = (opType: string, input: string[], output: string[], more: Partial<NodeProto> = {}): NodeProto => nodeProto({ opType, input, output, ...more });
const weight = (name: string, dims: number[]): TensorProto => tensorProto({ name, dims, dataType: FLOAT, rawData: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)) });
const model = (graph: Partial<GraphProto>, opset = 17, more: Partial<ModelProto> = {}): ModelProto => modelProto({
  irVersion: 8, opsetImport: [operatorSetIdProto({ version: opset })], graph: graphProto({ name: "g", ...graph }), ...more });
const nested = (name: string, graph: Partial<GraphProto>): ReturnType<typeof attributeProto> => attributeProto({ name, type: 5, g: graphProto({ name, ...graph }) });
/** x · w, with names of the file's choice. */
const product = (x = "x", w = "w", y = "y"): Partial<GraphProto> => ({ input: [float(x)], initializer: [weight(w, [2, 3])], node: [node("MatMul", [x, w], [y], { name: "product" })], output: [float(y)] });

/** Models of every odd shape. */
const ODD: Readonly<Record<string, ModelProto>> = {
  "an empty graph": model({}),
  "no outputs": model({ ...product(), output: [] }),
  "nothing but an input that is the output": model({ input: [float("x")], output: [float("x")] }),
  "an initializer as the output": model({ initializer: [weight("w", [2, 3])], output: [float("w")] }),
  "a weight that is the output too": model({ ...product(), output: [float("w"), float("y")] }),
  "strings alone": model({ input: [value("x", tensorOf(STRING))], node: [node("StringNormalizer", ["x"], ["y"])], output: [value("y", tensorOf(STRING))] }),
  "a sequence as the output": model({ input: [float("x")], node: [node("SequenceConstruct", ["x", "x"], ["y"])], output: [value("y", typeProto({ sequenceType: typeProtoSequence({ elemType: tensorOf(FLOAT) }) }))] }),
  "an optional as the output": model({ input: [float("x")], node: [node("Optional", ["x"], ["y"])], output: [value("y", typeProto({ optionalType: typeProtoOptional({ elemType: tensorOf(FLOAT) }) }))] }),
  "inputs and outputs without types": model({ ...product(), input: [value("x")], output: [value("y")] }),
  "an If whose branches hold the weights": model({ input: [float("x"), value("c", tensorOf(9))], output: [float("y")], node: [node("If", ["c"], ["y"], { attribute: ["then_branch", "else_branch"].map((name) => (
    nested(name, { ...product("x", `${name}_w`, `${name}_y`), input: [] }))) })] }),
  "an If without branches": model({ input: [value("c", tensorOf(9))], node: [node("If", ["c"], ["y"])], output: [float("y")] }),
  "a Loop whose body holds the weight": model({ input: [float("x"), value("n", tensorOf(7)), value("c", tensorOf(9))], output: [float("y")], node: [node("Loop", ["n", "c", "x"], ["y"], { attribute: [
    nested("body", { input: [value("i", tensorOf(7)), value("on", tensorOf(9)), float("state")], initializer: [weight("w", [2, 2])], output: [value("go", tensorOf(9)), float("next")],
      node: [node("Identity", ["on"], ["go"]), node("MatMul", ["state", "w"], ["next"])] })] })] }),
  "a Scan without a body": model({ input: [float("x")], node: [node("Scan", ["x"], ["y"])], output: [float("y")] }),
  "a domain nobody knows": model({ ...product("x", "w", "z"), node: [node("MatMul", ["x", "w"], ["z"]), node("Mystery", ["z"], ["y"], { domain: "com.example" })], output: [float("y")] }, 17,
    { opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "com.example", version: 1 })] }),
  "operators called as what every object has": model({ input: [float("x")], node: [node("constructor", ["x"], ["a"]), node("__proto__", ["a"], ["b"]), node("toString", ["b"], ["y"], { domain: "__proto__" })], output: [float("y")] }),
  "names that every object has": model(product("__proto__", "constructor", "toString")),
  "control characters in names": model(product("x\u0000\u001b[31m", "w\n\r\t", "y\u202e\u0007")),
  "attributes that every object has": model({ ...product(), node: [node("MatMul", ["x", "w"], ["y"], { attribute: [attributeProto({ name: "__proto__", type: 2, i: 1 }), attributeProto({ name: "constructor", type: 7, ints: [1] })] })] }),
  "training_info": model(product(), 17, { trainingInfo: [trainingInfoProto({ algorithm: graphProto({ name: "step", node: [node("Identity", ["y"], ["loss"])], output: [float("loss")] }) })] }),
  "opset 1": model(product(), 1),
  "an opset of the future": model(product(), 99),
  "opset 24": model(product(), 24),
  "no operator set of ONNX": model(product(), 17, { opsetImport: [operatorSetIdProto({ domain: "com.example", version: 1 })] }),
  "IR version 3, where initializers are inputs": model({ ...product(), input: [float("x"), float("w")] }, 7, { irVersion: 3 }),
  "IR version 1, without operator sets": model(product(), 17, { irVersion: 1, opsetImport: [] }),
  "a node that leaves its inputs out": model({ ...product(), node: [node("MatMul", [], ["y"])] }),
  "a product of which nothing is named": model({ ...product(), output: [], node: [node("MatMul", ["x", "w"], [""]), node("Gemm", ["", ""], ["", ""])] }),
  "a rotation of half a pair": model({ input: [float("x"), float("cos"), float("sin")], output: [float("y")],
    node: [node("RotaryEmbedding", ["x", "cos", "sin"], ["y"], { attribute: [attributeProto({ name: "rotary_embedding_dim", type: 2, i: 3 }), attributeProto({ name: "num_heads", type: 2, i: 2 })] })] }, 23),
  "a weight of no elements": model({ ...product(), initializer: [weight("w", [0, 3])] }),
};

const called = (domain: string, name: string): NodeProto => node(name, ["x"], ["y"], { domain, name: `call_${name}` });
const functions = (...bodies: [name: string, nodes: NodeProto[]][]): ModelProto => model({ input: [float("x")], node: [called("own", "f")], output: [float("y")] }, 17, {
  opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "own", version: 1 })],
  functions: bodies.map(([name, nodes]) => functionProto({ name, domain: "own", input: ["x"], output: ["y"], node: nodes, opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "own", version: 1 })] })) });

/** Models that are refused, and with what. */
const REFUSED: Readonly<Record<string, readonly [model: ModelProto, message: RegExp]>> = {
  "a function that calls itself": [functions(["f", [called("own", "f")]]), /calls itself|recursi|cycle/i],
  "two functions that call each other": [functions(["f", [called("own", "g")]], ["g", [called("own", "f")]]), /calls itself|recursi|cycle/i],
};

/** What a broken exporter may do to a model whose form is valid. */
const DISTURBED: readonly ((proto: ModelProto, graph: GraphProto) => void)[] = [
  (proto) => { for (const set of proto.opsetImport) if ((set.domain ?? "") === "") set.version = 1; },
  (proto) => { for (const set of proto.opsetImport) if ((set.domain ?? "") === "") set.version = 99; },
  (_, graph) => { for (const v of [...graph.input, ...graph.output, ...graph.valueInfo]) v.type = undefined; },
  (_, graph) => { for (const v of graph.input) if (v.type?.tensorType !== undefined) v.type.tensorType.elemType = STRING; },
  (_, graph) => { for (const v of graph.input) v.type?.tensorType?.shape?.dim.splice(1); },
  (_, graph) => { for (const d of graph.input.flatMap((v) => v.type?.tensorType?.shape?.dim ?? [])) d.dimValue = 0; },
  (_, graph) => { for (const n of graph.node) n.attribute = []; },
  (_, graph) => { for (const a of graph.node.flatMap((n) => n.attribute)) if (a.type !== 5) { a.type = 3; a.s = Uint8Array.of(97); } },
  (_, graph) => { for (const a of graph.node.flatMap((n) => n.attribute)) { if (a.i !== undefined) a.i = -7; a.ints = a.ints.map(() => -7); } },
  (_, graph) => { for (const a of graph.node.flatMap((n) => n.attribute)) { if (a.i !== undefined) a.i = 2n ** 63n - 1n; a.ints = a.ints.map(() => 2n ** 63n - 1n); } },
  (_, graph) => { for (const n of graph.node) n.input = []; },
  (_, graph) => { for (const n of graph.node) n.input = n.input.slice(0, 1); },
  (_, graph) => { for (const n of graph.node) n.input = ["", ...n.input.slice(1)]; },
  (_, graph) => { for (const n of graph.node) n.input = [...n.input, ...n.input, ...n.input]; },
  (_, graph) => { for (const n of graph.node) n.output = [...n.output, `${n.output[0] ?? ""}/more`]; },
  (_, graph) => { graph.output = []; },
];

const encoded = (proto: ModelProto): Uint8Array => Buffer.concat(encodeModel(proto).chunks.map(readBytes));

describe("inspect, whatever the file holds", () => {
  let folder = "";
  before(() => { folder = mkdtempSync(join(tmpdir(), "hut-any-")); });
  after(() => { rmSync(folder, { recursive: true }); });

  function written(bytes: Uint8Array): string {
    const path = join(folder, "model.onnx");
    writeFileSync(path, bytes);
    return path;
  }

  /** What it failed with, if with anything but a HutError. */
  async function crash(path: string, what: string): Promise<string[]> {
    try {
      JSON.stringify(await verbs.inspect(path));
    } catch (error) {
      if (!(error instanceof HutError)) return [`${what}: ${error instanceof Error ? error.stack ?? "" : String(error)}`];
    }
    return [];
  }

  it("tells what ONNX's node tests are", async () => {
    for (const test of readNodeTests()) assert.equal((await verbs.inspect(written(test.model))).weights.length, 0, test.name);
  });

  it("doesn't crash on them disturbed, each in one of the ways", async () => {
    const crashes: string[] = [];
    for (const [i, test] of readNodeTests().entries()) {
      const proto = decodeModel(memorySource(test.name, test.model));
      DISTURBED[i % DISTURBED.length]?.(proto, proto.graph ?? graphProto());
      crashes.push(...await crash(written(encoded(proto)), `${test.name}, way ${String(i % DISTURBED.length)}`));
    }
    assert.deepEqual(crashes, []);
  });

  for (const path of readdirSync("fixtures", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".onnx")).sort()) {
    it(`tells what ${path.replaceAll("\\", "/")} is`, async () => {
      const { parameters, operators } = await verbs.inspect(join("fixtures", path));
      // A loss has no weights of its own.
      assert.ok(parameters > 0 || Object.keys(operators).length > 0);
    });
  }

  for (const [what, proto] of Object.entries(ODD)) {
    it(`shows ${what}`, async () => {
      const [stdout, stderr] = [new Captured(), new Captured()];
      const path = written(encoded(proto));
      const result = await verbs.inspect(path);
      assert.deepEqual(result.outputs.map(({ name }) => name), proto.graph?.output.map(({ name }) => name));
      assert.equal(await runCli(["inspect", path], { verbs, stdout, stderr, signals: new EventEmitter(), version: "test", exit: () => undefined }), 0, stderr.text);
      // What a terminal would act on.
      assert.doesNotMatch(stdout.text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    });
  }

  for (const [what, [proto, message]] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(verbs.inspect(written(encoded(proto))), (error) => error instanceof HutError && message.test(error.message));
    });
  }
});
