/**
 * Resolves every If whose condition is known: the branch that is taken stands where the If stood, and the other goes.
 *
 * Requires: facts inferred, which follow constants through comparisons and logic. Guarantees: the numbers stay; graph outputs keep their names;
 * nodes and constants of the branch are the very ones, under their names where these are free: two branches may use the same ones. An If in a
 * branch that stays is resolved there. What a branch makes is to be inferred anew, and may tell another condition.
 */
import type { Graph, Node, Value } from "../ir/graph.ts";
import { everyGraph } from "../ir/nested.ts";
import { definitionOf } from "../ops/registry.ts";
import { replaceOutput } from "./replace-output.ts";

/** Returns how many it resolved. */
export function resolveConditions(graph: Graph): number {
  return new Resolver(graph).resolve(graph);
}

class Resolver {
  /** How many values, and how many nodes, of the whole model have a name. */
  readonly #names = { values: new Map<string, number>(), nodes: new Map<string, number>() };

  constructor(graph: Graph) {
    this.#count(graph, 1);
  }

  resolve(graph: Graph): number {
    let fired = 0;
    // The next node is the last of the list.
    const open = [...graph.nodes].reverse();
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const taken = definitionOf(node)?.chooses?.(node);
      if (taken === undefined) {
        for (const sub of node.subgraphs) fired += this.resolve(sub);
        continue;
      }
      for (const sub of node.subgraphs) if (sub !== taken) this.#count(sub, -1);
      const nodes = [...taken.nodes];
      this.#replace(graph, node, taken);
      for (const inner of nodes.reverse()) open.push(inner);
      fired += 1;
    }
    return fired;
  }

  #replace(graph: Graph, node: Node, taken: Graph): void {
    this.#rename(taken, graph);
    const made = [...taken.outputs];
    graph.absorb(taken, node);
    made.forEach((value, i) => { replaceOutput(node, i, value, { origin: "resolve-conditions", name: `${node.name}/Identity` }); });
    graph.remove([node]);
  }

  /** What the branch brings gets another name where something else of the model has it. */
  #rename(taken: Graph, graph: Graph): void {
    const fresh = (item: Value | Node | undefined, names: Map<string, number>): void => {
      if (item === undefined || item.name === "" || (names.get(item.name) ?? 0) < 2) return;
      names.set(item.name, (names.get(item.name) ?? 0) - 1);
      item.name = graph.freshName(item.name);
      names.set(item.name, 1);
    };
    for (const each of everyGraph(taken)) {
      for (const value of new Set([...each.inputs, ...each.initializers])) fresh(value, this.#names.values);
      for (const node of each.nodes) {
        fresh(node, this.#names.nodes);
        for (const output of node.outputs) fresh(output, this.#names.values);
      }
    }
  }

  #count(graph: Graph, by: 1 | -1): void {
    const add = (names: Map<string, number>, name: string | undefined): void => { if (name !== undefined) names.set(name, (names.get(name) ?? 0) + by); };
    for (const each of everyGraph(graph)) {
      for (const value of new Set([...each.inputs, ...each.initializers])) add(this.#names.values, value.name);
      for (const node of each.nodes) {
        add(this.#names.nodes, node.name);
        for (const output of node.outputs) add(this.#names.values, output?.name);
      }
    }
  }
}
