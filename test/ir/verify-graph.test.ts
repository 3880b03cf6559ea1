import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node, Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";

const FACTS = { dataType: DataType.FLOAT, shape: [2] };

function sketch(): { graph: Graph; x: Value; a: Node; b: Node; inner: Node } {
  const graph = new Graph();
  const x = graph.addInput("x", FACTS);
  const a = new Node({ opType: "Neg", name: "a" }, [x], [graph.newValue("va")]);
  const sub = new Graph(graph);
  const inner = new Node({ opType: "Exp", name: "inner" }, [a.outputs[0]], [sub.newValue("vi")]);
  sub.insert([inner]);
  sub.outputs.push(inner.outputs[0] as Value);
  const b = new Node({ opType: "Loop", name: "b", attributes: new Map([["body", { kind: "graph", value: sub }]]) }, [a.outputs[0]], [graph.newValue("vb")]);
  graph.insert([a, b]);
  graph.outputs.push(b.outputs[0] as Value);
  return { graph, x, a, b, inner };
}

describe("verifyGraph", () => {
  it("finds nothing in a sound graph", () => {
    assert.deepEqual(verifyGraph(sketch().graph), []);
  });

  const broken: [what: string, damage: (s: ReturnType<typeof sketch>) => void, problems: RegExp[]][] = [
    ["a use that isn't counted", ({ x }) => { x.uses.length = 0; }, [/"x" doesn't count its use by Neg "a", input 0/]],
    ["a use that is counted twice", ({ x }) => { x.uses.push({ ...(x.uses[0] as Value["uses"][number]) }); }, [/"x" counts Neg "a", input 0 twice/, /twice/]],
    ["a use of a node that is gone", ({ x }) => { new Node({ opType: "Abs", name: "gone" }, [x], []); }, [/"x" counts a use by Abs "gone", input 0, which is not in the graph/]],
    ["a use of another input", ({ x, a }) => { x.uses.push({ node: a, index: 1 }); }, [/"x" counts a use by Neg "a", input 1, which reads something else/]],
    ["a producer that is wrong", ({ a, b }) => { (a.outputs[0] as Value).producer = b; }, [/"va" doesn't name Neg "a" as its producer/]],
    ["an input with a producer", ({ x, a }) => { x.producer = a; }, [/"x" is an input or a constant, and names Neg "a"/]],
    ["nodes out of order", ({ graph }) => { (graph.nodes as Node[]).reverse(); }, [/Loop "b" reads "va", which nothing before it makes/, /Exp "inner" reads "va"/]],
    ["a name given twice", ({ x, b }) => { (b.outputs[0] as Value).name = x.name; }, [/the name "x" is given twice/]],
    ["a name given twice, in a nested graph", ({ x, inner }) => { (inner.outputs[0] as Value).name = x.name; }, [/the name "x" is given twice/]],
    ["a value without a name", ({ a }) => { (a.outputs[0] as Value).name = ""; }, [/the output has no name/]],
    ["a node in two places", ({ graph, a }) => { graph.insert([a]); }, [/Neg "a" stands twice/, /two nodes are called "a"/, /the output "va" stands twice/]],
    ["two nodes of one name", ({ a, b }) => { b.name = a.name; }, [/two nodes are called "a"/]],
    ["a node that names another graph", ({ a }) => { a.graph = undefined; }, [/Neg "a" doesn't name the graph that it stands in/]],
    ["a graph output made elsewhere", ({ graph, inner }) => { graph.outputs.push(inner.outputs[0] as Value); }, [/the graph output "vi" is not made in its graph/]],
    ["a graph output that nothing makes", ({ graph }) => { graph.outputs.push(new Value("v")); }, [/the graph output "v" is not made/]],
    ["a constant that holds nothing", ({ graph }) => { graph.initializers.add(new Value("k")); }, [/the constant "k" holds nothing/]],
    ["an initializer with a producer", ({ graph, a }) => { graph.addInitializer("k", Tensor.floats([1], [0])).producer = a; }, [/"k" is an input or a constant, and names/]],
    ["a nested graph of another parent", ({ b }) => { b.attributes.set("more", { kind: "graph", value: new Graph(new Graph()) }); }, [/a graph nested in Loop "b" names another graph/]],
  ];
  for (const [what, damage, expected] of broken) {
    it(`finds ${what}`, () => {
      const s = sketch();
      damage(s);
      const problems = verifyGraph(s.graph);
      assert.equal(problems.length, expected.length, problems.join("\n"));
      expected.forEach((pattern, i) => { assert.match(problems[i] ?? "", pattern); });
    });
  }

  it("lets the two branches of an If use the same names", () => {
    const graph = new Graph();
    const x = graph.addInput("x", FACTS);
    const branch = (): Graph => {
      const sub = new Graph(graph);
      const value = new Value("same");
      sub.insert([new Node({ opType: "Neg", name: "n" }, [x], [value])]);
      sub.outputs.push(value);
      return sub;
    };
    graph.insert([new Node({ opType: "If", name: "if", attributes: new Map([["then_branch", { kind: "graph", value: branch() }], ["else_branch", { kind: "graph", value: branch() }]]) }, [x], [graph.newValue("y")])]);
    assert.deepEqual(verifyGraph(graph), []);
  });
});
