/** The models of ONNX's backend tests that stand as files in its package (fixtures/onnx/make_backend_models.py). */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export interface BackendModel {
  /** Its path below onnx/backend/test/data. */
  readonly name: string;
  readonly model: Uint8Array;
}

/** All of them, sorted by name. */
export function readBackendModels(): BackendModel[] {
  const bytes = gunzipSync(readFileSync(new URL("../../fixtures/onnx/backend-models.gz", import.meta.url)));
  let at = 0;
  const part = (): Uint8Array => {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    return new Uint8Array(bytes.subarray(start, at));
  };
  const models: BackendModel[] = [];
  while (at < bytes.length) models.push({ name: new TextDecoder().decode(part()), model: part() });
  return models;
}
