/** A graph as text, for people and for tests: one line a node, types and shapes with each value, small constants where they are read. */
import type { Attribute } from "./attribute.ts";
import { dataTypeName } from "./data-type.ts";
import { formatShape } from "./dim.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** Constants of up to so many numbers are written out where they are read. */
const MAX_WRITTEN_OUT = 8;

/**
 * The text of a graph. Inputs and larger constants first, then `y: float [2, 3] = MatMul(x, W)`, with nested graphs indented below their node,
 * then the outputs. "_" is an input or output that is left out.
 */
export function printGraph(graph: Graph): string {
  return linesOf(graph, new Set()).map((line) => `${line}\n`).join("");
}

/** `outer` holds the inputs of the graphs around: what has a default there is not a constant. */
function linesOf(graph: Graph, outer: ReadonlySet<Value>): string[] {
  const inputs = new Set([...outer, ...graph.inputs]);
  const constants = [...graph.initializers].filter((v) => !inputs.has(v) && writtenOut(v) === undefined);
  return [
    ...graph.inputs.map((v) => `input ${typed(v)}${v.initializer === undefined ? "" : ` = ${writtenOut(v) ?? "a default"}`}`),
    ...constants.map((v) => `const ${typed(v)}${v.sparse === undefined ? "" : " sparse"}`),
    ...graph.nodes.flatMap((node) => linesOfNode(node, inputs)),
    ...graph.outputs.map((v) => `output ${typed(v)}`),
  ];
}

function linesOfNode(node: Node, graphInputs: ReadonlySet<Value>): string[] {
  const operator = node.domain === "" ? node.opType : `${node.domain}::${node.opType}`;
  const inputs = node.inputs.map((v) => (v === undefined ? "_" : (v.producer === undefined && !graphInputs.has(v) ? writtenOut(v) : undefined) ?? v.name));
  const attributes = [...node.attributes].flatMap(([name, a]) => (a.kind === "graph" || a.kind === "graphs" ? [] : [`${name}=${attributeText(a)}`]));
  const nested = [...node.attributes].flatMap(([name, a]) => (a.kind === "graph" ? [{ name, graph: a.value }] : a.kind === "graphs" ? a.value.map((graph) => ({ name, graph })) : []));
  return [`${node.outputs.map((v) => (v === undefined ? "_" : typed(v))).join(", ")} = ${operator}(${[...inputs, ...attributes].join(", ")})`,
    ...nested.flatMap(({ name, graph }) => [`  ${name}:`, ...linesOf(graph, graphInputs).map((line) => `    ${line}`)])];
}

function typed(value: Value): string {
  return value.facts === undefined ? value.name : `${value.name}: ${dataTypeName(value.dataType)} ${formatShape(value.shape)}`;
}

/** A small constant's numbers: `0.5`, `[0, 0, 4, 16]`; undefined for what isn't one. */
function writtenOut(value: Value): string | undefined {
  return value.initializer === undefined ? undefined : numbersText(value.initializer);
}

function numbersText(tensor: Tensor): string | undefined {
  if (!tensor.atHand || tensor.size > MAX_WRITTEN_OUT || tensor.dims.length > 1) return undefined;
  const numbers = tensor.toNumbers();
  if (numbers === undefined) return undefined;
  const text = [...numbers].map(numberText);
  return tensor.dims.length === 0 ? text.join() : `[${text.join(", ")}]`;
}

/** To float32's precision. */
function numberText(x: number): string {
  return Object.is(x, -0) ? "-0" : String(Number(x.toPrecision(7)));
}

function attributeText(a: Attribute): string {
  switch (a.kind) {
    case "float": return numberText(a.value);
    case "int": return String(a.value);
    case "string": case "strings": return JSON.stringify(a.value);
    case "floats": case "ints": return `[${a.value.map(String).join(", ")}]`;
    case "tensor": return numbersText(a.value) ?? `${dataTypeName(a.value.dataType)} ${formatShape(a.value.dims)}`;
    case "reference": return `@${a.value}`;
    default: return a.kind;
  }
}
