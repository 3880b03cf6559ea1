/**
 * The gradient of one node: what its definition answers for an input, and running the rule that stands there. Walks over a graph (`differentiate`) and trials of single rules
 * (`tryRules`) stand on it.
 */
import { failedRule, isOpsetLacks, wrongGradientShape } from "../errors/graph.ts";
import { dataTypeName } from "../ir/data-type.ts";
import { differentDims, formatShape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import type { GradientContext, GradientEntry, OpDefinition } from "../ops/define.ts";
import { isDetached } from "../ops/detached.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";
import { inferNode } from "../ops/infer.ts";
import { byName, missing } from "./by-name.ts";
import { NOT_OPENED_KEY } from "./open-composites.ts";
import { schemaOf } from "./schema-of.ts";

/** Where a node's rules come from. */
export type Definitions = (node: Node) => OpDefinition | undefined;

/** Each value's gradients, not yet added up. */
export type Gradients = Map<Value, Value[]>;

/** Why a node can't be differentiated, beyond a rule that is not written: an operator, or a version of it, that the definitions don't speak for. */
export function whyNot(node: Node, definition: OpDefinition | undefined, entry: GradientEntry<string, string>, opsets: ReadonlyMap<string, number>): string | undefined {
  if (definition === undefined) return "an operator unknown here";
  if (entry === "not differentiable") return "it is not differentiable";
  if (definition.gradient === "opened") return node.metadata.get(NOT_OPENED_KEY);
  if (entry === "unwritten" && definition.unwritten !== undefined) return definition.unwritten;
  if (entry === "unwritten" || node.domain !== "") return undefined;
  const opset = opsets.get("") ?? 1;
  const version = schemaOf(node.opType, opset)?.since;
  if (version === undefined || definition.opsets.includes(version)) return undefined;
  return `in opset ${String(opset)} it means something else than since opset ${String(definition.opsets[0])}`;
}

/** The definition's answer for one input, a node that is detached aside; a variadic operator's last name stands for all that follow. */
export function entryOf(node: Node, definition: OpDefinition | undefined, index: number): GradientEntry<string, string> {
  if (isDetached(node)) return "none";
  if (definition === undefined) return "unwritten";
  if (definition.gradient === "none") return "none";
  // A composite that is still here could not be opened.
  if (definition.gradient === "opened") return "unwritten";
  const name = definition.inputs[Math.min(index, definition.inputs.length - 1)];
  return name === undefined ? "unwritten" : definition.gradient[name] ?? "unwritten";
}

/** What the rules of a node are told; `gradients` holds those that arrive at its outputs. */
export function gradientContext(op: OpBuilder, node: Node, definition: OpDefinition | undefined, opsets: ReadonlyMap<string, number>, gradients: Gradients,
): (index: number) => GradientContext<string, string> {
  const inputAt = (name: string): number => definition?.inputs.indexOf(name) ?? -1;
  const outputAt = (name: string): number => (name.includes(":") ? Number(name.split(":")[1]) : definition?.outputs.indexOf(name) ?? -1);
  const inputs = byName((name) => node.inputs[inputAt(name)] ?? missing(node, name));
  const outputs = byName((name) => {
    const at = outputAt(name);
    const present = node.outputs[at];
    if (present !== undefined) return present;
    const made = op.graph.newValue(`${node.name}/${name}`);
    node.setOutput(at, made);
    inferNode(node, opsets);
    return made;
  });
  const arrived = (name: string): Value | undefined => { const v = node.outputs[outputAt(name)]; return v !== undefined && gradients.has(v) ? v : undefined; };
  const reached = (name: string): boolean => arrived(name) !== undefined;
  const grads = byName((name) => total(op, arrived(name) ?? missing(node, name), gradients));
  return (index) => ({ op, node, in: inputs, out: outputs, grad: grads, index, has: (name) => node.inputs[inputAt(name)] !== undefined, reached });
}

/** The sum of a value's gradients, made once. */
export function total(op: OpBuilder, value: Value, gradients: Gradients): Value {
  const parts = gradients.get(value) ?? [];
  const [first, ...rest] = parts;
  if (first === undefined) throw new TypeError(`no gradient reached "${value.name}"`);
  const sum = rest.reduce((a, b) => op.Add(a, b), first);
  gradients.set(value, [sum]);
  return sum;
}

/** Runs a rule. What it stumbles over is the rule's fault, and named. */
export function run<T>(rule: () => T, node: Node): T {
  try {
    return rule();
  } catch (error) {
    throw error instanceof TypeError || isOpsetLacks(error) ? failedRule(node.opType, node.name, error) : error;
  }
}

/** Throws where a gradient is of another shape or type than what it is the gradient of. */
export function check(node: Node, input: Value, gradient: Value): void {
  const [want, have] = [input.shape, gradient.shape];
  if (want !== undefined && have !== undefined && (want.length !== have.length || want.some((d, i) => differentDims(d, have[i])))) {
    throw wrongGradientShape(node.opType, node.name, `${formatShape(have)} for an input of ${formatShape(want)}`);
  }
  if (input.dataType !== 0 && gradient.dataType !== 0 && input.dataType !== gradient.dataType) {
    throw wrongGradientShape(node.opType, node.name, `${dataTypeName(gradient.dataType)} for an input of ${dataTypeName(input.dataType)}`);
  }
}
