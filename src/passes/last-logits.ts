/**
 * Computes the logits of the last position alone: a language model's head is as large as its embedding, and generation reads one row of what it makes.
 *
 * Requires: logits [batch, sequence, V], facts inferred. Guarantees: they become [batch, 1, V], the same numbers as the last row had, in the same output; where the way from the
 * head's product isn't elementwise, or the product flattens its rows, nothing changes.
 * Rules: (1) one Gather of the last position goes before the product that makes the logits, behind which may only stand what treats every number alike.
 */
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { headProduct, setRows } from "./head-product.ts";

/** Changes the model. Returns whether it did. */
export function lastLogits(model: Model, logits: Value): boolean {
  const { graph, opsets } = model;
  const product = headProduct(logits, graph);
  if (product === undefined) return false;
  const op = new OpBuilder(graph, { opsets, origin: "last-logits", before: product.node });
  setRows(model, product, op.Gather(product.hidden, op.ints([-1]), { axis: 1 }));
  return true;
}
