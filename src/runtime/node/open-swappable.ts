/** Node's door to swappable graphs: paths of the graph and of adapters. */
import type { InferenceSession } from "onnxruntime-common";
import type { RunOptions } from "../options.ts";
import type { OnnxRuntime } from "../session.ts";
import { ONNX_ADAPTER_ENDING } from "../swap/onnx-adapter.ts";
import { SwappableSession, type SwapAdapter } from "../swap/swappable-session.ts";
import { defaultRuntime } from "./default-runtime.ts";
import { readOnnxAdapterFile } from "./onnx-adapter-file.ts";
import { openModel } from "./open-model.ts";
import { readAdapterFolder } from "./peft-folder.ts";

/** Opens a graph that `adapt --swappable` wrote, or one of Olive's. Throws HutError where it is none, or ONNX Runtime refuses it. */
export async function openSwappable(path: string, options: RunOptions = {}, runtime?: OnnxRuntime): Promise<SwappableSession> {
  using opened = openModel(path);
  const { threads, provider = "cpu" } = options;
  const session: InferenceSession.SessionOptions = {
    executionProviders: [provider], ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: { session: { model_external_initializers_file_folder_path: opened.folder } },
  };
  return await SwappableSession.open(runtime ?? await defaultRuntime(), opened.source, { name: path, session }, { openExternal: opened.openExternal, reference: (range) => opened.locate(range) });
}

/** Loads an adapter from disk into a session: a folder as PEFT or onnx-hut saves it, or an `.onnx_adapter` file. Throws HutError. */
export function loadAdapter(session: SwappableSession, path: string): SwapAdapter {
  return path.endsWith(ONNX_ADAPTER_ENDING) ? session.load(readOnnxAdapterFile(path), path) : session.loadFolder(readAdapterFolder(path), path);
}
