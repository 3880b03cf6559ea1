/** The tasks by name, and what a verb asks of the one that was chosen. */
import { logitsOfOtherTask, problemOfOtherTask, tooFewLogits } from "../../errors/runtime.ts";
import { formatShape } from "../../ir/dim.ts";
import type { Graph, Value } from "../../ir/graph.ts";
import { requireLogits } from "../model-outputs.ts";
import { DEFAULTS, type ProblemName, type TaskOptions } from "../options.ts";
import { IMAGE_CLASSIFICATION, TEXT_CLASSIFICATION } from "./classification.ts";
import type { Task } from "./task.ts";
import { TEXT_GENERATION } from "./text-generation.ts";

/** Each task, the classification tasks once for each problem. */
const TASKS: readonly Task[] = [...TEXT_CLASSIFICATION, TEXT_GENERATION, ...IMAGE_CLASSIFICATION];

/** The task of these words. `known` is what the adapter or the model's config says of the problem, where no word does. Throws PROBLEM_OF_OTHER_TASK. */
export function taskNamed({ task = DEFAULTS.task, problem }: TaskOptions = {}, known?: ProblemName): Task {
  const named = TASKS.filter(({ name }) => name === task);
  const [only] = named;
  if (only === undefined) throw new TypeError(`no task ${task}`);
  if (only.problem === undefined && problem !== undefined) throw problemOfOtherTask(task, problem);
  const wanted = problem ?? known ?? DEFAULTS.problem;
  return named.find((t) => t.problem === wanted) ?? only;
}

/** The logits a task is learnt from. Throws NO_LOGITS where there are none, LOGITS_OF_OTHER_TASK where they have another number of axes, TOO_FEW_LOGITS. */
export function requireTaskLogits(task: Task, graph: Graph, logits: Value | undefined): Value {
  const found = logits ?? requireLogits(graph);
  const axes = found.shape?.length ?? task.logits.length;
  const last = found.shape?.at(-1);
  if (axes === task.logits.length) {
    if (typeof last === "number" && last < task.leastLogits) throw tooFewLogits(found.name, last, task.leastLogits);
    return found;
  }
  const fitting = [...new Set(TASKS.filter((other) => other.logits.length === axes).map((other) => other.name))];
  throw logitsOfOtherTask(task.name, task.logits, found.name, formatShape(found.shape), fitting);
}

/** Whether the head is trained whole where no task was named: where some task has logits of this many axes and trains it so, or there are none to tell. */
export function savesHeadBy(logits: Value | undefined): boolean {
  const fitting = TASKS.filter((task) => task.logits.length === logits?.shape?.length);
  return fitting.length === 0 || fitting.some((task) => task.savesHead);
}

/**
 * The task that logits of a graph are for: what the adapter says in PEFT's word, else the only one with logits of as many axes that takes text where the
 * graph takes token ids, and none where it doesn't; of classification tasks the one of this problem. Undefined where none fits.
 */
export function taskOfLogits(graph: Graph, logits: Value | undefined, peftType: string | null, problem: ProblemName = DEFAULTS.problem): Task | undefined {
  const fitting = TASKS.filter((task) => task.logits.length === logits?.shape?.length && (task.problem ?? problem) === problem);
  const takesTokens = graph.inputs.some((v) => v.name.endsWith("input_ids"));
  return fitting.find((task) => peftType !== null && task.peftType === peftType) ?? fitting.find((task) => (task.data.texts.length > 0) === takesTokens);
}
