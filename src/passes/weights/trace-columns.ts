/**
 * Which columns of a packed weight reach which values: a product's columns are followed through everything that moves them or computes element by
 * element, with every free size taken as 1. So it makes no difference whether q, k and v are split, sliced or gathered, in blocks or head by head.
 */
import { intsOf } from "../../ir/attribute.ts";
import { evaluateDim, type Shape } from "../../ir/dim.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { allNumbers, elementCount } from "../../ir/sizes.ts";
import { broadcasted, type Move } from "../../ops/movement.ts";
import { definitionOf } from "../../ops/registry.ts";

/** Elements that are followed at most, some 20 ms a step: an image of 577 patches in a model of 1,024 has 1.8 million in its packed product. */
const MAX_ELEMENTS = 2 ** 22;
/** How many nodes are followed from one product; to the softmax of its attention it is fewer than 60. */
const MAX_FOLLOWED = 400;

/** Elements that are followed in one model, all products and nodes together, some 10 s. The largest image models, 24 packed products, come to 0.9 · 10⁹. */
const MAX_FOLLOWED_ELEMENTS = 2 ** 31;

/** What is left of the work that following columns may take in one model. */
export interface ColumnBudget {
  left: number;
}

/** The budget of one model. */
export function columnBudget(): ColumnBudget {
  return { left: MAX_FOLLOWED_ELEMENTS };
}

/** The columns [0, n) of a product that reach each of the goals, rising; undefined where one can't be followed to, or the budget is spent. */
export function columnsReaching<K>(graph: Graph, product: Node, n: number, goals: ReadonlyMap<K, Value>, budget: ColumnBudget = columnBudget()): Map<K, number[]> | undefined {
  const [start] = product.outputs;
  const dims = start === undefined ? undefined : numbered(start.shape);
  if (start === undefined || dims?.at(-1) !== n) return undefined;
  const columns = new Map<Value, Int32Array>([[start, Int32Array.from({ length: elementCount(dims) }, (_, i) => i % n)]]);
  let left = MAX_FOLLOWED;
  for (const node of graph.nodes.slice(graph.nodes.indexOf(product) + 1)) {
    if (!node.inputs.some((v) => v !== undefined && columns.has(v))) continue;
    left -= 1;
    if (left < 0 || budget.left < 0) break;
    budget.left -= follow(node, columns);
  }
  const found = new Map<K, number[]>();
  for (const [key, value] of goals) {
    const reached = columns.get(value);
    if (reached === undefined) return undefined;
    found.set(key, [...new Set(reached)].filter((c) => c >= 0).sort((a, b) => a - b));
  }
  return found;
}

/** Returns how many elements it went through. */
function follow(node: Node, columns: Map<Value, Int32Array>): number {
  const definition = definitionOf(node);
  if (definition === undefined || definition.weight !== undefined) return 0;
  let elements = 0;
  const ints = (index: number): readonly number[] | undefined => allNumbers(node.inputs[index]?.facts?.ints);
  const move = definition.moves ?? broadcasted;
  const asked: Omit<Move, "input" | "output"> = {
    node, ints, inputs: node.inputs.map((v) => numbered(v?.shape)), outputs: node.outputs.map((v) => numbered(v?.shape)),
    axes: (attribute, index) => intsOf(node, attribute) ?? ints(index),
  };
  node.outputs.forEach((made, output) => {
    if (made === undefined) return;
    let result: Int32Array | undefined;
    node.inputs.forEach((read, input) => {
      const from = read === undefined ? undefined : columns.get(read);
      const places = from === undefined ? undefined : move({ ...asked, input, output });
      if (from === undefined || places === undefined) return;
      elements += places.length;
      const moved = places.map((place) => (place < 0 ? -1 : from[place] ?? -1));
      // Where two columns meet, as in a rotation, either stands for its head.
      result = result?.map((c, i) => (c < 0 ? moved[i] ?? -1 : c)) ?? moved;
    });
    if (result !== undefined) columns.set(made, result);
  });
  return elements;
}

function numbered(shape: Shape | undefined): number[] | undefined {
  const dims = shape?.map((d) => evaluateDim(d, {}, 1));
  const known = dims?.filter((d) => d !== undefined);
  if (dims === undefined || known?.length !== dims.length) return undefined;
  return elementCount(known) > MAX_ELEMENTS ? undefined : known;
}
