/** How much room a file system has left. */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { diskFull } from "../../errors/files.ts";

/** Throws DISK_FULL where a new file of so many bytes has no room. Where the file system doesn't say how much there is, writing will tell. */
export function requireSpace(path: string, bytes: number): void {
  const free = freeBytes(dirname(path));
  if (free !== undefined && bytes > free) throw diskFull(path, bytes, free);
}

/** Bytes that this process may still write in a folder; undefined where the system doesn't know. */
export function freeBytes(folder: string): number | undefined {
  try {
    const { blocks, bsize, bfree, bavail } = statfsSync(folder);
    if (blocks === 0) return undefined;
    // What is reserved is root's to use.
    return bsize * (process.getuid?.() === 0 ? bfree : bavail);
  } catch {
    return undefined;
  }
}
