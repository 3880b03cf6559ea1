/** Shape inference: a node's output facts from its inputs' facts, by the operator's own rule. */
import { intsOf } from "../ir/attribute.ts";
import { followedShape, numberOfElements, sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Graph, Node, Value } from "../ir/graph.ts";
import { allNumbers } from "../ir/sizes.ts";
import type { InferContext } from "./define.ts";
import { factsOfTensor, isSmall, MAX_FOLLOWED_INTS } from "./elements.ts";
import { definitionOf } from "./registry.ts";

/**
 * Longest list of integers in an attribute of a node whose shape rule is asked; rules compare axes with axes, so a long list would cost its square. Axes,
 * pads and permutations of real nodes have up to 16 numbers. A Constant, whose numbers are a value, may have any.
 */
const MAX_ATTRIBUTE_INTS = 1024;

/** The context in which a node's rules are asked. */
export function inferContext(node: Node, opsets: ReadonlyMap<string, number>): InferContext {
  const input = (index: number): Value | undefined => node.inputs[index];
  return {
    node,
    opset: opsets.get(node.domain) ?? 1,
    has: (index) => input(index) !== undefined,
    dataType: (index) => input(index)?.dataType ?? 0,
    shape: (index) => input(index)?.shape,
    ints: (index) => input(index)?.facts?.ints,
    numbers(index) {
      const constant = input(index)?.initializer;
      const elements = constant !== undefined && isSmall(constant) ? constant.toNumbers() : undefined;
      return input(index)?.facts?.ints ?? (elements === undefined ? undefined : [...elements]);
    },
    axes(attribute, index) {
      return allNumbers(intsOf(node, attribute) ?? input(index)?.facts?.ints);
    },
  };
}

/** Infers one node's outputs; what the file declares fills the gaps. */
export function inferNode(node: Node, opsets: ReadonlyMap<string, number>): void {
  const found = isModest(node) ? definitionOf(node)?.shape(inferContext(node, opsets)) ?? [] : [];
  node.outputs.forEach((output, i) => {
    if (output !== undefined) output.facts = mergeFacts(trimInts(followed(found[i])), output.facts);
  });
}

/** Whether a node's attributes are as short as a shape rule expects. */
function isModest(node: Node): boolean {
  if (node.opType === "Constant") return true;
  for (const a of node.attributes.values()) if ((a.kind === "ints" || a.kind === "floats") && a.value.length > MAX_ATTRIBUTE_INTS) return false;
  return true;
}

/** Facts without a shape whose rank is beyond what is followed. */
function followed(facts: Facts | undefined): Facts | undefined {
  return facts?.shape === undefined || followedShape(facts.shape) !== undefined ? facts : { dataType: facts.dataType, shape: undefined };
}

/** Infers every node of a graph and of the graphs nested in it, in order. Facts of inputs come from their declarations (`load`). */
export function inferGraph(graph: Graph, opsets: ReadonlyMap<string, number>): void {
  for (const value of graph.initializers) if (value.initializer !== undefined) value.facts = factsOfTensor(value.initializer);
  for (const node of graph.nodes) {
    for (const sub of node.subgraphs) inferGraph(sub, opsets);
    inferNode(node, opsets);
  }
}

/** Leaves out elements that are too many, and those that are not as many as the shape says: of a broadcast that no rule of one axis follows. */
function trimInts(facts: Facts | undefined): Facts | undefined {
  if (facts?.ints === undefined) return facts;
  const count = facts.shape === undefined ? undefined : numberOfElements(facts.shape);
  const fits = count === facts.ints.length || (typeof count !== "number" && (facts.shape?.length ?? 0) <= 1);
  return fits && facts.ints.length <= MAX_FOLLOWED_INTS ? facts : { dataType: facts.dataType, shape: facts.shape };
}

/** What a rule found, completed by what was known before. A number beats an expression, an expression beats nothing; else the rule is believed. */
function mergeFacts(found: Facts | undefined, known: Facts | undefined): Facts | undefined {
  if (found === undefined || known === undefined) return found ?? known;
  const shape = mergeShapes(found.shape, known.shape);
  return { dataType: found.dataType === 0 ? known.dataType : found.dataType, shape, ...(found.ints === undefined ? {} : { ints: found.ints }) };
}

function mergeShapes(found: Shape | undefined, known: Shape | undefined): Shape | undefined {
  if (found === undefined) return known;
  if (known?.length !== found.length) return found;
  return found.map((dim, i): Dim => (dim === undefined || (typeof dim !== "number" && typeof known[i] === "number") ? known[i] : sameDim(dim, known[i]) ? known[i] : dim));
}
