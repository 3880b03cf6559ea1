/** What is known of a graph's values, to be told of another graph that was read from the same message. */
import type { Facts, Graph, Value } from "./graph.ts";

/** The facts of every value of a graph and those nested in it, in an order that copies share. */
export function factsOf(graph: Graph): (Facts | undefined)[] {
  return valuesOf(graph).map((value) => value.facts);
}

/** Gives each value what `factsOf` told of the one in its place. */
export function setFacts(graph: Graph, facts: readonly (Facts | undefined)[]): void {
  const values = valuesOf(graph);
  if (values.length !== facts.length) throw new TypeError("facts of another graph");
  values.forEach((value, i) => { value.facts = facts[i]; });
}

function valuesOf(graph: Graph): Value[] {
  // A message has sparse constants behind the others.
  const constants = [...graph.initializers];
  const inOrder = [...constants.filter((v) => v.sparse === undefined), ...constants.filter((v) => v.sparse !== undefined)];
  const made = graph.nodes.flatMap((node) => [...node.outputs.filter((v) => v !== undefined), ...node.subgraphs.flatMap(valuesOf)]);
  return [...graph.inputs, ...inOrder, ...made];
}
