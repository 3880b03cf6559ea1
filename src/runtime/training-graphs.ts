/** The training view's pipeline: a freshly prepared model → one of the graphs of `--format step`, or the three of `--format ort-training`. */
import { ortTrainingOpset } from "../errors/checkpoint.ts";
import { isFloating } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";
import { buildEvalModel, buildOptimizerModel, buildTrainingModel, type OptimizerModelOptions, type OrtTrainingOptions } from "../passes/build-ort-training.ts";
import { attachDropout, keepUpdates } from "../passes/attach-dropout.ts";
import { buildApply, buildEval, buildGrad, buildStep, parameterCount, type StepKind } from "../passes/build-step.ts";
import { fixInputs } from "../passes/fix-inputs.ts";
import { lowerOpset } from "../passes/lower-opset.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import { resolveConditions } from "../passes/resolve-conditions.ts";
import { fixedInput } from "./data/made-inputs.ts";
import type { Prepared } from "./prepare.ts";
import type { StepSettings } from "./step-settings.ts";
import { inputSpec } from "./task-inputs.ts";
import { requireTaskLogits } from "./tasks/registry.ts";
import type { Evaluation, Task } from "./tasks/task.ts";

/** ONNX IR version of graphs that we make: readable by every ONNX Runtime since 1.10. */
const STEP_IR_VERSION = 8;

/** The newest that ONNX Runtime's training API reads: that of 1.19.2, its last release. */
const ORT_TRAINING_OPSET = 21;
const ORT_TRAINING_IR_VERSION = 10;

/** Builds one graph. `fresh` prepares the model anew, since building changes it. */
export function trainingGraph(kind: StepKind, task: Task, fresh: () => Prepared, { loss, segments, dropout }: StepSettings = {}): Model {
  const prepared = fresh();
  const { model, trainables } = prepared;
  if (kind === "apply") {
    const empty = new Model(STEP_IR_VERSION, new Map([["", model.opset]]));
    buildApply(empty, parameterCount(trainables), { weighted: loss?.classWeights !== undefined, segments });
    return empty;
  }
  const logits = decideBranches(model, requireTaskLogits(task, model.graph, prepared.logits));
  if (kind === "eval") {
    buildEval(model, { trainables, logits });
    return model;
  }
  if (dropout !== undefined) keepUpdates(prepared.adapted);
  normalizeForTraining(model);
  if (dropout !== undefined) attachDropout(model, { dropout, adapted: prepared.adapted, saved: prepared.saved });
  (kind === "step" ? buildStep : buildGrad)(model, { trainables, logits, attachLoss: (m, v) => task.attachLoss(m, v, loss), segments });
  return model;
}

/** The graphs of ONNX Runtime's training API, in the words of its files' names. */
export type OrtTrainingKind = "training_model" | "eval_model" | "optimizer_model";

export interface OrtTrainingGraphs {
  readonly graphs: readonly { readonly kind: OrtTrainingKind; readonly model: Model }[];
  /** The constants that became inputs; their tensors belong into the checkpoint. */
  readonly frozen: readonly Value[];
}

/** Builds the three graphs. With `frozenInputs` the model's own frozen weights are inputs of them. Throws ORT_TRAINING_OPSET. */
export function ortTrainingGraphs(task: Task, fresh: () => Prepared, options: OptimizerModelOptions & { readonly frozenInputs: boolean }): OrtTrainingGraphs {
  const training = ortTrainingView(task, fresh, options.frozenInputs);
  const evaluation = ortTrainingView(task, fresh, options.frozenInputs);
  const optimizer = new Model(STEP_IR_VERSION, new Map([["", training.model.opset]]));
  const frozen = buildTrainingModel(training.model, training);
  buildEvalModel(evaluation.model, evaluation);
  buildOptimizerModel(optimizer, options);
  return {
    graphs: [{ kind: "training_model", model: training.model }, { kind: "eval_model", model: evaluation.model }, { kind: "optimizer_model", model: optimizer }],
    frozen,
  };
}

/** The training view in the words of ONNX Runtime 1.19.2. */
function ortTrainingView(task: Task, fresh: () => Prepared, frozenInputs: boolean): OrtTrainingOptions & { readonly model: Model } {
  const { model, trainables, logits: found } = fresh();
  const trained = new Set(trainables.map((t) => t.value));
  // Scalars are settings of operators, not weights.
  const weights = [...model.graph.initializers].filter((v) => isFloating(v.dataType) && v.shape?.length !== 0 && !trained.has(v));
  const logits = decideBranches(model, requireTaskLogits(task, model.graph, found));
  normalizeForTraining(model);
  const why = lowerOpset(model, ORT_TRAINING_OPSET);
  if (why !== undefined) throw ortTrainingOpset(model.opset, ORT_TRAINING_OPSET, why);
  model.irVersion = Math.min(Math.max(model.irVersion, STEP_IR_VERSION), ORT_TRAINING_IR_VERSION);
  return { model, trainables, logits, attachLoss: (m, v) => task.attachLoss(m, v), frozen: new Set(frozenInputs ? weights : []) };
}

/** The graph that a run evaluates with: batch, labels, theta → what the task's metrics are counted from. */
export function evaluationGraph(task: Task, fresh: () => Prepared): { readonly model: Model; readonly evaluation: Evaluation } {
  const { model, trainables, logits: found } = fresh();
  const logits = decideBranches(model, requireTaskLogits(task, model.graph, found));
  const evaluation = task.attachEvaluation(model, logits);
  model.graph.outputs.splice(0, Infinity, ...evaluation.outputs);
  buildEval(model, { trainables, logits });
  return { model, evaluation };
}

/**
 * Inputs that are always fed one value become constants, and branches that are known by that stand alone: training never runs the others.
 * Returns the logits, which a branch may make.
 */
export function decideBranches(model: Model, logits: Value): Value {
  const { graph, opsets } = model;
  const at = graph.outputs.indexOf(logits);
  if (fixInputs(graph, (input) => fixedInput(inputSpec(input))) > 0) inferGraph(graph, opsets);
  while (resolveConditions(graph) > 0) inferGraph(graph, opsets);
  return graph.outputs[at] ?? logits;
}
