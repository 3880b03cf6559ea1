/** `adapt`: inserts the updated transformation into a copy of the user's graph. */
import { parameterCount } from "../../../passes/build-step.ts";
import { readAdapterFolder, writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { adaptedModules, deployable, savedModules } from "../../adapted-modules.ts";
import { countParameters } from "../../inspect-model.ts";
import { initialTheta, prepare, type OpenedAdapter } from "../../prepare.ts";
import { findLogits } from "../../model-outputs.ts";
import { savesHeadBy } from "../../tasks/registry.ts";
import type { AdaptResult, AdaptVerbOptions } from "../../options.ts";
import { refuseInputAsOutput, requireWritable } from "../atomic-write.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { saveModels } from "../save-model.ts";
import { openTrained } from "./open-trained.ts";

/** Writes adapted.onnx, and the adapter it starts with where asked for. */
export async function adapt(path: string, options: AdaptVerbOptions): Promise<AdaptResult> {
  const started = performance.now();
  using opened = openModel(path);
  const model = opened.loadInlined();
  const saveHead = options.head !== undefined || savesHeadBy(findLogits(model.graph, options.outputName));
  const prepared = prepare(model, { ...options, adapter: openTrained(opened, options), saveHead });
  for (const note of prepared.notes) options.onNotice?.(note);
  refuseInputAsOutput(options.output, [opened.path, ...opened.files]);
  requireWritable(options.output);
  let bytes = 0;
  if (options.dryRun !== true) {
    bytes = saveModels({ base: opened, graphs: [{ path: options.output, model: deployable(prepared) }], embed: options.embed, onNotice: options.onNotice }).bytes;
    if (options.saveAdapter !== undefined) writeAdapterFolder(options.saveAdapter, toAdapterFolder(prepared, initialTheta(prepared.trainables), adapterBase(opened)));
  }
  return await Promise.resolve({
    adapted: adaptedModules(prepared), modulesToSave: savedModules(prepared), trainableParams: parameterCount(prepared.trainables),
    totalParams: countParameters(opened.loadInlined().graph), seconds: (performance.now() - started) / 1000, bytesWritten: bytes, output: options.output,
  });
}

/** The adapter folder of `--adapter`, read. */
export function openAdapter(folder: string | undefined): OpenedAdapter | undefined {
  return folder === undefined ? undefined : { folder, contents: readAdapterFolder(folder) };
}

/** What an adapter says of its base. */
export function adapterBase(opened: OpenedModel): { name: string; taskType: string | null } {
  return { name: opened.file, taskType: null };
}
