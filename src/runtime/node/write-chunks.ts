/** Writes a file from its chunks: a small one at once, a large one by a thread of its own (`LargeFile`). */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { interrupted } from "../../errors/runtime.ts";
import { encodedLength } from "../../ir/proto/encode.ts";
import { ByteRange, fetchBytes, type Bytes } from "../../ir/source.ts";
import { FileSource } from "./file-source.ts";
import { requireSpace } from "./free-space.ts";
import { LargeFile, type Place, type WriteOptions } from "./large-file.ts";

/** Files that are written before a thread would have begun. */
export const SMALL_BYTES = 16 * 1024 * 1024;
/** Files of which no more than that has to be read or computed, so that there is little beside which they could be written: a thread took 0.15 s and 25 MB more for 20 MB. */
const AT_HAND_BYTES = 64 * 1024 * 1024;
/** How much of a file must stand where it stood for a copy to be worth it, and how much of what is copied must be wanted. */
const MOST = 0.5;
const MOST_WANTED = 0.9;

/**
 * Writes a new file, syncs it, and returns its size in bytes. `begun` is a file that was begun at this very path. Throws what reading and
 * computing throw, INTERRUPTED, DISK_FULL before it begins, and the system's own errors; what is there of the file then is the caller's to remove.
 */
export async function writeChunks(path: string, chunks: readonly Bytes[], { begun, ...options }: WriteOptions & { readonly begun?: LargeFile | undefined } = {}): Promise<number> {
  const total = encodedLength(chunks);
  const awaited = encodedLength(chunks.filter((chunk) => chunk instanceof ByteRange));
  if (begun === undefined && total <= AT_HAND_BYTES && awaited <= SMALL_BYTES) {
    requireSpace(path, total);
    await writeSmall(path, chunks, total, options);
    return total;
  }
  const places = placed(chunks);
  const file = begun ?? LargeFile.begin(path, wholeOrTwin(places, total));
  try {
    await file.write(places, total, options);
  } finally {
    await file.close();
  }
  return total;
}

async function writeSmall(path: string, chunks: readonly Bytes[], total: number, { signal, onBytes }: WriteOptions): Promise<void> {
  const fd = openSync(path, "wx");
  try {
    let written = 0;
    for (const chunk of chunks) {
      if (signal?.aborted === true) throw interrupted();
      const bytes = await fetchBytes(chunk);
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      written += bytes.length;
      onBytes?.(written, total);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function wholeOrTwin(places: readonly Place[], total: number): { twin: FileSource | undefined; bytes: number } {
  const twin = twinAt(places, total);
  return { twin, bytes: twin === undefined ? total : places.reduce((sum, place) => sum + (isThere(place, twin) ? 0 : place.bytes.length), 0) };
}

function placed(chunks: readonly Bytes[]): Place[] {
  let position = 0;
  return chunks.map((bytes) => {
    const place = { bytes, position };
    position += bytes.length;
    return place;
  });
}

/** The file of which a copy would have most of these bytes in their places already. */
export function twinOf(chunks: readonly Bytes[]): FileSource | undefined {
  return twinAt(placed(chunks), encodedLength(chunks));
}

function twinAt(places: readonly Place[], total: number): FileSource | undefined {
  const there = new Map<FileSource, number>();
  for (const place of places) {
    const source = place.bytes instanceof ByteRange ? place.bytes.source : undefined;
    if (source instanceof FileSource && isThere(place, source)) there.set(source, (there.get(source) ?? 0) + place.bytes.length);
  }
  const [best] = [...there].sort(([, a], [, b]) => b - a);
  if (best === undefined || best[1] < total * MOST || total < best[0].size * MOST_WANTED || !best[0].isInPlace) return undefined;
  return best[0];
}

function isThere({ bytes, position }: Place, twin: FileSource): boolean {
  return bytes instanceof ByteRange && bytes.verbatim && bytes.source === twin && bytes.offset === position;
}
