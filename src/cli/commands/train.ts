/** `onnx-hut train`: fine-tunes a model on labelled data. */
import type { TrainOptions } from "../../runtime/options.ts";
import type { TrainPlan, TrainResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import {
  adapter, adapterDropout, alpha, batchSize, bestMetric, classWeights, decayExempt, dev, dryRun, epochs, evalSteps, findLr, force, glue, gradAccumulationSteps, head, headDropout, labelColumn, labelSmoothing, loss, lr, lrGroups, lrScheduler, maskPrompt, maxGradNorm, maxSeqLength, maxSteps, method, modulesToSave, numLabels,
  output, outputName, pooling, problem, overwrite, patience, provider, rank, resume, rslora, saveSteps, saveTotalLimit, seed, shuffle, targetModules, task, tensorboard, textColumn, threads, tokenizer, trainFile, warmupRatio, weightDecay,
} from "../flags.ts";
import { bytes, duration, figure, grouped, label, share } from "../format.ts";
import { printable } from "../printable.ts";
import { facts, table } from "../table.ts";
import { classTable } from "../class-table.ts";

export const train: Command = defineCommand<TrainOptions, TrainResult>({
  name: "train",
  alsoCalled: ["finetune", "fine-tune", "fit", "learn"],
  summary: "fine-tune the model on labelled data",
  description: "Trains the chosen weights' updates on a file of labelled examples and writes a run folder: adapter/, checkpoints, metrics.jsonl, run.json, runs/ for TensorBoard. "
    + "Ctrl-C or SIGTERM writes a checkpoint and stops; the same command with --resume goes on from there.",
  flags: {
    output: required(output("folder", "the run folder to write")), resume, overwrite, tensorboard,
    adapter: adapter("start from this adapter: method, rank, targets and values come from it"), dryRun,
    targetModules, method, rank, alpha, rslora, modulesToSave, head, numLabels, outputName, force,
    train: trainFile, dev, task, problem, pooling, loss, tokenizer, glue, textColumn, labelColumn, maskPrompt, maxSeqLength, batchSize, shuffle,
    lr, epochs, maxSteps, weightDecay, maxGradNorm, lrScheduler, warmupRatio, seed,
    gradAccumulationSteps, labelSmoothing, classWeights, decayExempt, lrGroups, adapterDropout, headDropout,
    evalSteps, saveSteps, saveTotalLimit, bestMetric, patience, findLr, threads, provider,
  },
  contradictions: [["resume", "overwrite"], ["findLr", "resume"], ["findLr", "dryRun"]],
  example: "onnx-hut train model.onnx --task text-classification --head mean --num-labels 2 --train train.tsv --dev dev.tsv -o run/",
  gives: ["plan", "steps", "firstLoss", "lastLoss", "metrics", "classes", "evaluations", "bestStep", "adapter", "trainableParams", "totalParams", "train_runtime",
    "train_samples_per_second", "train_tokens_per_second", "interrupted", "found"],
  stopping: "stopping: saving a checkpoint; Ctrl-C again stops without it",
  run: (verbs, model, options) => verbs.train(model, options),
  show(result, { dryRun: dry, output: folder, verbose }) {
    const plan = [["steps", grouped(result.steps)], ["trainable", share(result.trainableParams, result.totalParams)]];
    if (dry === true) return ["Would train", ...facts([...plan, ...planned(result.plan)])];
    if (result.found !== null) return sweepLines(result.found);
    return [
      ...facts([
        ...plan,
        ...(result.firstLoss === null || result.lastLoss === null ? [] : [["loss", `${figure(result.firstLoss)} → ${figure(result.lastLoss)}`]]),
        ...(result.bestStep === null ? [] : [["best step", grouped(result.bestStep)]]),
        ...Object.entries(result.metrics).map(([name, value]) => [label(name), figure(value)]),
        ["time", duration(result.train_runtime)],
        ["speed", `${grouped(result.train_tokens_per_second)} tokens/s, ${grouped(result.train_samples_per_second, 1)} examples/s`],
        // After Ctrl-C there is a checkpoint, and no adapter yet.
        ...(result.interrupted ? [] : [["adapter", result.adapter]]),
      ]),
      ...(result.evaluations.length > 1 ? ["", ...evaluationLines(result)] : []),
      ...classTable(result.classes, verbose),
      ...(result.interrupted ? ["", `Interrupted. The same command with --resume goes on from the checkpoint in ${printable(folder)}.`] : []),
    ];
  },
  exitCode: (result) => (result.interrupted ? 130 : 0),
});

/** Every fifth of the rates that were tried, and the one to begin with. */
function sweepLines({ rates, suggested }: NonNullable<TrainResult["found"]>): string[] {
  const shown = rates.filter((_, i) => i % 5 === 4 || i === rates.length - 1);
  return [
    ...table([{ title: "learning rate", right: true }, { title: "loss", right: true }, { title: "smoothed", right: true }], shown.map((r) => [figure(r.learning_rate), figure(r.loss), figure(r.smoothed)])),
    "", suggested === null ? "The loss falls nowhere: no rate to suggest." : `Try --lr ${String(Number(suggested.toPrecision(2)))} to begin with.`,
  ];
}

function planned({ examples, devExamples, stepsPerEpoch, warmupSteps, learningRate, tokensPerBatch, memoryBytes }: TrainPlan): string[][] {
  return [
    ["examples", devExamples === null ? grouped(examples) : `${grouped(examples)}, and ${grouped(devExamples)} to evaluate on`], ["an epoch", `${grouped(stepsPerEpoch)} steps`],
    ["learning rate", `${figure(learningRate)} after ${grouped(warmupSteps)} steps of warm-up`], ["longest batch", `${grouped(tokensPerBatch)} tokens`],
    ["memory", `about ${bytes(memoryBytes)}`],
  ];
}

/** A row for each evaluation; the best one is marked. */
function evaluationLines({ evaluations, bestStep }: TrainResult): string[] {
  const names = Object.keys(evaluations[0] ?? {}).filter((name) => name.startsWith("eval_") && !/_(?:runtime|per_second)$/.test(name));
  const columns = [{ title: "step", right: true }, { title: "epoch", right: true }, ...names.map((name) => ({ title: label(name), right: true })), { title: "" }];
  return table(columns, evaluations.map((e) => [grouped(e["step"] ?? NaN), grouped(e["epoch"] ?? NaN, 2), ...names.map((name) => figure(e[name] ?? NaN)), e["step"] === bestStep ? "best" : ""]));
}
