/** `adapt`: inserts the updated transformation into a copy of the user's graph. */
import { swappableMethodUnsupported } from "../../../errors/swap.ts";
import { flagNeedsFlag } from "../../../errors/usage.ts";
import type { Model } from "../../../ir/model.ts";
import { ROWS } from "../../../passes/adapt.ts";
import { batchInputs, giveRows } from "../../../passes/give-rows.ts";
import { makeSwappable } from "../../../passes/make-swappable.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { adaptedModules, deployable, savedModules } from "../../adapted-modules.ts";
import { countParameters } from "../../inspect-model.ts";
import { initialTheta, prepare, type OpenedAdapter, type Prepared } from "../../prepare.ts";
import { adapterOfParameters } from "../../swap/adapter-of-parameters.ts";
import { ONNX_ADAPTER_ENDING } from "../../swap/onnx-adapter.ts";
import { startingParameters } from "../../swap/swap-parameters.ts";
import { formatSwappableInfo, SWAPPABLE_KEY, swappableInfo } from "../../swap/swappable-info.ts";
import { onnxAdapterOf, writeOnnxAdapter } from "../../swap/write-onnx-adapter.ts";
import { findLogits } from "../../model-outputs.ts";
import { savesHeadBy } from "../../tasks/registry.ts";
import type { AdaptVerbOptions } from "../../options.ts";
import type { AdaptResult } from "../../results.ts";
import { requireWritable } from "../atomic-write.ts";
import { adapterFilesAt, graphFilesAt, inputFiles, refuseInputsAsOutputs } from "../input-files.ts";
import { lockFolder } from "../lock-folder.ts";
import { readParameters } from "../onnx-adapter-file.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { Outputs } from "../outputs.ts";
import { addAdapterFolder, readAdapterFolder } from "../peft-folder.ts";
import { saveModels } from "../save-model.ts";
import { openTrained } from "./open-trained.ts";

/** Writes adapted.onnx, and the adapter it starts with where asked for. */
export async function adapt(path: string, options: AdaptVerbOptions): Promise<AdaptResult> {
  const started = performance.now();
  if (options.perRow === true && options.swappable !== true) throw flagNeedsFlag("--per-row", "--swappable");
  using opened = openModel(path);
  const model = opened.loadInlined();
  const totalParams = countParameters(model.graph);
  const saveHead = options.head !== undefined || savesHeadBy(model.graph, findLogits(model.graph, options.outputName));
  const prepared = prepare(model, { ...options, adapter: openTrained(opened, options), saveHead });
  for (const note of prepared.notes) options.onNotice?.(note);
  const { output, saveAdapter } = options;
  if (saveAdapter?.endsWith(ONNX_ADAPTER_ENDING) === true && !prepared.method.swappable) throw swappableMethodUnsupported(prepared.method.name);
  refuseInputsAsOutputs([...graphFilesAt(output, opened, options), ...(saveAdapter === undefined ? [] : adapterFilesAt(saveAdapter))], inputFiles(opened, options));
  requireWritable(output);
  const { model: written, inputs } = options.swappable === true ? swappable(prepared, options.perRow === true) : { model: deployable(prepared), inputs: [] };
  let bytes = 0;
  if (options.dryRun !== true) {
    await using outputs = new Outputs();
    using _lock = lockStart(saveAdapter, outputs);
    if (saveAdapter !== undefined) saveStart(saveAdapter, prepared, opened, outputs);
    bytes = (await saveModels({ ...options, outputs, base: opened, graphs: [{ path: options.output, model: written }], phase: "writing" })).bytes;
    outputs.commit();
  }
  return {
    adapted: adaptedModules(prepared), modulesToSave: savedModules(prepared), inputs, trainableParams: parameterCount(prepared.trainables),
    totalParams, seconds: (performance.now() - started) / 1000, bytesWritten: bytes, output: options.output,
  };
}

/** The swappable graph: what an adapter brings are inputs, and its metadata tells of them. */
function swappable(prepared: Prepared, perRow: boolean): { model: Model; inputs: AdaptResult["inputs"] } {
  const { model, method, adapted, saved, statistics } = prepared;
  const rows = perRow ? batchInputs(model.graph) : undefined;
  const inputs = makeSwappable(model, { method, adapted, whole: [...saved, ...statistics], perRow });
  if (perRow) giveRows(model, adapted, saved);
  const info = swappableInfo(prepared, inputs, rows);
  model.metadata.set(SWAPPABLE_KEY, formatSwappableInfo(info));
  model.graph.sortTopologically();
  return { model, inputs: info.inputs.map(({ name, shape }) => ({ name, shape: perRow ? [ROWS, ...shape] : shape })) };
}

/** Takes the folder that `--save-adapter` names, made where it is missing. */
function lockStart(path: string | undefined, outputs: Outputs): Disposable | undefined {
  if (path === undefined || path.endsWith(ONNX_ADAPTER_ENDING)) return undefined;
  outputs.folder(path);
  return lockFolder(path);
}

/** Writes the adapter that a prepared model starts with: a folder, or ONNX Runtime's own file. */
function saveStart(path: string, prepared: Prepared, opened: OpenedModel, outputs: Outputs): void {
  if (path.endsWith(ONNX_ADAPTER_ENDING)) outputs.write(path, [writeOnnxAdapter(onnxAdapterOf(startingParameters(prepared)))]);
  else addAdapterFolder(path, toAdapterFolder(prepared, initialTheta(prepared.trainables), adapterBase(opened)), outputs);
}

/** The adapter of `--adapter`, read: a folder, or ONNX Runtime's own file. */
export function openAdapter(path: string | undefined): OpenedAdapter | undefined {
  if (path === undefined) return undefined;
  return { folder: path, contents: path.endsWith(ONNX_ADAPTER_ENDING) ? adapterOfParameters(readParameters(path), path) : readAdapterFolder(path) };
}

/** What an adapter says of its base. */
export function adapterBase(opened: OpenedModel): { name: string; taskType: string | null } {
  return { name: opened.file, taskType: null };
}
