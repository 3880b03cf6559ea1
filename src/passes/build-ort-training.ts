/**
 * The three graphs that ONNX Runtime's own training API runs: docs/artifacts.md lists their inputs and outputs. Each is built from a fresh copy of the
 * training view.
 *
 * Guarantees: every trainable is a graph input of its own name; what the runtime adds up in place is `com.microsoft::InPlaceAccumulatorV2`, and what updates is
 * one optimizer node of that domain; all else is standard operators. Frozen weights stay constants, but for those that are asked for as inputs.
 */
import { float, int, type Attribute } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { Node, Value, type Graph } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { typeProto, typeProtoSequence, typeProtoTensor } from "../ir/proto/generated/schema.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import type { Trainable } from "./adapt.ts";
import { meanOverLabels, type AttachedLoss } from "./attach-loss.ts";
import { ADAMW } from "./attach-optimizer.ts";
import { bindTrainables, finish, type BuildOptions } from "./build-step.ts";
import { differentiate } from "./differentiate.ts";

/** The domain of ONNX Runtime's own operators, and the one version that it has. */
const CONTRIB = "com.microsoft";
const CONTRIB_VERSION = 1;

/** How the runtime tells a trainable's buffer and its output apart: by these endings. */
const BUFFER_SUFFIX = "_grad.accumulation.buffer";
const OUT_SUFFIX = "_grad.accumulation.out";

/** What the training and the evaluation graph are built from. */
export interface OrtTrainingOptions extends BuildOptions {
  /** Constants that become inputs, read from the checkpoint; others of the graph stay what they are. */
  readonly frozen?: ReadonlySet<Value> | undefined;
}

/**
 * training_model.onnx: batch, labels, parameters, a gradient buffer for each trainable, lazy_reset_grad [1] → loss [], a flag [1] for each trainable.
 * Changes `model`. Returns the frozen values that are inputs now.
 */
export function buildTrainingModel(model: Model, options: OrtTrainingOptions): Value[] {
  const { trainables, logits, frozen } = options;
  const { graph, opsets } = model;
  const { op, parameters, loss } = begin(model, options);
  const gradients = differentiate(graph, { opsets, loss: loss.at ?? logits, seed: loss.logitsGradient, wrt: parameters });
  const buffers = trainables.map((t) => graph.addInput(t.name + BUFFER_SUFFIX, { dataType: DataType.FLOAT, shape: t.shape }));
  const reset = graph.addInput("lazy_reset_grad", { dataType: DataType.BOOL, shape: [1] });
  trainables.forEach((t, i) => {
    const [gradient, buffer] = [gradients.get(parameters[i] ?? reset), buffers[i]];
    if (gradient === undefined || buffer === undefined) throw new TypeError("fewer gradients than trainables");
    const out = op.named(graph.newValue("accumulated", { dataType: DataType.BOOL, shape: [1] }), t.name + OUT_SUFFIX);
    graph.outputs.push(addContribNode(graph, "InPlaceAccumulatorV2", [buffer, meanOverLabels(op, gradient, loss), reset], out));
  });
  return end(model, parameters, frozen);
}

/** eval_model.onnx: batch, labels, parameters → loss []. Changes `model`. */
export function buildEvalModel(model: Model, options: OrtTrainingOptions): void {
  const { parameters } = begin(model, options);
  end(model, parameters, options.frozen);
}

/** How the optimizer's node is told its constants. */
export interface OptimizerModelOptions {
  readonly optimizer: "adamw" | "sgd";
  /** Of AdamW; SGDOptimizerV2 has none. */
  readonly weightDecay: number;
  /** 0 = no clipping. */
  readonly maxGradNorm: number;
}

/**
 * optimizer_model.onnx: learning_rate [1], step [1], and the sequences params, gradients, first_order_moments and, of AdamW, second_order_moments →
 * updated_flag [1] (of SGD []). `model` must be empty.
 * adam_mode 0 decays before the update and correct_bias 1 divides by 1 − βᵗ: torch.optim.AdamW. With clipping, a node before it scales the gradients by
 * min(1, maxGradNorm / (norm + 1e-6)).
 */
