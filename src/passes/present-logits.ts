/**
 * Gives the logits the form in which model folders are read: transformers.js asks for an output named `logits`, and takes 16-bit floats for integers.
 *
 * Requires: the logits' type inferred, `logits` one of the graph's outputs. Guarantees: the outputs stay in order, and the numbers stay; no weight and
 * no other node changes.
 * Rules: (1) an output of another name is called `logits`, and what else in the graph has that name gets a fresh one; (2) behind 16-bit logits comes one
 * Cast to float32.
 */
import { bitsOf, DataType, isFloating } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { OpBuilder } from "../ops/generated/builder.ts";

/** The name that transformers.js, optimum and transformers ask for. */
export const LOGITS = "logits";

/** Whether the logits have that form already. */
export function arePresented(logits: Value): boolean {
  return logits.name === LOGITS && !isHalf(logits);
}

/** Changes the model's output `logits` where it has to. Returns the output as it is now. */
export function presentLogits({ graph, opsets }: Model, logits: Value): Value {
  if (arePresented(logits)) return logits;
  const op = new OpBuilder(graph, { opsets, origin: "present-logits" });
  const shown = isHalf(logits) ? op.Cast(logits, { to: DataType.FLOAT }) : logits;
  graph.outputs.splice(graph.outputs.indexOf(logits), 1, shown);
  return op.named(shown, LOGITS);
}

function isHalf({ dataType }: Value): boolean {
  return isFloating(dataType) && bitsOf(dataType) === 16;
}
