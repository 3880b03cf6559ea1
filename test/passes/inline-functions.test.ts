import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { int } from "../../src/ir/attribute.ts";
import { Node } from "../../src/ir/graph.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { printGraph } from "../../src/ir/print.ts";
import { attributeProto, functionProto, graphProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, valueInfoProto,
  type AttributeProto, type FunctionProto, type NodeProto, type TensorProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { bytesOf, Tensor } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { inlineFunctions } from "../../src/passes/inline-functions.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { assertSnapshot, assertSound, expectSameOutputs, failure, randomFloats, workbench, type Workbench } from "./workbench.ts";

const DOMAIN = "local";
const opsetImport = [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: DOMAIN, version: 1 })];

const node = (opType: string, input: string[], output: string[], attribute: AttributeProto[] = [], more: Partial<NodeProto> = {}): NodeProto =>
  nodeProto({ opType, input, output, attribute, name: `/${opType}`, ...more });
const call = (opType: string, input: string[], output: string[], attribute: AttributeProto[] = [], name = ""): NodeProto => nodeProto({ opType, domain: DOMAIN, input, output, attribute, name });
const fn = (name: string, input: string[], output: string[], nodes: NodeProto[], more: Partial<FunctionProto> = {}): FunctionProto =>
  functionProto({ name, domain: DOMAIN, input, output, node: nodes, opsetImport, ...more });
const reference = (name: string, refAttrName: string, type: number): AttributeProto => attributeProto({ name, refAttrName, type });
const matrix = (dims: number[]): TensorProto => tensorProto({ dims, dataType: 1, rawData: bytesOf(randomFloats(dims).toNumbers() ?? new Float32Array()) });
const constant = (output: string, value: TensorProto): NodeProto => node("Constant", [], [output], [attributeProto({ name: "value", type: 4, t: value })]);

/** A graph of calls, as if it were read from a file. */
function modelOf(bench: Workbench, functions: FunctionProto[], nodes: (NodeProto | { branches: NodeProto[][]; condition: string; output: string })[], { opset = 17, outputs = ["y"] } = {}): Model {
  bench.model.opsets.set("", opset);
  bench.model.opsets.set(DOMAIN, 1);
  const proto = modelToProto(bench.model);
  const made = nodes.map((n) => ("branches" in n ? node("If", [n.condition], [n.output], n.branches.map((inside, i) => attributeProto({ name: i === 0 ? "then_branch" : "else_branch", type: 5,
    g: graphProto({ name: `branch${String(i)}`, node: inside, output: [valueInfoProto({ name: inside.at(-1)?.output[0] })] }) }))) : n));
  assert.ok(proto.graph);
  return modelFromProto({ ...proto, functions, graph: { ...proto.graph, node: [...proto.graph.node, ...made], output: outputs.map((name) => valueInfoProto({ name })) } },
    { file: "functions.onnx", openExternal: undefined });
}

function inline(model: Model): number {
  const { calls } = inlineFunctions(model);
  inferGraph(model.graph, model.opsets);
  return calls;
}

/** h = x·W + b (b may be left out), W a Constant; y = LeakyRelu(h) with the caller's slope. */
const linear = fn("Linear", ["x", "b"], ["y"], [constant("weight", matrix([3, 3])), node("MatMul", ["x", "weight"], ["h"], [], { metadataProps: [stringStringEntryProto({ key: "k", value: "v" })] }),
  node("Sum", ["h", "b"], ["s"]), node("LeakyRelu", ["s"], ["y"], [reference("alpha", "slope", 1)])], { attributeProto: [attributeProto({ name: "slope", type: 1, f: 0.5 })] });
const withoutBias = fn("Plain", ["x"], ["y"], [constant("weight", matrix([3, 3])), node("MatMul", ["x", "weight"], ["h"]), node("Clip", ["h", "", "top"], ["y"])], { input: ["x", "top"] });

