/** `artifacts`: the graphs and the manifest that train a model on any ONNX Runtime. */
import { join } from "node:path";
import { formatLacks } from "../../../errors/checkpoint.ts";
import type { Value } from "../../../ir/graph.ts";
import type { Model } from "../../../ir/model.ts";
import type { Bytes } from "../../../ir/source.ts";
import { bytesOf } from "../../../ir/tensor.ts";
import { DataType } from "../../../ir/data-type.ts";
import { parameterCount, type StepKind } from "../../../passes/build-step.ts";
import { adaptedModules, savedModules } from "../../adapted-modules.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { DATA_SUFFIX, type CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { ADAPTER_FOLDER, MANIFEST_FILE, manifestOf, THETA_FILE, type OrtTrainingManifest } from "../../manifest.ts";
import { DEFAULTS, type ArtifactFormat, type ArtifactsOptions } from "../../options.ts";
import type { ArtifactsResult } from "../../results.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import { requireTaskLogits } from "../../tasks/registry.ts";
import type { Task } from "../../tasks/task.ts";
import { ortTrainingGraphs, trainingGraph, type OrtTrainingGraphs, type OrtTrainingKind } from "../../training-graphs.ts";
import { adapterFilesAt, graphFilesAt, inputFiles, refuseInputsAsOutputs } from "../input-files.ts";
import { lockFolder } from "../lock-folder.ts";
import { openModel } from "../open-model.ts";
import { Outputs } from "../outputs.ts";
import { addAdapterFolder } from "../peft-folder.ts";
import { saveModels } from "../save-model.ts";
import { adapterBase, openAdapter } from "./adapt.ts";
import { taskOf } from "./task-of.ts";

const KINDS: readonly StepKind[] = ["step", "grad", "apply", "eval"];
/** The name that ONNX Runtime's own tool gives it. */
const CHECKPOINT_FILE = "checkpoint";

/** Weights that all graphs of the folder share, where they can't refer to the base's own. */
const DATA_FILE = "base.onnx_data";

/** Writes the graphs of each format, what they start from (theta.bin, checkpoint, adapter/), and manifest.json last. */
export async function artifacts(path: string, options: ArtifactsOptions): Promise<ArtifactsResult> {
  const started = performance.now();
  const formats = new Set(options.format ?? [DEFAULTS.format]);
  refuseUnused(formats, options);
  using opened = openModel(path);
  const adapter = openAdapter(options.adapter);
  const task = taskOf(opened, options, adapter);
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter, saveHead: task.savesHead });
  const prepared = fresh();
  requireTaskLogits(task, prepared.model.graph, prepared.logits);
  for (const note of prepared.notes) options.onNotice?.(note);
  const at = (name: string): string => join(options.output, name);
  const official = formats.has("ort-training") ? forOrtTraining(task, fresh, prepared, options) : undefined;
  const graphs: readonly { kind: StepKind | OrtTrainingKind; path: string; model: Model }[] = [
    ...(formats.has("step") ? KINDS.map((kind) => ({ kind, path: at(`${kind}.onnx`), model: trainingGraph(kind, task, fresh) })) : []),
    ...(official?.graphs.map((g) => ({ ...g, path: at(`${g.kind}.onnx`) })) ?? []),
  ];
  const manifest = manifestOf(prepared, graphs, options, { task, adapted: adaptedModules(prepared), saved: savedModules(prepared), ortTraining: official?.manifest });
  const starts = [...(formats.has("step") ? [{ name: THETA_FILE, bytes: [bytesOf(initialTheta(prepared.trainables))] }] : []), ...(official?.starts ?? [])];
  const files = [...graphs.map((g) => g.path), ...starts.map((s) => at(s.name)), at(ADAPTER_FOLDER), at(MANIFEST_FILE)];
  const result = { trainableParams: parameterCount(prepared.trainables), files };
  const weights = graphs.flatMap((g) => graphFilesAt(g.path, opened, { embed: options.embed, dataFile: DATA_FILE }));
  refuseInputsAsOutputs([...files, ...weights, ...adapterFilesAt(at(ADAPTER_FOLDER))], inputFiles(opened, options));
  if (options.dryRun === true) return { ...result, bytesWritten: 0, seconds: (performance.now() - started) / 1000 };
  await using outputs = new Outputs();
  outputs.folder(options.output);
  using _lock = lockFolder(options.output);
  const saved = await saveModels({ ...options, outputs, base: opened, graphs, phase: "writing", dataFile: DATA_FILE });
  let bytes = saved.bytes;
  for (const start of starts) bytes += await outputs.writeLarge(at(start.name), start.bytes, options);
  const told = { ...adapterBase(opened), taskType: task.peftType, id2label: adapter?.contents.hut?.id2label, problem: task.problem, pooling: task.pooling };
  addAdapterFolder(at(ADAPTER_FOLDER), toAdapterFolder(prepared, initialTheta(prepared.trainables), told), outputs);
  bytes += outputs.write(at(MANIFEST_FILE), [new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)]);
  outputs.commit();
  return { ...result, files: [...new Set([...saved.files, ...files])], bytesWritten: bytes, seconds: (performance.now() - started) / 1000 };
}

