/** `onnx-hut fold`: the adapter merged into the weights. */
import type { FoldOptions } from "../../runtime/options.ts";
import type { FoldResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import { adapter, checkpoint, dryRun, embed, force, output, requantize, savedHead, savedNumLabels } from "../flags.ts";
import { bytes, duration, figure, grouped } from "../format.ts";
import { moduleLabel } from "../module-label.ts";
import { facts, listing } from "../table.ts";

/** How quantized weights are stored now. */
function storageLines({ floated, requantized }: FoldResult, verbose: boolean): string[] {
  return [
    ...(floated.length === 0 ? [] : ["", "Quantized weights that are floats now",
      ...listing([{ title: "module path" }, { title: "stored" }], floated.map((m) => [m.modulePath, `was ${m.from}, now ${floatName(m.to)}`]), verbose)]),
    ...(requantized.length === 0 ? [] : ["", "Quantized weights, rounded again",
      ...listing([{ title: "module path" }, { title: "stored" }, { title: "relative error", right: true }, { title: "largest", right: true }],
        requantized.map((m) => [m.modulePath, m.dtype, figure(m.relativeError), figure(m.maxAbsError)]), verbose)]),
  ];
}

/** ONNX calls float32 "float". */
const floatName = (dtype: string): string => (dtype === "float" ? "float32" : dtype);

export const fold: Command = defineCommand<FoldOptions, FoldResult>({
  name: "fold",
  alsoCalled: ["merge", "fuse", "merge-and-unload"],
  summary: "merge (fuse) an adapter into the weights and write the merged model",
  description: "Computes W' = U(W) once for each adapted weight and writes it where W was: the same graph, "
    + "only the chosen weights differ, and it runs as fast as before. A weight stored as integers becomes floats, unless --requantize rounds it.",
  flags: {
    output: required(output("file or folder", "the merged .onnx to write, or a folder that becomes a Hugging Face model folder")),
    adapter: adapter("the adapter to merge"), checkpoint: checkpoint("what was trained elsewhere"),
    requantize, embed, dryRun, head: savedHead, numLabels: savedNumLabels, force,
  },
  example: "onnx-hut fold model.onnx --adapter run/adapter -o merged.onnx",
  gives: ["folded", "replaced", "floated", "requantized", "seconds", "bytesWritten", "output", "files"],
  run: (verbs, model, options) => verbs.fold(model, options),
  show: (result, { dryRun: dry, verbose }) => [
    ...listing([{ title: "module path" }, { title: "[k, n]" }, { title: "numbers", right: true }], [
      ...result.folded.map((m) => [moduleLabel(m), `[${m.shape.join(", ")}]`, grouped(m.shape[0] * m.shape[1])]),
      ...result.replaced.map((m) => [m.modulePath, "whole", grouped(m.params)]),
    ], verbose),
    ...storageLines(result, verbose),
    "",
    ...facts([
      dry === true ? ["would write", result.output] : ["written", `${[...result.files].reverse().join(" and ")}, ${bytes(result.bytesWritten)}`],
      ["took", duration(result.seconds)],
    ]),
  ],
});
