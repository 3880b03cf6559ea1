import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { int, string, strings, tensor } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { normalizeConstants } from "../../src/passes/normalize-constants.ts";
import { mergeRepeated } from "../../src/passes/merge-repeated.ts";
import { assertSnapshot, assertSound, encoderFeeds, expectSameOutputs, openFixture, outputsOf, randomFloats, workbench } from "./workbench.ts";

const merge = (model: { graph: Graph }): number => mergeRepeated(model.graph);

describe("mergeRepeated", () => {
  it("merges what computes the same, and then what computes the same from that", async () => {
    const { graph, op, input, output, model } = workbench();
    const x = input("x", [2, 3]);
    const [a, b] = [op.Exp(x), op.Exp(x)];
    output(op.Sub(op.Softmax(op.Mul(a, op.constant("two", Tensor.floats([], [2]))), { axis: -1 }), op.Softmax(op.Mul(b, op.constant("too", Tensor.floats([], [2]))), { axis: -1 })), "zero");
    output(op.Add(op.Softmax(a, { axis: 0 }), op.Softmax(b, { axis: 1 })), "two axes");
    await expectSameOutputs(model, merge, { x: randomFloats([2, 3]) }, { fired: 3 });
    assertSnapshot(printGraph(graph), "merge-repeated");
  });

  it("tells attributes apart by kind and value, −0 from 0 and texts by where they end", () => {
    const { graph, input } = workbench();
    const x = input("x", [2]);
    const add = (attributes: Readonly<Record<string, Parameters<Map<string, ReturnType<typeof int>>["set"]>[1]>>): void => {
      graph.insert([new Node({ opType: "Relu", attributes: new Map(Object.entries(attributes)) }, [x], [graph.newValue("v")])]);
    };
    const different = [{}, { a: int(1) }, { a: { kind: "float", value: 1 } }, { a: { kind: "float", value: 0 } }, { a: { kind: "float", value: -0 } }, { a: string("1") }, { a: { kind: "ints", value: [1] } }, { a: strings(["x", "y"]) }, { a: strings(['x","y']) },
      { a: string("x b=string:y") }, { a: string("x"), b: string("y") }, { a: tensor(Tensor.floats([1], [1])) }, { a: tensor(Tensor.floats([], [1])) }, { a: string("really?") }] as const;
    for (const attributes of different) add(attributes);
    assert.equal(mergeRepeated(graph), 0);
    for (const attributes of different) add(attributes);
    assert.equal(mergeRepeated(graph), different.length);
    add({ b: string("y"), a: string("x") });
    assert.equal(mergeRepeated(graph), 1, "the order of attributes says nothing");
    assertSound(graph);
  });

  it("takes over an optional output that only the second asks for", async () => {
    const { graph, op, input, weight, output, model } = workbench();
    const [x, scale] = [input("x", [2, 3]), weight("scale", [3])];
    const first = op.LayerNormalization(x, scale)[0] ?? x;
    const second = op.LayerNormalization(x, scale, undefined, {}, 3);
    output(op.Add(op.Neg(first), op.Mul(second[2] ?? x, second[0] ?? x)), "y");
    await expectSameOutputs(model, merge, { x: randomFloats([2, 3]) }, { fired: 1 });
    assert.deepEqual(graph.nodes[0]?.outputs.map((v) => v === undefined), [false, false, false]);
  });

  it("keeps graph outputs, whichever comes first", async () => {
    const { graph, op, input, output, model } = workbench();
    const x = input("x", [2, 3]);
    const [a, b, c, d] = [op.Exp(x), op.Exp(x), op.Exp(x), op.Exp(x)];
    output(b, "b");
    output(c, "c");
    output(op.Neg(op.Add(a, d)), "y");
    await expectSameOutputs(model, merge, { x: randomFloats([2, 3]) }, { fired: 1 });
    assert.deepEqual(graph.outputs.map((v) => v.name), ["b", "c", "y"]);
    assert.deepEqual(graph.outputs[2]?.producer?.inputs[0]?.producer?.inputs, [a, a]);
  });

  it("leaves random numbers, nested graphs, other domains, and a Split of another number of parts", () => {
    const { graph, op, input } = workbench();
    const x = input("x", [6]);
    const twice = (make: () => Node): void => { graph.insert([make(), make()]); };
    const value = (): ReturnType<typeof graph.newValue> => graph.newValue("v");
    for (const opType of ["RandomNormalLike", "RandomUniformLike", "Dropout", "Bernoulli", "Multinomial"]) twice(() => new Node({ opType }, [x], [value()]));
    for (const opType of ["RandomNormal", "RandomUniform"]) twice(() => new Node({ opType }, [], [value()]));
    twice(() => new Node({ opType: "Exp", domain: "com.example" }, [x], [value()]));
    twice(() => new Node({ opType: "If", attributes: new Map([["then_branch", { kind: "graph", value: new Graph(graph) }]]) }, [x], [value()]));
    op.Split(x, undefined, {}, 2);
    op.Split(x, undefined, {}, 3);
    assert.equal(mergeRepeated(graph), 0);
    op.Split(x, undefined, {}, 3);
    assert.equal(mergeRepeated(graph), 1);
    assertSound(graph);
  });

  it("merges small constants of one type, shape and value, and no others", () => {
    const { graph, op } = workbench();
    const make = (name: string, t: Tensor): void => { op.Neg(graph.addInitializer(name, t)); };
    make("a", Tensor.floats([2], [0, 0]));
    make("same", Tensor.floats([2], [0, 0]));
    make("negative", Tensor.floats([2], [0, -0]));
    make("shape", Tensor.floats([1, 2], [0, 0]));
    make("type", new Tensor(DataType.INT32, [2], new Uint8Array(8)));
    make("large", Tensor.floats([300], new Float32Array(300)));
    make("large too", Tensor.floats([300], new Float32Array(300)));
    make("out", Tensor.floats([2], [0, 0]));
    const out = [...graph.initializers].at(-1);
    assert.ok(out);
    graph.outputs.push(out);
    assert.equal(mergeRepeated(graph), 1);
    assert.deepEqual([...graph.initializers].map((v) => v.name), ["a", "negative", "shape", "type", "large", "large too", "out"]);
    assertSound(graph);
  });

  it("never merges a pinned value, be it a constant or made by a node", () => {
    // Two B of zeros were one constant once: then two weights were trained as one.
    const { graph, op, input } = workbench();
    const [b1, b2] = ["q.hut_B", "v.hut_B"].map((name) => graph.addInitializer(name, Tensor.floats([2], [0, 0])));
    const other = graph.addInitializer("other", Tensor.floats([2], [0, 0]));
    assert.ok(b1 && b2);
    b1.pinned = b2.pinned = true;
    for (const v of [b1, b2, other]) op.Neg(v);
    const w = input("w", [2, 2]);
    const [head] = [op.Transpose(w, { perm: [1, 0] }), op.Transpose(w, { perm: [1, 0] }), op.Transpose(w, { perm: [1, 0] })];
    assert.ok(head);
    head.pinned = true;
    assert.equal(mergeRepeated(graph), 1);
    assert.deepEqual([...graph.initializers], [b1, b2, other]);
    assert.ok(head.producer?.graph === graph);
    assertSound(graph);
  });

  it("keeps the numbers of a whole export", async () => {
    const model = openFixture("cases/roberta/model.ts.onnx");
    normalizeConstants(model.graph);
    const before = await outputsOf(model, encoderFeeds(model));
    const fired = mergeRepeated(model.graph);
    assert.ok(fired > 10, String(fired));
    assert.deepEqual(await outputsOf(model, encoderFeeds(model)), before);
    assert.equal(mergeRepeated(model.graph), 0);
  });
});
