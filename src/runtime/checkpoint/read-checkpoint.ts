/** Reads a checkpoint of ONNX Runtime's training API, whoever wrote it. */
import { ortCheckpointBroken, ortCheckpointUnreadable } from "../../errors/checkpoint.ts";
import { FlatError, FlatTable } from "../flatbuffers/flat-table.ts";
import { readFlatTensors } from "../flatbuffers/flat-tensor.ts";
import { FIELDS, IDENTIFIER, VERSION, type Checkpoint } from "./checkpoint.ts";

/**
 * The tensors of a checkpoint; their bytes stay views of `bytes`. `file` is for messages. Throws ORT_CHECKPOINT_BROKEN where it is cut short, no checkpoint, or
 * damaged, and ORT_CHECKPOINT_UNREADABLE where it is of another version or keeps its numbers elsewhere.
 */
export function readCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  try {
    return checkpointOf(FlatTable.root(bytes, IDENTIFIER, "the checkpoint"), file);
  } catch (error) {
    throw error instanceof FlatError ? ortCheckpointBroken(file, error.message) : error;
  }
}

function checkpointOf(root: FlatTable, file: string): Checkpoint {
  const version = root.int32(FIELDS.checkpoint.version, "the version");
  if (version !== VERSION) throw ortCheckpointUnreadable(file, `its format has version ${String(version ?? 0)}, and only ${String(VERSION)} is known`);
  const { requiresGradParams, frozenParams, isNominalState, hasExternalData } = FIELDS.moduleState;
  const state = root.table(FIELDS.checkpoint.moduleState, "the module's state");
  if (state === undefined) throw new FlatError("it has no module state");
  if (state.bool(isNominalState, "the mark of a nominal state")) throw ortCheckpointUnreadable(file, "it is a nominal one, without numbers");
  if (state.bool(hasExternalData, "the mark of external data")) throw ortCheckpointUnreadable(file, "it keeps its numbers in a second file");
  const names = new Set<string>();
  return {
    trainable: readFlatTensors(state, requiresGradParams, FIELDS.tensor, "trained tensor", names),
    frozen: readFlatTensors(state, frozenParams, FIELDS.tensor, "frozen tensor", names),
  };
}
