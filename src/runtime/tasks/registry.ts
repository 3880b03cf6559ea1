/** The tasks by name, and what a verb asks of the one that was chosen. */
import { logitsOfOtherTask } from "../../errors/runtime.ts";
import { formatShape } from "../../ir/dim.ts";
import type { Graph, Value } from "../../ir/graph.ts";
import { requireLogits } from "../model-outputs.ts";
import { DEFAULTS, type TaskName } from "../options.ts";
import { IMAGE_CLASSIFICATION, TEXT_CLASSIFICATION } from "./classification.ts";
import type { Task } from "./task.ts";
import { TEXT_GENERATION } from "./text-generation.ts";

const BY_NAME: Readonly<Record<TaskName, Task>> = {
  "text-classification": TEXT_CLASSIFICATION, "text-generation": TEXT_GENERATION, "image-classification": IMAGE_CLASSIFICATION,
};

/** The task of a name; the default one where none is given. */
export function taskNamed(name: TaskName = DEFAULTS.task): Task {
  return BY_NAME[name];
}

/** The logits a task is learnt from. Throws NO_LOGITS where there are none, LOGITS_OF_OTHER_TASK where they have another number of axes. */
export function requireTaskLogits(task: Task, graph: Graph, logits: Value | undefined): Value {
  const found = logits ?? requireLogits(graph);
  const axes = found.shape?.length ?? task.logits.length;
  if (axes === task.logits.length) return found;
  const fitting = Object.values(BY_NAME).filter((other) => other.logits.length === axes).map((other) => other.name);
  throw logitsOfOtherTask(task.name, task.logits, found.name, formatShape(found.shape), fitting);
}

/** Whether the head is trained whole where no task was named: where some task has logits of this many axes and trains it so, or there are none to tell. */
export function savesHeadBy(logits: Value | undefined): boolean {
  const fitting = Object.values(BY_NAME).filter((task) => task.logits.length === logits?.shape?.length);
  return fitting.length === 0 || fitting.some((task) => task.savesHead);
}

/**
 * The task that logits of a graph are for: what the adapter says in PEFT's word, else the only one with logits of as many axes that takes text where the
 * graph takes token ids, and none where it doesn't. Undefined where none fits.
 */
export function taskOf(graph: Graph, logits: Value | undefined, peftType: string | null): Task | undefined {
  const fitting = Object.values(BY_NAME).filter((task) => task.logits.length === logits?.shape?.length);
  const takesTokens = graph.inputs.some((v) => v.name.endsWith("input_ids"));
  return fitting.find((task) => peftType !== null && task.peftType === peftType) ?? fitting.find((task) => (task.data.texts.length > 0) === takesTokens);
}
