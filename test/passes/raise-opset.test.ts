import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { float, int, ints } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { assertSnapshot, assertSound, encoderFeeds, expectSameOutputs, openFixture, randomFloats, workbench } from "./workbench.ts";

const raise = (target = 20) => (model: Parameters<typeof raiseOpset>[0]): number => {
  const raised = raiseOpset(model, target);
  inferGraph(model.graph, model.opsets);
  return Number(raised);
};

describe("raiseOpset", () => {
  it("turns attributes into inputs, and gives Split its number of outputs, in nested graphs too", async () => {
    const { graph, op, input, output, model } = workbench();
    const [x, c] = [input("x", [4, 6]), input("c", [], DataType.BOOL)];
    output(op.Add(op.ReduceMean(x, [1, -2], { keepdims: 1 }), op.ReduceMax(x, undefined, { keepdims: 0 })), "reduced");
    const halves = op.Split(x, undefined, { axis: 1 }, 2);
    const parts = op.Split(x, [1, 5], { axis: 1 }, 2);
    output(op.Concat([halves[1] ?? x, parts[0] ?? x], { axis: 1 }), "parts");
    const branch = (axis: number): Graph => {
      const sub = new Graph(graph);
      sub.name = `branch${String(axis)}`;
      const made = sub.newValue("mean", { dataType: DataType.FLOAT, shape: [4, 6] });
      sub.insert([new Node({ opType: "ReduceMean", name: `mean${String(axis)}`, attributes: new Map([["axes", ints([axis])], ["keepdims", int(0)]]) }, [x], [made])]);
      sub.outputs.push(made);
      return sub;
    };
    const chosen = graph.newValue("chosen", { dataType: DataType.FLOAT, shape: undefined });
    graph.insert([new Node({ opType: "If", name: "if", attributes: new Map([["then_branch", { kind: "graph", value: branch(0) }], ["else_branch", { kind: "graph", value: branch(1) }]]) }, [c], [chosen])]);
    output(chosen, "chosen");
    await expectSameOutputs(model, raise(), { x: randomFloats([4, 6]), c: Tensor.bools([], [false]) }, { fired: 1 });
    assert.equal(model.opset, 20);
    assertSnapshot(printGraph(graph), "raise-opset");
  });

  for (const family of ["bert", "roberta"]) {
    it(`raises the TorchScript export of ${family}, whose numbers stay`, async () => {
      const model = openFixture(`cases/${family}/model.ts.onnx`);
      await expectSameOutputs(model, raise(), encoderFeeds(model), { fired: 1 });
    });
  }

  it("takes a Softmax over the last axis, and a Dropout, from opset 11", async () => {
    const { model, graph, op, input, output } = workbench(11);
    const dropped = graph.newValue("dropped", { dataType: DataType.FLOAT, shape: [2, 3, 4] });
    graph.insert([new Node({ opType: "Dropout", name: "dropout", attributes: new Map([["ratio", float(0.5)]]) }, [input("x", [2, 3, 4])], [dropped])]);
    output(op.Softmax(dropped, { axis: 2 }), "probabilities");
    output(op.Squeeze(op.ReduceSum(dropped, [1], { keepdims: 1 }), [1]), "sums");
    await expectSameOutputs(model, raise(), { x: randomFloats([2, 3, 4]) }, { fired: 1 });
    assert.equal(model.opset, 20);
  });

  const kept: [what: string, build: (bench: ReturnType<typeof workbench>) => void, opset?: number][] = [
    ["an operator unknown to ONNX", ({ graph }) => { graph.insert([new Node({ opType: "Mystery" }, [], [])]); }],
    ["one that is called as every object's constructor", ({ graph }) => { graph.insert([new Node({ opType: "constructor" }, [], [])]); }],
    ["one that is younger than the graph's opset", ({ graph, input }) => { graph.insert([new Node({ opType: "Gelu" }, [input("x", [1])], [graph.newValue("y")])]); }],
    ["an unknown one in a nested graph", ({ graph }) => {
      const sub = new Graph(graph);
      sub.insert([new Node({ opType: "Mystery" }, [], [])]);
      graph.insert([new Node({ opType: "Loop", attributes: new Map([["body", { kind: "graph", value: sub }]]) }, [], [])]);
    }],
    ["one whose meaning changed", ({ graph, input }) => { graph.insert([new Node({ opType: "RoiAlign" }, [input("x", [1])], [graph.newValue("y")])]); }, 15],
    ["a Fourier transform, whose axis has another default", ({ op, input, output }) => { output(op.DFT(input("x", [1, 4, 1])), "y"); }, 19],
    ["a BatchNormalization in training mode of before opset 14", ({ graph, input }) => {
      const inputs = ["x", "scale", "b", "mean", "var"].map((name) => input(name, name === "x" ? [2, 3] : [3]));
      graph.insert([new Node({ opType: "BatchNormalization" }, inputs, ["y", "new_mean", "new_var"].map((name) => graph.newValue(name)))]);
    }, 13],
    ["a Dropout of before opset 12 whose mask is read", ({ graph, input, output }) => {
      const mask = graph.newValue("mask", { dataType: DataType.BOOL, shape: [3] });
      graph.insert([new Node({ opType: "Dropout" }, [input("x", [3])], [graph.newValue("y"), mask])]);
      output(mask, "dropped");
    }, 11],
    ["an AveragePool of before opset 19 whose last window may begin behind the end", ({ graph, input }) => {
      graph.insert([new Node({ opType: "AveragePool", attributes: new Map([["kernel_shape", ints([2])], ["ceil_mode", int(1)]]) }, [input("x", [1, 1, 5])], [graph.newValue("y")])]);
    }, 18],
    ["an attribute that became an input of another kind", ({ graph, input }) => { graph.insert([new Node({ opType: "ReduceMax", attributes: new Map([["axes", int(1)]]) }, [input("x", [1])], [graph.newValue("y")])]); }],
    ["an opset below 11", () => undefined, 10],
    ["a Softmax of before opset 13 that sums over more than the last axis", ({ graph, input }) => { graph.insert([new Node({ opType: "Softmax" }, [input("x", [2, 3, 4])], [graph.newValue("y")])]); }, 12],
    ["an opset that is high enough", () => undefined, 20],
  ];
  for (const [what, build, opset = 17] of kept) {
    it(`leaves the whole graph as it is for ${what}`, () => {
      const bench = workbench(opset);
      bench.output(bench.op.Identity(bench.input("z", [2])), "out");
      if (opset === 17) bench.op.ReduceMean(bench.input("m", [2]), [0]);
      build(bench);
      const before = printGraph(bench.graph);
      assert.equal(raiseOpset(bench.model, 20), false);
      assert.deepEqual([printGraph(bench.graph), bench.model.opset], [before, opset]);
      assertSound(bench.graph);
    });
  }

  it("doesn't mind operators of other domains", () => {
    const { graph, model } = workbench();
    graph.insert([new Node({ opType: "Mystery", domain: "com.example" }, [], [])]);
    assert.ok(raiseOpset(model, 20));
  });
});
