/** Nested graphs, seen from outside: the branches of an If, the bodies of Loop and Scan, and what these read of the graphs around them. */
import type { Graph, Node, Value } from "./graph.ts";

/** A graph and the graphs nested in it, at any depth, each before those inside it. */
export function everyGraph(graph: Graph): Graph[] {
  const found = [graph];
  for (const node of graph.nodes) for (const nested of node.subgraphs) for (const each of everyGraph(nested)) found.push(each);
  return found;
}

/** The nodes of a graph and of the graphs nested in it, each before those inside it. */
export function everyNode(graph: Graph): Node[] {
  const found: Node[] = [];
  for (const node of graph.nodes) {
    found.push(node);
    for (const nested of node.subgraphs) for (const each of everyNode(nested)) found.push(each);
  }
  return found;
}

/** The values from outside that the graphs nested in a node read, each once. */
export function capturedValues(node: Node): Value[] {
  const { subgraphs } = node;
  if (subgraphs.length === 0) return [];
  const inner = subgraphs.flatMap(everyGraph);
  const own = new Set(inner.flatMap((graph) => [...graph.inputs, ...graph.initializers, ...graph.nodes.flatMap((n) => n.outputs)]));
  const read = new Set(inner.flatMap((graph) => [...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs]));
  return [...read].filter((value) => value !== undefined && !own.has(value)) as Value[];
}

/** The node of `graph` that is `node`, or that holds it at any depth; undefined where `node` stands elsewhere or was removed. */
export function holderIn(graph: Graph, node: Node): Node | undefined {
  if (node.graph === graph) return node;
  let inner = node.graph;
  while (inner?.parent !== undefined && inner.parent !== graph) inner = inner.parent;
  return inner?.parent === undefined ? undefined : graph.nodes.find((holder) => holder.subgraphs.some((sub) => sub === inner));
}

/** The graph that makes or holds a value which `reader` reads: the reader's own, or one around it. */
export function graphOf(value: Value, reader: Node): Graph | undefined {
  if (value.producer !== undefined) return value.producer.graph;
  let graph = reader.graph;
  while (graph !== undefined && !graph.initializers.has(value) && !graph.inputs.includes(value)) graph = graph.parent;
  return graph;
}
