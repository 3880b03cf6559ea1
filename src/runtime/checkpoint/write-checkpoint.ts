/** A checkpoint's bytes, for ONNX Runtime's training API to start from. */
import { Builder, type Offset } from "flatbuffers";
import { ortCheckpointTooLarge } from "../../errors/checkpoint.ts";
import { readBytes } from "../../ir/source.ts";
import { FIELD_COUNTS, FIELDS, GROUP, IDENTIFIER, VERSION, type Checkpoint, type CheckpointTensor } from "./checkpoint.ts";

/** Most bytes of numbers: offsets of flatbuffers are 32 bits with a sign, and the builder doubles its buffer. Adapters stay under 1 GB by far. */
export const MAX_CHECKPOINT_BYTES = 2 ** 30;

/** The file of a checkpoint, with the rate that the optimizer starts at: no moments, which the runtime then starts at 0. Throws ORT_CHECKPOINT_TOO_LARGE. */
export function writeCheckpoint({ trainable, frozen }: Checkpoint, learningRate: number): Uint8Array {
  const size = [...trainable, ...frozen].reduce((sum, t) => sum + t.data.length, 0);
  if (size > MAX_CHECKPOINT_BYTES) throw ortCheckpointTooLarge(size, MAX_CHECKPOINT_BYTES);
  const builder = new Builder(size + 1024);
  const tensors = (list: readonly CheckpointTensor[]): Offset => offsets(builder, list.map((t) => addTensor(builder, t)));
  const [trainables, frozens] = [tensors(trainable), tensors(frozen)];
  const { moduleState, optimizerGroup, checkpoint } = FIELDS;
  builder.startObject(FIELD_COUNTS.moduleState);
  builder.addFieldOffset(moduleState.requiresGradParams, trainables, 0);
  builder.addFieldOffset(moduleState.frozenParams, frozens, 0);
  const state = builder.endObject();

  const [groupName, states] = [builder.createString(GROUP), offsets(builder, [])];
  builder.startObject(FIELD_COUNTS.optimizerGroup);
  builder.addFieldInt64(optimizerGroup.step, 0n, null);
  builder.addFieldOffset(optimizerGroup.groupName, groupName, 0);
  builder.addFieldFloat32(optimizerGroup.initialLearningRate, learningRate, null);
  builder.addFieldOffset(optimizerGroup.optimizerStates, states, 0);
  const groups = offsets(builder, [builder.endObject()]);

  builder.startObject(FIELD_COUNTS.checkpoint);
  builder.addFieldInt32(checkpoint.version, VERSION, 0);
  builder.addFieldOffset(checkpoint.moduleState, state, 0);
  builder.addFieldOffset(checkpoint.optimizerGroups, groups, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return builder.asUint8Array();
}

function addTensor(builder: Builder, { name, shape, dataType, data }: CheckpointTensor): Offset {
  const { tensor } = FIELDS;
  const [nameAt, raw] = [builder.createString(name), builder.createByteVector(readBytes(data))];
  builder.startVector(8, shape.length, 8);
  for (const size of [...shape].reverse()) builder.addInt64(BigInt(size));
  const dims = builder.endVector();
  builder.startObject(FIELD_COUNTS.tensor);
  builder.addFieldOffset(tensor.name, nameAt, 0);
  builder.addFieldOffset(tensor.dims, dims, 0);
  builder.addFieldInt32(tensor.dataType, dataType, 0);
  builder.addFieldOffset(tensor.rawData, raw, 0);
  return builder.endObject();
}

/** A vector of tables. */
function offsets(builder: Builder, tables: readonly Offset[]): Offset {
  builder.startVector(4, tables.length, 4);
  for (const table of [...tables].reverse()) builder.addOffset(table);
  return builder.endVector();
}
