/** The training view's pipeline: a freshly prepared model → one of the graphs of `--format step`. */
import type { Value } from "../ir/graph.ts";
import { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";
import { buildApply, buildEval, buildGrad, buildStep, parameterCount, type StepKind } from "../passes/build-step.ts";
import { fixInputs } from "../passes/fix-inputs.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import { resolveConditions } from "../passes/resolve-conditions.ts";
import { fixedInput } from "./data/made-inputs.ts";
import type { Prepared } from "./prepare.ts";
import { inputSpec } from "./task-inputs.ts";
import { requireTaskLogits } from "./tasks/registry.ts";
import type { Evaluation, Task } from "./tasks/task.ts";

/** ONNX IR version of graphs that we make: readable by every ONNX Runtime since 1.10. */
const STEP_IR_VERSION = 8;

/** Builds one graph. `fresh` prepares the model anew, since building changes it. */
export function trainingGraph(kind: StepKind, task: Task, fresh: () => Prepared): Model {
  const prepared = fresh();
  const { model, trainables } = prepared;
  if (kind === "apply") {
    const empty = new Model(STEP_IR_VERSION, new Map([["", model.opset]]));
    buildApply(empty, parameterCount(trainables));
    return empty;
  }
  const logits = decideBranches(model, requireTaskLogits(task, model.graph, prepared.logits));
  if (kind === "eval") {
    buildEval(model, { trainables, logits });
    return model;
  }
  normalizeForTraining(model);
  (kind === "step" ? buildStep : buildGrad)(model, { trainables, logits, attachLoss: (m, v) => task.attachLoss(m, v) });
  return model;
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
