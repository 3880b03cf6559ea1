/**
 * Computes the logits of the last position alone: a language model's head is as large as its embedding, and generation reads one row of what it makes.
 *
 * Requires: logits [batch, sequence, V], facts inferred. Guarantees: they become [batch, 1, V], the same numbers as the last row had, in the same output; where the way from the
 * head's product isn't elementwise, or the product flattens its rows, nothing changes.
 * Rules: (1) one Gather of the last position goes before the product that makes the logits, behind which may only stand what treats every number alike.
 */
import type { Graph, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inferGraph } from "../ops/infer.ts";

/** What may stand between the head's product and the logits, and leave each row's numbers that row's: casts, a scale, a soft cap, a bias. */
const BEHIND_HEAD = new Set(["Cast", "Mul", "Div", "Add", "Tanh", "Identity"]);

/** Changes the model. Returns whether it did. */
export function lastLogits(model: Model, logits: Value): boolean {
  const { graph, opsets } = model;
  const product = headProduct(logits, graph);
  const hidden = product?.inputs[0];
  if (product === undefined || hidden === undefined || hidden.shape?.length !== 3) return false;
  const op = new OpBuilder(graph, { opsets, origin: "last-logits", before: product });
  product.setInput(0, op.Gather(hidden, op.ints([-1]), { axis: 1 }));
  logits.declared = undefined;
  inferGraph(graph, opsets);
  return true;
}

/** The product of hidden states and a matrix that logits come from, if only they read what lies between. */
function headProduct(logits: Value, graph: Graph): Value["producer"] {
  let at: Value | undefined = logits;
  while (at?.producer !== undefined) {
    const { producer } = at;
    // What another output or node reads has to stay whole.
    if (at !== logits && (at.uses.length > 1 || graph.outputs.includes(at))) return undefined;
    if (producer.domain !== "") return undefined;
    if (producer.opType === "MatMul") return producer.inputs[1]?.shape?.length === 2 ? producer : undefined;
    if (!BEHIND_HEAD.has(producer.opType)) return undefined;
    // The other side may be a scalar or a bias of V numbers: what has an axis of positions itself would have to be cut too.
    const wide: readonly Value[] = producer.inputs.filter((input) => input !== undefined).filter((input) => input.shape === undefined || input.shape.length > 1);
    if (wide.length !== 1) return undefined;
    at = wide[0];
  }
  return undefined;
}