interface OrtTrainingFiles {
  readonly graphs: OrtTrainingGraphs["graphs"];
  /** The checkpoint's files: one, or two where it keeps its numbers in the second. */
  readonly starts: readonly { readonly name: string; readonly bytes: readonly Bytes[] }[];
  readonly manifest: OrtTrainingManifest;
}

/** The three graphs of ONNX Runtime's training API, the checkpoint that they start from, and what the manifest tells of them. */
function forOrtTraining(task: Task, fresh: () => Prepared, prepared: Prepared, options: ArtifactsOptions): OrtTrainingFiles {
  const { optimizer = DEFAULTS.optimizer, weightDecay = DEFAULTS.weightDecay, maxGradNorm = 0, frozenInCheckpoint = false } = options;
  const { graphs, frozen } = ortTrainingGraphs(task, fresh, { optimizer, weightDecay, maxGradNorm, frozenInputs: frozenInCheckpoint });
  const trainable = prepared.trainables.map(({ name, shape, start }): CheckpointTensor => ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(start) }));
  const checkpoint = writeCheckpoint({ trainable, frozen: frozen.map(frozenTensor) }, options.lr ?? prepared.method.defaultLearningRate);
  const starts = [{ name: CHECKPOINT_FILE, bytes: [checkpoint.file] }, ...(checkpoint.external === undefined ? [] : [{ name: CHECKPOINT_FILE + DATA_SUFFIX, bytes: checkpoint.external }])];
  return { graphs, starts, manifest: { checkpoint: CHECKPOINT_FILE, maxGradNorm, frozenInCheckpoint } };
}

function frozenTensor({ name, initializer }: Value): CheckpointTensor {
  if (initializer?.data === undefined) throw new TypeError("a frozen weight without a value");
  return { name, shape: initializer.dims, dataType: initializer.dataType, data: initializer.data };
}

/** Refuses what one of the formats asked for would pass over without a word. */
function refuseUnused(formats: ReadonlySet<ArtifactFormat>, { optimizer, weightDecay, frozenInCheckpoint }: ArtifactsOptions): void {
  if (optimizer === "sgd" && formats.has("step")) {
    throw formatLacks("--optimizer sgd", "step", "Give --format ort-training, or leave it out: the optimizer of step.onnx is adamw.");
  }
  if (optimizer === "sgd" && weightDecay !== undefined && weightDecay > 0) {
    throw formatLacks("--weight-decay with --optimizer sgd", "ort-training", "ONNX Runtime's SGDOptimizerV2 has no decay; leave one of them out.");
  }
  if (frozenInCheckpoint === true && !formats.has("ort-training")) {
    throw formatLacks("--frozen-in-checkpoint", "step", "Give --format ort-training, or leave it out.");
  }
}
