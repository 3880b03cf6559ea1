/**
 * The training pipeline: from an adapted model to the graphs that train it. Each graph is built from a fresh copy of the training view.
 *
 * Guarantees: standard operators only; inputs and outputs as docs/artifacts.md lists them; frozen weights stay references to the base.
 */
import { DataType } from "../ir/data-type.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { holderIn } from "../ir/nested.ts";
import { elementCount } from "../ir/sizes.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import type { Trainable } from "./adapt.ts";
import { attachAdamW, type ThetaSegment } from "./attach-optimizer.ts";
import { meanOverLabels, type AttachedLoss } from "./attach-loss.ts";
import { differentiate } from "./differentiate.ts";
import { splitVector } from "./flat-vector.ts";
import { mergeRepeated } from "./merge-repeated.ts";
import { removeDead } from "./remove-dead.ts";

/** The graphs of `--format step`. */
export type StepKind = "step" | "grad" | "apply" | "eval";

export interface BuildOptions {
  readonly trainables: readonly Trainable[];
  /** The task's output: what the loss is computed from. */
  readonly logits: Value;
  readonly attachLoss: (model: Model, logits: Value) => AttachedLoss;
  /** What of theta learns at rates of its own, or isn't decayed; all alike where left out. */
  readonly segments?: readonly ThetaSegment[] | undefined;
}

/** The number of trainable numbers, P. */
export function parameterCount(trainables: readonly { readonly shape: readonly number[] }[]): number {
  return trainables.reduce((sum, t) => sum + elementCount(t.shape), 0);
}

/** step.onnx: batch, labels, settings, theta, adam_m, adam_v → loss, grad_norm, theta_next, adam_m_next, adam_v_next, logits. Changes `model`. */
export function buildStep(model: Model, options: BuildOptions): void {
  const { theta, op, logits, loss, gradient } = begin(model, options);
  const { graph } = model;
  graph.outputs.length = 0;
  graph.outputs.push(op.named(meanOverLabels(op, loss.sum, loss), "loss"));
  attachAdamW(graph, { opsets: model.opsets, theta, gradient: meanOverLabels(op, gradient, loss), segments: options.segments });
  graph.outputs.push(logits);
  finish(model);
}

/** grad.onnx: batch, labels, theta, grad_sum [P], loss_sum [], count [] → the sums with this batch's added. Changes `model`. */
export function buildGrad(model: Model, options: BuildOptions): void {
  const { op, loss, gradient } = begin(model, options);
  const { graph } = model;
  graph.outputs.length = 0;
  for (const [name, added] of Object.entries({ grad_sum: gradient, loss_sum: loss.sum, count: loss.count })) {
    const sum = graph.addInput(name, { dataType: DataType.FLOAT, shape: added.shape });
    graph.outputs.push(op.named(op.Add(sum, added), `${name}_next`));
  }
  finish(model);
}

/** apply.onnx: grad_sum, loss_sum, count, theta, moments, settings → loss, grad_norm and the next theta and moments. `model` must be empty. */
export function buildApply(model: Model, size: number, { weighted, segments }: Pick<AttachedLoss, "weighted"> & Pick<BuildOptions, "segments"> = {}): void {
  const { graph } = model;
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "apply" });
  const input = (name: string, shape: readonly number[]): Value => graph.addInput(name, { dataType: DataType.FLOAT, shape });
  const [sum, lossSum, count, theta] = [input("grad_sum", [size]), input("loss_sum", []), input("count", []), input("theta", [size])];
  const over = { count, weighted };
  graph.outputs.push(op.named(meanOverLabels(op, lossSum, over), "loss"));
  attachAdamW(graph, { opsets: model.opsets, theta, gradient: meanOverLabels(op, sum, over), segments });
  finish(model);
}

/** eval.onnx: batch, theta → the model's own outputs, logits among them. Changes `model`. */
export function buildEval(model: Model, options: Omit<BuildOptions, "attachLoss" | "segments">): void {
  splitTheta(model, options.trainables);
  finish(model);
}

interface Begun {
  readonly theta: Value;
  readonly op: OpBuilder;
  readonly logits: Value;
  readonly loss: AttachedLoss;
  /** Of the summed loss by theta [P]. */
  readonly gradient: Value;
}

function begin(model: Model, { trainables, logits, attachLoss }: BuildOptions): Begun {
  const { theta, parts } = splitTheta(model, trainables);
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "build" });
  const loss = attachLoss(model, logits);
  const gradients = differentiate(model.graph, { opsets: model.opsets, loss: loss.at ?? logits, seed: loss.logitsGradient, wrt: [theta], parts });
  return { theta, op, logits, loss, gradient: gradients.get(theta) ?? theta };
}

/** All trainables come out of one flat input `theta` [P], split and reshaped, in the order of the list. Gives theta, and its parts with the trainables' names. */
function splitTheta(model: Model, trainables: readonly Trainable[]): { readonly theta: Value; readonly parts: ReadonlyMap<Value, string> } {
  const { graph } = model;
  const sizes = trainables.map((t) => parameterCount([t]));
  const theta = graph.addInput("theta", { dataType: DataType.FLOAT, shape: [parameterCount(trainables)] });
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "theta", before: graph.nodes[0] });
  const cut = splitVector(op, theta, sizes);
  const parts = new Map<Value, string>();
  bindTrainables(graph, op, trainables, (t, i) => {
    const part = cut[i];
    if (part === undefined) throw new TypeError("fewer parts than trainables");
    const shaped = op.Reshape(part, t.shape);
    parts.set(shaped, t.name);
    return shaped;
  });
  return { theta, parts };
}

/** Lets everything that reads a trainable read a float32 value instead, cast to the type it reads. */
export function bindTrainables(graph: Graph, op: OpBuilder, trainables: readonly Trainable[], valueOf: (trainable: Trainable, index: number) => Value): void {
  trainables.forEach((t, i) => {
    const bound = valueOf(t, i);
    // What was widened is cast on its way to who reads it: the trained one is float32 already, and would be rounded.
    const widened = t.value.uses.flatMap(({ node }) => (node.opType === "Cast" && node.outputs[0]?.dataType === DataType.FLOAT ? node.outputs[0].uses : []));
    const known = [...t.uses ?? [], ...(t.uses === undefined || t.isAlone === true ? [...widened, ...t.value.uses] : [])];
    for (const { node, index } of known) {
      // Gone since, or in a nested graph, which sees the value too.
      if (holderIn(graph, node) === undefined || node.inputs[index] === bound) continue;
      const { dataType } = node.inputs[index] ?? t.value;
      node.setInput(index, dataType === DataType.FLOAT || dataType === 0 ? bound : op.Cast(bound, { to: dataType }));
    }
  });
}

/** Merges what the rules wrote twice, removes what nothing reads, and lets go of what the graph no longer is. */
export function finish(model: Model): void {
  mergeRepeated(model.graph);
  removeDead(model.graph);
  model.graph.sortTopologically();
  model.carried = undefined;
  model.functions = [];
}

