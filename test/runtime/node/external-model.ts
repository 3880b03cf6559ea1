/** Models with external data, made of those in one file. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeModel } from "../../../src/ir/proto/encode.ts";
import { modelToProto } from "../../../src/ir/save.ts";
import { readBytes, type ByteRange } from "../../../src/ir/source.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";

/** Writes model.onnx and weights.bin, which it refers to, into a folder. */
export function makeExternal(from: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  using base = openModel(from);
  const ranges = new Map<ByteRange, number>();
  let size = 0;
  const { chunks } = encodeModel(modelToProto(base.load(), { reference: (range) => {
    const offset = ranges.get(range) ?? size;
    if (!ranges.has(range)) size += range.length;
    ranges.set(range, offset);
    return { location: "weights.bin", offset };
  } }));
  writeFileSync(join(folder, "weights.bin"), Buffer.concat([...ranges.keys()].map(readBytes)));
  writeFileSync(join(folder, "model.onnx"), Buffer.concat(chunks.map(readBytes)));
}
