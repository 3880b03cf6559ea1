/**
 * Brings a graph to an older opset, for a runtime that reads no newer one. For the training view alone.
 *
 * Requires: facts inferred. Guarantees: the numbers stay; either the whole graph is lowered or nothing changes. Rules: (1) an operator whose form
 * is the same in both opsets stays; (2) so does one whose newer form only takes more types or more attributes, where the node has none of these;
 * (3) any other operator, and an opset that nobody here knows, leaves the graph as it was.
 */
import { DataType, dataTypeName } from "../ir/data-type.ts";
import type { Node } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { SCHEMAS, type SchemaVersion } from "../ops/generated/schemas.ts";
import { definitionOf } from "../ops/registry.ts";
import { schemaOf } from "./schema-of.ts";

/** The newest opset that the table of operators knows. */
const NEWEST = Math.max(...Object.values(SCHEMAS).flatMap((versions) => versions.map((v) => v.since)));
/** The opset that added bfloat16 to the operators which didn't take it, and the last of the types that came before it. */
const BFLOAT16_OPSET = 22;
const NEWEST_TYPE = DataType.INT4;

/** Lowers the model where it can, and says what stands in the way where it can't: undefined for nothing. */
export function lowerOpset(model: Model, target: number): string | undefined {
  const from = model.opset;
  if (from <= target) return undefined;
  if (from > NEWEST) return `opset ${String(from)} is newer than any known here (${String(NEWEST)})`;
  for (const node of everyNode(model.graph)) {
    const why = node.domain === "" ? whyNot(node, from, target) : undefined;
    if (why !== undefined) return why;
  }
  model.opsets.set("", target);
  return undefined;
}

function whyNot(node: Node, from: number, target: number): string | undefined {
  const where = `${node.opType} ${JSON.stringify(node.name)}`;
  const [now, old] = [schemaOf(node.opType, from), schemaOf(node.opType, target)];
  if (now === undefined) return schemaOf(node.opType) === undefined && definitionOf(node) !== undefined ? undefined : `nobody knows ${where}`;
  if (now === old) return undefined;
  if (old === undefined) return `${where} isn't there in opset ${String(target)}`;
  if (now.inputs.slice(0, node.inputs.length).some((input, i) => input !== old.inputs[Math.min(i, old.inputs.length - 1)])) {
    return `${where} has other inputs there`;
  }
  const attribute = [...node.attributes.keys()].find((name) => !Object.hasOwn(old.attributes, name));
  if (attribute !== undefined) return `${where} has the attribute ${JSON.stringify(attribute)}, which isn't there in opset ${String(target)}`;
  const type = [...node.inputs, ...node.outputs].map((value) => value?.dataType ?? 0).find((t) => isNewTo(node.opType, old, t));
  return type === undefined ? undefined : `${where} takes no ${dataTypeName(type)} there`;
}

/** Whether it was the newer form that brought this type. */
function isNewTo(opType: string, old: SchemaVersion, dataType: number): boolean {
  if (dataType > NEWEST_TYPE) return true;
  return dataType === DataType.BFLOAT16 && schemaOf(opType, BFLOAT16_OPSET) !== old;
}
