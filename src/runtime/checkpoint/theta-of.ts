/** A checkpoint's numbers as theta and AdamW's moments. */
import { tensorNotFinite } from "../../errors/adapter.ts";
import { ortCheckpointOfOther, ortCheckpointShapeMismatch, ortCheckpointTensorMissing, ortCheckpointUnreadable } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import { DataType, dataTypeName } from "../../ir/data-type.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Trainable } from "../../passes/adapt.ts";
import { endToEnd } from "../end-to-end.ts";
import { MOMENTS, type Checkpoint, type CheckpointTensor } from "./checkpoint.ts";

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
  return endToEnd(trainables.map(({ name, shape }) => numbers(found.get(name), name, shape, file)));
}

/** The steps done, and AdamW's moments [P]; undefined where they were not saved, or are another optimizer's. Throws as thetaOf does. */
export function momentsOf(trainables: readonly Trainable[], { optimizer }: Checkpoint, file: string): { readonly step: number; readonly moments: readonly [Float32Array, Float32Array] } | undefined {
  if (optimizer === undefined || [...optimizer.moments.values()].every((own) => !MOMENTS.every((moment) => own.has(moment)))) return undefined;
  const missing = trainables.filter((t) => MOMENTS.some((moment) => optimizer.moments.get(t.name)?.has(moment) !== true)).map((t) => t.name);
  if (missing.length > 0) throw ortCheckpointUnreadable(file, `it has moments, and not both of AdamW's for ${quote(missing[0] ?? "")}`);
  const all = (moment: string): Float32Array => endToEnd(trainables.map(({ name, shape }) => numbers(optimizer.moments.get(name)?.get(moment), `${name}, ${moment}`, shape, file)));
  return { step: optimizer.step, moments: [all(MOMENTS[0]), all(MOMENTS[1])] };
}

/** A tensor's numbers: float32, of the shape wanted, finite. */
function numbers(tensor: CheckpointTensor | undefined, name: string, shape: readonly number[], file: string): Float32Array {
  if (tensor === undefined || tensor.shape.join() !== shape.join()) throw ortCheckpointShapeMismatch(file, name, tensor?.shape ?? [], shape);
  if (tensor.dataType !== DataType.FLOAT) throw ortCheckpointUnreadable(file, `its ${quote(name)} is ${dataTypeName(tensor.dataType)}, and trained numbers are float`);
  const values = Float32Array.from(new Tensor(tensor.dataType, tensor.shape, tensor.data).toNumbers() ?? []);
  const broken = values.findIndex((v) => !Number.isFinite(v));
  if (broken >= 0) throw tensorNotFinite(file, name, broken, values[broken] ?? NaN);
  return values;
}
