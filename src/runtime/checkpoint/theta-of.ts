/** A checkpoint's numbers as theta. */
import { tensorNotFinite } from "../../errors/adapter.ts";
import { ortCheckpointOfOther, ortCheckpointShapeMismatch, ortCheckpointTensorMissing, ortCheckpointUnreadable } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import { DataType, dataTypeName } from "../../ir/data-type.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Trainable } from "../../passes/adapt.ts";
import { endToEnd } from "../end-to-end.ts";
import type { Checkpoint } from "./checkpoint.ts";

/**
 * theta [P] in the order of the trainables, from a checkpoint that holds exactly these, in any order. `file` and `adapter` are for messages. Throws
 * ORT_CHECKPOINT_OF_OTHER_MODEL, ORT_CHECKPOINT_TENSOR_MISSING, ORT_CHECKPOINT_SHAPE_MISMATCH, ORT_CHECKPOINT_UNREADABLE, TENSOR_NOT_FINITE.
 */
export function thetaOf(trainables: readonly Trainable[], { trainable }: Checkpoint, file: string, adapter: string): Float32Array {
  const wanted = new Set(trainables.map((t) => t.name));
  const others = trainable.filter((t) => !wanted.has(t.name)).map((t) => t.name);
  if (others.length > 0) throw ortCheckpointOfOther(file, adapter, others);
  const found = new Map(trainable.map((t) => [t.name, t]));
  const missing = trainables.filter((t) => !found.has(t.name)).map((t) => t.name);
  if (missing.length > 0) throw ortCheckpointTensorMissing(file, missing);
  const parts = trainables.map(({ name, shape }) => {
    const tensor = found.get(name);
    if (tensor === undefined || tensor.shape.join() !== shape.join()) throw ortCheckpointShapeMismatch(file, name, tensor?.shape ?? [], shape);
    if (tensor.dataType !== DataType.FLOAT) {
      throw ortCheckpointUnreadable(file, `its ${quote(name)} is ${dataTypeName(tensor.dataType)}, and trained numbers are float`);
    }
    const values = new Tensor(tensor.dataType, tensor.shape, tensor.data).toNumbers() ?? new Float32Array();
    const broken = values.findIndex((v) => !Number.isFinite(v));
    if (broken >= 0) throw tensorNotFinite(file, name, broken, values[broken] ?? NaN);
    return values;
  });
  return endToEnd(parts);
}
