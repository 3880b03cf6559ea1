/** Derives a graph's links anew and tells every one that is broken: what a pass must never leave behind. */
import { quote } from "../errors/hut-error.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { everyNode } from "./nested.ts";

/**
 * What is wrong with a graph and the graphs nested in it, one sentence each; empty where nothing is. Looked at: producers and uses on both
 * sides, that every value read is made before and in sight, that graph outputs are made in their own graph, and that names of values are unique in sight and
 * those of nodes in their graph.
 */
export function verifyGraph(graph: Graph): string[] {
  const problems: string[] = [];
  verify(graph, { values: new Set(), names: new Map() }, new Set(everyNode(graph)), problems);
  return problems;
}

/** What a nested graph sees of the graphs around it, at the place where its node stands. */
interface Sight {
  readonly values: ReadonlySet<Value>;
  readonly names: ReadonlyMap<string, Value>;
}

function verify(graph: Graph, outer: Sight, all: ReadonlySet<Node>, problems: string[]): void {
  const values = new Set(outer.values);
  const names = new Map(outer.names);
  const own = new Set<Value>();
  const define = (value: Value, what: string): void => {
    if (own.has(value)) problems.push(`${what} ${quote(value.name)} stands twice`);
    if (value.name === "") problems.push(`${what} has no name`);
    else if (names.has(value.name) && names.get(value.name) !== value) problems.push(`the name ${quote(value.name)} is given twice`);
    own.add(value);
    values.add(value);
    names.set(value.name, value);
    for (const use of value.uses) {
      const reader = `${describe(use.node)}, input ${String(use.index)}`;
      if (!all.has(use.node)) problems.push(`${quote(value.name)} counts a use by ${reader}, which is not in the graph`);
      else if (use.node.inputs[use.index] !== value) problems.push(`${quote(value.name)} counts a use by ${reader}, which reads something else`);
      if (value.uses.some((other) => other !== use && other.node === use.node && other.index === use.index)) problems.push(`${quote(value.name)} counts ${reader} twice`);
    }
  };
  for (const value of graph.inputs) define(value, "the input");
  for (const value of graph.initializers) {
    if (!graph.inputs.includes(value)) define(value, "the constant");
    if (value.initializer === undefined && value.sparse === undefined) problems.push(`the constant ${quote(value.name)} holds nothing`);
  }
  for (const value of own) if (value.producer !== undefined) problems.push(`${quote(value.name)} is an input or a constant, and names ${describe(value.producer)} as its producer`);

  const seen = new Set<Node>();
  const nodeNames = new Set<string>();
  for (const node of graph.nodes) {
    if (seen.has(node)) problems.push(`${describe(node)} stands twice`);
    seen.add(node);
    if (node.name !== "" && nodeNames.has(node.name)) problems.push(`two nodes are called ${quote(node.name)}, which ONNX Runtime refuses`);
    nodeNames.add(node.name);
    if (node.graph !== graph) problems.push(`${describe(node)} doesn't name the graph that it stands in`);
    node.inputs.forEach((input, index) => {
      if (input === undefined) return;
      if (!values.has(input)) problems.push(`${describe(node)} reads ${quote(input.name)}, which nothing before it makes`);
      if (!input.uses.some((use) => use.node === node && use.index === index)) problems.push(`${quote(input.name)} doesn't count its use by ${describe(node)}, input ${String(index)}`);
    });
    for (const sub of node.subgraphs) {
      if (sub.parent !== graph) problems.push(`a graph nested in ${describe(node)} names another graph as its parent`);
      verify(sub, { values, names }, all, problems);
    }
    for (const output of node.outputs) {
      if (output === undefined) continue;
      define(output, "the output");
      if (output.producer !== node) problems.push(`${quote(output.name)} doesn't name ${describe(node)} as its producer`);
    }
  }
  for (const output of graph.outputs) if (!own.has(output)) problems.push(`the graph output ${quote(output.name)} is not made in its graph`);
}

function describe(node: Node): string {
  return `${node.opType} ${quote(node.name)}`;
}
