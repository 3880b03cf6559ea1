/** What a run's options ask of its training graphs, checked against the task, the data and what is trained. */
import { batchMatters, classWeightsCount, classWeightWrong, classWithoutRecords, lossSettingOfOtherTask } from "../errors/training.ts";
import type { Dropout } from "../passes/attach-dropout.ts";
import type { LossOptions } from "../passes/attach-loss.ts";
import { IGNORE_INDEX } from "../passes/attach-loss.ts";
import type { ThetaSegment } from "../passes/attach-optimizer.ts";
import type { LoadedExamples } from "./examples-of.ts";
import type { TrainOptions } from "./options.ts";
import { segmentsOf } from "./parameter-groups.ts";
import type { Prepared } from "./prepare.ts";
import { classNames } from "./tasks/problem.ts";
import type { Task } from "./tasks/task.ts";

/** What differs from the graphs that `artifacts` writes; nothing where it is left out. */
export interface StepSettings {
  readonly loss?: LossOptions | undefined;
  readonly segments?: readonly ThetaSegment[] | undefined;
  readonly dropout?: Dropout | undefined;
}

/** The options that tell it. */
export type StepSettingOptions = Pick<TrainOptions, "labelSmoothing" | "classWeights" | "decayExempt" | "lrGroups" | "adapterDropout" | "headDropout" | "train" | "gradAccumulationSteps">;

/** Throws BATCH_MATTERS, LOSS_SETTING_OF_OTHER_TASK, CLASS_WEIGHTS_COUNT, CLASS_WEIGHT_WRONG, CLASS_WITHOUT_RECORDS, and what segmentsOf throws. */
export function stepSettings(task: Task, prepared: Prepared, data: LoadedExamples, lr: number, options: StepSettingOptions): StepSettings {
  const { labelSmoothing = 0, classWeights, adapterDropout = 0, headDropout = 0, gradAccumulationSteps = 1 } = options;
  if (task.batchMatters === true && gradAccumulationSteps > 1) throw batchMatters(task.name);
  const refuse = (setting: keyof LossOptions, flag: string, takes: string): void => {
    if (task.lossTakes?.includes(setting) !== true) throw lossSettingOfOtherTask(flag, task.problem === undefined ? task.name : `${task.name} with --problem ${task.problem}`, takes);
  };
  if (labelSmoothing > 0) refuse("labelSmoothing", "--label-smoothing", "what learns one of several classes");
  if (classWeights !== undefined) refuse("classWeights", "--class-weights", "classification tasks that learn one class of each record");
  const loss: LossOptions = {
    ...(labelSmoothing > 0 ? { labelSmoothing } : {}),
    ...(classWeights === undefined ? {} : { classWeights: weightsOf(classWeights, classesOf(prepared, data), data, options.train ?? "the data") }),
  };
  return { loss: Object.keys(loss).length === 0 ? undefined : loss, segments: segmentsOf(prepared, lr, options),
    dropout: adapterDropout > 0 || headDropout > 0 ? { adapter: adapterDropout, head: headDropout } : undefined };
}

function classesOf({ logits }: Prepared, { id2label }: LoadedExamples): number {
  const classes = logits?.shape?.at(-1);
  return typeof classes === "number" ? classes : id2label?.length ?? 0;
}

/** The weights given or, for `balanced`, n / (C · records of the class), as scikit-learn's compute_class_weight has them. */
function weightsOf(given: NonNullable<TrainOptions["classWeights"]>, classes: number, { examples, id2label }: LoadedExamples, file: string): readonly number[] {
  if (given !== "balanced") {
    const wrong = given.find((weight) => !Number.isFinite(weight) || weight < 0) ?? (given.every((weight) => weight === 0) ? 0 : undefined);
    if (wrong !== undefined) throw classWeightWrong(String(wrong));
    if (given.length !== classes) throw classWeightsCount(given.length, classes);
    return given;
  }
  const counts = new Array<number>(classes).fill(0);
  for (const { labels } of examples) for (const label of labels?.values ?? []) if (label !== IGNORE_INDEX) counts[label] = (counts[label] ?? 0) + 1;
  const names = classNames(classes, id2label);
  const absent = names.filter((_, i) => counts[i] === 0);
  if (absent.length > 0) throw classWithoutRecords(file, absent);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total / (classes * count));
}
