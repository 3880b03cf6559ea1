/** Errors about the model file itself: it is no ONNX file, it is cut short, its bytes make no sense, or it would be too large to write. */
import { HutError, quote } from "./hut-error.ts";

/** The file is something else. `looksLike` says what ("a PyTorch checkpoint"), where its first bytes tell; `problem` is where reading it as ONNX failed. */
export function notAnOnnxFile(file: string, looksLike: string | undefined, problem: string): HutError {
  const what = looksLike === undefined ? problem : `it looks like ${looksLike}`;
  return new HutError("NOT_AN_ONNX_FILE", { file, looksLike, problem },
    `${quote(file)} is not an ONNX model: ${what}. Give a model that was exported to ONNX (model.onnx).`);
}

/** The file ends before what it announces. `path` is the field ("graph.node[3]"), `offset` the byte where it stands. */
export function truncatedModel(file: string, offset: number, path: string, problem: string): HutError {
  return new HutError("TRUNCATED_MODEL", { file, offset, path, problem },
    `${quote(file)} is cut short: ${problem} (${where(offset, path)}). Copy or download it again.`);
}

/** The bytes are no valid protobuf, or go beyond a limit. `path` is the field ("graph.node[3]"), `offset` the byte where it stands. */
export function malformedModel(file: string, offset: number, path: string, problem: string): HutError {
  return new HutError("MALFORMED_MODEL", { file, offset, path, problem },
    `${quote(file)} is broken: ${problem} (${where(offset, path)}). Copy, download or export it again.`);
}

/** The model would take `bytes` bytes as one protobuf message, which may take `limit` at most. */
export function modelTooLarge(bytes: number, limit: number): HutError {
  return new HutError("MODEL_TOO_LARGE", { bytes, limit },
    `The model would be a file of ${String(bytes)} bytes; one ONNX file holds at most ${String(limit)}. Keep its weights in a file beside it (external data).`);
}

function where(offset: number, path: string): string {
  return `${path === "" ? "" : `${path}, `}byte ${String(offset)}`;
}
