/** What a thread that writes a file is told, and what it tells. */

/** Bytes of a file and where they go. Files are named by their descriptors. */
export interface CopiedRange {
  readonly from: number;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

/** Bytes in memory and where they go. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** What the thread is begun with: the file to write to, and one whose bytes most likely stay where they are, of which `copied` are in place. */
export interface WriterData {
  readonly to: number;
  readonly twin?: { readonly from: number; readonly size: number; readonly copied: number };
}

/**
 * What the thread is told. `copy` says, once, which ranges of files are wanted: what the twin has given already is not copied again. `put` gives bytes, and the
 * memory that they are in, which comes back. `finish` says how long the file is.
 */
export type Order =
  | { readonly kind: "copy"; readonly ranges: readonly CopiedRange[] }
  | { readonly kind: "put"; readonly parts: readonly Part[]; readonly room: ArrayBuffer }
  | { readonly kind: "finish"; readonly size: number };

/** What the thread tells: bytes written (with the memory of a `put`), the end, an error of the system, or that a file ended early. */
export type Report =
  | { readonly kind: "written"; readonly bytes: number; readonly room?: ArrayBuffer }
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly error: { readonly message: string; readonly code?: string; readonly errno?: number; readonly syscall?: string } }
  | { readonly kind: "cut"; readonly range: CopiedRange; readonly size: number };
