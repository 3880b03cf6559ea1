/** A model as bytes in memory. */
import type { Model } from "../ir/model.ts";
import { encodedLength, encodeModel } from "../ir/proto/encode.ts";
import { modelToProto, type SaveOptions } from "../ir/save.ts";
import { fetchBytes, readBytes } from "../ir/source.ts";

/** A model's bytes, for a runtime that reads from memory. */
export function serialized(model: Model, save: SaveOptions = {}): Uint8Array {
  return joined(encodeModel(modelToProto(model, save)).chunks.map(readBytes));
}

/** The same for a model whose weights are still to be computed; told how many bytes are there. */
export async function serializedLater(model: Model, onBytes: (done: number, total: number) => void): Promise<Uint8Array> {
  const { chunks } = encodeModel(modelToProto(model));
  const bytes = new Uint8Array(encodedLength(chunks));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(await fetchBytes(chunk), at);
    at += chunk.length;
    onBytes(at, bytes.length);
  }
  return bytes;
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
