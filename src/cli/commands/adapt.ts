/** `onnx-hut adapt`: the model with its update inserted. */
import type { AdaptVerbOptions } from "../../runtime/options.ts";
import type { AdaptResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import {
  adapter, alpha, checkpoint, dryRun, embed, force, head, method, modulesToSave, numLabels, output, outputName, perRow, rank, rslora, saveAdapter, seed, swappable, targetModules,
} from "../flags.ts";
import { bytes, duration, grouped, share } from "../format.ts";
import { moduleLabel } from "../module-label.ts";
import { facts, listing } from "../table.ts";

export const adapt: Command = defineCommand<AdaptVerbOptions, AdaptResult>({
  name: "adapt",
  alsoCalled: ["attach", "inject"],
  summary: "insert the update into chosen weights and write the adapted graph",
  description: "Writes MODEL with W' = U(W) computed in the graph for each chosen weight. Without --adapter the update starts as the identity. "
    + "Written beside MODEL, the file is some kilobytes: it points at MODEL's own weights. With --swappable one session serves many adapters, with --per-row in one batch.",
  flags: {
    output: required(output("file", "the adapted graph to write")), adapter: adapter("start from this adapter: method, rank, targets and values come from it"),
    checkpoint: checkpoint("start from what was trained elsewhere"), saveAdapter, swappable, perRow, embed, dryRun,
    targetModules, method, rank, alpha, rslora, modulesToSave, head, numLabels, outputName, force, seed,
  },
  example: "onnx-hut adapt model.onnx --target-modules q,v --rank 8 -o adapted.onnx",
  gives: ["adapted", "modulesToSave", "inputs", "trainableParams", "totalParams", "seconds", "bytesWritten", "output"],
  run: (verbs, model, options) => verbs.adapt(model, options),
  show: (result, { dryRun: dry, saveAdapter: saved, verbose }) => [
    ...listing([{ title: "module path" }, { title: "[k, n]" }, { title: "rank", right: true }, { title: "trained", right: true }], [
      ...result.adapted.map((m) => [moduleLabel(m), `[${m.shape.join(", ")}]`, result.inputs.length === 0 ? grouped(m.rank) : "any", grouped(m.params)]),
      ...result.modulesToSave.map((m) => [m.modulePath, "whole", "", grouped(m.params)]),
    ], verbose),
    "",
    ...facts([
      ...(result.inputs.length === 0 ? [] : [["inputs", `${grouped(result.inputs.length)}, for adapters of any rank`] as const]),
      ["trainable", share(result.trainableParams, result.totalParams)],
      dry === true ? ["would write", result.output] : ["written", `${result.output}, ${bytes(result.bytesWritten)}`],
      ...(saved === undefined || dry === true ? [] : [["adapter", saved]]),
      ["took", duration(result.seconds)],
    ]),
  ],
});
