/** `onnx-hut fold`: the adapter merged into the weights. */
import type { FoldOptions, FoldResult } from "../../runtime/options.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import { adapter, dryRun, force, output, savedHead, savedNumLabels } from "../flags.ts";
import { bytes, duration, grouped } from "../format.ts";
import { facts, listing } from "../table.ts";

export const fold: Command = defineCommand<FoldOptions, FoldResult>({
  name: "fold",
  alsoCalled: ["merge", "fuse", "merge-and-unload"],
  summary: "merge (fuse) an adapter into the weights and write the merged model",
  description: "Computes W' = U(W) once for each adapted weight and writes it where W was: the same graph, "
    + "only the chosen weights differ, and it runs as fast as before.",
  flags: {
    output: required(output("file or folder", "the merged .onnx to write, or a folder that becomes a Hugging Face model folder")),
    adapter: required(adapter("the adapter to merge")), dryRun, head: savedHead, numLabels: savedNumLabels, force,
  },
  example: "onnx-hut fold model.onnx --adapter run/adapter -o merged.onnx",
  gives: ["folded", "replaced", "seconds", "bytesWritten", "output"],
  run: (verbs, model, options) => verbs.fold(model, options),
  show: (result, { dryRun: dry, verbose }) => [
    ...listing([{ title: "module path" }, { title: "[k, n]" }, { title: "numbers", right: true }], [
      ...result.folded.map((m) => [m.modulePath, `[${m.shape.join(", ")}]`, grouped(m.shape[0] * m.shape[1])]),
      ...result.replaced.map((m) => [m.modulePath, "whole", grouped(m.params)]),
    ], verbose),
    "",
    ...facts([
      dry === true ? ["would write", result.output] : ["written", `${result.output}, ${bytes(result.bytesWritten)}`],
      ["took", duration(result.seconds)],
    ]),
  ],
});
