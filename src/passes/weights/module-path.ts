/** Module paths: what PyTorch called the module of a weight, recovered from what exporters leave behind, and compared from the end. */
import type { Node, Value } from "../../ir/graph.ts";
import { DEFINITIONS } from "../../ops/registry.ts";
import type { Role } from "./find-weights.ts";

/** Names of products. */
const OPERATORS = new Set(DEFINITIONS.filter((d) => d.weight !== undefined).map((d) => d.name));
/** Longest name, or list of scopes, in which a module's path is looked for. Those of real exports have under 1,000 characters. */
const MAX_PATH_TEXT = 8192;
/** Where dynamo keeps the module scopes of a node: a Python list as text. */
const SCOPES_KEY = "pkg.torch.onnx.name_scopes";

/**
 * The path of the module that a product belongs to. In order: the weight's own name (`classifier.weight`), dynamo's scopes, TorchScript's
 * node name (`/encoder/layer.0/…/query/MatMul`), the bias's name.
 */
export function modulePathOf(product: Node, weight: Value, bias: Value | undefined): string | undefined {
  return withoutOperator(pathOfParameter(weight.name)) ?? scopePath(product) ?? nodePath(product.name) ?? (bias === undefined ? undefined : pathOfParameter(bias.name));
}

/** Quantizers put an ending of theirs behind a parameter's name: `classifier.weight_quantized`, `lm_head.weight_Q4`. */
function pathOfParameter(name: string): string | undefined {
  return name.length > MAX_PATH_TEXT || name.includes("::") || name.startsWith("/") ? undefined : /^(.+)\.(?:weight|bias)(?:_quantized|_Q\w*)?$/.exec(name)?.[1];
}

/** Some exporters call a weight after its node, `….q_proj.MatMul.weight`: the operator is no module. */
function withoutOperator(path: string | undefined): string | undefined {
  const parts = path?.split(".") ?? [];
  return parts.length > 1 && OPERATORS.has(parts.at(-1) ?? "") ? parts.slice(0, -1).join(".") : path;
}

/** The path of the module that dynamo says a node stands in. */
export function scopePath(node: Node): string | undefined {
  const text = node.metadata.get(SCOPES_KEY);
  if (text === undefined || text.length > MAX_PATH_TEXT) return undefined;
  const path = quotedIn(text).at(-2);
  return path === undefined || path === "" ? undefined : path;
}

/** The texts in quotes, up to one that has no end: looking for other beginnings behind it would cost the square of the length. */
function quotedIn(text: string): string[] {
  const found: string[] = [];
  const quoted = /[^'"]*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/y;
  for (let match = quoted.exec(text); match !== null; match = quoted.exec(text)) found.push(match[1] ?? match[2] ?? "");
  return found;
}

function nodePath(name: string): string | undefined {
  if (name.length > MAX_PATH_TEXT) return undefined;
  const parts = name.split("/");
  return name.startsWith("/") && parts.length > 2 ? parts.slice(1, -1).join(".") : undefined;
}

/** The path of the module that any node stands in, as its exporter tells it. */
export function modulePathOfNode(node: Node): string | undefined {
  return scopePath(node) ?? nodePath(node.name);
}

/** Whether two paths may name one module: the shorter is the end of the longer, part by part. */
export function samePath(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return long === short || long.endsWith(`.${short}`);
}

/** Whether a path is that of the module or of one under it. */
export function isWithin(path: string, module: string): boolean {
  return path === module || path.startsWith(`${module}.`);
}

/** Whether a path is that of another call of the module: TorchScript numbers them, `query`, `query_1`, …, in any part. */
export function isCallOf(path: string, module: string): boolean {
  const [parts, own] = [path.split("."), module.split(".")];
  return parts.length === own.length && parts.every((part, i) => part === own[i] || part.replace(/_\d+$/, "") === own[i]);
}

/** What modules are called by what they do, last parts of their paths; the longest that fits counts. */
const NAMES: readonly (readonly [Role, readonly string[]])[] = [
  ["q", ["query", "q_proj", "q_lin", "q", "query_proj", "wq", "to_q", "q_linear", "linear_q"]],
  ["k", ["key", "k_proj", "k_lin", "k", "key_proj", "wk", "to_k", "k_linear", "linear_k"]],
  ["v", ["value", "v_proj", "v_lin", "v", "value_proj", "wv", "to_v", "v_linear", "linear_v"]],
  ["o", ["o_proj", "out_proj", "out_lin", "attention.output.dense", "attention.dense", "attn.c_proj", "attn.o", "SelfAttention.o", "attn.out_proj", "to_out", "wo"]],
  ["up", ["up_proj", "fc1", "c_fc", "lin1", "intermediate.dense", "dense_h_to_4h", "wi", "wi_1", "w3", "linear1"]],
  ["gate", ["gate_proj", "wi_0", "w1"]],
  ["down", ["down_proj", "fc2", "mlp.c_proj", "lin2", "output.dense", "dense_4h_to_h", "DenseReluDense.wo", "w2", "linear2"]],
  ["head", ["classifier", "score", "lm_head", "classifier.out_proj", "cls_head", "qa_outputs", "embed_out"]],
];

/** The role that a path's last parts are the common name of; undefined where they are none. */
export function roleOfPath(path: string): Role | undefined {
  const fitting = NAMES.flatMap(([role, names]) => names.filter((name) => path === name || path.endsWith(`.${name}`)).map((name) => ({ role, length: name.length })));
  return fitting.sort((a, b) => b.length - a.length)[0]?.role;
}

/** The first number in a path: its layer, as in `encoder.layer.3.attention`. */
export function layerOf(path: string): number | undefined {
  const number = path.split(".").find((part) => /^\d+$/.test(part));
  return number === undefined ? undefined : Number(number);
}

/** The part of a path before its layer's number, `encoder.layer`; all of it where there is none. */
export function beforeLayer(path: string): string {
  const parts = path.split(".");
  const at = parts.findIndex((part) => /^\d+$/.test(part));
  return at < 0 ? path : parts.slice(0, at).join(".");
}

/** The path without its last part; "" at the top. */
export function parentPath(path: string): string {
  return path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "";
}
