/** Shape rules of what holds graphs, against what ONNX Runtime gives. The gradient of If is checked in test/passes/differentiate-if.test.ts. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { int } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { symbol, type Dim } from "../../src/ir/dim.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferNode } from "../../src/ops/infer.ts";
import { ifOf, loopOf, nestedGraph } from "../passes/nested.ts";
import { assertFactsFit } from "./declared.ts";
import { runGraph } from "./run-graph.ts";

const OPSETS = new Map([["", 17]]);
const N = symbol("n");
const X = Tensor.floats([2, 3], [1, 2, 3, 4, 5, 6]);

interface Drawing {
  readonly graph: Graph;
  readonly op: OpBuilder;
  readonly x: Value;
}

function drawing(shape: readonly Dim[]): Drawing {
  const graph = new Graph();
  return { graph, op: new OpBuilder(graph, { opsets: OPSETS, origin: "t" }), x: graph.addInput("x", { dataType: DataType.FLOAT, shape }) };
}

/** Compares what was inferred with what comes out. */
async function expectFacts(values: readonly Value[], graph: Graph, shapes: readonly (readonly Dim[] | undefined)[], feeds: Readonly<Record<string, Tensor>> = { x: X }): Promise<void> {
  assert.deepEqual(values.map((v) => v.shape), shapes);
  const facts = values.map((v) => v.facts);
  for (const value of values) value.facts = { dataType: value.dataType, shape: undefined };
  graph.outputs.push(...values);
  const real = await runGraph(graph, 17, feeds);
  values.forEach((value, i) => {
    value.facts = facts[i];
    assertFactsFit(value, real[value.name], { n: 2 }, value.name);
  });
}

describe("operators that hold graphs", () => {
  it("If: what both branches agree on", async () => {
    for (const c of [true, false]) {
      const { graph, op, x } = drawing([N, 3]);
      const condition = graph.addInput("c", { dataType: DataType.BOOL, shape: [] });
      const values = ifOf(op, condition, (inner) => [inner.Exp(x), inner.Concat([x, x], { axis: 0 }), inner.Identity(inner.Shape(x)), inner.Identity(x)],
        (inner) => [inner.Neg(x), inner.Identity(x), inner.Add(inner.Shape(x), inner.ints([1, 0])), inner.ReduceSum(x, [0], { keepdims: 0 })]);
      const ints = values[2]?.facts?.ints;
      await expectFacts(values, graph, [[N, 3], [undefined, 3], [2], undefined], { x: X, c: Tensor.bools([], [c]) });
      assert.deepEqual(ints, [undefined, 3]);
    }
  });

  it("Loop: v as long as every run keeps it; what runs give is stacked", async () => {
    const { graph, op, x } = drawing([N, 3]);
    const body = nestedGraph(op, (inner) => {
      const input = (name: string, dataType: number, shape: readonly Dim[]): Value => inner.graph.addInput(name, { dataType, shape });
      const [, go, v] = [input("i", DataType.INT64, []), input("go", DataType.BOOL, []), input("v", DataType.FLOAT, [undefined, 3])];
      return [inner.Identity(go), inner.Concat([v, v], { axis: 0 }), inner.ReduceSum(v, [0], { keepdims: 0 })];
    });
    const outputs = [graph.newValue("last"), graph.newValue("sums")];
    const node = new Node({ opType: "Loop", attributes: new Map([["body", { kind: "graph", value: body }]]) }, [op.Squeeze(op.ints([4]), [0]), undefined, x], outputs);
    graph.insert([node]);
    inferNode(node, OPSETS);
    await expectFacts(outputs, graph, [[undefined, 3], [undefined, 3]]);
  });

  it("Loop: a v that keeps its shape", async () => {
    const { graph, op, x } = drawing([2, 3]);
    await expectFacts([loopOf(op, 3, x, (body, v) => body.Mul(v, x))], graph, [[2, 3]]);
  });

  it("Scan: states keep their shape, what runs give is stacked along the scanned length", async () => {
    const { graph, op, x } = drawing([N, 3]);
    const state = op.constant("state", Tensor.floats([3], [0, 0, 0]));
    const body = nestedGraph(op, (inner) => {
      const [s, row] = ["s", "row"].map((name) => inner.graph.addInput(name, { dataType: DataType.FLOAT, shape: [3] }));
      const next = inner.Add(s ?? state, row ?? state);
      return [next, inner.Mul(next, next)];
    });
    const outputs = [graph.newValue("sum"), graph.newValue("squares")];
    const node = new Node({ opType: "Scan", attributes: new Map([["body", { kind: "graph", value: body }], ["num_scan_inputs", int(1)]]) }, [state, x], outputs);
    graph.insert([node]);
    inferNode(node, OPSETS);
    await expectFacts(outputs, graph, [[3], [N, 3]]);
  });
});
