/** onnxruntime-node, imported when first needed, so that reading and rewriting a graph works where its binary is missing. */
import { runtimeMissing } from "../../errors/runtime.ts";
import { serialized } from "../serialized.ts";
import { GraphSession, type OnnxRuntime } from "../session.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Evaluate } from "../../passes/fold.ts";

/** The command line's ONNX Runtime. Throws RUNTIME_MISSING. */
export async function defaultRuntime(): Promise<OnnxRuntime> {
  try {
    const runtime = await import("onnxruntime-node");
    // What goes wrong is thrown, and said once: its own log would say it again, in red.
    runtime.env.logLevel = "fatal";
    return runtime;
  } catch (cause) {
    throw runtimeMissing(cause);
  }
}

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
