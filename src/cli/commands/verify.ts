/** `onnx-hut verify`: whether a merged model is what base and adapter make. */
import type { VerifyOptions } from "../../runtime/options.ts";
import type { VerifyResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import { adapter, checkpoint, dataFile, force, merged, provider, savedHead, savedNumLabels, threads, tokenizer } from "../flags.ts";
import { printable } from "../printable.ts";
import { facts } from "../table.ts";

export const verify: Command = defineCommand<VerifyOptions, VerifyResult>({
  name: "verify",
  alsoCalled: ["check", "compare", "diff"],
  summary: "check that a merged model is exactly the base and the adapter",
  description: "Computes U(W) anew and compares the chosen weights of the merged model byte for byte, everything else byte for byte "
    + "with MODEL, and the logits of merged and adapted. Exit code 1 where something doesn't hold.",
  flags: {
    adapter: adapter("the adapter that was merged"), checkpoint: checkpoint("what was trained elsewhere"),
    merged: required(merged),
    data: dataFile("examples to compare logits on; made inputs where left out"),
    tokenizer, head: savedHead, numLabels: savedNumLabels, force, threads, provider,
  },
  example: "onnx-hut verify model.onnx --adapter run/adapter --merged merged.onnx",
  gives: ["maxAbsDiff", "sameExceptWeights", "latencyRatio", "tolerance", "problems", "ok"],
  run: (verbs, model, options) => verbs.verify(model, options),
  show: (result) => verifyLines(result),
  exitCode: (result) => (result.ok ? 0 : 1),
});

function boundOf(tolerance: number | null): string {
  return tolerance === null ? "weights rounded to integers" : `at most ${tolerance.toExponential(0)}`;
}

/** The result as lines; demo shows the same. */
function verifyLines(result: VerifyResult): string[] {
  return [
    ...facts([
      ["same except chosen weights", result.sameExceptWeights ? "yes" : "NO"],
      ["logits, largest difference", `${result.maxAbsDiff.toExponential(1)} (${boundOf(result.tolerance)})`],
      ["latency, merged / original", result.latencyRatio.toFixed(3)],
      ["verified", result.ok ? "yes" : "NO"],
    ]),
    ...result.problems.map((problem) => `  - ${printable(problem)}`),
  ];
}
