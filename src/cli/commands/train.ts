/** `onnx-hut train`: fine-tunes a model on labelled data. */
import type { TrainOptions, TrainResult } from "../../runtime/options.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import {
  adapterDropout, classWeights, decayExempt, gradAccumulationSteps, headDropout, labelSmoothing, lrGroups,
  adapter, alpha, batchSize, dev, dryRun, epochs, force, head, lr, lrScheduler, maxGradNorm, maxSeqLength, maxSteps, method, modulesToSave, numLabels,
  output, outputName, problem, overwrite, provider, rank, resume, seed, shuffle, targetModules, task, threads, tokenizer, trainFile, warmupRatio, weightDecay,
} from "../flags.ts";
import { duration, figure, grouped, label, share } from "../format.ts";
import { printable } from "../printable.ts";
import { facts } from "../table.ts";

export const train: Command = defineCommand<TrainOptions, TrainResult>({
  name: "train",
  alsoCalled: ["finetune", "fine-tune", "fit", "learn"],
  summary: "fine-tune the model on labelled data",
  description: "Trains the chosen weights' updates on a file of labelled examples and writes a run folder: adapter/, checkpoints, metrics.jsonl, run.json. "
    + "Ctrl-C writes a checkpoint and stops; the same command with --resume goes on from there.",
  flags: {
    output: required(output("folder", "the run folder to write")), resume, overwrite,
    adapter: adapter("start from this adapter: method, rank, targets and values come from it"), dryRun,
    targetModules, method, rank, alpha, modulesToSave, head, numLabels, outputName, force,
    train: trainFile, dev, task, problem, tokenizer, maxSeqLength, batchSize, shuffle,
    lr, epochs, maxSteps, weightDecay, maxGradNorm, lrScheduler, warmupRatio, seed, threads, provider,
    gradAccumulationSteps, labelSmoothing, classWeights, decayExempt, lrGroups, adapterDropout, headDropout,
  },
  contradictions: [["resume", "overwrite"]],
  example: "onnx-hut train model.onnx --task text-classification --head mean --num-labels 2 --train train.tsv --dev dev.tsv -o run/",
  gives: ["steps", "firstLoss", "lastLoss", "metrics", "adapter", "trainableParams", "totalParams", "train_runtime",
    "train_samples_per_second", "train_tokens_per_second", "interrupted"],
  stopping: "stopping: saving a checkpoint; Ctrl-C again stops without it",
  run: (verbs, model, options) => verbs.train(model, options),
  show(result, { dryRun: dry, output: folder }) {
    const plan = [["steps", grouped(result.steps)], ["trainable", share(result.trainableParams, result.totalParams)]];
    if (dry === true) return ["Would train", ...facts(plan)];
    return [
      ...facts([
        ...plan,
        ...(result.firstLoss === null || result.lastLoss === null ? [] : [["loss", `${figure(result.firstLoss)} → ${figure(result.lastLoss)}`]]),
        ...Object.entries(result.metrics).map(([name, value]) => [label(name), figure(value)]),
        ["time", duration(result.train_runtime)],
        ["speed", `${grouped(result.train_tokens_per_second)} tokens/s, ${grouped(result.train_samples_per_second, 1)} examples/s`],
        // After Ctrl-C there is a checkpoint, and no adapter yet.
        ...(result.interrupted ? [] : [["adapter", result.adapter]]),
      ]),
      ...(result.interrupted ? ["", `Interrupted. The same command with --resume goes on from the checkpoint in ${printable(folder)}.`] : []),
    ];
  },
  exitCode: (result) => (result.interrupted ? 130 : 0),
});
