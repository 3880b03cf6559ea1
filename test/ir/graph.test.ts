import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Attribute } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { failure } from "../passes/workbench.ts";

const FACTS = { dataType: DataType.FLOAT, shape: [2] };

/** Adds a node of one output. */
function add(graph: Graph, opType: string, inputs: readonly (Value | undefined)[], name: string, attributes: Readonly<Record<string, Attribute>> = {}): Value {
  const output = graph.newValue(name, FACTS);
  graph.insert([new Node({ opType, name, attributes: new Map(Object.entries(attributes)) }, inputs, [output])]);
  return output;
}

/** An If whose branches negate what `read` gives. */
function addIf(graph: Graph, condition: Value, read: Value, name: string): Value {
  const branch = (): Attribute => {
    const sub = new Graph(graph);
    sub.outputs.push(add(sub, "Neg", [read], `${name}_inner`));
    return { kind: "graph", value: sub };
  };
  return add(graph, "If", [condition], name, { then_branch: branch(), else_branch: branch() });
}

const sound = (graph: Graph): void => { assert.deepEqual(verifyGraph(graph), []); };
const readers = (value: Value): string[] => value.uses.map(({ node, index }) => `${node.name}.${String(index)}`).sort();

describe("Graph", () => {
  it("keeps uses when an input is set, set anew, left out, or added beyond the end", () => {
    const graph = new Graph();
    const [x, y] = [graph.addInput("x", FACTS), graph.addInput("y", FACTS)];
    const node = add(graph, "Concat", [x, x], "c").producer;
    assert.ok(node);
    assert.deepEqual(readers(x), ["c.0", "c.1"]);
    node.setInput(1, y);
    node.setInput(1, y);
    assert.deepEqual([readers(x), readers(y)], [["c.0"], ["c.1"]]);
    node.setInput(3, x);
    assert.deepEqual([node.inputs, readers(x)], [[x, y, undefined, x], ["c.0", "c.3"]]);
    node.setInput(0, undefined);
    assert.deepEqual([readers(x), x.consumers], [["c.3"], [node]]);
    sound(graph);
  });

  it("moves an output from one node to another, and lets one go", () => {
    const graph = new Graph();
    const x = graph.addInput("x", FACTS);
    const [a, b] = [add(graph, "Split", [x], "a"), add(graph, "Split", [x], "b")];
    const [from, to] = [a.producer, b.producer];
    assert.ok(from && to);
    const second = graph.newValue("second", FACTS);
    from.setOutput(2, second);
    assert.deepEqual([from.outputs, second.producer], [[a, undefined, second], from]);
    to.setOutput(1, second);
    from.setOutput(2, undefined);
    assert.equal(second.producer, to);
    to.setOutput(1, undefined);
    assert.equal(second.producer, undefined);
    sound(graph);
  });

  it("refuses to remove what is read, and names the readers", () => {
    const graph = new Graph();
    const x = graph.addInput("x", FACTS);
    const a = add(graph, "Neg", [x], "a");
    const b = add(graph, "Exp", [a], "b\u001b");
    const c = add(graph, "Log", [a], "c");
    graph.outputs.push(a, b);
    assert.throws(() => { graph.remove(a.producer === undefined ? [] : [a.producer]); },
      { name: "RangeError", message: `Neg "a" can't be removed: Exp "b\\u001b", Log "c" and the graph's list of outputs read "a"` });
    assert.deepEqual([graph.nodes.length, readers(a)], [3, ["b\u001b.0", "c.0"]]);
    graph.remove(c.producer === undefined ? [] : [c.producer]);
    assert.deepEqual([graph.nodes.map((n) => n.name), readers(a)], [["a", "b\u001b"], ["b\u001b.0"]]);
    sound(graph);
  });

  it("removes a chain in one go, in any order, and a node with what its nested graphs read", () => {
    const graph = new Graph();
    const [x, condition] = [graph.addInput("x", FACTS), graph.addInput("c", { dataType: DataType.BOOL, shape: [] })];
    const inner = add(graph, "Neg", [x], "inner");
    const chosen = addIf(graph, condition, inner, "if");
    graph.outputs.push(add(graph, "Exp", [x], "kept"));
    const [neg, If] = [inner.producer, chosen.producer];
    assert.ok(neg && If);
    assert.throws(() => { graph.remove([neg]); }, /Neg "inner" can't be removed: Neg "if_inner" and Neg "if_inner" read "inner"/);
    graph.remove([neg, If]);
    assert.deepEqual([graph.nodes.map((n) => n.name), inner.uses, neg.graph, If.graph], [["kept"], [], undefined, undefined]);
    sound(graph);
  });

  describe("replaceAllUses", () => {
    it("moves readers, those in nested graphs too", () => {
      const graph = new Graph();
      const [x, y, condition] = [graph.addInput("x", FACTS), graph.addInput("y", FACTS), graph.addInput("c", { dataType: DataType.BOOL, shape: [] })];
      const sum = add(graph, "Add", [x, x], "sum");
      graph.outputs.push(addIf(graph, condition, x, "if"), sum);
      graph.replaceAllUses(x, y);
      assert.deepEqual([readers(x), readers(y)], [[], ["if_inner.0", "if_inner.0", "sum.0", "sum.1"]]);
      sound(graph);
    });

    it("lets a graph output keep its name and declaration: the names swap", () => {
      const graph = new Graph();
      const x = graph.addInput("x", FACTS);
      const [old, made] = [add(graph, "Neg", [x], "logits"), add(graph, "Exp", [x], "better")];
      old.declared = {};
      graph.outputs.push(old);
      const reader = add(graph, "Log", [old], "reader");
      graph.replaceAllUses(old, made);
      assert.deepEqual([graph.outputs, made.name, old.name, readers(made), made.declared, old.declared], [[made], "logits", "better", ["reader.0"], {}, undefined]);
      assert.deepEqual(reader.producer?.inputs, [made]);
      sound(graph);
    });

    it("lets a constant be a graph output, and refuses an input or another output, which have names of their own", () => {
      const graph = new Graph();
      const x = graph.addInput("x", FACTS);
      const [a, b, constant] = [add(graph, "Neg", [x], "a"), add(graph, "Exp", [x], "b"), graph.addInitializer("k", Tensor.floats([2], [1, 2]))];
      graph.outputs.push(a, b);
      assert.throws(() => { graph.replaceAllUses(a, x); }, { name: "RangeError", message: /^the graph output "a" can't become "x"/ });
      assert.throws(() => { graph.replaceAllUses(a, b); }, /^RangeError: the graph output "a" can't become "b"/);
      graph.replaceAllUses(a, constant);
      assert.deepEqual([constant.name, a.name, graph.outputs], ["a", "k", [constant, b]]);
      graph.replaceAllUses(b, b);
      assert.deepEqual(graph.outputs, [constant, b]);
      sound(graph);
    });
  });

  describe("names", () => {
    it("are fresh against all of the model: values, nodes, nested graphs", () => {
      const graph = new Graph();
      const sub = new Graph(graph);
      graph.claimName("n");
      assert.deepEqual([sub.freshName("n"), graph.freshName("n"), graph.freshName("m"), sub.freshName("m")], ["n_1", "n_2", "m", "m_1"]);
    });

    it("are given up by values inside, in nested graphs too, for what the outside sees", () => {
      const graph = new Graph();
      const [x, condition] = [graph.addInput("x", FACTS), graph.addInput("c", { dataType: DataType.BOOL, shape: [] })];
      const [inside, constant] = [add(graph, "Neg", [x], "lr"), graph.addInitializer("step", Tensor.floats([2], [0, 0]))];
      const chosen = addIf(graph, condition, inside, "if");
      const nested = chosen.producer?.subgraphs[0]?.outputs[0];
      assert.ok(nested);
      graph.outputs.push(chosen, constant);
      const names = ["lr", "step", nested.name].map((name) => graph.addInput(name, FACTS).name);
      assert.deepEqual(names, ["lr", "step", "if_inner"]);
      assert.deepEqual([inside.name, constant.name, nested.name], ["lr_1", "step_1", "if_inner_2"]);
      sound(graph);
    });

    it("of inputs are nobody else's", () => {
      const graph = new Graph();
      graph.addInput("x", FACTS);
      assert.throws(() => graph.addInput("x", FACTS), failure("INPUT_EXISTS", /has an input "x" of its own/));
      assert.throws(() => { graph.freeName("x"); }, failure("INPUT_EXISTS", /"x"/));
    });
  });

  describe("sortTopologically", () => {
    /** Puts the nodes in the order of their names given. */
    const shuffle = (graph: Graph, order: readonly string[]): void => {
      (graph.nodes as Node[]).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    };
    const order = (graph: Graph): string[] => graph.nodes.map((n) => n.name);

    it("puts nodes after what they read, what nested graphs capture included, and keeps an order that is right", () => {
      const graph = new Graph();
      const [x, condition] = [graph.addInput("x", FACTS), graph.addInput("c", { dataType: DataType.BOOL, shape: [] })];
      const [a, free] = [add(graph, "Neg", [x], "a"), add(graph, "Abs", [x], "free")];
      const chosen = addIf(graph, condition, a, "if");
      graph.outputs.push(add(graph, "Add", [chosen, free], "sum"));
      graph.sortTopologically();
      assert.deepEqual(order(graph), ["a", "free", "if", "sum"]);
      shuffle(graph, ["sum", "if", "a", "free"]);
      assert.notDeepEqual(verifyGraph(graph), []);
      graph.sortTopologically();
      assert.deepEqual(order(graph), ["a", "if", "free", "sum"]);
      sound(graph);
    });

    it("finds a cycle, also one through a nested graph", () => {
      const graph = new Graph();
      const [x, condition] = [graph.addInput("x", FACTS), graph.addInput("c", { dataType: DataType.BOOL, shape: [] })];
      const a = add(graph, "Add", [x, x], "a");
      const b = add(graph, "Neg", [a], "b");
      a.producer?.setInput(1, b);
      assert.throws(() => { graph.sortTopologically(); }, { name: "RangeError", message: `the graph has a cycle through Add "a"` });
      const chosen = addIf(graph, condition, b, "if");
      a.producer?.setInput(1, chosen);
      assert.throws(() => { graph.sortTopologically(); }, /cycle through Add "a"/);
    });

    it("takes a chain of 20,000 nodes without running out of stack", () => {
      const graph = new Graph();
      let at = graph.addInput("x", FACTS);
      for (let i = 0; i < 20_000; i += 1) at = add(graph, "Neg", [at], `n${String(i)}`);
      (graph.nodes as Node[]).reverse();
      graph.sortTopologically();
      assert.equal(graph.nodes.at(-1)?.name, "n19999");
    });
  });

  it("inserts before a node, and refuses a place that isn't there", () => {
    const graph = new Graph();
    const x = graph.addInput("x", FACTS);
    const last = add(graph, "Neg", [x], "last").producer;
    const first = new Node({ opType: "Abs", name: "first" }, [x], [graph.newValue("v")]);
    graph.insert([first], last);
    assert.deepEqual(graph.nodes.map((n) => n.name), ["first", "last"]);
    assert.throws(() => { graph.insert([], new Node({ opType: "Abs" }, [], [])); }, RangeError);
    sound(graph);
  });
});
