/** What tells whether a data file is the one that a run had. */
import { createHash } from "node:crypto";
import { openFileSource } from "./file-source.ts";

/** Bytes of a data file that are read at a time. */
const HASH_BYTES = 1024 * 1024;

/** SHA-256 of a data file: a run is only resumed on the data that it began with. Throws what openFileSource throws. */
export function fileHash(file: string): string {
  using source = openFileSource(file);
  const hash = createHash("sha256");
  for (let at = 0; at < source.size; at += HASH_BYTES) hash.update(source.read(at, Math.min(HASH_BYTES, source.size - at)));
  return `sha256:${hash.digest("hex")}`;
}
