/** A second copy of a nested graph. */
import type { Attribute } from "./attribute.ts";
import { Graph, Node, Value } from "./graph.ts";

/**
 * Copies a graph to stand nested in `parent`, under fresh names. What it reads from around it, the copy reads too; constants share their bytes.
 * Returns the copy, and which node each of its nodes is a copy of.
 */
export function copyGraph(original: Graph, parent: Graph): { readonly graph: Graph; readonly originals: ReadonlyMap<Node, Node> } {
  const originals = new Map<Node, Node>();
  return { graph: copyInto(original, parent, { copies: new Map(), originals }), originals };
}

interface Copied {
  readonly copies: Map<Value, Value>;
  readonly originals: Map<Node, Node>;
}

function copyInto(original: Graph, parent: Graph, copied: Copied): Graph {
  const { copies, originals } = copied;
  const graph = new Graph(parent);
  graph.name = parent.freshName(original.name);
  const copyValue = (value: Value): Value => {
    const copy = new Value(parent.freshName(value.name));
    copy.facts = value.facts;
    copy.declared = value.declared;
    copy.initializer = value.initializer;
    copy.sparse = value.sparse;
    copies.set(value, copy);
    return copy;
  };
  const copyOf = (value: Value): Value => copies.get(value) ?? value;
  for (const input of original.inputs) graph.inputs.push(copyValue(input));
  for (const value of original.initializers) graph.initializers.add(copies.get(value) ?? copyValue(value));
  for (const node of original.nodes) {
    const { opType, domain, overload, name, metadata, carried } = node;
    const attributes = new Map([...node.attributes].map(([key, a]): [string, Attribute] => [key, copyAttribute(a, graph, copied)]));
    const copy = new Node({ opType, domain, overload, name: name === "" ? "" : parent.freshName(name), attributes, metadata, carried },
      node.inputs.map((v) => v && copyOf(v)), node.outputs.map((v) => v && copyValue(v)));
    originals.set(copy, node);
    graph.insert([copy]);
  }
  for (const output of original.outputs) graph.outputs.push(copyOf(output));
  return graph;
}

function copyAttribute(a: Attribute, parent: Graph, copied: Copied): Attribute {
  if (a.kind === "graph") return { ...a, value: copyInto(a.value, parent, copied) };
  return a.kind === "graphs" ? { ...a, value: a.value.map((graph) => copyInto(graph, parent, copied)) } : a;
}