export function buildOptimizerModel(model: Model, { optimizer, weightDecay, maxGradNorm }: OptimizerModelOptions): void {
  const { graph } = model;
  model.opsets.set(CONTRIB, CONTRIB_VERSION);
  const lr = graph.addInput("learning_rate", { dataType: DataType.FLOAT, shape: [1] });
  const step = graph.addInput("step", { dataType: DataType.INT64, shape: [1] });
  const sequence = (name: string): Value => {
    const value = new Value(graph.freshName(name));
    value.declared = typeProto({ sequenceType: typeProtoSequence({ elemType: typeProto({ tensorType: typeProtoTensor({ elemType: DataType.FLOAT }) }) }) });
    return value;
  };
  const [params, gradients] = [sequence("params"), sequence("gradients")];
  graph.inputs.push(params, gradients);
  const clipped = maxGradNorm > 0
    ? addContribNode(graph, "InplaceClipGradNorm", [gradients], sequence("clipped_gradients"), { max_norm: float(maxGradNorm) }) : gradients;
  // The schema of SGDOptimizerV2 says a scalar, though its kernel makes [1]: declared otherwise, the web build doesn't load it.
  const updated = graph.newValue("updated_flag", { dataType: DataType.BOOL, shape: optimizer === "sgd" ? [] : [1] });
  graph.outputs.push(updated);
  const first = sequence("first_order_moments");
  graph.inputs.push(first);
  if (optimizer === "sgd") {
    // The runtime feeds first moments to this optimizer too, which has no use for them.
    addContribNode(graph, "SGDOptimizerV2", [lr, params, clipped], updated);
    return;
  }
  const second = sequence("second_order_moments");
  graph.inputs.push(second);
  addContribNode(graph, "AdamWOptimizer", [lr, step, params, clipped, first, second], updated, {
    alpha: float(ADAMW.beta1), beta: float(ADAMW.beta2), epsilon: float(ADAMW.epsilon), weight_decay: float(weightDecay), adam_mode: int(0), correct_bias: int(1),
  });
}

interface Begun {
  readonly op: OpBuilder;
  /** An input for each trainable, in their order. */
  readonly parameters: Value[];
  readonly loss: AttachedLoss;
}

/** The forward pass up to the mean loss, the graph's only output so far. */
function begin(model: Model, { trainables, logits, attachLoss }: OrtTrainingOptions): Begun {
  const { graph, opsets } = model;
  // Old files list their constants among the inputs too; the runtime takes every input that is no parameter for one of the user's.
  graph.inputs.splice(0, Infinity, ...graph.inputs.filter((input) => !graph.initializers.has(input)));
  const loss = attachLoss(model, logits);
  const parameters = trainables.map((t) => addParameter(graph, t));
  const before = new OpBuilder(graph, { opsets, origin: "parameters", before: graph.nodes[0] });
  bindTrainables(graph, before, trainables, (_, i) => parameters[i] ?? logits);
  const op = new OpBuilder(graph, { opsets, origin: "build" });
  graph.outputs.splice(0, Infinity, op.named(meanOverLabels(op, loss.sum, loss), "loss"));
  return { op, parameters, loss };
}

function addParameter(graph: Graph, { name, shape }: Trainable): Value {
  return graph.addInput(name, { dataType: DataType.FLOAT, shape });
}

/** Tidies up and makes inputs of the frozen constants that are left, behind the parameters. Returns those. */
function end(model: Model, parameters: readonly Value[], frozen: ReadonlySet<Value> | undefined): Value[] {
  const { graph, opsets } = model;
  finish(model);
  const used = new Set(["", ...everyNode(graph).map((node) => node.domain)]);
  // The training runtime is older than what a file may import without using it.
  for (const domain of [...opsets.keys()]) if (!used.has(domain)) opsets.delete(domain);
  if (used.has(CONTRIB)) opsets.set(CONTRIB, CONTRIB_VERSION);
  const moved = [...graph.initializers].filter((value) => frozen?.has(value) === true);
  for (const value of moved) graph.initializers.delete(value);
  const last = parameters.at(-1);
  graph.inputs.splice(last === undefined ? graph.inputs.length : graph.inputs.indexOf(last) + 1, 0, ...moved);
  return moved;
}

function addContribNode(graph: Graph, opType: string, inputs: readonly Value[], output: Value, attributes: Readonly<Record<string, Attribute>> = {}): Value {
  const name = graph.freshName(`build/${opType}`);
  graph.insert([new Node({ opType, domain: CONTRIB, name, attributes: new Map(Object.entries(attributes)) }, inputs, [output])]);
  return output;
}
