/** `onnx-hut predict`: the model's outputs on data, as JSONL. */
import type { PredictOptions } from "../../runtime/options.ts";
import type { PredictResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import {
  adapter, batchSize, checkpoint, dataFile, dryRun, force, output, outputName, pooling, problem, provider, savedHead, savedNumLabels, task, threads, tokenizer, wholeSeqLength,
  glue, labelColumn, maskPrompt, textColumn,
} from "../flags.ts";
import { duration, grouped } from "../format.ts";
import { facts } from "../table.ts";

export const predict: Command = defineCommand<PredictOptions, PredictResult>({
  name: "predict",
  alsoCalled: ["infer", "run", "classify"],
  summary: "write the model's outputs on data, one JSON record a line",
  description: "Runs MODEL, with an adapter or without, on examples and writes one JSON record a line, with the outputs under the graph's own names for "
    + "them. "
    + "Of a classifier each record has the label and the score of its top class too, as a pipeline of transformers.js answers.",
  flags: {
    output: required(output("file", "the .jsonl to write")), adapter: adapter("with this adapter"), checkpoint: checkpoint("what was trained elsewhere"),
    data: required(dataFile("examples: .tsv, .csv, .jsonl or .parquet")),
    task, problem, pooling, tokenizer, glue, textColumn, labelColumn, maskPrompt, maxSeqLength: wholeSeqLength, batchSize, outputName, head: savedHead, numLabels: savedNumLabels, force, threads, provider, dryRun,
  },
  example: "onnx-hut predict merged.onnx --data new.tsv -o predictions.jsonl",
  gives: ["examples", "output", "seconds"],
  run: (verbs, model, options) => verbs.predict(model, options),
  show: (result, { dryRun: dry }) => facts([
    ["examples", grouped(result.examples)], [dry === true ? "would write" : "written", result.output], ...(dry === true ? [] : [["took", duration(result.seconds)]]),
  ]),
});
