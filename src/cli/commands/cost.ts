/** `onnx-hut cost`: what training costs, method by method. */
import type { CostOptions } from "../../runtime/options.ts";
import type { CostResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { batchSize, head, maxSeqLength, methods, modulesToSave, numLabels, outputName, pooling, problem, ranks, targetModules, task } from "../flags.ts";
import { bytes, grouped, operations } from "../format.ts";
import { printable } from "../printable.ts";
import { facts, table } from "../table.ts";

export const cost: Command = defineCommand<CostOptions, CostResult>({
  name: "cost",
  alsoCalled: ["flops", "count", "profile"],
  summary: "count what training would cost, method by method",
  description: "Counts trained numbers, floating point operations of a step, and memory for each method and rank, from the very graphs that would run; nothing runs. Batches are full: --batch-size rows of "
    + "--max-seq-length tokens. A folded model costs what the base costs, by whatever method it was trained.",
  flags: { methods, ranks, targetModules, modulesToSave, head, numLabels, outputName, task, problem, pooling, batchSize, maxSeqLength },
  example: "onnx-hut cost model.onnx --head mean --num-labels 2 --methods hut,lora,full --ranks 4,8,16 --batch-size 32 --max-seq-length 128",
  gives: ["batchSize", "maxSeqLength", "parameters", "forwardFlops", "costs", "refused", "breakEvenTokens", "seconds"],
  run: (verbs, model, options) => verbs.cost(model, options),
  show: (result) => [
    ...facts([["parameters", grouped(result.parameters)], ["a batch", `${grouped(result.batchSize)} × ${grouped(result.maxSeqLength)} tokens`], ["a forward run", operations(result.forwardFlops)]]),
    "",
    ...table([{ title: "method" }, { title: "rank", right: true }, { title: "trained", right: true }, { title: "a step", right: true }, { title: "forwards", right: true }, { title: "forming W'", right: true }, { title: "memory", right: true }],
      result.costs.map((c) => [c.method, c.rank === null ? "-" : grouped(c.rank), grouped(c.trainableParams), operations(c.stepFlops), (c.stepFlops / result.forwardFlops).toFixed(2), operations(c.updateFlops), `about ${bytes(c.memoryBytes)}`])),
    ...(result.refused.length === 0 ? [] : ["", ...result.refused.map(({ method, why }) => `${method}: ${printable(why)}`)]),
    ...(result.breakEvenTokens === null ? [] : ["", `HUT forms W' once a step. LoRA's second branch, as PEFT computes it, costs more from ${grouped(Math.ceil(result.breakEvenTokens))} tokens in a batch on.`]),
  ],
});
