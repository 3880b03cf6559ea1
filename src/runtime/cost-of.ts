/** What training costs by each method: numbers, operations and memory, counted from the very graphs that would run. Nothing runs. */
import { evaluateDim } from "../ir/dim.ts";
import type { Model } from "../ir/model.ts";
import { METHODS, methodNamed } from "../methods/registry.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { parameterCount } from "../passes/build-step.ts";
import { sizesOfBatch } from "./batch-sizes.ts";
import { countFlops } from "./count-flops.ts";
import { estimateMemory, processMemory } from "./memory-estimate.ts";
import { prepare, type PrepareOptions, type Prepared } from "./prepare.ts";
import type { MethodCost } from "./results.ts";
import type { Task } from "./tasks/task.ts";
import { trainingGraph } from "./training-graphs.ts";

/** A float32 of theta, and AdamW's two moments of it. */
const STATE_BYTES = 3 * 4;

export interface CostQuestion {
  /** A fresh model. */
  readonly load: () => Model;
  readonly task: Task;
  readonly options: Omit<PrepareOptions, "method" | "rank" | "saveHead">;
  readonly batchSize: number;
  /** Tokens in each row of the batch. */
  readonly length: number;
}

/** Which methods at which ranks: one that has no rank comes once. */
export function variantsOf(methods: readonly string[] | undefined, ranks: readonly number[]): { readonly method: UpdatedTransformation; readonly rank: number | null }[] {
  const chosen = methods?.map(methodNamed) ?? METHODS;
  return chosen.flatMap((method): { method: UpdatedTransformation; rank: number | null }[] => (method.takes.includes("rank") ? ranks.map((rank) => ({ method, rank })) : [{ method, rank: null }]));
}

/** A fresh model with one method. --target-modules is for all methods at once, and says nothing to those that train tensors whole. */
export function preparedFor({ load, task, options }: CostQuestion, { name, trains }: UpdatedTransformation, rank: number | null): Prepared {
  const { targetModules, ...rest } = options;
  return prepare(load(), { ...rest, ...(trains === undefined ? { targetModules } : {}), method: name, ...(rank === null ? {} : { rank }), saveHead: task.savesHead });
}

/** One method's cost. Throws HutError where it doesn't fit the model. */
export function costOf(question: CostQuestion, method: UpdatedTransformation, rank: number | null): MethodCost {
  const { task, batchSize, length } = question;
  const fresh = (): Prepared => preparedFor(question, method, rank);
  const prepared = fresh();
  const sizes = sizesOfBatch(prepared.model, batchSize, length);
  const step = trainingGraph("step", task, fresh);
  const stepSizes = sizesOfBatch(step, batchSize, length);
  const trainableParams = parameterCount(prepared.trainables);
  return {
    method: method.name, rank, trainableParams,
    updateFlops: prepared.adapted.reduce((sum, { weight }) => sum + (evaluateDim(method.flops(weight), {}) ?? 0), 0),
    adaptedFlops: countFlops(prepared.model, sizes).flops, stepFlops: countFlops(step, stepSizes).flops,
    memoryBytes: processMemory(estimateMemory(step, stepSizes)), stateBytes: STATE_BYTES * trainableParams,
  };
}

/** Operations of one forward run of the model as it is; the head that `options` attach included. */
export function forwardFlops(model: Model, { batchSize, length }: Pick<CostQuestion, "batchSize" | "length">): number {
  return countFlops(model, sizesOfBatch(model, batchSize, length)).flops;
}

/** From how many tokens in a batch a method's update, formed once, costs less than LoRA's second branch, which every token passes: 2r(k + n) + n operations a token. */
export function tokensToBreakEven(prepared: Prepared): number {
  const formed = prepared.adapted.reduce((sum, { weight }) => sum + (evaluateDim(prepared.method.flops(weight), {}) ?? 0), 0);
  const perToken = prepared.adapted.reduce((sum, { weight: { k, n, rank } }) => sum + 2 * rank * (k + n) + n, 0);
  return formed / perToken;
}
