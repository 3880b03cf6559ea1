/**
 * The browsers' ONNX Runtime, run in Node on WASM. It may share its registry of backends with onnxruntime-node, where "cpu" is the backend of whichever is loaded
 * first: so that is loaded first here, and sessions on WASM are asked for by the backend's other name.
 */
import "onnxruntime-node";
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import type { OnnxRuntime } from "../../src/runtime/session.ts";

env.wasm.numThreads = 1;
// transformers.js, which shares these settings where a test loads it, would have its files come from a server.
env.wasm.wasmPaths = new URL("./", import.meta.resolve("onnxruntime-web")).href;

const create = (model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession> => InferenceSession.create(model, { ...options, executionProviders: ["wasm"] });

export const WASM: OnnxRuntime = { Tensor, InferenceSession: { create } as unknown as OnnxRuntime["InferenceSession"] };
