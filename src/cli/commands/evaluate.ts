/** `onnx-hut evaluate`: metrics on labelled data. */
import type { EvaluateOptions } from "../../runtime/options.ts";
import type { EvaluateResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import { adapter, batchSize, checkpoint, dataFile, force, maxSeqLength, loss, outputName, pooling, problem, provider, savedHead, savedNumLabels, task, glue, textColumn, labelColumn, maskPrompt, threads, tokenizer } from "../flags.ts";
import { duration, figure, grouped, label } from "../format.ts";
import { facts } from "../table.ts";
import { classTable } from "../class-table.ts";

export const evaluate: Command = defineCommand<EvaluateOptions, EvaluateResult>({
  name: "evaluate",
  alsoCalled: ["eval", "test", "score"],
  summary: "measure the model on labelled data",
  description: "Runs MODEL, with an adapter or without, on labelled examples and prints loss and accuracy.",
  flags: {
    adapter: adapter("with this adapter"), checkpoint: checkpoint("what was trained elsewhere"),
    data: required(dataFile("labelled data: .tsv, .csv, .jsonl or .parquet")),
    task, problem, pooling, loss, tokenizer, glue, textColumn, labelColumn, maskPrompt, maxSeqLength, batchSize, outputName, head: savedHead, numLabels: savedNumLabels, force, threads, provider,
  },
  example: "onnx-hut evaluate model.onnx --task text-classification --data dev.tsv --adapter run/adapter",
  gives: ["examples", "metrics", "classes", "seconds"],
  run: (verbs, model, options) => verbs.evaluate(model, options),
  show: ({ examples, metrics, classes, seconds }, { verbose }) => [
    ...facts([["examples", grouped(examples)], ...Object.entries(metrics).map(([name, value]) => [label(name), figure(value)]), ["took", duration(seconds)]]),
    ...classTable(classes, verbose),
  ],
});
