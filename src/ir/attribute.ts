/** A node's attributes: a kind and a value, and typed questions to them. */
import type { AttributeProto, SparseTensorProto, TypeProto } from "./proto/generated/schema.ts";
import type { Graph, Node } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** An int64 as a file holds it: a number where that is exact. */
export type Int = number | bigint;

/** One attribute. `reference` stands in function bodies for "whatever the caller gives under this name". */
export type Attribute = { readonly carried?: AttributeProto | undefined } & (
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: Int }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly Int[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensors"; readonly value: readonly Tensor[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  | { readonly kind: "sparse"; readonly value: readonly SparseTensorProto[] }
  | { readonly kind: "type"; readonly value: readonly TypeProto[] }
  | { readonly kind: "reference"; readonly value: string }
  | { readonly kind: "unknown"; readonly value: undefined });

export function int(value: Int): Attribute {
  return { kind: "int", value };
}

export function ints(value: readonly Int[]): Attribute {
  return { kind: "ints", value };
}

export function float(value: number): Attribute {
  return { kind: "float", value };
}

export function floats(value: readonly number[]): Attribute {
  return { kind: "floats", value };
}

export function string(value: string): Attribute {
  return { kind: "string", value };
}

export function strings(value: readonly string[]): Attribute {
  return { kind: "strings", value };
}

export function tensor(value: Tensor): Attribute {
  return { kind: "tensor", value };
}

/** The int attribute `name`, or the fallback where the node doesn't have it. Values beyond 2^53 saturate, as ONNX's INT64_MAX idiom wants. */
export function intOf<F extends number | undefined>(node: Node, name: string, fallback: F): number | F {
  const found = node.attributes.get(name);
  return found?.kind === "int" ? Number(found.value) : fallback;
}

/** The ints attribute `name`; undefined where the node doesn't have it. */
export function intsOf(node: Node, name: string): readonly number[] | undefined {
  const found = node.attributes.get(name);
  return found?.kind === "ints" ? found.value.map(Number) : undefined;
}

/** The float attribute `name`, or the fallback. */
export function floatOf<F extends number | undefined>(node: Node, name: string, fallback: F): number | F {
  const found = node.attributes.get(name);
  return found?.kind === "float" ? found.value : fallback;
}

/** The string attribute `name`, or the fallback. */
export function stringOf(node: Node, name: string, fallback: string): string {
  const found = node.attributes.get(name);
  return found?.kind === "string" ? found.value : fallback;
}
