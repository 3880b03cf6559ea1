/** Model files made to do harm: each is refused in one sentence or looked through in short time, by every verb that reads it without ONNX Runtime. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../../src/cli/run-cli.ts";
import { HutError } from "../../../src/errors/hut-error.ts";
import * as verbs from "../../../src/index.ts";
import { encodeModel } from "../../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, tensorShapeProto,
  tensorShapeProtoDimension, typeProto, typeProtoSequence, typeProtoTensor, valueInfoProto,
  type AttributeProto, type GraphProto, type ModelProto, type NodeProto, type TensorProto, type TypeProto, type ValueInfoProto } from "../../../src/ir/proto/generated/schema.ts";
import { readBytes } from "../../../src/ir/source.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import { Captured } from "../../cli/run.ts";

/** Milliseconds of this process, longer than any of these may take wherever tests run; what takes the square or doubles takes hours. */
const PATIENCE = 20_000;
const spent = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

const type = (elemType: number, ...dims: (number | string)[]): TypeProto => typeProto({ tensorType: typeProtoTensor({ elemType, shape: tensorShapeProto({
  dim: dims.map((d) => tensorShapeProtoDimension(typeof d === "string" ? { dimParam: d } : { dimValue: d })) }) }) });
const info = (name: string, t: TypeProto = type(1, "b", 4)): ValueInfoProto => valueInfoProto({ name, type: t });
const node = (opType: string, input: string[], output: string[], attribute: AttributeProto[] = [], more: Partial<NodeProto> = {}): NodeProto => nodeProto({ opType, input, output, attribute, ...more });
const floats = (name: string, dims: number[] = [4, 4]): TensorProto => tensorProto({ name, dims, dataType: 1, rawData: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)) });
const longs = (name: string, values: readonly (number | bigint)[], dims: number[] = [values.length]): TensorProto => tensorProto({ name, dims, dataType: 7, rawData: bytesOf(BigInt64Array.from(values, BigInt)).slice() });
const int = (name: string, i: number): AttributeProto => attributeProto({ name, type: 2, i });
const ints = (name: string, values: number[]): AttributeProto => attributeProto({ name, type: 7, ints: values });
const graph = (name: string, g: GraphProto): AttributeProto => attributeProto({ name, type: 5, g });
const count = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const x = info("x");
/** One product, so that there is something to adapt, behind whatever a graph has. */
const withProduct = (g: Partial<GraphProto>): Partial<GraphProto> => ({ ...g, input: [x, ...g.input ?? []], initializer: [...g.initializer ?? [], floats("m.weight")],
  node: [...g.node ?? [], node("MatMul", ["x", "m.weight"], ["logits"])], output: [info("logits"), ...g.output ?? []] });
const modelOf = (g: Partial<GraphProto>, more: Partial<ModelProto> = {}): ModelProto =>
  modelProto({ irVersion: 9, opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "f", version: 1 })], graph: graphProto(g), ...more });

