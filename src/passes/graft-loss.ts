/**
 * Puts a loss that comes as a graph of its own behind a model: its nodes stand in the model's graph, reading what the model makes.
 *
 * Requires: facts inferred in both; the loss without functions; both in the training view. Guarantees: the loss graph stays as it was; its nodes and
 * constants have names that the model doesn't have; facts are inferred. Rules: (1) its input `logits` is the model's logits, `labels` the graph's input of that
 * name, which is added where there is none, and any other input is the model's output or input of that name; (2) its output `loss` is a mean over the
 * records of the batch, and counts for as many; `loss_sum` and `count` count as they say; (3) nodes in an older opset are brought to the model's.
 */
import { lossDomain, lossInputUnknown, lossInputWrong, lossOpset, lossOutputsWrong, lossWithoutLogits } from "../errors/loss.ts";
import { copyGraph } from "../ir/copy-graph.ts";
import { DataType, dataTypeName } from "../ir/data-type.ts";
import { formatShape } from "../ir/dim.ts";
import { Node, type Graph, type Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { inferGraph } from "../ops/infer.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import type { AttachedLoss } from "./attach-loss.ts";
import { canRaise, OLDEST_RAISED, raiseNode } from "./raise-node.ts";
import { schemaOf } from "./schema-of.ts";

export interface GraftOptions {
  /** The loss, its functions written out and its constants initializers. */
  readonly loss: Model;
  /** How messages call it. */
  readonly file: string;
  readonly logits: Value;
  /** ONNX element type of the task's labels. */
  readonly labels: number;
}

const LABELS = "labels";
const LOGITS = "logits";

/** Adds the loss. Throws HutError where it doesn't fit. */
export function graftLoss(model: Model, { loss, file, logits, labels: labelType }: GraftOptions): AttachedLoss {
  const { graph } = model;
  const inputs = loss.graph.inputs.filter((input) => input.initializer === undefined);
  if (!inputs.some((input) => input.name === LOGITS)) throw lossWithoutLogits(file, inputs.map((input) => input.name));
  const given = new Map(inputs.map((input) => [input.name, givenFor(input, graph, file, logits)]));
  const wanted = inputs.find((input) => input.name === LABELS);
  const labels = graph.inputs.find((input) => input.name === LABELS)
    ?? graph.addInput(LABELS, { dataType: labelType, shape: wanted?.shape?.map((d, i) => (i === 0 ? logits.shape?.[0] ?? d : d)) ?? [logits.shape?.[0]] });
  given.set(LABELS, labels);
  for (const input of inputs) requireFitting(input, given.get(input.name) ?? labels, file);
  checkOpsets(loss, model, file);

  const copy = copyGraph(loss.graph, graph).graph;
  for (const node of everyNode(copy)) if (node.domain === "") bringToOpset(node, loss.opset, model.opset, file);
  const names = loss.graph.outputs.map((output) => output.name);
  const outputs = new Map(names.map((name, i) => [name, copy.outputs[i]]));
  copy.inputs.forEach((input, i) => {
    const { name, initializer } = loss.graph.inputs[i] ?? input;
    const value = initializer === undefined ? given.get(name) : undefined;
    if (value === undefined) return;
    Node.redirect(input, value);
    // An output that is an input handed on.
    for (const [output, made] of outputs) if (made === input) outputs.set(output, value);
  });
  const place = new Node({ opType: "Identity", name: graph.freshName("loss") }, [logits], [graph.newValue("loss")]);
  graph.insert([place]);
  graph.absorb(copy, place);
  graph.remove([place]);
  inferGraph(graph, model.opsets);
  return attached(model, { outputs, labels, refuse: () => lossOutputsWrong(file, names) });
}

/** The sum and count that the loss's outputs make. */
function attached(model: Model, { outputs, labels, refuse }: { outputs: ReadonlyMap<string, Value | undefined>; labels: Value; refuse: () => Error }): AttachedLoss {
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "graft-loss" });
  const number = (name: string): Value | undefined => {
    const value = outputs.get(name);
    if (value === undefined) return undefined;
    const isNumber = value.shape?.every((d) => d === 1) ?? false;
    if (!isNumber) throw refuse();
    return value.shape?.length === 0 ? value : op.Reshape(value, []);
  };
  const [mean, total, counted] = [number("loss"), number("loss_sum"), number("count")];
  const of = (sum: Value, count: Value): AttachedLoss => {
    if (sum.dataType !== DataType.FLOAT) throw refuse();
    return { labels, sum, count, at: sum, logitsGradient: op.scalar(1, sum) };
  };
  if (total !== undefined && counted !== undefined) return of(total, counted.dataType === DataType.FLOAT ? counted : op.Cast(counted, { to: DataType.FLOAT }));
  if (mean === undefined || mean.dataType !== DataType.FLOAT) throw refuse();
  const records = op.Squeeze(op.Cast(op.Slice(op.Shape(labels), [0], [1], [0]), { to: DataType.FLOAT }), [0]);
  return of(op.Mul(mean, records), records);
}

/** What the loss's input is fed with; undefined for the labels, which come from outside. */
function givenFor({ name }: Value, graph: Graph, file: string, logits: Value): Value | undefined {
  if (name === LOGITS) return logits;
  if (name === LABELS) return undefined;
  const found = [...graph.outputs, ...graph.inputs].find((value) => value.name === name && value.initializer === undefined);
  const known = [LOGITS, LABELS, ...new Set([...graph.outputs, ...graph.inputs].filter((v) => v.initializer === undefined && v !== logits && v.name !== "theta").map((v) => v.name))];
  if (found === undefined) throw lossInputUnknown(file, name, known);
  return found;
}

function requireFitting(input: Value, value: Value, file: string): void {
  const words = ({ dataType, shape }: Value): string => `${dataTypeName(dataType)} ${formatShape(shape)}`;
  if (input.dataType !== value.dataType || (input.shape !== undefined && value.shape !== undefined && differ(input, value))) throw lossInputWrong(file, input.name, words(input), words(value));
}

function differ({ shape: a = [] }: Value, { shape: b = [] }: Value): boolean {
  // A size that is fixed in the loss and free in the model is one that the next batch may not have.
  return a.length !== b.length || a.some((d, i) => typeof d === "number" && d !== b[i]);
}

/** Other domains must be of one version; what the model lacks it gets. */
function checkOpsets(loss: Model, model: Model, file: string): void {
  const used = new Set(everyNode(loss.graph).map((node) => node.domain).filter((domain) => domain !== ""));
  for (const domain of used) {
    const own = loss.opsets.get(domain) ?? 1;
    const known = model.opsets.get(domain) ?? own;
    if (known !== own) throw lossDomain(file, domain, own, known);
    model.opsets.set(domain, own);
  }
}

function bringToOpset(node: Node, own: number, target: number, file: string): void {
  if (own === target || schemaOf(node.opType, own) === schemaOf(node.opType, target)) return;
  if (own > target || own < OLDEST_RAISED || !canRaise(node, own, target)) throw lossOpset(file, node.opType, own, target);
  raiseNode(node, own, target);
}
