/**
 * Reverse-mode differentiation: adds the nodes that compute dLoss/d(value) for chosen values.
 *
 * Requires: facts inferred for every value; a scalar loss. Guarantees: the forward nodes are untouched but for optional outputs that a rule
 * asks for (LayerNormalization's statistics); every gradient has its value's type and, where both are known, its shape.
 * Rules: (1) only nodes between a chosen value and the loss are visited, so masks, positions and shape arithmetic need no rule;
 * (2) the gradients of a value that is read several times are added; (3) an operator without a rule there is an error with the path; (4) what a
 * nested graph reads from outside gets its gradient by the `captured` rule of the node that holds it; (5) none passes a node that is detached.
 */
import type { HutError } from "../errors/hut-error.ts";
import { noGradient, unreachedWeight } from "../errors/graph.ts";
import { isFloating } from "../ir/data-type.ts";
import { copyGraph } from "../ir/copy-graph.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import { capturedValues, everyNode } from "../ir/nested.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import { missing } from "./by-name.ts";
import { check, entryOf, gradientContext, run, total, whyNot, type Definitions, type Gradients } from "./node-gradient.ts";

/** What is differentiated, by what, and by which rules. */
export interface DifferentiateOptions {
  readonly opsets: ReadonlyMap<string, number>;
  /** What to differentiate: the scalar loss (float32 []), or with `seed` any value. */
  readonly loss: Value;
  /**
   * The gradient that arrives at `loss`, of its shape and type; 1 where it isn't given. A loss that knows a shorter way to its logits' gradient
   * starts there.
   */
  readonly seed?: Value | undefined;
  /** The values whose gradients are wanted. */
  readonly wrt: readonly Value[];
  /** Values computed from those of `wrt` that messages begin at, with the names they have there: of a flat vector its parts. */
  readonly parts?: ReadonlyMap<Value, string> | undefined;
  /** Where a node's rules come from; the registry where it isn't given. */
  readonly definitions?: Definitions;
}

/** Adds the gradient nodes at the end of the graph. Returns the gradient of each value of `wrt`. Throws HutError. */
export function differentiate(graph: Graph, { opsets, loss, seed, wrt, parts, definitions = definitionOf }: DifferentiateOptions): Map<Value, Value> {
  const op = new OpBuilder(graph, { opsets, origin: "differentiate" });
  const refuse = (node: Node, why: string | undefined): HutError => noGradient(node, pathToLoss(graph, node, loss, parts === undefined ? wrt : [...parts.keys()], parts), why ?? "");
  // Before any rule runs: what nobody knows makes values of unknown shape, at which another rule would stumble.
  const gap = gapsTowards(graph, loss, wrt, definitions, opsets).at(-1);
  if (gap !== undefined) throw refuse(gap.node, gap.why);
  const gradients = backward({ op, opsets, definitions, refuse }, wrt, new Map([[loss, seed ?? op.scalar(1, loss)]]));
  const unreached = wrt.filter((v) => !gradients.has(v));
  if (unreached.length > 0) throw unreachedWeight(unreached.map((v) => v.name));
  return new Map(wrt.map((v) => [v, total(op, v, gradients)]));
}

/** What stays the same from the loss to the weights, in nested graphs too but for the builder. */
interface Walk {
  readonly op: OpBuilder;
  readonly opsets: ReadonlyMap<string, number>;
  readonly definitions: Definitions;
  /** The error for a node that has no rule, or can't be differentiated for a reason. */
  readonly refuse: (node: Node, why: string | undefined) => HutError;
}

