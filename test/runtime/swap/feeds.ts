/** What tests of swappable graphs share: feeds as ONNX Runtime's tensors, and how far apart two answers are. */
import type * as Ort from "onnxruntime-common";
import { DataType } from "../../../src/ir/data-type.ts";
import type { Feed } from "../../../src/runtime/data/collate.ts";
import type { OnnxRuntime } from "../../../src/runtime/session.ts";

/** The types that the cases' inputs have. */
const TYPES: Readonly<Record<number, Ort.Tensor.Type>> = { [DataType.FLOAT]: "float32", [DataType.INT64]: "int64", [DataType.INT32]: "int32", [DataType.BOOL]: "bool" };

/** The feeds of these names. */
export function tensorFeeds(runtime: OnnxRuntime, feeds: ReadonlyMap<string, Feed>, names: readonly string[]): Record<string, Ort.Tensor> {
  return Object.fromEntries(names.flatMap((name) => {
    const feed = feeds.get(name);
    const type = TYPES[feed?.dataType ?? 0];
    return feed === undefined || type === undefined ? [] : [[name, new runtime.Tensor(type, feed.data as Ort.Tensor.DataType, feed.dims)]];
  }));
}

/** NaN where the lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}
