/** Reads a checkpoint of ONNX Runtime's training API, whoever wrote it. */
import { ortCheckpointBroken, ortCheckpointUnreadable } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import { byteLength } from "../../ir/data-type.ts";
import { FIELDS, IDENTIFIER, VERSION, type Checkpoint, type CheckpointTensor } from "./checkpoint.ts";
import { FlatError, FlatTable } from "./flat-table.ts";

/** Most dimensions of one tensor: PyTorch's own limit is 64. */
const MAX_RANK = 64;

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
  return { trainable: tensorsOf(state, requiresGradParams, "trained tensor", names), frozen: tensorsOf(state, frozenParams, "frozen tensor", names) };
}

function tensorsOf(state: FlatTable, field: number, what: string, names: Set<string>): CheckpointTensor[] {
  const tensors: CheckpointTensor[] = [];
  for (const table of state.tables(field, what)) {
    const tensor = tensorOf(table, what);
    // Before the next one is read: a file may list one tensor a million times.
    if (names.has(tensor.name)) throw new FlatError(`tensor ${quote(tensor.name)} stands in it twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  return tensors;
}

function tensorOf(table: FlatTable, what: string): CheckpointTensor {
  const fields = FIELDS.tensor;
  const name = table.text(fields.name, `the name of a ${what}`);
  if (name === undefined || name === "") throw new FlatError(`a ${what} has no name`);
  const where = `tensor ${quote(name)}`;
  const dims = table.int64Vector(fields.dims, MAX_RANK, `the shape of ${where}`) ?? [];
  const shape = dims.map(Number);
  const dataType = table.int32(fields.dataType, `the type of ${where}`) ?? 0;
  const data = table.byteVector(fields.rawData, `the numbers of ${where}`) ?? new Uint8Array();
  const size = shape.reduce((product, n) => product * n, 1);
  const wanted = byteLength(dataType, size);
  if (shape.some((n) => n < 0) || !Number.isSafeInteger(size) || wanted === undefined) throw new FlatError(`${where} has an unknown type or an impossible shape`);
  if (wanted !== data.length) throw new FlatError(`${where} has ${String(data.length)} bytes, and its shape and type need ${String(wanted)}`);
  return { name, shape, dataType, data };
}