describe("inlineFunctions", () => {
  it("writes calls out, one initializer for each Constant of a body, with the caller's attributes or the function's", async () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    bench.weight("b", [3]);
    const layer = fn("Layer", ["x", "b"], ["y"], [call("Linear", ["x", "b"], ["h"], [reference("slope", "steep", 1)], "inner"), call("Linear", ["h", "b"], ["y"], [], "second")], { attribute: ["steep"] });
    const model = modelOf(bench, [linear, layer], [call("Layer", ["x", "b"], ["h"], [attributeProto({ name: "steep", type: 1, f: 0.25 })], "/layer.0"), call("Linear", ["h", "b"], ["y"], [], "/last")]);
    await expectSameOutputs(model, inline, { x: randomFloats([2, 3]) }, { fired: 4 });
    assertSnapshot(printGraph(model.graph), "inline-functions");
    assert.deepEqual(model.graph.nodes.map((n) => n.name), ["/layer.0/inner/MatMul", "/layer.0/inner/Sum", "/layer.0/inner/LeakyRelu", "/layer.0/second/MatMul", "/layer.0/second/Sum", "/layer.0/second/LeakyRelu", "/last/MatMul", "/last/Sum", "/last/LeakyRelu"]);
    assert.equal(model.graph.nodes[0]?.metadata.get("k"), "v");
    const [site, ...others] = findWeights(model.graph);
    assert.deepEqual([site?.points[0]?.uses.length, others.length, model.functions.length], [3, 0, 0]);
  });

  it("tells where each initializer stood", () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    const model = modelOf(bench, [withoutBias], [call("Plain", ["x"], ["h"]), call("Plain", ["h"], ["y"])]);
    const { constants } = inlineFunctions(model);
    const [[value, place] = []] = constants;
    assert.deepEqual([value?.name, place?.function, place?.node.output], ["weight", withoutBias, ["weight"]]);
    assert.equal(constants.size, 1);
  });

  it("leaves out what a call leaves out", async () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    bench.graph.addInitializer("top", Tensor.floats([], [0.25]));
    const model = modelOf(bench, [withoutBias], [call("Plain", ["x"], ["h"]), call("Plain", ["h", "top"], ["y"])]);
    await expectSameOutputs(model, inline, { x: randomFloats([2, 3]) }, { fired: 2 });
    assert.deepEqual(model.graph.nodes.filter((n) => n.opType === "Clip").map((n) => n.inputs.filter((v) => v !== undefined).length), [1, 2]);
  });

  it("keeps graph outputs that a function makes by more than one call, or has as a Constant", async () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    const odd = fn("Odd", ["x"], ["a", "c"], [node("Neg", ["x"], ["a"]), constant("c", matrix([2]))]);
    const model = modelOf(bench, [odd], [call("Odd", ["x"], ["p", "q"]), call("Odd", ["p"], ["r", "s"])], { outputs: ["p", "q", "r", "s"] });
    await expectSameOutputs(model, inline, { x: randomFloats([2, 3]) }, { fired: 2 });
    assert.deepEqual(model.graph.outputs.map((v) => [v.name, v.producer?.opType]), [["p", "Neg"], ["q", "Identity"], ["r", "Neg"], ["s", "Identity"]]);
  });

  it("hands on an input that is an output of the body, under the name that the outside knows", () => {
    const bench = workbenchOf(["x", [2, 3]]);
    const odd = fn("Odd", ["x"], ["x", "x"], []);
    const model = modelOf(bench, [odd], [call("Odd", ["x"], ["p", "q"]), node("Neg", ["q"], ["y"])], { outputs: ["p", "y"] });
    assert.equal(inline(model), 1);
    assertSound(model.graph);
    assert.equal(printGraph(model.graph), "input x: float [2, 3]\np: float [2, 3] = Identity(x)\ny: float [2, 3] = Neg(x)\noutput p: float [2, 3]\noutput y: float [2, 3]\n");
  });

  it("writes calls in branches out, and branches in bodies", async () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    bench.input("c", [], 9);
    bench.weight("b", [3]);
    const branch = (opType: string, output: string): AttributeProto["g"] => graphProto({ name: output, node: [constant("own", matrix([3])), node(opType, ["h", "own"], ["mixed"]), node("Neg", ["mixed"], [output])], output: [valueInfoProto({ name: output })] });
    const choose = fn("Choose", ["x", "c", "b"], ["y"], [call("Linear", ["x", "b"], ["h"]), node("If", ["c"], ["y"], [attributeProto({ name: "then_branch", type: 5, g: branch("Add", "t") }), attributeProto({ name: "else_branch", type: 5, g: branch("Mul", "e") })])]);
    const model = modelOf(bench, [linear, choose], [call("Choose", ["x", "c", "b"], ["h"]), { condition: "c", output: "y", branches: [[call("Choose", ["h", "c", "b"], ["inThen"])], [call("Linear", ["h", "b"], ["inElse"])]] }]);
    const second = modelFromProto(modelToProto(model), { file: "functions.onnx", openExternal: undefined });
    await expectSameOutputs(model, inline, { x: randomFloats([2, 3]), c: Tensor.bools([], [true]) }, { fired: 5 });
    await expectSameOutputs(second, inline, { x: randomFloats([2, 3]), c: Tensor.bools([], [false]) }, { fired: 5 });
    assert.equal(model.graph.initializers.size, 4, "b, the weight, one constant of each branch");
  });

  it("brings a body in an older opset to the model's", () => {
    const bench = workbench(20);
    bench.input("x", [2, 3]);
    const axes = attributeProto({ name: "axes", type: 7, ints: [1] });
    const old = fn("Mean", ["x"], ["y"], [node("ReduceMean", ["x"], ["y"], [axes])], { opsetImport: [operatorSetIdProto({ version: 17 })] });
    const model = modelOf(bench, [old], [call("Mean", ["x"], ["y"])], { opset: 20 });
    assert.equal(inline(model), 1);
    assertSound(model.graph);
    assert.match(printGraph(model.graph), /ReduceMean\(x, \[1\]\)/);
    const newer = modelOf(workbenchOf(["x", [2, 3]]), [fn("Mean", ["x"], ["y"], [node("ReduceMean", ["x"], ["y"])], { opsetImport: [operatorSetIdProto({ version: 20 })] })], [call("Mean", ["x"], ["y"], [], "m")]);
    assert.throws(() => inline(newer), failure("FUNCTION_NOT_INLINABLE", /"functions\.onnx": the function "Mean", called by node "m", can't be written out: ReduceMean means something else in its opset 20 than in the model's opset 17/));
  });

  it("takes the model's function where an operator has its name, and tells overloads apart", () => {
    const bench = workbench();
    bench.input("x", [2, 3]);
    const relu = functionProto({ name: "Relu", domain: "", input: ["x"], output: ["y"], opsetImport, node: [node("Neg", ["x"], ["y"])] });
    const one = fn("F", ["x"], ["y"], [node("Exp", ["x"], ["y"])]);
    const other = fn("F", ["x"], ["y"], [node("Abs", ["x"], ["y"])], { overload: "abs" });
    const model = modelOf(bench, [relu, one, other], [node("Relu", ["x"], ["a"]), call("F", ["a"], ["b"]), { ...call("F", ["b"], ["y"]), overload: "abs" }]);
    assert.equal(inline(model), 3);
    assert.deepEqual(model.graph.nodes.map((n) => n.opType), ["Neg", "Exp", "Abs"]);
    assertSound(model.graph);
  });

  it("refuses functions that call themselves, are nested too deep, or double, before it writes one out", () => {
    const step = (i: number, calls: number): FunctionProto => fn(`f${String(i)}`, ["x"], ["y"], Array.from({ length: calls }, (_, j) =>
      call(`f${String(i + 1)}`, [j === 0 ? "x" : `h${String(j)}`], [j === calls - 1 ? "y" : `h${String(j + 1)}`])));
    const refused = (functions: FunctionProto[], code: string, message: RegExp): void => {
      const bench = workbenchOf(["x", [2, 3]]);
      const model = modelOf(bench, functions, [call("f0", ["x"], ["y"])]);
      const started = performance.now();
      assert.throws(() => inlineFunctions(model), failure(code, message));
      assert.ok(performance.now() - started < 1000);
    };
    refused([step(0, 1), { ...step(1, 1), node: [call("f0", ["x"], ["y"])] }], "RECURSIVE_FUNCTION", /the function "f0" calls itself \("f0", "f1" and "f0"\)/);
    const end = (i: number): FunctionProto => fn(`f${String(i)}`, ["x"], ["y"], [node("Neg", ["x"], ["y"])]);
    refused([...Array.from({ length: 120 }, (_, i) => step(i, 1)), end(120)], "FUNCTIONS_TOO_DEEP", /nested more than 100 deep/);
    refused([end(120), ...Array.from({ length: 120 }, (_, i) => step(119 - i, 1))], "FUNCTIONS_TOO_DEEP", /nested more than 100 deep/);
    refused([...Array.from({ length: 40 }, (_, i) => step(i, 2)), end(40)], "FUNCTIONS_TOO_LARGE", /more than 100000 nodes/);
    refused(Array.from({ length: 10_001 }, (_, i) => end(i)), "TOO_MANY_FUNCTIONS", /defines 10001 functions; at most 10000/);
  });

  it("cuts names that would grow with every call", () => {
    const bench = workbenchOf(["x", [2, 3]]);
    const model = modelOf(bench, [fn("F", ["x"], ["y"], [node("Neg", ["x"], ["y"])])], [call("F", ["x"], ["y"], [], "n".repeat(100_000))]);
    inline(model);
    assert.equal(model.graph.nodes[0]?.name, `/${"n".repeat(512)}/Neg`);
  });

  it("writes thousands of calls without a name out in a moment", () => {
    const count = 5_000;
    const calls = Array.from({ length: count }, (_, i) => call("F", [i === 0 ? "x" : `h${String(i)}`], [i === count - 1 ? "y" : `h${String(i + 1)}`]));
    const model = modelOf(workbenchOf(["x", [2, 3]]), [fn("F", ["x"], ["y"], [node("Neg", ["x"], ["y"])])], calls);
    const started = performance.now();
    assert.equal(inlineFunctions(model).calls, count);
    assert.ok(performance.now() - started < 5000, `${String(performance.now() - started)} ms`);
    assert.deepEqual(model.graph.nodes.slice(0, 2).map((n) => n.name), ["/F/Neg", "/F_2/Neg"]);
  });

  it("leaves a model without functions as it is", () => {
    const { graph, op, input, output, model } = workbench();
    output(op.Neg(input("x", [2])), "y");
    graph.insert([new Node({ opType: "Custom", domain: "com.example", attributes: new Map([["i", int(1)]]) }, [graph.inputs[0]], [graph.newValue("z")])]);
    const before = printGraph(graph);
    assert.deepEqual([inline(model), printGraph(graph)], [0, before]);
  });
});

function workbenchOf([name, shape]: [string, number[]]): Workbench {
  const bench = workbench();
  bench.input(name, shape);
  return bench;
}
