/** Module paths: what PyTorch called the module of a weight, recovered from what exporters leave behind, and compared from the end. */
import type { Node, Value } from "../../ir/graph.ts";

/** Where dynamo keeps the module scopes of a node: a Python list as text. */
const SCOPES_KEY = "pkg.torch.onnx.name_scopes";

/**
 * The path of the module that a product belongs to. In order: the weight's own name (`classifier.weight`), dynamo's scopes, TorchScript's
 * node name (`/encoder/layer.0/…/query/MatMul`), the bias's name.
 */
export function modulePathOf(product: Node, weight: Value, bias: Value | undefined): string | undefined {
  return pathOfParameter(weight.name) ?? scopePath(product) ?? nodePath(product.name) ?? (bias === undefined ? undefined : pathOfParameter(bias.name));
}

/** Quantizers put an ending of theirs behind a parameter's name: `classifier.weight_quantized`, `lm_head.weight_Q4`. */
function pathOfParameter(name: string): string | undefined {
  return name.includes("::") || name.startsWith("/") ? undefined : /^(.+)\.(?:weight|bias)(?:_quantized|_Q\w*)?$/.exec(name)?.[1];
}

function scopePath(node: Node): string | undefined {
  const text = node.metadata.get(SCOPES_KEY);
  if (text === undefined) return undefined;
  const scopes = [...text.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1] ?? m[2] ?? "");
  const path = scopes.at(-2);
  return path === undefined || path === "" ? undefined : path;
}

function nodePath(name: string): string | undefined {
  const parts = name.split("/");
  return name.startsWith("/") && parts.length > 2 ? parts.slice(1, -1).join(".") : undefined;
}

/** Whether two paths may name one module: the shorter is the end of the longer, part by part. */
export function samePath(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return long === short || long.endsWith(`.${short}`);
}

/** Whether a path is that of another call of the module: TorchScript numbers them, `query`, `query_1`, …, in any part. */
export function isCallOf(path: string, module: string): boolean {
  const [parts, own] = [path.split("."), module.split(".")];
  return parts.length === own.length && parts.every((part, i) => part === own[i] || part.replace(/_\d+$/, "") === own[i]);
}

/** The first number in a path: its layer, as in `encoder.layer.3.attention`. */
export function layerOf(path: string): number | undefined {
  const number = path.split(".").find((part) => /^\d+$/.test(part));
  return number === undefined ? undefined : Number(number);
}

/** The path without its last part; "" at the top. */
export function parentPath(path: string): string {
  return path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "";
}
