import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import type { Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { fixInputs } from "../../src/passes/fix-inputs.ts";
import { resolveConditions } from "../../src/passes/resolve-conditions.ts";
import { ifOf, loopOf, type Branch } from "./nested.ts";
import { assertSnapshot, assertSound, expectSameOutputs, openFixture, randomFloats, workbench } from "./workbench.ts";

const resolve = (model: Model): number => {
  inferGraph(model.graph, model.opsets);
  const fired = resolveConditions(model.graph);
  inferGraph(model.graph, model.opsets);
  return fired;
};

/** What both branches of a merged decoder do: they call everything by the same names. */
function named(value: Value, name: string): Branch {
  return (op) => {
    for (const taken of ["w", "scaled", "product", "out"]) op.graph.claimName(taken);
    const weight = op.graph.addInitializer("w", randomFloats([3]));
    weight.name = "w";
    const scaled = op.Mul(value, weight);
    scaled.name = "scaled";
    if (scaled.producer !== undefined) scaled.producer.name = "product";
    const out = name === "y" ? op.Exp(scaled) : op.Neg(scaled);
    out.name = "out";
    return [out];
  };
}

describe("resolveConditions", () => {
  it("puts the branch that is taken where the If stood, under its own names where they are free", async () => {
    const { graph, op, input, output, model } = workbench();
    const x = input("x", [2, 3]);
    const [a] = ifOf(op, op.constant("yes", Tensor.bools([], [true])), named(x, "y"), named(x, "n"));
    const [b] = ifOf(op, op.Equal(op.Slice(op.Shape(x), [0], [1]), op.ints([3])), named(a ?? x, "y"), named(a ?? x, "n"));
    output(b ?? x, "y");
    await expectSameOutputs(model, resolve, { x: randomFloats([2, 3]) }, { fired: 2 });
    assertSnapshot(printGraph(graph), "resolve-conditions");
  });

  it("resolves one after another, and those inside branches that are taken or stay", async () => {
    for (const c of [true, false]) {
      const { graph, op, input, output, model } = workbench();
      const [x, condition] = [input("x", [2, 3]), input("c", [], DataType.BOOL)];
      const [yes, no] = [op.constant("yes", Tensor.bools([1], [true])), op.constant("no", Tensor.bools([], [false]))];
      const inside: Branch = (inner) => ifOf(inner, no, named(x, "n"), named(x, "y"));
      const [a] = ifOf(op, yes, inside, named(x, "n"));
      const [b] = ifOf(op, condition, inside, (inner) => [loopOf(inner, 2, a ?? x, (body, v) => ifOf(body, yes, (deep) => [deep.Mul(v, x)], (deep) => [deep.Neg(v)])[0] ?? v)]);
      output(op.Add(a ?? x, b ?? x), "y");
      await expectSameOutputs(model, resolve, { x: randomFloats([2, 3]), c: Tensor.bools([], [c]) }, { fired: 4 });
      assert.deepEqual(graph.nodes.map((n) => n.opType), ["Mul", "Exp", "If", "Add"]);
    }
  });

  it("keeps graph outputs, also where the branch gives a constant", async () => {
    const { op, graph, input, output, model } = workbench();
    const x = input("x", [2, 3]);
    const [a, b] = ifOf(op, op.constant("no", Tensor.bools([], [false])), (inner) => [inner.Neg(x), inner.Neg(x)], (inner) => [inner.Exp(x), inner.constant("own", randomFloats([2]))]);
    output(a ?? x, "a");
    output(b ?? x, "b");
    await expectSameOutputs(model, resolve, { x: randomFloats([2, 3]) }, { fired: 1 });
    assert.deepEqual(graph.outputs.map((v) => [v.name, v.producer?.opType]), [["a", "Exp"], ["b", "Identity"]]);
  });

  it("follows an input that is fed one value, once that is fixed", async () => {
    const { op, graph, input, output, model } = workbench();
    const [x, c] = [input("x", [2, 3]), input("use_cache_branch", [1], DataType.BOOL)];
    output(ifOf(op, c, named(x, "y"), named(x, "n"))[0] ?? x, "y");
    assert.equal(resolve(model), 0);
    assert.equal(fixInputs(graph, (v) => (v === c ? Tensor.bools([1], [false]) : undefined)), 1);
    assertSound(graph);
    assert.deepEqual(graph.inputs, [x]);
    await expectSameOutputs(model, resolve, { x: randomFloats([2, 3]) }, { fired: 1 });
    assert.equal(fixInputs(graph, () => undefined), 0);
  });

  it("leaves an export without an If as it is", () => {
    const model = openFixture("cases/bert/model.dynamo.onnx");
    const before = printGraph(model.graph);
    assert.equal(resolveConditions(model.graph), 0);
    assert.equal(printGraph(model.graph), before);
  });
});
