/** A checkpoint's bytes, for ONNX Runtime's training API to start from. */
import { Builder, type Offset } from "flatbuffers";
import { ortCheckpointTooLarge } from "../../errors/checkpoint.ts";
import { writeFlatTensors, writeOffsets } from "../flatbuffers/flat-tensor.ts";
import { FIELD_COUNTS, FIELDS, GROUP, IDENTIFIER, VERSION, type Checkpoint, type CheckpointTensor } from "./checkpoint.ts";

/** Most bytes of numbers: offsets of flatbuffers are 32 bits with a sign, and the builder doubles its buffer. Adapters stay under 1 GB by far. */
export const MAX_CHECKPOINT_BYTES = 2 ** 30;

/** The file of a checkpoint, with the rate that the optimizer starts at: no moments, which the runtime then starts at 0. Throws ORT_CHECKPOINT_TOO_LARGE. */
export function writeCheckpoint({ trainable, frozen }: Checkpoint, learningRate: number): Uint8Array {
  const size = [...trainable, ...frozen].reduce((sum, t) => sum + t.data.length, 0);
  if (size > MAX_CHECKPOINT_BYTES) throw ortCheckpointTooLarge(size, MAX_CHECKPOINT_BYTES);
  const builder = new Builder(size + 1024);
  const tensors = (list: readonly CheckpointTensor[]): Offset => writeFlatTensors(builder, list, FIELDS.tensor, FIELD_COUNTS.tensor);
  const [trainables, frozens] = [tensors(trainable), tensors(frozen)];
  const { moduleState, optimizerGroup, checkpoint } = FIELDS;
  builder.startObject(FIELD_COUNTS.moduleState);
  builder.addFieldOffset(moduleState.requiresGradParams, trainables, 0);
  builder.addFieldOffset(moduleState.frozenParams, frozens, 0);
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
  return builder.asUint8Array();
}
