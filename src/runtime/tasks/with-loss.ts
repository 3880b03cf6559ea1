/** A task with a loss of the user's own. */
import { lossOfOtherTask } from "../../errors/loss.ts";
import type { Value } from "../../ir/graph.ts";
import type { Model } from "../../ir/model.ts";
import { inlineFunctions } from "../../passes/inline-functions.ts";
import { graftLoss } from "../../passes/graft-loss.ts";
import { normalizeForTraining } from "../../passes/normalize-for-training.ts";
import type { AttachedLoss } from "../../passes/attach-loss.ts";
import { Counts, MEAN_LOSS } from "../metrics.ts";
import type { Task } from "./task.ts";

/** A loss as a graph, made anew each time: passes change what they are given. */
export interface OwnLoss {
  readonly file: string;
  readonly load: () => Model;
}

/** The task, learnt by that loss; `eval_loss` is its mean, and the other metrics stay the task's. Throws LOSS_OF_OTHER_TASK. */
export function withLoss(task: Task, { file, load }: OwnLoss): Task {
  if (task.findOutput !== undefined) throw lossOfOtherTask(task.name);
  const graft = (model: Model, logits: Value): AttachedLoss => {
    const loss = load();
    normalizeForTraining(loss);
    return graftLoss(model, { loss, file, logits, labels: task.data.labelKind.dtype });
  };
  return {
    ...task,
    attachLoss: graft,
    // Smoothing and class weights are of the task's own.
    lossTakes: [],
    attachEvaluation(model, found) {
      const at = model.graph.outputs.indexOf(found);
      inlineFunctions(model);
      normalizeForTraining(model);
      const logits = model.graph.outputs[at] ?? found;
      const own = task.attachEvaluation(model, logits);
      const { sum, count } = graft(model, logits);
      return {
        outputs: [...own.outputs, sum, count],
        start(names) {
          const meter = own.start(names);
          const counts = new Counts([MEAN_LOSS]);
          return {
            add(made, batch) {
              meter.add(made, batch);
              const number = (value: Value): number => Number(made.get(value.name)?.data[0] ?? NaN);
              counts.add({ loss: number(sum), count: number(count) });
            },
            result: () => ({ ...meter.result(), ...counts.result() }),
            classes: () => meter.classes?.() ?? [],
          };
        },
      };
    },
  };
}
