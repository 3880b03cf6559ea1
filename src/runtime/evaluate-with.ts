/** ONNX Runtime for passes that need numbers. */
import { Tensor } from "../ir/tensor.ts";
import type { Evaluate } from "../passes/fold.ts";
import { serialized } from "./serialized.ts";
import { GraphSession, type OnnxRuntime } from "./session.ts";

/** Runs small graphs without inputs, for passes that need numbers. */
export function evaluateWith(runtime: OnnxRuntime): Evaluate {
  return async (model) => {
    await using session = await GraphSession.create(runtime, serialized(model), { name: "fold", threads: 1 });
    const [result] = (await session.run(new Map())).values();
    if (result === undefined) throw new TypeError("a graph without output");
    const { buffer, byteOffset, byteLength } = result.data;
    return new Tensor(result.dataType, result.dims, new Uint8Array(buffer, byteOffset, byteLength));
  };
}