describe("a model made to do harm", function () {
  this.timeout(300_000);
  let folder = "";
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-harm-")); });
  afterEach(() => { rmSync(folder, { recursive: true, force: true }); });

  /** What each verb says of the file: "works", or the code of its error. Any other error, and long work, fail. */
  async function outcomes(model: ModelProto): Promise<string[]> {
    const path = join(folder, "model.onnx");
    writeFileSync(path, Buffer.concat(encodeModel(model).chunks.map(readBytes)));
    const target = { targetModules: ["head"], modulesToSave: [], rank: 2 };
    const runs: Readonly<Record<string, () => Promise<unknown>>> = {
      inspect: () => verbs.inspect(path, {}), adapt: () => verbs.adapt(path, { output: join(folder, "adapted.onnx"), ...target }),
      artifacts: () => verbs.artifacts(path, { output: join(folder, "artifacts"), task: "text-classification", ...target }),
    };
    const found: string[] = [];
    for (const [verb, run] of Object.entries(runs)) {
      const started = spent();
      found.push(await run().then(() => "works", (error: unknown) => {
        if (!(error instanceof HutError)) throw error;
        assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f\u202e]/, "control characters");
        assert.ok(error.message.length < 3000, `a message of ${String(error.message.length)} characters`);
        return error.code;
      }));
      assert.ok(spent() - started < PATIENCE, `${verb} takes ${String(spent() - started)} ms`);
    }
    if (found[0] !== "works") assert.ok(!existsSync(join(folder, "adapted.onnx")), "nothing is written");
    return found;
  }
  const works = async (g: Partial<GraphProto>): Promise<void> => { assert.deepEqual((await outcomes(modelOf(withProduct(g)))).slice(0, 2), ["works", "works"]); };
  const refused = async (g: Partial<GraphProto>, code: string, more: Partial<ModelProto> = {}): Promise<void> => { assert.deepEqual(await outcomes(modelOf(g, more)), [code, code, code]); };

  describe("by sizes that it claims", () => {
    it("a shape of 2^40 axes, unknown to ConstantOfShape, Reshape, Expand, Slice and AffineGrid", () => works({ input: [info("s", type(7, 2 ** 40))],
      node: [node("ConstantOfShape", ["s"], ["a"]), node("Reshape", ["x", "s"], ["c"]), node("Expand", ["x", "s"], ["d"]), node("Slice", ["x", "s", "s"], ["e"])] }));
    it("a shape of 2^28 axes, which would fit an array", () => works({ input: [info("s", type(7, 2 ** 28))], node: count(40, (i) => node("ConstantOfShape", ["s"], [`a${String(i)}`])) }));
    it("tensors of 2^40 elements, made by ConstantOfShape, Range, Tile, Expand, OneHot, Pad and Resize", () => works({
      initializer: [longs("big", [2 ** 40]), longs("zero", [0], []), longs("far", [2n ** 60n], []), longs("one", [1], []), longs("wide", [2 ** 40, 2 ** 40])],
      node: [node("ConstantOfShape", ["big"], ["a"]), node("Range", ["zero", "far", "one"], ["c"]), node("Tile", ["x", "wide"], ["d"]), node("Expand", ["x", "wide"], ["e"]),
        node("OneHot", ["c", "far", "x"], ["h"]), node("Pad", ["x", "wide"], ["k"]), node("Resize", ["x", "", "", "wide"], ["r"]), node("Shape", ["d"], ["s"]), node("ConstantOfShape", ["s"], ["t"])] }));
    it("a permutation that names one axis twelve times, of 64 elements each", () => works({ initializer: [longs("v", count(64, (i) => i))], node: [node("Transpose", ["v"], ["a"], [ints("perm", count(12, () => 0))])] }));
    it("no elements in 2^40 rows, turned round", () => works({ initializer: [longs("v", []), longs("t", [2 ** 40, 0])], node: [node("Reshape", ["v", "t"], ["a"], [int("allowzero", 1)]), node("Transpose", ["a"], ["c"])] }));
    it("a loop of 2^62 runs", () => works({ initializer: [longs("n", [2n ** 62n], []), tensorProto({ name: "go", dims: [], dataType: 9, rawData: Uint8Array.of(1) })],
      node: [node("Loop", ["n", "go", "x"], ["a"], [graph("body", graphProto({ input: [info("i", type(7)), info("c", type(9)), info("v")], node: [node("Identity", ["c"], ["c2"]), node("Neg", ["v"], ["v2"])], output: [info("c2", type(9)), info("v2")] }))])] }));
    it("a resized axis between the weight and the loss, whose gradient would be a matrix of 2^40 numbers", async () => {
      const g = { input: [info("x", type(1, 1, 4))], initializer: [floats("m.weight"), longs("sizes", [1, 2 ** 38])],
        node: [node("MatMul", ["x", "m.weight"], ["y"]), node("Resize", ["y", "", "", "sizes"], ["logits"])], output: [info("logits", type(1, 1, 2 ** 38))] };
      assert.deepEqual(await outcomes(modelOf(g)), ["works", "works", "RULE_FAILED"]);
    });
  });

  describe("by what doubles", () => {
    const three = longs("three", [3]);
    const shapes = (step: (i: number) => NodeProto[]): Partial<GraphProto> => ({ input: [info("z", type(1, "p", "q", "r"))], initializer: [three],
      node: [node("Shape", ["z"], ["d0"]), ...count(80, step).flat(), node("ConstantOfShape", ["d80"], ["end"])] });
    const d = (i: number, name = "d"): string => `${name}${String(i)}`;
    it("a size multiplied by itself eighty times", () => works(shapes((i) => [node("Mul", [d(i), d(i)], [d(i + 1)])])));
    it("quotients of quotients", () => works(shapes((i) => [node("Add", [d(i), "three"], [d(i, "e")]), node("Div", [d(i), "three"], [d(i, "f")]), node("Div", [d(i, "e"), d(i, "f")], [d(i + 1)])])));
    it("a size with what was added taken away again, over and over", () => works(shapes((i) => [node("Div", [d(i), "three"], [d(i, "f")]), node("Add", [d(i), d(i, "f")], [d(i, "e")]), node("Sub", [d(i, "e"), d(i, "f")], [d(i + 1)])])));
    it("functions that call the one before them twice, forty times", () => refused({ input: [x], node: [node("F39", ["x"], ["y"], [], { domain: "f" })], output: [info("y")] }, "FUNCTIONS_TOO_LARGE", { functions:
      count(40, (i) => functionProto({ name: `F${String(i)}`, domain: "f", input: ["a"], output: ["c"], opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "f", version: 1 })],
        node: i === 0 ? [node("Neg", ["a"], ["c"])] : [node(`F${String(i - 1)}`, ["a"], ["b"], [], { domain: "f" }), node(`F${String(i - 1)}`, ["b"], ["c"], [], { domain: "f" })] })) }));
    it("a function that calls itself", () => refused({ input: [x], node: [node("F", ["x"], ["y"], [], { domain: "f" })], output: [info("y")] }, "RECURSIVE_FUNCTION",
      { functions: [functionProto({ name: "F", domain: "f", input: ["a"], output: ["c"], opsetImport: [operatorSetIdProto({ domain: "f", version: 1 })], node: [node("F", ["a"], ["c"], [], { domain: "f" })] })] }));
    it("10,001 functions", () => refused({ input: [x], node: [node("Neg", ["x"], ["y"])], output: [info("y")] }, "TOO_MANY_FUNCTIONS", { functions: count(10_001, (i) => functionProto({ name: `F${String(i)}`, domain: "f" })) }));
  });

  describe("by long texts", () => {
    const dim = (text: string): Promise<void> => works({ input: [info("z", type(1, text))], node: [node("Shape", ["z"], ["s"]), node("Mul", ["s", "s"], ["t"])] });
    it("a size that is a product of a million names", () => dim(`n${"*n".repeat(1_000_000)}`));
    it("a size that is a sum of a hundred thousand names", () => dim(count(100_000, (i) => `n${String(i)}`).join("+")));
    it("a size of a million blanks", () => dim(`${" ".repeat(1_000_000)}!`));
    it("scopes whose quotes never end", () => works({ node: [node("MatMul", ["x", "m.weight"], ["y"], [], { metadataProps: [stringStringEntryProto({ key: "pkg.torch.onnx.name_scopes", value: `'${"\\'".repeat(1_000_000)}` })] }) ] }));
    it("scopes of which one is ten million letters long", () => works({ node: [node("MatMul", ["x", "m.weight"], ["y"], [], { metadataProps: [stringStringEntryProto({ key: "pkg.torch.onnx.name_scopes", value: `'${"a".repeat(10_000_000)}', 'b'` })] })] }));
    it("an equation of a million letters", () => works({ node: [node("Einsum", ["x", "x"], ["y"], [attributeProto({ name: "equation", type: 3, s: new TextEncoder().encode(`${"ij".repeat(500_000)},ab->i`) })])] }));
    it("a name of ten million letters that nothing makes, cut in the message", () => refused({ input: [x], node: [node("Neg", ["a".repeat(10_000_000)], ["y"])], output: [info("y")] }, "UNDEFINED_VALUE"));
    it("a tensor of 10,000 axes that doesn't fit, cut in the message", () => refused({ initializer: [tensorProto({ name: "w", dims: count(10_000, () => 2), dataType: 1 })] }, "TENSOR_MISMATCH"));
  });

  describe("by its number of things", () => {
    const named = (i: number, name = "a"): string => `${name}${String(i)}`;
    it("more nodes than any exporter writes", async () => {
      const path = join(folder, "model.onnx");
      const model = modelOf({ input: [x], node: count(250_001, () => node("Neg", ["x"], [])) });
      writeFileSync(path, Buffer.concat(encodeModel(model).chunks.map(readBytes)));
      await assert.rejects(verbs.inspect(path, {}), { code: "GRAPH_TOO_LARGE", message: /has more than 250000 nodes/ });
    });
    it("more initializers", async () => {
      const path = join(folder, "model.onnx");
      writeFileSync(path, Buffer.concat(encodeModel(modelOf({ initializer: count(250_001, () => tensorProto({ dims: [0], dataType: 1 })) })).chunks.map(readBytes)));
      await assert.rejects(verbs.inspect(path, {}), { code: "GRAPH_TOO_LARGE", message: /has more than 250000 initializers/ });
    });
    it("more outputs", () => refused({ input: [x], node: count(10_001, (i) => node("Neg", ["x"], [named(i)])), output: count(10_001, (i) => info(named(i))) }, "GRAPH_TOO_LARGE"));
    it("more inputs", () => refused({ input: count(50_001, (i) => info(named(i))) }, "GRAPH_TOO_LARGE"));
    it("a node with more inputs", () => refused({ input: [x], node: [node("Concat", count(50_001, () => "x"), ["y"], [int("axis", 0)])], output: [info("y")] }, "NODE_TOO_WIDE"));
    it("a node with as many inputs as are read", () => works({ node: [node("Concat", count(50_000, () => "x"), ["y"], [int("axis", 0)])] }));
    it("20,000 readers of one value, none of them needed", () => works({ node: count(20_000, (i) => node("Neg", ["x"], [named(i)])) }));
    it("10,000 nodes in reverse order", () => works({ input: [info("a0")], node: count(10_000, (i) => node("Neg", [named(i)], [named(i + 1)])).reverse() }));
    it("20,000 constants that are inputs too, as in old files", () => works({ input: count(20_000, (i) => info(named(i), type(1, 1))), initializer: count(20_000, (i) => floats(named(i), [1])) }));
    it("1,000 Ifs with two branches below 20,000 values", () => works({ input: [info("c", type(9))], initializer: count(20_000, (i) => floats(named(i, "w"), [1])),
      node: count(1_000, (i) => node("If", ["c"], [named(i)], ["then_branch", "else_branch"].map((branch) => graph(branch, graphProto({ node: [node("Neg", ["w1"], ["o"])], output: [info("o")] }))))) }));
    it("a constant that 1,000 nodes hand on in a row, each to a product", () => works({ node: count(1_000, (i) => [node("Identity", [i === 0 ? "m.weight" : named(i - 1)], [named(i)]), node("MatMul", ["x", named(i)], [named(i, "p")])]).flat() }));
    it("a constant that 1,000 Transposes hand to as many products", () => works({ node: count(1_000, (i) => [node("Transpose", ["m.weight"], [named(i)], [ints("perm", [1, 0])]), node("MatMul", ["x", named(i)], [named(i, "p")])]).flat() }));
    it("a scale behind 10,000 nodes", () => works({ initializer: [floats("s", []), tensorProto({ name: "q", dims: [4, 4], dataType: 3, rawData: new Uint8Array(16) })],
      node: [...count(10_000, (i) => node("Identity", [i === 0 ? "s" : named(i - 1)], [named(i)])), node("DequantizeLinear", ["q", named(9_999)], ["w"]), node("MatMul", ["x", "w"], ["y"])] }));
    it("tensors of 10,000 axes, added 2,000 times", () => works({ input: [info("r", type(1, ...count(10_000, () => 1)))], node: count(2_000, (i) => node("Add", [i === 0 ? "r" : named(i), "r"], [named(i + 1)])) }));
    it("an initializer of 300,000 axes, turned round", () => works({ initializer: [tensorProto({ name: "r", dims: count(300_000, () => 1), dataType: 1, rawData: new Uint8Array(4) })], node: [node("Transpose", ["r"], ["y"])] }));
    it("a convolution with 200,000 pads", () => works({ input: [info("i", type(1, 1, 1, 8, 8))], initializer: [floats("k", [1, 1, 3, 3])], node: [node("Conv", ["i", "k"], ["y"], ["pads", "strides", "dilations", "kernel_shape"].map((name) => ints(name, count(200_000, () => 1))))] }));
  });

  describe("by nesting", () => {
    const nested = (depth: number): NodeProto => node("If", ["c"], ["chosen"], [graph("then_branch", depth === 0 ? graphProto({ node: [node("Neg", ["x"], ["o"])], output: [info("o")] })
      : graphProto({ node: [nested(depth - 1)], output: [info("chosen")] }))]);
    it("Ifs 200 deep", () => refused({ input: [x, info("c", type(9))], node: [nested(200)], output: [info("chosen")] }, "MALFORMED_MODEL"));
    it("Ifs as deep as protobuf's readers go", () => works({ input: [info("c", type(9))], node: [nested(20)] }));
    it("types 10,000 deep, and messages 100,000 deep", async () => {
      let deep = type(1, 1);
      for (let i = 0; i < 1_000; i += 1) deep = typeProto({ sequenceType: typeProtoSequence({ elemType: deep }) });
      await refused({ input: [x, info("t", deep)] }, "MALFORMED_MODEL");
      // What the encoder can't nest is nested by hand: sequence_type (4) holding elem_type (1), over and over.
      let length = 0;
      const heads: Uint8Array[] = [];
      const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
      for (let i = 0; i < 100_000; i += 1) {
        const head = Uint8Array.from([i % 2 === 0 ? 0x0a : 0x22, ...varint(length)]);
        heads.push(head);
        length += head.length;
      }
      const typed = Buffer.concat(heads.reverse());
      const wrap = (field: number, body: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.from([field * 8 + 2, ...varint(body.length)]), body]);
      writeFileSync(join(folder, "deep.onnx"), Buffer.concat([Uint8Array.of(8, 9), wrap(7, wrap(11, wrap(2, typed)))]));
      await assert.rejects(verbs.inspect(join(folder, "deep.onnx"), {}), { code: "MALFORMED_MODEL", message: /nested deeper than 100/ });
    });
    it("a cycle through a nested graph", () => refused({ input: [x, info("c", type(9))], node: [node("If", ["c"], ["a"], [graph("then_branch", graphProto({ node: [node("Neg", ["b"], ["o"])], output: [info("o")] }))]), node("Neg", ["a"], ["b"])], output: [info("b")] }, "CYCLIC_GRAPH"));
  });

  describe("by its names", () => {
    const NAMES = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];
    it("words that JavaScript's objects have of their own, for everything that has a name", async () => {
      for (const name of NAMES) {
        const g: Partial<GraphProto> = { name, input: [info(name, type(1, name, 4))], initializer: [floats(`${name}.weight`)],
          node: [node(name, [name], ["a"], [int(name, 1), attributeProto({ name: "f", type: 1, f: 1 })], { name, metadataProps: [stringStringEntryProto({ key: name, value: name })] }),
            node("Relu", [name], ["b"], [], { domain: name }), node(name, [name], ["e"], [int("k", 1)], { domain: "f" }), node("Shape", [name], ["s"]), node("MatMul", [name, `${name}.weight`], ["logits"], [], { name: `/${name}/MatMul` })],
          output: [info("logits", type(1, name, 4)), info("a", type(1, `${name} + ${name}`))] };
        const model = modelOf(g, { metadataProps: [stringStringEntryProto({ key: name, value: name })], opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: name, version: 3 }), operatorSetIdProto({ domain: "f", version: 1 })],
          functions: [functionProto({ name, domain: "f", input: [name], output: ["toStrings"], attribute: [name], opsetImport: [operatorSetIdProto({ version: 17 })], node: [node("Relu", [name], ["toStrings"])] })] });
        assert.deepEqual((await outcomes(model)).slice(0, 2), ["works", "works"], name);
        const { operators, opsets, outputs } = await verbs.inspect(join(folder, "model.onnx"), {});
        assert.equal(Object.getOwnPropertyDescriptor(operators, name)?.value, 1, name);
        assert.equal(Object.getOwnPropertyDescriptor(operators, `${name}::Relu`)?.value, 1, name);
        assert.equal(Object.getOwnPropertyDescriptor(opsets, name)?.value, 3, name);
        assert.deepEqual(outputs.map(({ shape }) => shape), [[name, "4"], [`2*${name}`]]);
        const adapted = await verbs.inspect(join(folder, "adapted.onnx"), {});
        assert.deepEqual(adapted.outputs.map(({ shape }) => shape), outputs.map(({ shape }) => shape));
        assert.equal(({} as Record<string, unknown>)["weight"], undefined, "no prototype was touched");
      }
    });

    it("what moves a terminal's cursor or turns the direction of writing, in tables and errors", async () => {
      const evil = "\u001b[2J\u001b]0;gone\u0007\u202e\u200fx\r";
      const g: Partial<GraphProto> = { input: [info(evil, type(1, evil, 4))], initializer: [floats(`${evil}.weight`)],
        node: [node("MatMul", [evil, `${evil}.weight`], ["p"], [], { name: `/${evil}/MatMul` }), node(evil, ["p"], ["logits"], [], { name: evil, domain: evil })], output: [info("logits", type(1, evil, 4))] };
      const model = modelOf(g, { producerName: evil, opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: evil, version: 1 })] });
      assert.deepEqual(await outcomes(model), ["works", "works", "NO_GRADIENT"]);
      for (const words of [["inspect"], ["inspect", "--verbose"], ["artifacts", "-o", join(folder, "a"), "--task", "text-classification", "--target-modules", "head"], ["adapt", "-o", join(folder, "b.onnx"), "--target-modules", "none"]]) {
        const [stdout, stderr] = [new Captured(), new Captured()];
        await runCli([words[0] ?? "", join(folder, "model.onnx"), ...words.slice(1)], { verbs, stdout, stderr, signals: new EventEmitter(), version: "test", exit: () => undefined });
        assert.ok((stdout.text + stderr.text).length > 20);
        assert.doesNotMatch(stdout.text + stderr.text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/, words.join(" "));
      }
    });

    it("a name of a million letters, cut in tables", async () => {
      const g = withProduct({ node: [node(`Op${"p".repeat(1_000_000)}`, ["x"], ["y"], [], { domain: "f" })], input: [info("i".repeat(1_000_000))] });
      assert.deepEqual((await outcomes(modelOf(g))).slice(0, 2), ["works", "works"]);
      const [stdout, stderr] = [new Captured(), new Captured()];
      await runCli(["inspect", join(folder, "model.onnx"), "--verbose"], { verbs, stdout, stderr, signals: new EventEmitter(), version: "test", exit: () => undefined });
      assert.ok(stdout.text.length < 20_000, String(stdout.text.length));
    });
  });
});
