/** Nested graphs for tests: an If, and a Loop. */
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferNode } from "../../src/ops/infer.ts";

/** What is drawn in a branch: a builder for it, and the values that it gives. */
export type Branch = (op: OpBuilder) => readonly Value[];

/** A graph nested in that of `op`. */
export function nestedGraph(op: OpBuilder, draw: Branch): Graph {
  const graph = new Graph(op.graph);
  graph.name = op.graph.freshName("nested");
  graph.outputs.push(...draw(new OpBuilder(graph, { opsets: new Map([["", op.opset]]), origin: "n" })));
  return graph;
}

/** If(condition) with as many outputs as the branches have. */
export function ifOf(op: OpBuilder, condition: Value, then: Branch, otherwise: Branch): Value[] {
  const branches = { then_branch: nestedGraph(op, then), else_branch: nestedGraph(op, otherwise) };
  return op.emit("If", [condition], branches, branches.then_branch.outputs.length);
}

/** `times` runs of a body that makes the next v. */
export function loopOf(op: OpBuilder, times: number, initial: Value, body: (op: OpBuilder, v: Value) => Value): Value {
  const { graph } = op;
  const nested = nestedGraph(op, (inner) => {
    inner.graph.addInput(graph.freshName("i"), { dataType: DataType.INT64, shape: [] });
    const go = inner.graph.addInput(graph.freshName("go"), { dataType: DataType.BOOL, shape: [] });
    const v = inner.graph.addInput(graph.freshName("v"), { dataType: initial.dataType, shape: initial.shape });
    return [inner.Identity(go), body(inner, v)];
  });
  const node = new Node({ opType: "Loop", name: graph.freshName("loop"), attributes: new Map([["body", { kind: "graph", value: nested }]]) },
    [op.Squeeze(op.ints([times]), [0]), undefined, initial], [graph.newValue("looped")]);
  graph.insert([node]);
  inferNode(node, new Map([["", op.opset]]));
  const [out] = node.outputs;
  if (out === undefined) throw new TypeError("a Loop without output");
  return out;
}
