/**
 * The checkpoint of ONNX Runtime's training API: flatbuffers with the identifier ODTC. Its tables are ONNX Runtime's ort_training_checkpoint.fbs, the tensors
 * those of ort.fbs; what follows numbers the fields that are read or written here, as they stand there.
 */
import type { FlatTensor } from "../flatbuffers/flat-tensor.ts";

/** The file's identifier, at byte 4. */
export const IDENTIFIER = "ODTC";
/** The one version there is. */
export const VERSION = 2;
/** The group that the runtime keeps all parameters in. */
export const GROUP = "group0";

/** Places of fields in their tables. */
export const FIELDS = {
  checkpoint: { version: 0, moduleState: 1, optimizerGroups: 2, propertyBag: 3 },
  moduleState: { requiresGradParams: 0, frozenParams: 1, isNominalState: 2, hasExternalData: 3 },
  optimizerGroup: { groupName: 0, step: 1, initialLearningRate: 2, optimizerStates: 3 },
  parameterState: { paramName: 0, momentums: 1 },
  tensor: { name: 0, docString: 1, dims: 2, dataType: 3, rawData: 4, stringData: 5, externalDataOffset: 6 },
} as const;

/** How many fields each table has. */
export const FIELD_COUNTS = { checkpoint: 4, moduleState: 4, optimizerGroup: 4, parameterState: 2, tensor: 7 } as const;

/** What the file of external data is called: the checkpoint's own name with this behind it. */
export const DATA_SUFFIX = ".data";
/** What the runtime calls AdamW's first and second moment of a parameter. */
export const MOMENTS = ["momentum0", "momentum1"] as const;

/** A tensor in a checkpoint. */
export type CheckpointTensor = FlatTensor;

/** What a checkpoint holds, as far as it matters here. Properties are the user's own. */
export interface Checkpoint {
  readonly trainable: readonly CheckpointTensor[];
  readonly frozen: readonly CheckpointTensor[];
  /** Where training stood; undefined where the optimizer's state was not saved. */
  readonly optimizer?: OptimizerState | undefined;
}

export interface OptimizerState {
  /** Steps done. */
  readonly step: number;
  /** By parameter: its moments, by their names. */
  readonly moments: ReadonlyMap<string, ReadonlyMap<string, CheckpointTensor>>;
}
