/** The files that a verb reads, and its refusal to write over one of them. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { outputHoldsInput } from "../../errors/files.ts";
import { HUT_FILE, README_FILE, TENSOR_FILE } from "../adapter/folder-files.ts";
import { CONFIG_FILE } from "../adapter/peft-config.ts";
import { DATA_SUFFIX } from "../checkpoint/checkpoint.ts";
import { ONNX_ADAPTER_ENDING } from "../swap/onnx-adapter.ts";
import { refuseInputAsOutput } from "./atomic-write.ts";
import { placesBeside } from "./checkpoint-places.ts";
import { isFolder } from "./folder.ts";
import { companionFile } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";
import { dataFileAt, refersToBase } from "./save-model.ts";
import { tokenizerFiles } from "./tokenizer-places.ts";

/** The options that name inputs, by their words in every verb. */
export interface InputOptions {
  readonly adapter?: string | undefined;
  readonly checkpoint?: string | undefined;
  readonly tokenizer?: string | undefined;
  readonly data?: string | undefined;
  readonly train?: string | undefined;
  readonly dev?: string | undefined;
  readonly loss?: string | undefined;
}

/** Every file that a verb reads: the model and what lies beside it, adapter, checkpoint, tokenizer and data; folders of adapters too. Some may be missing. */
export function inputFiles(opened: OpenedModel, options: InputOptions): string[] {
  const { adapter, checkpoint, data, train, dev, loss } = options;
  const given = (path: string | undefined): string[] => (path === undefined ? [] : [path]);
  return [
    opened.path, ...opened.files, ...given(companionFile(opened.path, "config.json")), ...tokenizerFiles(opened.path, options.tokenizer),
    ...(adapter === undefined ? [] : adapterFilesAt(adapter)), ...(checkpoint === undefined ? [] : checkpointFiles(checkpoint, adapter)), ...[data, train, dev, loss].flatMap(given),
  ];
}

/** An adapter's folder and the files in it, or ONNX Runtime's own file. */
export function adapterFilesAt(path: string): string[] {
  return path.endsWith(ONNX_ADAPTER_ENDING) ? [path] : [path, ...[TENSOR_FILE, CONFIG_FILE, HUT_FILE, README_FILE].map((name) => join(path, name))];
}

/** What saveModels may write for a graph: its file and, unless the graph will refer to its base beside it, a file of weights. */
export function graphFilesAt(path: string, base: OpenedModel, { embed, dataFile }: { embed?: boolean | undefined; dataFile?: string | undefined } = {}): string[] {
  return refersToBase(path, base, embed) ? [path] : [path, dataFileAt(path, dataFile)];
}

/** Throws OUTPUT_IS_INPUT where one of the outputs is one of the inputs: by any spelling of its path, through links, or as a hard link. */
export function refuseInputsAsOutputs(outputs: readonly string[], inputs: readonly string[]): void {
  for (const output of outputs) refuseInputAsOutput(output, inputs);
}

/** Throws OUTPUT_IS_INPUT where a file in a folder, or in a folder of it, is a link to an input. A link is replaced, but whoever made it may mean the input. */
export function refuseLinksToInputs(folder: string, inputs: readonly string[]): void {
  const filesIn = (path: string): string[] => (isFolder(path) ? readdirSync(path).map((name) => join(path, name)) : []);
  const first = filesIn(folder);
  refuseInputsAsOutputs([...first, ...first.flatMap(filesIn)], inputs);
}

/** Throws OUTPUT_HOLDS_INPUT where the model's file lies in one of these folders, by its name or really. */
export function refuseFoldersOfModel(folders: readonly string[], opened: OpenedModel): void {
  const real = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
  const places = [opened.folder, real(dirname(opened.path))];
  const holding = folders.find((folder) => places.includes(real(folder)));
  if (holding !== undefined) throw outputHoldsInput(holding, opened.path);
}

function checkpointFiles(checkpoint: string, adapter: string | undefined): string[] {
  const { folder, manifest } = placesBeside(checkpoint, adapter);
  return [checkpoint, checkpoint + DATA_SUFFIX, ...(manifest === undefined ? [] : [manifest.file]), ...adapterFilesAt(folder)];
}
