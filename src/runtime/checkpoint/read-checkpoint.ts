/** Reads a checkpoint of ONNX Runtime's training API, whoever wrote it. */
import { ortCheckpointBroken, ortCheckpointUnreadable } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import type { Source } from "../../ir/source.ts";
import { FlatError, FlatTable } from "../flatbuffers/flat-table.ts";
import { readFlatTensors, type FlatTensor } from "../flatbuffers/flat-tensor.ts";
import { DATA_SUFFIX, FIELDS, IDENTIFIER, VERSION, type Checkpoint, type OptimizerState } from "./checkpoint.ts";


/**
 * The tensors of a checkpoint; their bytes stay views of `bytes`, or ranges of `external`, the file of external data, where there is one. `file` is for messages.
 * Throws ORT_CHECKPOINT_BROKEN where it is cut short, no checkpoint, or damaged, and ORT_CHECKPOINT_UNREADABLE where it is of another version, or its external
 * data are missing.
 */
export function readCheckpoint(bytes: Uint8Array, file: string, external?: Source): Checkpoint {
  try {
    return checkpointOf(FlatTable.root(bytes, IDENTIFIER, "the checkpoint"), file, external);
  } catch (error) {
    throw error instanceof FlatError ? ortCheckpointBroken(file, error.message) : error;
  }
}

/** Whether a file begins as a checkpoint does. */
export function looksLikeCheckpoint(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(4, 8)) === IDENTIFIER;
}

function checkpointOf(root: FlatTable, file: string, external: Source | undefined): Checkpoint {
  const version = root.int32(FIELDS.checkpoint.version, "the version");
  if (version !== VERSION) throw ortCheckpointUnreadable(file, `its format has version ${String(version ?? 0)}, and only ${String(VERSION)} is known`);
  const { requiresGradParams, frozenParams, isNominalState, hasExternalData } = FIELDS.moduleState;
  const state = root.table(FIELDS.checkpoint.moduleState, "the module's state");
  if (state === undefined) throw new FlatError("it has no module state");
  if (state.bool(isNominalState, "the mark of a nominal state")) throw ortCheckpointUnreadable(file, "it is a nominal one, without numbers");
  const isExternal = state.bool(hasExternalData, "the mark of external data");
  if (isExternal && external === undefined) throw ortCheckpointUnreadable(file, `its numbers are in ${quote(file + DATA_SUFFIX)}, which is not there`);
  const data = isExternal ? external : undefined;
  const names = new Set<string>();
  return {
    trainable: tensorsOf(state, requiresGradParams, "trained tensor", names, data), frozen: tensorsOf(state, frozenParams, "frozen tensor", names, data),
    optimizer: optimizerOf(root, data),
  };
}

/** The state of the first group, which holds all parameters; undefined where there is none, or none with moments. */
function optimizerOf(root: FlatTable, external: Source | undefined): OptimizerState | undefined {
  const [group] = root.tables(FIELDS.checkpoint.optimizerGroups, "optimizer group");
  if (group === undefined) return undefined;
  const step = Number(group.int64(FIELDS.optimizerGroup.step, "the step") ?? 0n);
  if (!Number.isSafeInteger(step) || step < 0) throw new FlatError(`its step is ${String(step)}`);
  const moments = new Map<string, ReadonlyMap<string, FlatTensor>>();
  for (const state of group.tables(FIELDS.optimizerGroup.optimizerStates, "state of a parameter")) {
    const name = state.text(FIELDS.parameterState.paramName, "the parameter's name of a state");
    if (name === undefined || moments.has(name)) throw new FlatError(name === undefined ? "a state of a parameter has no name" : `the state of ${quote(name)} stands in it twice`);
    const own = tensorsOf(state, FIELDS.parameterState.momentums, `moment of ${quote(name)}`, new Set(), external);
    moments.set(name, new Map(own.map((t) => [t.name, t])));
  }
  return moments.size === 0 ? undefined : { step, moments };
}

function tensorsOf(state: FlatTable, field: number, what: string, names: Set<string>, external: Source | undefined): FlatTensor[] {
  return readFlatTensors(state, field, FIELDS.tensor, what, names, external);
}
