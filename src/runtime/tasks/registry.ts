/** The tasks by name, and what a verb asks of the one that was chosen. */
import { batchOfOne, logitsOfOtherTask, poolingOfOtherTask, problemOfOtherTask, tooFewLogits } from "../../errors/runtime.ts";
import { formatShape } from "../../ir/dim.ts";
import type { Graph, Value } from "../../ir/graph.ts";
import { requireLogits } from "../model-outputs.ts";
import { vocabularySize } from "../task-inputs.ts";
import { DEFAULTS, type ProblemName, type TaskName, type TaskOptions } from "../options.ts";
import { featureExtraction } from "./feature-extraction.ts";
import { IMAGE_CLASSIFICATION, TEXT_CLASSIFICATION } from "./classification.ts";
import type { Task } from "./task.ts";
import { TEXT_GENERATION } from "./text-generation.ts";
import { TOKEN_CLASSIFICATION } from "./token-classification.ts";

/** Each task, the classification tasks once for each problem. */
export const TASKS: readonly Task[] = [...TEXT_CLASSIFICATION, TOKEN_CLASSIFICATION, TEXT_GENERATION, ...IMAGE_CLASSIFICATION, featureExtraction("mean")];

/** The task of these words. `known` is what the adapter or the model's config says of the problem, where no word does. Throws PROBLEM_OF_OTHER_TASK. */
export function taskNamed({ task = DEFAULTS.task, problem, pooling }: TaskOptions = {}, known?: ProblemName): Task {
  const named = TASKS.filter(({ name }) => name === task);
  const [only] = named;
  if (only === undefined) throw new TypeError(`no task ${task}`);
  if (only.problem === undefined && problem !== undefined) throw problemOfOtherTask(task, problem);
  if (pooling !== undefined && only.pooling === undefined) throw poolingOfOtherTask(task, pooling);
  if (pooling !== undefined) return featureExtraction(pooling);
  const wanted = problem ?? known ?? DEFAULTS.problem;
  return named.find((t) => t.problem === wanted) ?? only;
}

/** The task that PEFT has this word for; undefined where it is none of ours. */
export function taskOfPeft(peftType: string | null): TaskName | undefined {
  return peftType === null ? undefined : TASKS.find((task) => task.peftType === peftType)?.name;
}

/** What to know of a task's batches before training, where a record's loss depends on the others of its batch. Throws BATCH_OF_ONE. */
export function batchNotes(task: Task, examples: number, batchSize: number): string[] {
  if (task.batchMatters !== true) return [];
  if (Math.min(batchSize, examples) < 2) throw batchOfOne(task.name);
  return examples % batchSize === 1 ? [`the last of ${String(examples)} records is alone in its batch of --task ${task.name} and teaches nothing there; another --batch-size gives it others`] : [];
}

/** The logits a task is learnt from. Throws NO_LOGITS where there are none, LOGITS_OF_OTHER_TASK where they have another number of axes, TOO_FEW_LOGITS. */
export function requireTaskLogits(task: Task, graph: Graph, logits: Value | undefined): Value {
  if (task.findOutput !== undefined) return task.findOutput(graph, logits);
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

/** Whether the head is trained whole where no task was named: where some task has logits like these and trains it so, or there are none to tell. */
export function savesHeadBy(graph: Graph, logits: Value | undefined): boolean {
  const fitting = TASKS.filter((task) => fits(task, graph, logits));
  return fitting.length === 0 || fitting.some((task) => task.savesHead);
}

/**
 * The task that logits of a graph are for: what the adapter says in PEFT's word, else the only one with logits like these that takes text where the
 * graph takes token ids, and none where it doesn't; of classification tasks the one of this problem. Undefined where none fits.
 */
export function taskOfLogits(graph: Graph, logits: Value | undefined, peftType: string | null, problem: ProblemName = DEFAULTS.problem): Task | undefined {
  const possible = TASKS.filter((task) => hasAxes(task, logits) && (task.problem ?? problem) === problem);
  const takesTokens = graph.inputs.some((v) => v.name.endsWith("input_ids"));
  return possible.find((task) => peftType !== null && task.peftType === peftType) ?? possible.find((task) => fits(task, graph, logits) && takesText(task) === takesTokens);
}

/** Whether a task's records are texts, or words. */
export function takesText({ data }: Task): boolean {
  return data.texts.length > 0 || data.words !== undefined;
}

function hasAxes(task: Task, logits: Value | undefined): boolean {
  return task.logits.length === logits?.shape?.length;
}

/**
 * Whether logits of a graph may be this task's: by their axes; and where these are three, the last is the vocabulary or it is classes. A decoder's output, whose
 * head is as large as its embedding, must not pass for one of classes. Where the vocabulary isn't known it is taken for one.
 */
function fits(task: Task, graph: Graph, logits: Value | undefined): boolean {
  return hasAxes(task, logits) && (task.overVocabulary === undefined || task.overVocabulary === isOverVocabulary(graph, logits));
}

/** Tables of embeddings and heads are padded to different lengths, but by far less than this. */
const VOCABULARY_SHARE = 0.5;

function isOverVocabulary(graph: Graph, logits: Value | undefined): boolean {
  const vocabulary = vocabularySize(graph);
  const last = logits?.shape?.at(-1);
  return vocabulary === undefined || typeof last !== "number" || last > vocabulary * VOCABULARY_SHARE;
}
