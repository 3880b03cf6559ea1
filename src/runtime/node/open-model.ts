/** Opens a model on disk: a file, or a folder in Hugging Face's layout. Its structure is read; its weights stay where they are. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { modelFileMissing } from "../../errors/runtime.ts";
import type { Model } from "../../ir/model.ts";
import type { ModelProto } from "../../ir/proto/generated/schema.ts";
import { eachTensor } from "../../ir/proto/map-tensors.ts";
import { externalEntry, type OpenExternal } from "../../ir/proto/tensor.ts";
import type { ByteRange } from "../../ir/source.ts";
import { loadableModel, type LoadableModel } from "../loadable-model.ts";
import { resolveExternal } from "./external-data.ts";
import { finishRenames } from "./leftovers.ts";
import { openFileSource, type FileSource } from "./file-source.ts";

/** Where a folder keeps its model, in the order they are looked for. */
const IN_FOLDER = [join("onnx", "model.onnx"), "model.onnx"];

/** A model on disk. Dispose of it when nothing reads its weights any more. */
export interface OpenedModel extends LoadableModel, Disposable {
  /** The file as the user named it (a folder's file is found). */
  readonly path: string;
  /** The folder where the file really lies, links followed. */
  readonly folder: string;
  /** The file's own name there. */
  readonly file: string;
  /** Every file that the model is made of: the graph and its external data, real paths. */
  readonly files: readonly string[];
  /** The model's file itself. */
  readonly source: FileSource;
  /** The files that external data names, after checking that they may be read. */
  readonly openExternal: OpenExternal;
  /** Where bytes lie as seen from the folder: what external data of a graph beside it says. */
  locate(range: ByteRange): { location: string; offset: number } | undefined;
}

/** The model's file: the path itself, or what a folder holds. Throws MODEL_MISSING. */
function modelFile(path: string): string {
  if (!existsSync(path)) throw modelFileMissing(path);
  if (!statSync(path).isDirectory()) return path;
  const found = IN_FOLDER.map((name) => join(path, name)).find((candidate) => existsSync(candidate));
  if (found === undefined) throw modelFileMissing(path);
  return found;
}

/** Opens a model. Throws HutError where it isn't there, is no ONNX file, or is damaged. */
export function openModel(path: string): OpenedModel {
  const file = modelFile(path);
  finishRenames(dirname(file));
  const source = openFileSource(file);
  const opened = new Map<string, FileSource>();
  const real = realpathSync(file);
  const folder = dirname(real);
  // A model names its data file once for each of its weights; where the name leads is looked up once, as the file is opened once.
  const targets = new Map<string, FileSource>();
  const openExternal: OpenExternal = (location) => {
    const found = targets.get(location);
    if (found !== undefined) return found;
    const target = resolveExternal(file, location);
    const known = opened.get(target) ?? openFileSource(target);
    opened.set(target, known);
    targets.set(location, known);
    return known;
  };
  const dispose = (): void => {
    source[Symbol.dispose]();
    for (const data of opened.values()) data[Symbol.dispose]();
  };
  try {
    const model = loadableModel(source, openExternal);
    // A model that was loaded has opened them all.
    let isLoaded = false;
    const loaded = (load: () => Model) => (): Model => {
      const made = load();
      isLoaded = true;
      return made;
    };
    return {
      path: file, folder, file: basename(real), size: source.size, source, proto: model.proto, load: loaded(model.load), loadInlined: loaded(model.loadInlined), openExternal, [Symbol.dispose]: dispose,
      get files() {
        if (!isLoaded) for (const location of externalLocations(model.proto)) openExternal(location);
        return [real, ...opened.keys()];
      },
      locate(range) {
        const target = range.source === source ? real : [...opened].find(([, s]) => s === range.source)?.[0];
        return target === undefined ? undefined : { location: relative(folder, target).replaceAll("\\", "/"), offset: range.offset };
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The files that a message's tensors say they lie in, wherever the tensors stand. What a tensor says of itself is checked where it is read. */
function externalLocations(proto: ModelProto): Set<string> {
  const locations = new Set<string>();
  eachTensor("ModelProto", proto, (tensor) => {
    const location = tensor.dataLocation === 1 ? externalEntry(tensor, "location") : undefined;
    if (location !== undefined && location !== "") locations.add(location);
  });
  return locations;
}
