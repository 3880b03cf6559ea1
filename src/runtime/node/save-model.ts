/**
 * Writes a model. Beside its base it refers to the base's bytes and stays small, unless it is to stand alone; elsewhere the weights are copied next to it, into one
 * `<base>_data` file that all graphs of the folder share; `embed` puts them inside, as far as a message of 2 GB has room for
 * them.
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { outputDataInTheWay } from "../../errors/files.ts";
import { HutError } from "../../errors/hut-error.ts";
import type { Model } from "../../ir/model.ts";
import { decodeModel } from "../../ir/proto/decode.ts";
import { encodeIfFits, encodeModel } from "../../ir/proto/encode.ts";
import { modelToProto } from "../../ir/save.ts";
import type { ByteRange, Bytes } from "../../ir/source.ts";
import type { CommonOptions } from "../options.ts";
import { refuseInputAsOutput } from "./atomic-write.ts";
import { dataLocations } from "./external-data.ts";
import { openFileSource } from "./file-source.ts";
import type { OpenedModel } from "./open-model.ts";
import type { Outputs } from "./outputs.ts";
import { WeightsFile } from "./weights-file.ts";

/** Graphs that are written together, into one folder. */
export interface SaveModels extends CommonOptions {
  readonly outputs: Outputs;
  readonly base: OpenedModel;
  /** Path and model of each graph; all in one folder. */
  readonly graphs: readonly { readonly path: string; readonly model: Model }[];
  readonly embed?: boolean | undefined;
  /** The graphs refer to nothing of the base, wherever they are. */
  readonly standsAlone?: boolean | undefined;
  /** The name of the file that copied weights go to; `<graph>_data` where left out. */
  readonly dataFile?: string | undefined;
  /** What is being done, for progress. */
  readonly phase: string;
}

/** Writes the graphs, data first. Returns the bytes written and the files, which are in place once `outputs` is committed. */
export async function saveModels(save: SaveModels): Promise<{ bytes: number; files: string[] }> {
  const { base, graphs, embed, standsAlone, onNotice, dataFile } = save;
  const [first] = graphs;
  if (first === undefined) return { bytes: 0, files: [] };
  const inside = embed === true ? embedded(graphs) : undefined;
  const before = dataFileAt(first.path);
  if (inside !== undefined && existsSync(before) && refersTo(first.path, basename(before))) onNotice?.(`${before} is left from the model that was there before, and nothing of the new one is in it`);
  if (inside !== undefined) return await writeAll(save, inside);
  if (standsAlone !== true && refersToBase(first.path, base, embed)) return await writeAll(save, encoded(graphs, (range) => base.locate(range)));
  // A first pass tells which ranges the graphs need; the data file is written before the graphs that refer to it.
  const ranges = new Set<ByteRange>();
  for (const { model } of graphs) modelToProto(model, { reference: (range) => { ranges.add(range); return undefined; } });
  if (ranges.size === 0) return await writeAll(save, encoded(graphs));
  const data = new WeightsFile(basename(dataFileAt(first.path, dataFile)), ranges, base.source);
  const path = dataFileAt(first.path, dataFile);
  refuseInputAsOutput(path, base.files);
  if (dataFile === undefined && existsSync(path) && !refersTo(first.path, data.name)) throw outputDataInTheWay(path, first.path);
  const copied = `${path} (${(data.size / 1e6).toFixed(1)} MB)`;
  if (embed === true || standsAlone !== true) onNotice?.(embed === true ? `the weights are beside the graph, in ${copied}: a file of ONNX has room for 2 GB`
    : hasOtherNames(base) ? `the weights were copied to ${copied}: ${JSON.stringify(base.path)} has hard links, and external data with such are refused by those who read them`
      : `the weights were copied to ${copied}; written into ${JSON.stringify(dirname(base.path))}, beside the base model, they would cost nothing`);
  return await writeAll(save, [{ path, chunks: data.chunks() }, ...encoded(graphs, (range) => data.place(range))]);
}

/** The file that a graph's weights go to where they are copied: of the name given, or the graph's own with `_data`. */
export function dataFileAt(path: string, name?: string): string {
  return name === undefined ? `${path}_data` : join(dirname(path), name);
}

/** Whether the model that is there keeps weights in a file of this name; false for what is none. */
function refersTo(path: string, name: string): boolean {
  if (!existsSync(path)) return false;
  try {
    using source = openFileSource(path);
    return dataLocations(decodeModel(source)).has(name);
  } catch (error) {
    if (error instanceof HutError) return false;
    throw error;
  }
}

/** Whether a graph written there refers to the base's bytes. */
export function refersToBase(path: string, base: OpenedModel, embed: boolean | undefined): boolean {
  const folder = dirname(resolve(path));
  return embed !== true && existsSync(folder) && realpathSync(folder) === base.folder && !hasOtherNames(base);
}

function hasOtherNames({ path }: OpenedModel): boolean {
  return statSync(path).nlink > 1;
}

type Reference = (range: ByteRange) => { location: string; offset: number } | undefined;

interface File {
  readonly path: string;
  readonly chunks: readonly Bytes[];
}

function encoded(graphs: SaveModels["graphs"], reference?: Reference): File[] {
  return graphs.map(({ path, model }) => ({ path, chunks: encodeModel(modelToProto(model, { reference }), { copies: true }).chunks }));
}

/** The graphs with their weights inside; undefined where one is too large for that. */
function embedded(graphs: SaveModels["graphs"]): File[] | undefined {
  const files = graphs.flatMap(({ path, model }): File[] => {
    const fitting = encodeIfFits(modelToProto(model), { copies: true });
    return "size" in fitting ? [] : [{ path, chunks: fitting.chunks }];
  });
  return files.length === graphs.length ? files : undefined;
}

async function writeAll({ outputs, phase, signal, onProgress }: SaveModels, files: readonly File[]): Promise<{ bytes: number; files: string[] }> {
  let bytes = 0;
  for (const { path, chunks } of files) {
    const onBytes = (done: number, total: number): void => onProgress?.({ phase, done: megabytes(done), total: megabytes(total), unit: "MB" });
    bytes += await outputs.writeLarge(path, chunks, { signal, onBytes });
  }
  return { bytes, files: files.map((file) => file.path) };
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
