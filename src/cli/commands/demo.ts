/** `onnx-hut demo`: the whole road on the model and data in the package. */
import type { DemoOptions } from "../../runtime/options.ts";
import type { DemoResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { output, provider, seed, threads } from "../flags.ts";
import { bytes, duration, grouped, share } from "../format.ts";
import { printable } from "../printable.ts";
import { facts } from "../table.ts";

export const demo: Command = defineCommand<DemoOptions, DemoResult>({
  name: "demo",
  alsoCalled: ["example", "tutorial", "quickstart"],
  summary: "adapt, train, evaluate, fold and verify on the model and data in the package",
  description: "Fine-tunes a small real encoder on 2,000 labelled sentences, merges the result and verifies it. "
    + "Needs no download and takes a few minutes at most.",
  takes: "nothing",
  flags: { output: { ...output("folder", "keep the files in this folder"), default: "a temporary folder, removed at the end" }, seed, threads, provider },
  example: "onnx-hut demo",
  gives: ["before", "after", "verify", "seconds", "trainableParams", "totalParams", "train_runtime", "train_tokens_per_second", "bytes", "steps", "output"],
  run: (verbs, _model, options) => verbs.demo(options),
  show: ({ before, after, verify, bytes: sizes, ...result }) => [
    "Fine-tuned a sentence classifier in ONNX Runtime:",
    ...facts([
      ["accuracy before", percent(before.eval_accuracy)],
      ["accuracy after", percent(after.eval_accuracy)],
      ["numbers trained", share(result.trainableParams, result.totalParams)],
      ["training", `${grouped(result.steps)} steps in ${duration(result.train_runtime)}, ${grouped(result.train_tokens_per_second)} tokens/s`],
      ["adapter", bytes(sizes.adapter)],
      ["adapted.onnx", `${bytes(sizes.adapted)}, beside the base of ${bytes(sizes.base)}`],
      ["merged.onnx", `${bytes(sizes.merged)}, base ${bytes(sizes.base)}`],
      ["latency of merged", `${verify.latencyRatio.toFixed(3)} × the original's`],
      ["verified", verify.ok ? `yes: only the chosen weights differ, logits within ${verify.maxAbsDiff.toExponential(1)}` : "NO"],
      ["in all", duration(result.seconds)],
      ...(result.output === null ? [] : [["files", result.output]]),
    ]),
    ...verify.problems.map((problem) => `  - ${printable(problem)}`),
  ],
  exitCode: ({ verify }) => (verify.ok ? 0 : 1),
});

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
