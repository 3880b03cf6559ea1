/** How pages of Parquet are unpacked in Node: its own zlib, which stops at the length a page should have, and hyparquet's compressors for the rest. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompressLz4, decompressLz4Raw, decompressZstd } from "hyparquet-compressors";
import type { Codecs } from "../data/parquet.ts";

/** Codecs beside those that data/parquet.ts has. They are left out of the door for browsers: one of them compiles WASM when it is loaded. */
export const PARQUET_CODECS: Codecs = {
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
  LZ4: (input, length) => decompressLz4(input, length),
  LZ4_RAW: (input, length) => decompressLz4Raw(input, length),
};
