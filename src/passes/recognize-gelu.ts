/**
 * Recognises a GELU in pieces, as TorchScript writes it: x · ½ · (1 + erf(x/√2)) becomes one Gelu, whose kernel reads and writes memory once
 * and whose gradient is one formula.
 *
 * Requires: opset ≥ 20; constants are initializers. Guarantees: a graph output keeps its name. Rules, from the Erf on: (1) its input is x/√2 or
 * x·(1/√2); (2) 1 is added; (3) the product with x and ½, in any order.
 */
import { string } from "../ir/attribute.ts";
import type { Model } from "../ir/model.ts";
import { Node, type Value } from "../ir/graph.ts";
import { everyNode } from "../ir/nested.ts";
import { ORIGIN_KEY } from "../ops/emitter.ts";
import { inferNode } from "../ops/infer.ts";
import { near, onlyReader, withScalar, type Match } from "./match.ts";

/** Returns how many it recognised. The pieces stay where something else reads them; `removeDead` takes the others. */
export function recognizeGelu(model: Model): number {
  let fired = 0;
  for (const erf of everyNode(model.graph).filter((n) => n.opType === "Erf" && n.domain === "")) {
    const match = matchGelu(erf);
    if ("missed" in match) continue;
    replace(match.found, model.opsets);
    fired += 1;
  }
  return fired;
}

interface Gelu {
  readonly x: Value;
  readonly y: Value;
}

/** The whole from its Erf, or the first piece that isn't as it should be. */
export function matchGelu(erf: Node): Match<Gelu> {
  const scaled = erf.inputs[0]?.producer;
  const divided = withScalar(scaled, "Div");
  const multiplied = withScalar(scaled, "Mul");
  const byDivision = divided?.side === 1 && near(divided.scalar, Math.SQRT2) ? divided.value : undefined;
  const x = byDivision ?? (near(multiplied?.scalar, Math.SQRT1_2) ? multiplied?.value : undefined);
  if (x === undefined) return { missed: "the input of Erf is not x/√2", at: erf };
  const plusOne = onlyReader(erf.outputs[0]);
  const added = withScalar(plusOne, "Add");
  if (plusOne === undefined || !near(added?.scalar, 1)) return { missed: "1 is not added to the Erf", at: erf };
  const first = onlyReader(plusOne.outputs[0]);
  if (first?.opType !== "Mul" || first.domain !== "") return { missed: "no product follows", at: plusOne };
  const other = first.inputs.find((v) => v !== plusOne.outputs[0]);
  // (1 + erf) · (x/2), (1 + erf) · ½ · x, or (1 + erf) · x · ½.
  const half = withScalar(other?.producer, "Mul");
  if (half?.value === x && near(half.scalar, 0.5)) return found(x, first);
  const second = onlyReader(first.outputs[0]);
  if (second?.opType !== "Mul" || second.domain !== "") return { missed: "a second product is missing", at: first };
  const firstIsHalf = near(withScalar(first, "Mul")?.scalar, 0.5);
  const last = firstIsHalf ? second.inputs.includes(x) : other === x && near(withScalar(second, "Mul")?.scalar, 0.5);
  return last ? found(x, second) : { missed: "the products are not with x and ½", at: second };
}

function found(x: Value, node: Node): Match<Gelu> {
  const [y] = node.outputs;
  return y === undefined ? { missed: "a product without output", at: node } : { found: { x, y } };
}

function replace({ x, y }: Gelu, opsets: ReadonlyMap<string, number>): void {
  const last = y.producer;
  const graph = last?.graph;
  if (last === undefined || graph === undefined) throw new TypeError("a product in no graph");
  const made = graph.newValue(`${y.name}_gelu`);
  const node = new Node({ opType: "Gelu", name: graph.freshName("recognize-gelu/Gelu"), attributes: new Map([["approximate", string("none")]]),
    metadata: new Map([[ORIGIN_KEY, "recognize-gelu"]]) }, [x], [made]);
  graph.insert([node], last);
  inferNode(node, opsets);
  graph.replaceAllUses(y, made);
  // Gone, so that the pieces, which may stay for other readers, are not taken for a Gelu again.
  graph.remove([last]);
}
