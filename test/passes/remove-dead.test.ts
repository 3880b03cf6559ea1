import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { removeDead } from "../../src/passes/remove-dead.ts";
import { assertSnapshot, expectSameOutputs, randomFloats, workbench, type Workbench } from "./workbench.ts";

const remove = (model: { graph: Graph }): number => removeDead(model.graph);

/** An If on `condition` whose branches negate `read`. */
function addIf({ graph }: Workbench, condition: Value, read: Value): Value {
  const branch = (): Graph => {
    const sub = new Graph(graph);
    sub.name = graph.freshName("branch");
    const made = sub.newValue("inner", { dataType: DataType.FLOAT, shape: [2, 3] });
    sub.insert([new Node({ opType: "Neg", name: graph.freshName("neg") }, [read], [made])]);
    sub.outputs.push(made);
    return sub;
  };
  const chosen = graph.newValue("chosen", { dataType: DataType.FLOAT, shape: [2, 3] });
  graph.insert([new Node({ opType: "If", name: graph.freshName("if"), attributes: new Map([["then_branch", { kind: "graph", value: branch() }], ["else_branch", { kind: "graph", value: branch() }]]) }, [condition], [chosen])]);
  return chosen;
}

describe("removeDead", () => {
  it("removes nodes and constants that feed nothing, and keeps what nested graphs capture", async () => {
    const bench = workbench();
    const { graph, op, input, weight, output, model } = bench;
    const [x, c] = [input("x", [2, 3]), input("c", [], DataType.BOOL)];
    input("unused", [1]);
    op.Exp(op.Add(x, weight("dead", [3])));
    const captured = op.Mul(x, weight("kept", [3]));
    output(addIf(bench, c, captured), "y");
    graph.outputs.push(weight("a constant that is an output", [2]));
    await expectSameOutputs(model, remove, { x: randomFloats([2, 3]), c: Tensor.bools([], [true]), unused: randomFloats([1]) }, { fired: 2 });
    assertSnapshot(printGraph(graph), "remove-dead");
  });

  it("removes a dead node together with what only its nested graphs capture", async () => {
    const bench = workbench();
    const { graph, op, input, weight, output, model } = bench;
    const [x, c] = [input("x", [2, 3]), input("c", [], DataType.BOOL)];
    const captured = op.Mul(x, weight("w", [3]));
    addIf(bench, c, captured);
    addIf(bench, c, weight("direct", [2, 3]));
    output(op.Exp(x), "y");
    await expectSameOutputs(model, remove, { x: randomFloats([2, 3]), c: Tensor.bools([], [true]) }, { fired: 3 });
    assert.deepEqual([graph.initializers.size, captured.uses, x.uses.length], [0, [], 1]);
  });

  it("lets optional outputs go that nothing reads, and no others: a Split without a part crashes the runtime", async () => {
    const { graph, op, input, weight, output, model } = workbench();
    const x = input("x", [2, 6]);
    const normal = op.LayerNormalization(x, weight("scale", [6]), undefined, {}, 3);
    const [, second] = op.Split(normal[0] ?? x, [2, 2, 2], { axis: 1 }, 3);
    const [top] = op.TopK(second ?? x, [1], {}, 2);
    output(op.Mul(top ?? x, normal[2] ?? x), "y");
    await expectSameOutputs(model, remove, { x: randomFloats([2, 6]) }, { fired: 0 });
    const outputs = (opType: string): boolean[] | undefined => graph.nodes.find((n) => n.opType === opType)?.outputs.map((v) => v !== undefined);
    assert.deepEqual([outputs("LayerNormalization"), outputs("Split"), outputs("TopK")], [[true, false, true], [true, true, true], [true, true]]);
    assert.equal(normal[1]?.producer, undefined);
  });
});
