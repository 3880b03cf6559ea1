/** A model as bytes in memory. */
import type { Model } from "../ir/model.ts";
import { encodeModel } from "../ir/proto/encode.ts";
import { modelToProto, type SaveOptions } from "../ir/save.ts";
import { readBytes } from "../ir/source.ts";

/** A model's bytes, for a runtime that reads from memory. */
export function serialized(model: Model, save: SaveOptions = {}): Uint8Array {
  return joined(encodeModel(modelToProto(model, save)).chunks.map(readBytes));
}

/** Pieces laid end to end. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
