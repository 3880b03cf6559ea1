/** A checkpoint's bytes, for ONNX Runtime's training API to start from. */
import { Builder, type Offset } from "flatbuffers";
import type { Bytes } from "../../ir/source.ts";
import { writeFlatTensors, writeOffsets } from "../flatbuffers/flat-tensor.ts";
import { FIELD_COUNTS, FIELDS, GROUP, IDENTIFIER, VERSION, type Checkpoint, type CheckpointTensor } from "./checkpoint.ts";

/**
 * Most bytes of numbers in the file itself; more go into a file of external data. Offsets of flatbuffers are 32 bits with a sign, and the builder doubles its
 * buffer; the runtime's own limit is 1.8 GB.
 */
export const MAX_INLINE_BYTES = 2 ** 30;

/** Tensors shorter than this stay in the file, as the runtime has it. */
const MIN_EXTERNAL_BYTES = 64;

/** The files of a checkpoint. */
export interface CheckpointFiles {
  readonly file: Uint8Array;
  /** What goes into `<file>.data`, in order; undefined where there is no such file. */
  readonly external: readonly Bytes[] | undefined;
}

/**
 * A checkpoint's files, with the rate that the optimizer starts at: no moments, which the runtime then starts at 0. With more than `maxInline` bytes of numbers these
 * are external, which the runtime reads from a path alone, not from memory.
 */
export function writeCheckpoint({ trainable, frozen }: Checkpoint, learningRate: number, maxInline: number = MAX_INLINE_BYTES): CheckpointFiles {
  const size = [...trainable, ...frozen].reduce((sum, t) => sum + t.data.length, 0);
  const external = size > maxInline ? new ExternalData() : undefined;
  const builder = new Builder((external === undefined ? size : 0) + 1024);
  const tensors = (list: readonly CheckpointTensor[]): Offset => writeFlatTensors(builder, list, FIELDS.tensor, FIELD_COUNTS.tensor, (bytes) => external?.add(bytes));
  const [trainables, frozens] = [tensors(trainable), tensors(frozen)];
  const { moduleState, optimizerGroup, checkpoint } = FIELDS;
  builder.startObject(FIELD_COUNTS.moduleState);
  builder.addFieldOffset(moduleState.requiresGradParams, trainables, 0);
  builder.addFieldOffset(moduleState.frozenParams, frozens, 0);
  builder.addFieldInt8(moduleState.hasExternalData, Number(external !== undefined), 0);
  const state = builder.endObject();

  const [groupName, states] = [builder.createString(GROUP), writeOffsets(builder, [])];
  builder.startObject(FIELD_COUNTS.optimizerGroup);
  builder.addFieldInt64(optimizerGroup.step, 0n, null);
  builder.addFieldOffset(optimizerGroup.groupName, groupName, 0);
  builder.addFieldFloat32(optimizerGroup.initialLearningRate, learningRate, null);
  builder.addFieldOffset(optimizerGroup.optimizerStates, states, 0);
  const groups = writeOffsets(builder, [builder.endObject()]);

  builder.startObject(FIELD_COUNTS.checkpoint);
  builder.addFieldInt32(checkpoint.version, VERSION, 0);
  builder.addFieldOffset(checkpoint.moduleState, state, 0);
  builder.addFieldOffset(checkpoint.optimizerGroups, groups, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return { file: builder.asUint8Array(), external: external?.chunks };
}

/** The file of external data, growing. */
class ExternalData {
  readonly chunks: Bytes[] = [];
  #size = 0;

  /** Where these bytes begin; undefined where they are too few for it. */
  add(bytes: Bytes): number | undefined {
    if (bytes.length < MIN_EXTERNAL_BYTES) return undefined;
    const at = this.#size;
    this.chunks.push(bytes);
    this.#size += bytes.length;
    return at;
  }
}
