/** `onnx-hut artifacts`: training graphs for other programs to run. */
import type { ArtifactsOptions } from "../../runtime/options.ts";
import type { ArtifactsResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { required } from "../flag.ts";
import {
  adapter, alpha, dryRun, embed, force, format, frozenInCheckpoint, head, lr, maxGradNorm, method, modulesToSave, numLabels, optimizer, output, outputName, loss, pooling, problem, rank, rslora, seed,
  targetModules, task, weightDecay,
} from "../flags.ts";
import { bytes, duration, grouped } from "../format.ts";
import { facts } from "../table.ts";

export const artifacts: Command = defineCommand<ArtifactsOptions, ArtifactsResult>({
  name: "artifacts",
  alsoCalled: ["export", "generate-artifacts"],
  summary: "write the training graphs, to be run by any ONNX Runtime",
  description: "Writes step.onnx, one training step with loss, gradients and optimizer as standard operators, "
    + "its parts for accumulation and several workers, and manifest.json, which says where each trained number stands. "
    + "--format ort-training writes the three graphs and the checkpoint of ONNX Runtime's own training API, up to 1.19.2.",
  flags: {
    output: required(output("folder", "the folder to write")), format, adapter: adapter("start from this adapter"), embed, frozenInCheckpoint, dryRun,
    targetModules, method, rank, alpha, rslora, modulesToSave, head, numLabels, outputName, force, task, problem, pooling, loss, lr, weightDecay, maxGradNorm, optimizer, seed,
  },
  example: "onnx-hut artifacts model.onnx --task text-classification --format step -o artifacts/",
  gives: ["files", "trainableParams", "bytesWritten", "seconds"],
  run: (verbs, model, options) => verbs.artifacts(model, options),
  show: (result, { dryRun: dry }) => [
    dry === true ? "Would write" : "Written",
    ...facts(result.files.map((file) => [file])),
    "",
    ...facts([["trainable", grouped(result.trainableParams)], ["size", bytes(result.bytesWritten)], ["took", duration(result.seconds)]]),
  ],
});
