/**
 * Writes a model. Beside its base it refers to the base's bytes and stays small; elsewhere the weights are copied next to it, into one
 * `<base>_data` file that all graphs of the folder share; `embed` puts them inside, as far as a message of 2 GB has room for
 * them.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Model } from "../../ir/model.ts";
import { encodedLength, encodedSize, encodeModel, MAX_MODEL_BYTES } from "../../ir/proto/encode.ts";
import { modelToProto } from "../../ir/save.ts";
import type { ByteRange } from "../../ir/source.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import type { OpenedModel } from "./open-model.ts";

/** Graphs that are written together, into one folder. */
export interface SaveModels {
  readonly base: OpenedModel;
  /** Path and model of each graph; all in one folder. */
  readonly graphs: readonly { readonly path: string; readonly model: Model }[];
  readonly embed?: boolean | undefined;
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** The name of the file that copied weights go to; `<graph>_data` where left out. */
  readonly dataFile?: string | undefined;
}

/** Alignment of weights in a data file: a page, so that they can be memory-mapped. */
const ALIGNMENT = 4096;

/** Writes the graphs, data first. Returns the bytes written and the files. */
export function saveModels({ base, graphs, embed, onNotice, dataFile }: SaveModels): { bytes: number; files: string[] } {
  const [first] = graphs;
  if (first === undefined) return { bytes: 0, files: [] };
  const folder = dirname(resolve(first.path));
  if (embed === true && graphs.every(({ model }) => encodedSize(modelToProto(model)) <= MAX_MODEL_BYTES)) return writeAll(graphs, undefined);
  if (embed !== true && realpathSync(folder) === base.folder) return writeAll(graphs, (range) => base.locate(range));
  const data = new DataFile(dataFile ?? `${basename(first.path)}_data`);
  // A first pass tells which ranges the graphs need; the data file is written before the graphs that refer to it.
  for (const { model } of graphs) modelToProto(model, { reference: (range) => data.place(range) });
  if (data.size === 0) return writeAll(graphs, undefined);
  const path = join(dirname(first.path), data.name);
  const bytes = writeFileAtomic(path, data.chunks());
  const copied = `${path} (${(bytes / 1e6).toFixed(1)} MB)`;
  onNotice?.(embed === true ? `the weights are beside the graph, in ${copied}: a file of ONNX has room for 2 GB`
    : `the weights were copied to ${copied}; written into ${JSON.stringify(dirname(base.path))}, beside the base model, they would cost nothing`);
  const written = writeAll(graphs, (range) => data.place(range));
  return { bytes: bytes + written.bytes, files: [path, ...written.files] };
}

type Reference = (range: ByteRange) => { location: string; offset: number } | undefined;

function writeAll(graphs: SaveModels["graphs"], reference: Reference | undefined): { bytes: number; files: string[] } {
  let bytes = 0;
  for (const { path, model } of graphs) {
    const { chunks } = encodeModel(modelToProto(model, { reference }));
    writeFileAtomic(path, chunks);
    bytes += encodedLength(chunks);
  }
  return { bytes, files: graphs.map((g) => g.path) };
}

/** Ranges of other files, laid out one after the other in a file of their own. */
class DataFile {
  readonly name: string;
  size = 0;
  readonly #places = new Map<string, { offset: number; range: ByteRange }>();

  constructor(name: string) {
    this.name = name;
  }

  place(range: ByteRange): { location: string; offset: number } {
    const key = `${range.source.name}:${String(range.offset)}:${String(range.length)}`;
    const known = this.#places.get(key);
    if (known !== undefined) return { location: this.name, offset: known.offset };
    const offset = Math.ceil(this.size / ALIGNMENT) * ALIGNMENT;
    this.#places.set(key, { offset, range });
    this.size = offset + range.length;
    return { location: this.name, offset };
  }

  *chunks(): Generator<Uint8Array | ByteRange> {
    let at = 0;
    for (const { offset, range } of this.#places.values()) {
      if (offset > at) yield new Uint8Array(offset - at);
      yield range;
      at = offset + range.length;
    }
  }
}
