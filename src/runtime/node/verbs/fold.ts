/** `fold`: merges an adapter into the model: the same graph, only the chosen weights differ. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { adapterNotGiven } from "../../../errors/checkpoint.ts";
import type { Source } from "../../../ir/source.ts";
import { pathOf } from "../../../passes/adapt.ts";
import { dataTypeName } from "../../../ir/data-type.ts";
import { storedType } from "../../../passes/weights/find-weights.ts";
import { savedModules } from "../../adapted-modules.ts";
import { evaluateWith } from "../../evaluate-with.ts";
import { changedSites, foldedModel, presentLogitsOf } from "../../fold-model.ts";
import { GRAPH_FILE } from "../../model-folder/made-files.ts";
import { prepare, type OpenedAdapter, type Prepared } from "../../prepare.ts";
import type { FoldOptions, HeadOptions, TrainedOptions } from "../../options.ts";
import type { FoldResult } from "../../results.ts";
import type { OnnxRuntime } from "../../session.ts";
import { refuseFolderOfInput, requireWritable } from "../atomic-write.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { dataLocations, initializerSpans } from "../external-data.ts";
import { FileSource } from "../file-source.ts";
import { inputFiles, refuseInputsAsOutputs, refuseLinksToInputs } from "../input-files.ts";
import { IdleWriter } from "../large-file.ts";
import { lockFolder } from "../lock-folder.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { Outputs } from "../outputs.ts";
import { dataFileAt, saveModels } from "../save-model.ts";
import { modelFolder } from "../model-folder.ts";
import { SMALL_BYTES } from "../write-chunks.ts";
import { openTrained } from "./open-trained.ts";

/** Writes the merged model: a file, or (where `output` is a folder or has no ending) a model folder in Hugging Face's layout. */
export async function fold(path: string, options: FoldOptions, runtime?: OnnxRuntime): Promise<FoldResult> {
  const started = performance.now();
  const asFolder = !options.output.endsWith(".onnx") || (existsSync(options.output) && statSync(options.output).isDirectory());
  const target = asFolder ? join(options.output, GRAPH_FILE) : options.output;
  const writes = options.dryRun !== true;
  await using writer = writes && !asFolder && isLarge(path) ? new IdleWriter() : undefined;
  using opened = openModel(path);
  await using outputs = new Outputs();
  // A merged model's weights are where the base's were, all in one file.
  const locations = dataLocations(opened.proto);
  const embed = options.embed ?? locations.size === 0;
  // Most of that file is the base's, unless the adapter brings a head of its own into the graph's: that shows later.
  if (writes && !asFolder && existsSync(options.checkpoint ?? options.adapter ?? "")) {
    const [location, ...others] = locations;
    if (location === undefined) beginCopy({ outputs, opened, writer }, opened.source, target);
    else if (others.length === 0 && !embed) beginCopy({ outputs, opened, writer }, opened.openExternal(location), dataFileAt(target));
  }
  const trained = requireTrained("fold", opened, options);
  await turn();
  const inputs = inputFiles(opened, options);
  refuseInputsAsOutputs([target, dataFileAt(target)], inputs);
  if (asFolder) {
    refuseFolderOfInput(options.output, [opened.path, ...opened.files, ...[options.adapter, options.checkpoint].filter((p) => p !== undefined)]);
    refuseLinksToInputs(options.output, inputs);
  }
  if (asFolder && writes) outputs.folder(dirname(target));
  using _lock = asFolder && writes ? lockFolder(options.output) : undefined;
  if (writes) requireWritable(target);
  await turn();
  const prepared = prepareFold(opened, options, trained);
  await turn();
  const folded = prepared.adapted.map(({ modulePath, block, weight }) => ({ modulePath, ...(block === undefined ? {} : { role: block.role }), shape: [weight.k, weight.n] as const }));
  const quantized = changedSites(prepared).filter((s) => s.quantized !== undefined);
  const floated = options.requantize === true ? [] : quantized.map((s) => ({ modulePath: pathOf(s), from: dataTypeName(storedType(s)), to: dataTypeName(s.points[0]?.value.dataType ?? 0) }));
  const result = { folded, replaced: savedModules(prepared), floated, output: target };
  const adapter = options.checkpoint === undefined ? options.adapter : undefined;
  const folder = asFolder ? modelFolder({ output: options.output, opened, prepared, trained, adapter }) : undefined;
  for (const note of [...prepared.notes, ...folder?.notes ?? []]) options.onNotice?.(note);
  if (options.requantize === true && quantized.length === 0) options.onNotice?.("--requantize changes nothing here: none of the weights that change is stored as integers");
  if (!writes) return { ...result, files: [], requantized: [], seconds: (performance.now() - started) / 1000, bytesWritten: 0 };
  await using evaluator = evaluateWith(runtime ?? await defaultRuntime());
  const { model, requantized } = await foldedModel(opened, prepared, evaluator.evaluate, options);
  if (asFolder) presentLogitsOf(model, prepared);
  // A merged model stands alone, whatever folder it is in.
  const onNotice = asFolder ? undefined : options.onNotice;
  const saved = await saveModels({ ...options, outputs, base: opened, graphs: [{ path: target, model }], embed, standsAlone: true, phase: "folding", onNotice });
  const bytes = saved.bytes + (folder?.write(saved.files, outputs) ?? 0);
  outputs.commit();
  return { ...result, files: saved.files, requantized, seconds: (performance.now() - started) / 1000, bytesWritten: bytes };
}

/** Whether a model is probably large: its file, or the one that exporters put its weights in. */
function isLarge(path: string): boolean {
  return [path, `${path}_data`, `${path}.data`].some((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > SMALL_BYTES);
}

/** Lets everything else go on: a copy that was begun, and what the disk has to do for it. */
async function turn(): Promise<void> {
  await wait(1);
}

/**
 * Begins to copy a base's file to where most of it will be wanted. The largest tensors go first: these are embeddings and feed-forward weights, which adapters seldom change, and
 * what was copied and is written over goes to the disk twice.
 */
function beginCopy({ outputs, opened, writer }: { readonly outputs: Outputs; readonly opened: OpenedModel; readonly writer: IdleWriter | undefined }, from: Source, to: string): void {
  if (!(from instanceof FileSource)) return;
  refuseInputsAsOutputs([to], [from.name]);
  requireWritable(to);
  const spans = initializerSpans(opened.proto).filter(({ offset, length }) => offset + length <= from.size).sort((a, b) => b.length - a.length);
  outputs.beginCopy(to, from, { spans, writer });
}

/** The adapter, or what a checkpoint makes of it. Throws FLAG_NOT_GIVEN where neither is given, and what openTrained throws. */
export function requireTrained(verb: string, opened: OpenedModel, options: FoldedOptions): OpenedAdapter {
  const trained = openTrained(opened, options);
  if (trained === undefined) throw adapterNotGiven(verb);
  return trained;
}

/** The adapter on its base, ready to be folded. */
export function prepareFold(opened: OpenedModel, { force, head, numLabels }: FoldedOptions, adapter: OpenedAdapter): Prepared {
  return prepare(opened.load(), { adapter, force, head, numLabels, saveHead: true });
}

type FoldedOptions = HeadOptions & TrainedOptions & { readonly force?: boolean | undefined };
