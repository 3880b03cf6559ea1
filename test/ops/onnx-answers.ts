/** Our shape inference held against somebody else's answers: onnx.shape_inference, or the shapes of test data. */
import { dataTypeName } from "../../src/ir/data-type.ts";
import { differentDims, dimKey, formatShape, parseDim, sameDim, type Dim } from "../../src/ir/dim.ts";
import type { Facts, Graph, Node, Value } from "../../src/ir/graph.ts";
import { definitionOf } from "../../src/ops/registry.ts";
import type { Answer, Answers } from "../ir/node-tests.ts";

/** onnx names a size that it doesn't know unk__0, unk__1, …: the same name twice claims equal sizes, and no more. */
const INVENTED = /^unk__\d+$/;

function dimOf(answer: number | string | null): Dim {
  return typeof answer === "number" ? answer : answer === null || INVENTED.test(answer) ? undefined : parseDim(answer);
}

/** The values that the nodes of a graph make, by name; graphs nested in nodes are not looked into. */
export function madeValues(graph: Graph): ReadonlyMap<string, Value> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.flatMap((v) => (v === undefined ? [] : [[v.name, v]]))));
}

/** Whether our shape rules alone tell what a node makes: there is one for it, and no graph nested in it has a say. */
export function isOurs(node: Node | undefined): boolean {
  return node !== undefined && definitionOf(node) !== undefined && node.subgraphs.length === 0;
}

/** Forgets what the file declares of computed values. What isn't ours to tell is taken from the answers, so that all behind it is compared too. */
export function forgetDeclared(graph: Graph, answers: Answers): void {
  for (const [name, value] of madeValues(graph)) {
    const answer = isOurs(value.producer) ? undefined : answers[name];
    value.facts = answer === undefined ? undefined : factsOfAnswer(answer);
  }
}

function factsOfAnswer([dataType, dims]: Answer): Facts {
  return { dataType, shape: dims?.map(dimOf) };
}

/** What came of a comparison, a sentence for each place. */
export interface Comparison {
  /** We contradict. */
  readonly wrong: string[];
  /** We know less: no type, no rank, no number, or not the name of an input's size. */
  readonly vague: string[];
  /** Two sizes that onnx doesn't know but knows to be equal, and we don't. */
  readonly unrelated: string[];
  /** Sizes and ranks that we alone know. */
  sharper: number;
}

/** Compares every value of which there is an answer with the facts of that name. */
export function compareFacts(answers: Answers, facts: (name: string) => Facts | undefined): Comparison {
  const found: Comparison = { wrong: [], vague: [], unrelated: [], sharper: 0 };
  const invented = new Map<string, Dim>();
  for (const [name, [dataType, dims]] of Object.entries(answers)) {
    const ours = facts(name);
    const at = `"${name}" is ${dataTypeName(ours?.dataType ?? 0)} ${formatShape(ours?.shape)} and should be ${dataTypeName(dataType)} [${dims?.map((d) => d ?? "?").join(", ") ?? "…"}]`;
    if (ours === undefined || ours.dataType === 0) found.vague.push(at);
    else if (ours.dataType !== dataType) found.wrong.push(at);
    if (dims === null) found.sharper += ours?.shape === undefined ? 0 : 1;
    else if (ours?.shape === undefined) found.vague.push(at);
    else if (ours.shape.length !== dims.length) found.wrong.push(at);
    else ours.shape.forEach((dim, i) => { compareDim(dim, dims[i] ?? null, at, invented, found); });
  }
  return found;
}

function compareDim(ours: Dim, theirs: number | string | null, at: string, invented: Map<string, Dim>, found: Comparison): void {
  const claimed = dimOf(theirs);
  if (claimed === undefined) {
    if (ours !== undefined) found.sharper += 1;
    if (typeof theirs !== "string") return;
    const [first, again] = [invented.get(theirs), invented.has(theirs)];
    if (!again) invented.set(theirs, ours);
    else if (differentDims(first, ours)) found.wrong.push(`${at}; ${theirs} is ${dimKey(first)} elsewhere`);
    else if (!sameDim(first, ours)) found.unrelated.push(`${at}; ${theirs} is ${dimKey(first)} elsewhere`);
    return;
  }
  if (sameDim(ours, claimed)) return;
  // A number against the name of an input's size is a contradiction: the name stands for other sizes too.
  const open = ours === undefined || (typeof claimed === "number" && !differentDims(ours, claimed));
  (open ? found.vague : found.wrong).push(at);
}
