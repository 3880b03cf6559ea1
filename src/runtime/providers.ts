/** The execution providers of ONNX Runtime that `--provider` takes, and what each needs: said where one is missing, and in the README. */
import type * as Ort from "onnxruntime-common";
import { providerMissing } from "../errors/runtime.ts";
import { DataType } from "../ir/data-type.ts";
import { Model } from "../ir/model.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import type { Provider } from "./options.ts";
import { serialized } from "./serialized.ts";
import type { OnnxRuntime } from "./session.ts";

/** What a provider needs, to go behind "It needs …". The CPU is always there. */
export const PROVIDER_NEEDS: Readonly<Record<Exclude<Provider, "cpu">, string>> = {
  cuda: "Linux on x64, an NVIDIA GPU with CUDA 12 and cuDNN 9, and the CUDA libraries of ONNX Runtime: ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node",
  webgpu: "a GPU with a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS), and in a browser one that has navigator.gpu",
  dml: "Windows on a machine with a DirectX 12 GPU",
  coreml: "macOS",
};

/** Throws PROVIDER_MISSING where the runtime can't start the smallest session on a provider: then it is the provider that is at fault, not the model. */
export async function requireProvider(runtime: OnnxRuntime, provider: Exclude<Provider, "cpu">): Promise<void> {
  try {
    const session: Ort.InferenceSession = await runtime.InferenceSession.create(smallestModel(), { executionProviders: [provider], logSeverityLevel: 4 });
    await session.release();
  } catch (cause) {
    throw providerMissing(provider, PROVIDER_NEEDS[provider], cause);
  }
}

/** y = x + x. */
function smallestModel(): Uint8Array {
  const model = new Model(8, new Map([["", 17]]));
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "provider" });
  const x = model.graph.addInput("x", { dataType: DataType.FLOAT, shape: [1] });
  model.graph.outputs.push(op.named(op.Add(x, x), "y"));
  return serialized(model);
}
