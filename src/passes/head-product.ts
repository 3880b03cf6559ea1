/** Finds the product that makes a language model's logits: its rows are positions, and whoever doesn't need all of them leaves some out before it. */
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";

/** What may stand between the head's product and the logits, and leave each row's numbers that row's: casts, a scale, a soft cap, a bias. */
const BEHIND_HEAD = new Set(["Cast", "Mul", "Div", "Add", "Tanh", "Identity"]);

/** The product that makes logits, and what it takes. */
export interface HeadProduct {
  readonly node: Node;
  /** [b, s, k] */
  readonly hidden: Value;
  readonly k: number;
  /** Its output and what is made of it, up to the logits. */
  readonly outputs: readonly Value[];
}

/** Lets the product take other rows; what the file declared of its outputs' shapes holds no more. */
export function setRows(model: Model, { node, outputs }: HeadProduct, rows: Value): void {
  node.setInput(0, rows);
  for (const value of outputs) value.declared = undefined;
  inferGraph(model.graph, model.opsets);
}

/** The product of hidden states [b, s, k] and a matrix [k, V] that the logits come from, if only they read what lies between. */
export function headProduct(logits: Value, graph: Graph): HeadProduct | undefined {
  const outputs: Value[] = [];
  let at: Value | undefined = logits;
  while (at?.producer !== undefined) {
    const { producer } = at;
    outputs.push(at);
    // What another output or node reads has to stay whole.
    if (at !== logits && (at.uses.length > 1 || graph.outputs.includes(at))) return undefined;
    if (producer.domain !== "") return undefined;
    if (producer.opType === "MatMul") return taken(producer, outputs);
    if (!BEHIND_HEAD.has(producer.opType)) return undefined;
    // The other side may be a scalar or a bias of V numbers: what has an axis of positions itself would have to be cut too.
    const wide: readonly Value[] = producer.inputs.filter((input) => input !== undefined).filter((input) => input.shape === undefined || input.shape.length > 1);
    if (wide.length !== 1) return undefined;
    at = wide[0];
  }
  return undefined;
}

function taken(node: Node, outputs: readonly Value[]): HeadProduct | undefined {
  const [hidden, matrix] = node.inputs;
  const k = matrix?.shape?.[0];
  return hidden?.shape?.length === 3 && matrix?.shape?.length === 2 && typeof k === "number" ? { node, hidden, k, outputs } : undefined;
}
