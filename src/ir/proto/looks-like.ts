/** What a file that is no ONNX model may be instead. */
import type { Source } from "../source.ts";

/** How much of the beginning is looked at. */
const HEAD_BYTES = 64;

/** First bytes, at an offset, and what has them. */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, kind: string])[] = [
  [0, "PK\x03\x04", "a zip archive, as PyTorch writes checkpoints"],
  [0, "version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the file itself)"],
  [0, "GGUF", "a GGUF model"],
  [0, "\x89HDF", "an HDF5 file, as Keras writes models"],
  [0, "\x1f\x8b", "a gzip archive"],
  [4, "ORTM", "a model in ONNX Runtime's own format (.ort)"],
  [4, "TFL3", "a TensorFlow Lite model"],
];

/** The kind of file that its first bytes tell, in words; undefined where they tell none. Meant for files that can't be read as ONNX. */
export function looksLike(source: Source): string | undefined {
  if (source.size === 0) return "an empty file";
  const head = source.read(0, Math.min(HEAD_BYTES, source.size));
  const text = String.fromCharCode(...head);
  const signature = SIGNATURES.find(([offset, bytes]) => text.startsWith(bytes, offset));
  if (signature !== undefined) return signature[2];
  if (isSafetensors(head, source.size)) return "a safetensors file";
  if (/^\x80[\x02-\x05]/.test(text)) return "a Python pickle, as PyTorch writes checkpoints";
  if (/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) return "a web page (a download that failed?)";
  if (/^\s*\{\s*["}]/.test(text)) return "a JSON file";
  return /^[\t\n\r\x20-\x7e]+$/.test(text) ? "a text file" : undefined;
}

/** A length of 8 bytes, then that much JSON. */
function isSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 9 || head[8] !== 0x7b) return false;
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return length <= BigInt(size - 8);
}
