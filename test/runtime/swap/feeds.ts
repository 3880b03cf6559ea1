/** What tests of swappable graphs share: feeds as ONNX Runtime's tensors, and how far apart two answers are. */
import type * as Ort from "onnxruntime-common";
import { DataType } from "../../../src/ir/data-type.ts";
import type { Feed } from "../../../src/runtime/data/collate.ts";
import type { OnnxRuntime } from "../../../src/runtime/session.ts";

/** The feeds of these names. Those of the cases are int64 or float32. */
export function tensorFeeds(runtime: OnnxRuntime, feeds: ReadonlyMap<string, Feed>, names: readonly string[]): Record<string, Ort.Tensor> {
  return Object.fromEntries(names.flatMap((name) => {
    const feed = feeds.get(name);
    return feed === undefined ? [] : [[name, new runtime.Tensor(feed.dataType === DataType.FLOAT ? "float32" : "int64", feed.data as Float32Array, feed.dims)]];
  }));
}

/** NaN where the lengths differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  return largest;
}
