/** The inputs and outputs of a node by the names that its definition gives them, as rules ask for them. */
import type { Node, Value } from "../ir/graph.ts";

/** A record whose every field is looked up when it is read. */
export function byName(find: (name: string) => Value): Readonly<Record<string, Value>> {
  return new Proxy({}, { get: (_, name) => find(String(name)) });
}

/** What reading a name ends in that the node leaves out: a TypeError, a mistake of the rule. */
export function missing(node: Node, name: string): never {
  throw new TypeError(`${node.opType} has no ${name} here`);
}
