import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node } from "../../src/ir/graph.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { assertSnapshot, BATCH, SEQUENCE, workbench } from "../passes/workbench.ts";
import { everything } from "./everything.ts";

describe("printGraph", () => {
  it("writes a node a line, shapes with each value, small constants where they are read", () => {
    const { graph, op, input, weight, output } = workbench();
    const x = input("x", [BATCH, SEQUENCE, 4]);
    const product = op.MatMul(x, weight("w", [4, 6]));
    const [first, second] = op.Split(op.Reshape(product, [0, -1, 2, 3]), [1, 1], { axis: 2 }, 2);
    const normal = op.LayerNormalization(op.Mul(first ?? x, op.scalar(1 / 3)), op.constant("scale", Tensor.floats([3], [1, 1, -0])))[0] ?? x;
    output(op.Concat([normal, second ?? x], { axis: -1 }), "y");
    const condition = input("c", [], DataType.BOOL);
    const branch = (opType: string): Graph => {
      const sub = new Graph(graph);
      const made = sub.newValue(opType.toLowerCase(), { dataType: DataType.FLOAT, shape: undefined });
      sub.insert([new Node({ opType, domain: "com.example" }, [x, undefined, sub.addInitializer("k", Tensor.ints([2, 1], [1, 2]))], [made])]);
      sub.outputs.push(made);
      return sub;
    };
    const chosen = graph.newValue("chosen");
    graph.insert([new Node({ opType: "If", attributes: new Map([["then_branch", { kind: "graph", value: branch("Then") }], ["else_branch", { kind: "graph", value: branch("Else") }]]) }, [condition], [undefined, chosen])]);
    output(chosen, "z");
    assertSnapshot(printGraph(graph), "print");
  });

  it("writes whatever a file may hold", () => {
    assertSnapshot(printGraph(modelFromProto(everything(), { file: "x", openExternal: undefined }).graph), "print-everything");
  });
});
