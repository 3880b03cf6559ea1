/** What a node's attributes say, as text: two nodes with the same say the same. */
import type { Attribute } from "../ir/attribute.ts";
import type { Node } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";

/** Constants are compared up to this many bytes: shapes, scalars, small tables. */
export const MAX_COMPARED = 1024;

/** All attributes of a node, whatever their order; undefined where one of them isn't compared, as a graph or a large tensor. */
export function attributesKey(node: Node): string | undefined {
  if (node.attributes.size === 0) return "";
  const keys = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, a]) => attributeKey(name, a));
  return keys.includes(undefined) ? undefined : keys.join(" ");
}

/** A small tensor's type, shape and bytes. */
export function tensorKey(tensor: Tensor): string {
  return `${String(tensor.dataType)}[${tensor.dims.join()}]${[...tensor.bytes()].join()}`;
}

/** An attribute as text; undefined for one that isn't compared. */
function attributeKey(name: string, a: Attribute): string | undefined {
  switch (a.kind) {
    case "tensor": return a.value.atHand && a.value.byteLength <= MAX_COMPARED ? JSON.stringify([name, a.kind, tensorKey(a.value)]) : undefined;
    case "float": case "int": return JSON.stringify([name, a.kind, numberKey(a.value)]);
    case "string": return JSON.stringify([name, a.kind, a.value]);
    case "floats": case "ints": return JSON.stringify([name, a.kind, a.value.map(numberKey)]);
    case "strings": return JSON.stringify([name, a.kind, a.value]);
    default: return undefined;
  }
}

/** −0 is another number than 0: 1/x tells them apart. */
function numberKey(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
