import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { float, floats, int, ints, strings, tensor, type Attribute } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Node, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { normalizeConstants } from "../../src/passes/normalize-constants.ts";
import { assertSound, encoderFeeds, expectSameOutputs, openFixture, outputsOf, workbench, type Workbench } from "./workbench.ts";

function constant({ graph }: Workbench, name: string, attribute: string, value: Attribute, dataType: number = DataType.FLOAT): Value {
  const made = graph.newValue(name, { dataType, shape: undefined });
  graph.insert([new Node({ opType: "Constant", name, attributes: new Map([[attribute, value]]) }, [], [made])]);
  return made;
}

describe("normalizeConstants", () => {
  it("makes initializers of all forms of a Constant, the values staying the very ones they were", async () => {
    const bench = workbench();
    const { graph, op, input, output, model } = bench;
    const x = input("x", [2]);
    const constants = [constant(bench, "table", "value", tensor(Tensor.floats([2], [1, 2]))), constant(bench, "one", "value_float", float(0.5)), constant(bench, "vector", "value_floats", floats([3, 4]))];
    const whole = [constant(bench, "number", "value_int", int(7), DataType.INT64), constant(bench, "numbers", "value_ints", ints([8, 9]), DataType.INT64)];
    let sum = x;
    for (const c of constants) sum = op.Add(sum, c);
    for (const c of whole) sum = op.Add(sum, op.Cast(c, { to: DataType.FLOAT }));
    output(sum, "y");
    await expectSameOutputs(model, (m) => normalizeConstants(m.graph), { x: Tensor.floats([2], [100, 200]) }, { fired: 5 });
    assert.deepEqual(await outputsOf(model, { x: Tensor.floats([2], [100, 200]) }), { y: [119.5, 222.5] });
    for (const c of [...constants, ...whole]) assert.ok(c.initializer !== undefined && c.producer === undefined && graph.initializers.has(c) && c.uses.length === 1, c.name);
    assert.deepEqual([...graph.initializers].map((v) => v.name), ["table", "one", "vector", "number", "numbers"]);
  });

  it("leaves strings, graph outputs, and what else calls itself Constant", () => {
    const bench = workbench();
    constant(bench, "words", "value_strings", strings(["a"]), DataType.STRING);
    bench.graph.outputs.push(constant(bench, "out", "value_float", float(1)));
    bench.graph.insert([new Node({ opType: "Constant", domain: "com.example", attributes: new Map([["value_float", float(1)]]) }, [], [bench.graph.newValue("other")])]);
    assert.equal(normalizeConstants(bench.graph), 0);
    assertSound(bench.graph);
  });

  it("leaves a Constant with a second output, which something reads: taking it away was an error of the pass", () => {
    const { graph, op, output } = workbench();
    const second = graph.newValue("second");
    graph.insert([new Node({ opType: "Constant", attributes: new Map([["value_float", float(1)]]) }, [], [graph.newValue("first"), second])]);
    output(op.Identity(second), "y");
    assert.equal(normalizeConstants(graph), 0);
    assertSound(graph);
  });

  it("fires on all 97 of a TorchScript export, whose numbers stay", async () => {
    const model = openFixture("cases/bert/model.ts.onnx");
    await expectSameOutputs(model, (m) => normalizeConstants(m.graph), encoderFeeds(model), { fired: 97 });
  });
});
