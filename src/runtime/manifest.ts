/** manifest.json: what a stranger needs to train with the graphs. docs/artifacts.md explains it. */
import { dataTypeName } from "../ir/data-type.ts";
import { dimKey } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { ADAMW } from "../passes/attach-optimizer.ts";
import { parameterCount, type StepKind } from "../passes/build-step.ts";
import { DEFAULTS, type ArtifactsOptions } from "./options.ts";
import type { AdaptedModule } from "./results.ts";
import type { Prepared } from "./prepare.ts";
import type { Task } from "./tasks/task.ts";
import type { OrtTrainingKind } from "./training-graphs.ts";

/** theta's start: P float32 numbers, little-endian. */
export const THETA_FILE = "theta.bin";

/** The folder of the adapter that training starts from. */
export const ADAPTER_FOLDER = "adapter";
/** The manifest itself. */
export const MANIFEST_FILE = "manifest.json";

/** A graph's input or output. */
export interface ManifestValue {
  readonly name: string;
  /** "float", "int64"; "sequence(float)" for a list of tensors of any shape. */
  readonly dtype: string;
  /** A number, the name of a free dimension, or null where it is unknown. */
  readonly shape: readonly (number | string | null)[];
}

/** The optimizer built in, and the values to feed, or that are built in. */
export type ManifestOptimizer = { readonly lr: number; readonly weightDecay: number; readonly maxGradNorm: number } & (
  | { readonly name: "adamw"; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | { readonly name: "sgd" });

/** What stands beside the three graphs of the format `ort-training`. */
export interface OrtTrainingManifest {
  readonly checkpoint: string;
  /** Clipping built into the optimizer's graph; 0 for none. */
  readonly maxGradNorm: number;
  /** Whether the frozen weights are inputs too, and lie in the checkpoint. */
  readonly frozenInCheckpoint: boolean;
}

export interface Manifest {
  readonly formatVersion: 1;
  readonly method: string;
  readonly rank: number;
  readonly alpha: number;
  readonly task: string;
  /** Of a classification task: what `labels` are. */
  readonly problem?: string;
  /** P. */
  readonly trainableParams: number;
  /** Where each trainable lies in theta: float32 elements. */
  readonly layout: readonly { readonly name: string; readonly modulePath: string; readonly parameter: string; readonly shape: readonly number[]; readonly offset: number; readonly length: number }[];
  /** Of the format `step`. */
  readonly thetaFile?: string;
  /** The folder of the adapter that training starts from, which tells what the parameters are. */
  readonly adapter: string;
  readonly adapted: readonly AdaptedModule[];
  readonly modulesToSave: readonly { readonly modulePath: string; readonly params: number }[];
  readonly head: Prepared["head"] | null;
  readonly optimizer: ManifestOptimizer;
  /** Of the format `ort-training`. */
  readonly ortTraining?: OrtTrainingManifest;
  readonly graphs: Readonly<Record<string, { readonly file: string; readonly inputs: readonly ManifestValue[]; readonly outputs: readonly ManifestValue[] }>>;
}

/** The manifest of graphs built from one prepared model. */
export function manifestOf(prepared: Prepared, graphs: readonly { readonly kind: StepKind | OrtTrainingKind; readonly model: Model }[], options: ArtifactsOptions,
  parts: { readonly task: Task; readonly adapted: readonly AdaptedModule[]; readonly saved: Manifest["modulesToSave"]; readonly ortTraining: OrtTrainingManifest | undefined }): Manifest {
  let offset = 0;
  const layout = prepared.trainables.map(({ name, modulePath, parameter, shape, start }) => {
    const entry = { name, modulePath, parameter, shape, offset, length: start.length };
    offset += start.length;
    return entry;
  });
  return {
    formatVersion: 1, method: prepared.method.name, rank: prepared.rank, alpha: prepared.alpha, task: parts.task.name,
    ...(parts.task.problem === undefined ? {} : { problem: parts.task.problem }),
    trainableParams: parameterCount(prepared.trainables), layout,
    ...(graphs.some((g) => g.kind === "step") ? { thetaFile: THETA_FILE } : {}), adapter: ADAPTER_FOLDER, adapted: parts.adapted, modulesToSave: parts.saved, head: prepared.head ?? null,
    optimizer: {
      ...(options.optimizer === "sgd" ? { name: "sgd" } : { name: "adamw", ...ADAMW }),
      lr: options.lr ?? prepared.method.defaultLearningRate, weightDecay: options.weightDecay ?? DEFAULTS.weightDecay, maxGradNorm: options.maxGradNorm ?? DEFAULTS.maxGradNorm,
    },
    ...(parts.ortTraining === undefined ? {} : { ortTraining: parts.ortTraining }),
    graphs: Object.fromEntries(graphs.map(({ kind, model: { graph } }) => [kind, { file: `${kind}.onnx`, inputs: graph.inputs.map(described), outputs: graph.outputs.map(described) }])),
  };
}

function described(value: Value): ManifestValue {
  const element = value.declared?.sequenceType?.elemType?.tensorType?.elemType;
  return { name: value.name, dtype: element === undefined ? dataTypeName(value.dataType) : `sequence(${dataTypeName(element)})`, shape: (value.shape ?? []).map((d) => (typeof d === "number" ? d : d === undefined ? null : dimKey(d))) };
}