/** Walks the builder's graph backwards from the gradients that arrive at `seeds`. Returns every value's gradients, not yet added up. */
function backward(walk: Walk, wrt: readonly Value[], seeds: ReadonlyMap<Value, Value>): Gradients {
  const { op, opsets, definitions } = walk;
  const dependent = dependentValues(op.graph, wrt, definitions);
  const gradients: Gradients = new Map([...seeds].map(([value, seed]) => [value, [seed]]));
  const add = (node: Node, value: Value, gradient: Value): void => {
    check(node, value, gradient);
    gradients.set(value, [...(gradients.get(value) ?? []), gradient]);
  };
  for (const node of [...op.graph.nodes].reverse()) {
    if (!node.outputs.some((o) => o !== undefined && gradients.has(o))) continue;
    const wanted = node.inputs.flatMap((input, index) => (input !== undefined && dependent.has(input) ? [{ input, index }] : []));
    const captured = capturedValues(node).filter((value) => dependent.has(value));
    if (wanted.length === 0 && captured.length === 0) continue;
    const definition = definitions(node);
    const context = gradientContext(op, node, definition, opsets, gradients);
    for (const { input, index } of wanted) {
      const entry = entryOf(node, definition, index);
      if (entry === "none") continue;
      const why = whyNot(node, definition, entry, opsets);
      if (typeof entry === "string" || why !== undefined) throw walk.refuse(node, why);
      add(node, input, run(() => entry(context(index)), node));
    }
    if (captured.length === 0) continue;
    const rule = definition?.captured;
    if (rule === undefined) throw walk.refuse(node, whyNot(node, definition, "unwritten", opsets));
    const found = run(() => rule({ op, node, wrt: captured, backward: (nested) => backwardNested(walk, node, nested, captured, gradients) }), node);
    captured.forEach((value, i) => { add(node, value, found[i] ?? missing(node, value.name)); });
  }
  return gradients;
}

/** A copy of a graph whose outputs are the node's, with the gradients of what it captures at its end. */
function backwardNested(walk: Walk, node: Node, nested: Graph, wrt: readonly Value[], gradients: Gradients): { op: OpBuilder; gradients: Map<Value, Value> } {
  const { graph, originals } = copyGraph(nested, walk.op.graph);
  const seeds = new Map<Value, Value>();
  const op = new OpBuilder(graph, { opsets: walk.opsets, origin: "differentiate" });
  node.outputs.forEach((output, i) => {
    const made = graph.outputs[i];
    if (output === undefined || made === undefined || !gradients.has(output)) return;
    const arriving = total(walk.op, output, gradients);
    const known = seeds.get(made);
    seeds.set(made, known === undefined ? arriving : op.Add(known, arriving));
  });
  const found = backward({ ...walk, op, refuse: (inner, why) => walk.refuse(originals.get(inner) ?? inner, why) }, wrt, seeds);
  return { op, gradients: new Map(wrt.flatMap((value) => (found.has(value) ? [[value, total(op, value, found)] as const] : []))) };
}

/** Whether a gradient of `loss` would reach a value, were every rule there. */
export function dependsOn(graph: Graph, loss: Value, value: Value): boolean {
  return dependentValues(graph, [value], definitionOf).has(loss);
}

/** Nodes on the way from the chosen values to the loss that have no rule, in the graph's order: what `inspect` shows beforehand. */
export function nodesWithoutGradient(graph: Graph, loss: Value, wrt: readonly Value[], opsets?: ReadonlyMap<string, number>): GradientGap[] {
  return gapsTowards(graph, loss, wrt, definitionOf, opsets).map(({ node, why }) => ({ node, path: pathToLoss(graph, node, loss, wrt), why }));
}

/** A node that a gradient can't pass, the way from a chosen value to the loss that leads through it, and why it can't, beyond a rule that isn't written. */
export interface GradientGap {
  readonly node: Node;
  readonly path: readonly string[];
  readonly why: string | undefined;
}

function gapsTowards(graph: Graph, loss: Value, wrt: readonly Value[], definitions: Definitions, opsets: ReadonlyMap<string, number> | undefined,
): Omit<GradientGap, "path">[] {
  const dependent = dependentValues(graph, wrt, definitions);
  const towards = nodesTowards(graph, [loss]);
  return everyNode(graph).filter((node) => towards.has(node)).flatMap((node) => {
    const definition = definitions(node);
    if (definition?.captured === undefined && capturedValues(node).some((value) => dependent.has(value))) return [{ node, why: definition?.unwritten }];
    for (const [index, input] of node.inputs.entries()) {
      if (input === undefined || !dependent.has(input) || !isFloating(input.dataType || 1)) continue;
      const entry = entryOf(node, definition, index);
      if (entry === "none") continue;
      const why = opsets === undefined ? undefined : whyNot(node, definition, entry, opsets);
      if (typeof entry === "string" || why !== undefined) return [{ node, why }];
    }
    return [];
  });
}

