/** `cost`: what training a model costs, method by method, before anything runs. */
import { HutError } from "../../../errors/hut-error.ts";
import { headOnly } from "../../../methods/head-only.ts";
import { hut } from "../../../methods/hut.ts";
import { costOf, forwardFlops, preparedFor, tokensToBreakEven, variantsOf, type CostQuestion } from "../../cost-of.ts";
import { longestSequence } from "../../examples-of.ts";
import { countParameters } from "../../inspect-model.ts";
import { findLogits } from "../../model-outputs.ts";
import { DEFAULTS, type CostOptions } from "../../options.ts";
import type { CostResult, MethodCost } from "../../results.ts";
import { requireTaskLogits } from "../../tasks/registry.ts";
import { openModel } from "../open-model.ts";
import { taskOf } from "./task-of.ts";

/** Counts every method at every rank. A method that doesn't fit the model is told and left out; throws where none does. */
export async function cost(path: string, options: CostOptions): Promise<CostResult> {
  const started = performance.now();
  using opened = openModel(path);
  const task = taskOf(opened, options, undefined);
  const { graph } = opened.loadInlined();
  const batchSize = options.batchSize ?? DEFAULTS.batchSize;
  const length = Math.min(options.maxSeqLength ?? DEFAULTS.maxSeqLength, longestSequence(graph));
  const question: CostQuestion = { load: () => opened.load(), task, options, batchSize, length };
  const head = preparedFor(question, headOnly, null);
  requireTaskLogits(task, head.model.graph, head.logits ?? findLogits(graph, options.outputName));
  const costs: MethodCost[] = [];
  const refused: { method: string; why: string }[] = [];
  const variants = variantsOf(options.methods, options.ranks ?? [DEFAULTS.rank]);
  for (const [done, { method, rank }] of variants.entries()) {
    options.signal?.throwIfAborted();
    try {
      costs.push(costOf(question, method, rank));
    } catch (error) {
      // A model may be out of one method's reach: no biases to train, a head that is missing.
      if (!(error instanceof HutError) || variants.length === 1) throw error;
      refused.push({ method: method.name, why: error.message });
    }
    options.onProgress?.({ phase: "counting", done: done + 1, total: variants.length, unit: "methods" });
    // Nothing here waits: a Ctrl-C is heard between two methods.
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  const hasHut = costs.some(({ method }) => method === "hut");
  return {
    batchSize, maxSeqLength: length, parameters: countParameters(graph), forwardFlops: forwardFlops(head.model, question), costs, refused,
    breakEvenTokens: hasHut ? tokensToBreakEven(preparedFor(question, hut, options.ranks?.[0] ?? null)) : null,
    seconds: (performance.now() - started) / 1000,
  };
}
