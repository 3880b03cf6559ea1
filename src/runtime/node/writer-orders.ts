/** What a thread that writes a file is told, and what it tells. */

/** Bytes of a file and where they go. Files are named by their descriptors. */
export interface CopiedRange {
  readonly from: number;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

/** Bytes of a file. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** Bytes in memory and where they go. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** A file whose bytes most likely stay where they are. `spans` of it are copied in their order, until the thread is told more; what `isShared` is in place. */
export interface Twin {
  readonly from: number;
  readonly size: number;
  readonly spans: readonly Span[];
  readonly isShared: boolean;
}

/**
 * What the thread is told. `begin` names, once and first, the file to write to. `copy` says, once, which ranges of files are wanted: what the twin has given already is
 * not copied again. `put` gives bytes, and the memory that they are in, which comes back. `finish` says how long the file is.
 */
export type Order =
  | { readonly kind: "begin"; readonly to: number; readonly twin: Twin | undefined }
  | { readonly kind: "copy"; readonly ranges: readonly CopiedRange[] }
  | { readonly kind: "put"; readonly parts: readonly Part[]; readonly room: ArrayBuffer }
  | { readonly kind: "finish"; readonly size: number };

/** What the thread tells: bytes written (with the memory of a `put`), the end, an error of the system, or that a file ended early. */
export type Report =
  | { readonly kind: "written"; readonly bytes: number; readonly room?: ArrayBuffer }
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly error: { readonly message: string; readonly code?: string; readonly errno?: number; readonly syscall?: string } }
  | { readonly kind: "cut"; readonly range: CopiedRange; readonly size: number };
