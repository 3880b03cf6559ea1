/** onnxruntime-node, imported when first needed, so that reading and rewriting a graph works where its binary is missing. */
import { runtimeMissing } from "../../errors/runtime.ts";
import type { OnnxRuntime } from "../session.ts";

/** The command line's ONNX Runtime. Throws RUNTIME_MISSING. */
export async function defaultRuntime(): Promise<OnnxRuntime> {
  // It would write logs of its use into the temporary folder, the home and at times the working folder. Nobody asked for these, and nothing here reads them.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  try {
    const runtime = await import("onnxruntime-node");
    // What goes wrong is thrown, and said once: its own log would say it again, in red.
    runtime.env.logLevel = "fatal";
    return runtime;
  } catch (cause) {
    throw runtimeMissing(cause);
  }
}
