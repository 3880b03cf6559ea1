/** theta as a file of P float32 numbers, little-endian: what theta.bin is, what a loop of one's own saves, and getContiguousParameters of the training API gives. */
import { tensorNotFinite } from "../../errors/adapter.ts";
import { manifestOfOther, thetaLengthWrong } from "../../errors/checkpoint.ts";
import { quote } from "../../errors/hut-error.ts";
import { DataType } from "../../ir/data-type.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Trainable } from "../../passes/adapt.ts";
import { parameterCount } from "../../passes/build-step.ts";
import type { Manifest } from "../manifest.ts";

/** theta [P], laid out by the trainables. Throws THETA_LENGTH_WRONG, TENSOR_NOT_FINITE with the tensor that the number belongs to. */
export function readTheta(bytes: Uint8Array, file: string, trainables: readonly Trainable[]): Float32Array {
  const size = parameterCount(trainables);
  if (bytes.length !== 4 * size) throw thetaLengthWrong(file, bytes.length, size);
  const theta = Float32Array.from(new Tensor(DataType.FLOAT, [size], bytes).toNumbers() ?? []);
  let at = 0;
  for (const { name, start } of trainables) {
    const broken = theta.subarray(at, at + start.length).findIndex((v) => !Number.isFinite(v));
    if (broken >= 0) throw tensorNotFinite(file, name, broken, theta[at + broken] ?? NaN);
    at += start.length;
  }
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
