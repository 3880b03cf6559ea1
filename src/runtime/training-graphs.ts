/** The training view's pipeline: a freshly prepared model → one of the graphs of `--format step`. */
import { requireLogits } from "./model-outputs.ts";
import type { Value } from "../ir/graph.ts";
import { Model } from "../ir/model.ts";
import { attachCrossEntropy } from "../passes/attach-loss.ts";
import { buildApply, buildEval, buildGrad, buildStep, parameterCount, type StepKind } from "../passes/build-step.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import type { Prepared } from "./prepare.ts";

/** ONNX IR version of graphs that we make: readable by every ONNX Runtime since 1.10. */
const STEP_IR_VERSION = 8;

/** Builds one graph. `fresh` prepares the model anew, since building changes it. */
export function trainingGraph(kind: StepKind, fresh: () => Prepared): Model {
  const prepared = fresh();
  const { model, trainables } = prepared;
  if (kind === "apply") {
    const empty = new Model(STEP_IR_VERSION, new Map([["", model.opset]]));
    buildApply(empty, parameterCount(trainables));
    return empty;
  }
  const logits = taskLogits(prepared);
  if (kind === "eval") {
    buildEval(model, { trainables, logits });
    return model;
  }
  normalizeForTraining(model);
  (kind === "step" ? buildStep : buildGrad)(model, { trainables, logits, attachLoss: attachCrossEntropy });
  return model;
}

/** The logits to train on, or the error that tells how to get some. */
export function taskLogits({ logits, model }: Prepared): Value {
  return logits ?? requireLogits(model.graph);
}
