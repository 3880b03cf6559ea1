/**
 * The door for browsers, and for all who have a model as bytes: no file system, and an ONNX Runtime that is handed in. docs/browser.md has an example.
 */
export { openModel, type MemoryAdaptOptions, type MemoryModel } from "./runtime/memory/memory-model.ts";
export type { AdaptedModel, MemoryFoldOptions, MemoryFolderOptions, MemoryRunOptions, MemoryTrainOptions, MemoryTrainResult, Prediction } from "./runtime/memory/adapted-model.ts";
export { recordsOf as readRecords, type InMemory, type MemoryData, type ModelFiles } from "./runtime/memory/memory-files.ts";
export type { DataFile, DataRecord } from "./runtime/data/records.ts";
export type { OnnxRuntime } from "./runtime/session.ts";
export { openSwappable, SwappableSession, type AdapterFiles, type SwapAdapter } from "./runtime/swap/swappable-session.ts";
export { readManifest } from "./runtime/read-manifest.ts";
export type { Manifest } from "./runtime/manifest.ts";
export { HutError, type ErrorDetails } from "./errors/hut-error.ts";
export type { CommonOptions, InspectOptions, Progress, ProblemName, Provider, TargetOptions, TaskName, TaskOptions } from "./runtime/options.ts";
export type { InspectResult } from "./runtime/results.ts";
