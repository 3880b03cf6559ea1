/** `adapt`: inserts the updated transformation into a copy of the user's graph. */
import type { Model } from "../../../ir/model.ts";
import type { Trainable } from "../../../passes/adapt.ts";
import { replaceParameter, replaceWhole } from "../../../passes/fold.ts";
import type { WeightSite } from "../../../passes/weights/find-weights.ts";
import { parameterCount } from "../../../passes/build-step.ts";
import { readAdapterFolder, writeAdapterFolder } from "../peft-folder.ts";
import { toAdapterFolder } from "../../adapter/to-folder.ts";
import { initialTheta, prepare, type OpenedAdapter, type Prepared } from "../../prepare.ts";
import { findLogits } from "../../model-outputs.ts";
import { savesHeadBy } from "../../tasks/registry.ts";
import type { AdaptedModule, AdaptResult, AdaptVerbOptions } from "../../options.ts";
import { refuseInputAsOutput, requireWritable } from "../atomic-write.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { saveModels } from "../save-model.ts";
import { countParameters } from "./inspect.ts";
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

/** The adapted graph as it is deployed: parameters and modules trained whole hold their values. */
export function deployable(prepared: Prepared): Model {
  for (const [site, tensors] of savedBySite(prepared)) replaceWhole(prepared.model.graph, site, tensors);
  for (const { held, start } of prepared.saved) if (held !== undefined) replaceParameter(prepared.model.graph, held, start);
  prepared.model.graph.sortTopologically();
  return prepared.model;
}

/** The tensors trained whole, by the weight that they are of. */
export function savedBySite({ saved }: Prepared): Map<WeightSite, Trainable[]> {
  const groups = new Map<WeightSite, Trainable[]>();
  for (const t of saved) if (t.site !== undefined) groups.set(t.site, [...groups.get(t.site) ?? [], t]);
  return groups;
}

/** The adapter folder of `--adapter`, read. */
export function openAdapter(folder: string | undefined): OpenedAdapter | undefined {
  return folder === undefined ? undefined : { folder, contents: readAdapterFolder(folder) };
}

/** What an adapter says of its base. */
export function adapterBase(opened: OpenedModel): { name: string; taskType: string | null } {
  return { name: opened.file, taskType: null };
}

export function adaptedModules({ adapted }: Prepared): AdaptedModule[] {
  return adapted.map(({ modulePath, block, weight, parameters }) => ({ modulePath, ...(block === undefined ? {} : { role: block.role }), shape: [weight.k, weight.n], rank: weight.rank, params: parameterCount(parameters) }));
}

export function savedModules({ saved }: Prepared): { modulePath: string; params: number }[] {
  return [...new Set(saved.map((t) => t.modulePath))].map((modulePath) => ({ modulePath, params: parameterCount(saved.filter((t) => t.modulePath === modulePath)) }));
}
