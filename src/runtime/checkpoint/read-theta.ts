/** theta as a file of P float32 numbers, little-endian: what theta.bin is, what a loop of one's own saves, and getContiguousParameters of the training API gives. */
import { tensorNotFinite } from "../../errors/adapter.ts";
import { manifestOfOther, thetaLengthWrong } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import { DataType } from "../../ir/data-type.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Trainable } from "../../passes/adapt.ts";
import type { Manifest } from "../manifest.ts";

/** theta [P]. Throws THETA_LENGTH_WRONG, TENSOR_NOT_FINITE with the tensor that the number belongs to. */
export function readTheta(bytes: Uint8Array, file: string, { trainableParams, layout }: Manifest): Float32Array {
  if (bytes.length !== 4 * trainableParams) throw thetaLengthWrong(file, bytes.length, trainableParams);
  const theta = Float32Array.from(new Tensor(DataType.FLOAT, [trainableParams], bytes).toNumbers() ?? []);
  const broken = theta.findIndex((v) => !Number.isFinite(v));
  const { name = "", offset = 0 } = layout.findLast((entry) => entry.offset <= broken) ?? {};
  if (broken >= 0) throw tensorNotFinite(file, name, broken - offset, theta[broken] ?? NaN);
  return theta;
}

/** Throws MANIFEST_OF_OTHER_MODEL unless the manifest's layout is that of the trainables. */
export function checkManifest({ layout }: Manifest, trainables: readonly Trainable[], file: string, adapter: string): void {
  const [other, i] = [layout.length === trainables.length ? undefined : `it lays out ${String(layout.length)} tensors, and they train ${String(trainables.length)}`,
    trainables.findIndex((t, at) => t.name !== layout[at]?.name || t.shape.join() !== layout[at].shape.join())];
  const [mine, own] = [layout[i], trainables[i]];
  const differs = mine === undefined || own === undefined ? undefined : `its ${quote(mine.name)} is [${mine.shape.join(", ")}], where they train ${quote(own.name)} [${own.shape.join(", ")}]`;
  const problem = other ?? differs;
  if (problem !== undefined) throw manifestOfOther(file, adapter, problem);
}
