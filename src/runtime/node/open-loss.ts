/** Opens a loss that comes as a graph of its own. */
import { fileTooLong } from "../../errors/files.ts";
import { memorySource } from "../../ir/source.ts";
import { loadableModel } from "../loadable-model.ts";
import type { OwnLoss } from "../tasks/with-loss.ts";
import { openFileSource } from "./file-source.ts";

/** Longest file of a loss: it is held in memory, and goes into every graph that is trained. A loss is some dozens of nodes, and perhaps a weight for each class. */
const MAX_LOSS_BYTES = 64 * 1024 * 1024;

/** Reads the file whole; it may refer to no other. Throws HutError where it isn't there, is no ONNX file, or is damaged. */
export function openLoss(path: string): OwnLoss {
  using source = openFileSource(path);
  if (source.size > MAX_LOSS_BYTES) throw fileTooLong(path, source.size, MAX_LOSS_BYTES);
  return { file: path, load: loadableModel(memorySource(path, source.read(0, source.size))).loadInlined };
}
