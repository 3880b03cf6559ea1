/** ONNX Runtime's own adapter file, on disk. */
import { fileTooLong } from "../../errors/files.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { parametersOf, readOnnxAdapter } from "../swap/read-onnx-adapter.ts";
import { openFileSource } from "./file-source.ts";

/** Longest file read: offsets of flatbuffers have 31 bits. Adapters stay under 1 GB by far. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/** The file's bytes. Throws FILE_TOO_LONG, and the errors of reading a file. */
export function readOnnxAdapterFile(path: string): Uint8Array {
  using source = openFileSource(path);
  if (source.size > MAX_FILE_BYTES) throw fileTooLong(path, source.size, MAX_FILE_BYTES);
  return source.read(0, source.size);
}

/** Its parameters by name. Throws ONNX_ADAPTER_BROKEN, ONNX_ADAPTER_UNREADABLE, TENSOR_NOT_FINITE. */
export function readParameters(path: string): Map<string, AdapterTensor> {
  return parametersOf(readOnnxAdapter(readOnnxAdapterFile(path), path), path);
}