/**
 * Everything computed from the chosen values, as long as it is of a float type, nested graphs included; and what leaves an operator that has no
 * derivative, so that it is met.
 */
export function dependentValues(graph: Graph, wrt: readonly Value[], definitions: Definitions): Set<Value> {
  const dependent = new Set(wrt);
  addDependent(graph, dependent, definitions);
  return dependent;
}

function addDependent(graph: Graph, dependent: Set<Value>, definitions: Definitions): void {
  for (const node of graph.nodes) {
    if (node.subgraphs.length === 0 && !node.inputs.some((v) => v !== undefined && dependent.has(v))) continue;
    const definition = definitions(node);
    for (const nested of node.subgraphs) addDependent(nested, dependent, definitions);
    const entries = node.inputs.flatMap((v, i) => (v !== undefined && dependent.has(v) ? [entryOf(node, definition, i)] : [])).filter((entry) => entry !== "none");
    const captures = capturedValues(node).some((value) => dependent.has(value));
    // The outputs of a node with a `captured` rule are those of its graphs, one by one; of others, any may come from what is captured.
    const made = (i: number): Value[] => node.subgraphs.flatMap((nested) => nested.outputs.slice(i, i + 1));
    const fromNested = (i: number): boolean => (definition?.captured === undefined ? captures : made(i).some((value) => dependent.has(value)));
    const any = entries.includes("not differentiable");
    node.outputs.forEach((output, i) => {
      if (output !== undefined && (entries.length > 0 || fromNested(i)) && (any || output.dataType === 0 || isFloating(output.dataType))) dependent.add(output);
    });
  }
}

/** The nodes that one of these values is computed by, nested ones included. */
export function nodesTowards(graph: Graph, goals: readonly Value[]): Set<Node> {
  const wanted = new Set<Value>(goals);
  const nodes = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((o) => o !== undefined && wanted.has(o))) continue;
    nodes.add(node);
    for (const nested of node.subgraphs) for (const inner of nodesTowards(nested, nested.outputs)) nodes.add(inner);
    node.inputs.forEach((value) => { if (value !== undefined) wanted.add(value); });
    capturedValues(node).forEach((value) => { wanted.add(value); });
  }
  return nodes;
}

/** What a node and the graphs nested in it read. */
function readBy(node: Node): Value[] {
  return [...node.inputs.filter((v) => v !== undefined), ...capturedValues(node)];
}

/** The operators between a chosen value and the loss that lead through `node`: "MatMul "a"", …, for messages. Values may have names of their own there. */
export function pathToLoss(graph: Graph, node: Node, loss: Value, wrt: readonly Value[], names?: ReadonlyMap<Value, string>): string[] {
  // What a nested graph gives away, its node gives.
  const holders = new Map(everyNode(graph).flatMap((holder) => holder.subgraphs.flatMap((nested) => nested.outputs.map((value) => [value, holder] as const))));
  const made = (n: Node | undefined): Value[] => (n?.outputs ?? []).filter((o) => o !== undefined);
  const back = shortest(readBy(node), (v) => (v.producer === undefined ? [] : readBy(v.producer)), (v) => wrt.includes(v));
  const forth = shortest(made(node), (v) => [...v.uses.flatMap((u) => made(u.node)), ...made(holders.get(v))], (v) => v === loss);
  const label = (v: Value): string => names?.get(v) ?? (v.producer === undefined ? v.name : `${v.producer.opType} ${v.producer.name}`);
  return [...back.reverse().map(label), ...forth.map(label)];
}

function shortest(from: readonly Value[], next: (v: Value) => readonly Value[], isGoal: (v: Value) => boolean): Value[] {
  const previous = new Map<Value, Value | undefined>(from.map((v) => [v, undefined]));
  const open = [...from];
  for (const value of open) {
    if (isGoal(value)) {
      const path: Value[] = [];
      for (let at: Value | undefined = value; at !== undefined; at = previous.get(at)) path.unshift(at);
      return path;
    }
    for (const after of next(value)) {
      if (previous.has(after)) continue;
      previous.set(after, value);
      open.push(after);
    }
  }
  return [];
}
