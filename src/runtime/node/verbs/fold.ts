/** `fold`: merges an adapter into the model: the same graph, only the chosen weights differ. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { adapterNotGiven } from "../../../errors/checkpoint.ts";
import { interrupted } from "../../../errors/runtime.ts";
import type { Value } from "../../../ir/graph.ts";
import type { Model } from "../../../ir/model.ts";
import { addBias } from "../../../passes/add-bias.ts";
import { bySite, pathOf } from "../../../passes/adapt.ts";
import { attachHead } from "../../../passes/attach-head.ts";
import { dataTypeName } from "../../../ir/data-type.ts";
import { inferGraph } from "../../../ops/infer.ts";
import { foldWeight, replaceParameter, replaceWeight, replaceWhole, type PutWeight } from "../../../passes/fold.ts";
import { inlineFunctions } from "../../../passes/inline-functions.ts";
import { constantsOf, keepFunctions } from "../../../passes/keep-functions.ts";
import { openProducts } from "../../../passes/open-products.ts";
import { presentLogits } from "../../../passes/present-logits.ts";
import { requantizeWeight } from "../../../passes/requantize.ts";
import { findParameters, parameterName } from "../../../passes/weights/find-parameters.ts";
import { findWeights, storedType, type WeightSite } from "../../../passes/weights/find-weights.ts";
import { prepare, type OpenedAdapter, type Prepared } from "../../prepare.ts";
import type { CommonOptions, FoldOptions, FoldResult, HeadOptions, TrainedOptions } from "../../options.ts";
import type { OnnxRuntime } from "../../session.ts";
import { refuseFolderOfInput, refuseInputAsOutput, requireWritable } from "../atomic-write.ts";
import { defaultRuntime, evaluateWith } from "../default-runtime.ts";
import { ensureFolder } from "../folder.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { saveModels } from "../save-model.ts";
import { GRAPH_FILE, modelFolder } from "../model-folder.ts";
import { savedBySite, savedModules } from "./adapt.ts";
import { openTrained } from "./open-trained.ts";

/** Writes the merged model: a file, or (where `output` is a folder or has no ending) a model folder in Hugging Face's layout. */
export async function fold(path: string, options: FoldOptions, runtime?: OnnxRuntime): Promise<FoldResult> {
  const started = performance.now();
  using opened = openModel(path);
  const asFolder = !options.output.endsWith(".onnx") || (existsSync(options.output) && statSync(options.output).isDirectory());
  const target = asFolder ? join(options.output, GRAPH_FILE) : options.output;
  const inputs = [opened.path, ...opened.files];
  refuseInputAsOutput(target, inputs);
  if (asFolder) refuseFolderOfInput(options.output, [...inputs, ...[options.adapter, options.checkpoint].filter((p) => p !== undefined)]);
  const trained = requireTrained("fold", opened, options);
  const prepared = prepareFold(opened, options, trained);
  const folded = prepared.adapted.map(({ modulePath, block, weight }) => ({ modulePath, ...(block === undefined ? {} : { role: block.role }), shape: [weight.k, weight.n] as const }));
  const quantized = changedSites(prepared).filter((s) => s.quantized !== undefined);
  const floated = options.requantize === true ? [] : quantized.map((s) => ({ modulePath: pathOf(s), from: dataTypeName(storedType(s)), to: dataTypeName(s.points[0]?.value.dataType ?? 0) }));
  const result = { folded, replaced: savedModules(prepared), floated, output: target };
  const adapter = options.checkpoint === undefined ? options.adapter : undefined;
  const folder = asFolder ? modelFolder({ output: options.output, opened, prepared, trained, adapter }) : undefined;
  for (const note of [...prepared.notes, ...folder?.notes ?? []]) options.onNotice?.(note);
  if (options.requantize === true && quantized.length === 0) options.onNotice?.("--requantize changes nothing here: none of the weights that change is stored as integers");
  if (options.dryRun === true) return { ...result, requantized: [], seconds: (performance.now() - started) / 1000, bytesWritten: 0 };
  if (asFolder) ensureFolder(dirname(target));
  requireWritable(target);
  const { model, requantized } = await foldedModel(opened, prepared, runtime ?? await defaultRuntime(), options);
  if (asFolder) presentLogitsOf(model, prepared);
  // A merged model stands alone, whatever folder it is in; in a model folder its weights are where the base's were.
  const embed = !asFolder || opened.files.length === 1;
  const saved = saveModels({ base: opened, graphs: [{ path: target, model }], embed, onNotice: asFolder ? undefined : options.onNotice });
  const bytes = saved.bytes + (folder?.write(saved.files) ?? 0);
  return { ...result, requantized, seconds: (performance.now() - started) / 1000, bytesWritten: bytes };
}

/** Gives a model's logits the form in which model folders are read. Returns them; undefined where the model has none. */
export function presentLogitsOf(model: Model, { logits }: Prepared): Value | undefined {
  const found = model.graph.outputs.find((v) => v.name === logits?.name);
  return found === undefined ? undefined : presentLogits(model, found);
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

/** The weights that folding changes: adapted ones and those trained whole. */
export function changedSites(prepared: Prepared): WeightSite[] {
  return [...bySite(prepared.adapted).keys(), ...savedBySite(prepared).keys()];
}

/** A merged model, and with `requantize` what rounding to integers cost. */
export interface FoldedModel {
  readonly model: Model;
  readonly requantized: FoldResult["requantized"];
}

/**
 * The base with every chosen weight replaced, its head attached where the adapter brings one. Its functions stay where each new value has a place: a
 * weight that products in a function share with others which were not chosen has none, and then they are written out.
 */
export async function foldedModel(opened: OpenedModel, prepared: Prepared, runtime: OnnxRuntime, options: CommonOptions & Pick<FoldOptions, "requantize">): Promise<FoldedModel> {
  const model = opened.load();
  const hasFunctions = model.functions.length > 0;
  const inlined = inlineFunctions(model);
  if (hasFunctions) inferGraph(model.graph, model.opsets);
  const outputs = model.graph.outputs.map((v) => v.facts);
  const added = addHead(model, prepared);
  const before = constantsOf(model.graph);
  const requantized = await foldInto(model, prepared, runtime, options);
  if (!hasFunctions) return { model, requantized };
  const base = opened.load();
  // What a function makes is known in the inlined model alone.
  base.graph.outputs.forEach((v, i) => { v.facts = outputs[i]; });
  const twins = addHead(base, prepared);
  const paired = new Map(added.flatMap((v, i) => (twins[i] === undefined ? [] : [[v, twins[i]]])));
  if (keepFunctions(base, { graph: model.graph, inlined, before, added: paired })) return { model: base, requantized };
  options.onNotice?.("the model's functions are written out in the merged model: a weight in one of them is shared with products that were not chosen");
  return { model, requantized };
}

/** Attaches the adapter's head, if it brings one, with zeros. Returns the constants that it added. */
function addHead(model: Model, { head }: Prepared): Value[] {
  const known = new Set(model.graph.initializers);
  if (head !== undefined) attachHead(model, { ...head, start: (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  return [...model.graph.initializers].filter((v) => !known.has(v));
}

/** Gives the chosen weights of a model, whose functions are written out, their new values. Returns what rounding to integers cost. */
async function foldInto(model: Model, prepared: Prepared, runtime: OnnxRuntime, options: CommonOptions & Pick<FoldOptions, "requantize">): Promise<FoldResult["requantized"]> {
  const sites = new Map(findWeights(model.graph).map((site) => [site.name, site]));
  const parameters = new Map(findParameters(model.graph, [...sites.values()]).map((p) => [parameterName(p), p]));
  const saved = [...savedBySite(prepared)].flatMap(([own, tensors]) => {
    const site = sites.get(own.name);
    return site === undefined ? [] : [{ own, site, tensors }];
  });
  for (const { own, site } of saved) if (own.bias?.isAdded === true) addBias(model.graph, site, model.opsets);
  const evaluate = evaluateWith(runtime);
  const requantized: FoldResult["requantized"][number][] = [];
  const put: PutWeight = (graph, site, tensor) => {
    if (site.quantized !== undefined && options.requantize === true) {
      requantized.push({ modulePath: pathOf(site), dtype: dataTypeName(storedType(site)), ...requantizeWeight(graph, site, tensor) });
      return;
    }
    openProducts(graph, site, model.opsets);
    replaceWeight(graph, site, tensor);
  };
  const weights = [...bySite(prepared.adapted)];
  for (const [done, [adapted, parts]] of weights.entries()) {
    if (options.signal?.aborted === true) throw interrupted();
    const site = sites.get(adapted.name);
    if (site === undefined) throw new TypeError("the base changed while it was folded");
    put(model.graph, site, await foldWeight(parts, prepared.method, model.opsets, evaluate));
    options.onProgress?.({ phase: "folding", done: done + 1, total: weights.length, unit: "weights" });
  }
  for (const { site, tensors } of saved) replaceWhole(model.graph, site, tensors, put);
  for (const { held, start } of [...prepared.saved, ...prepared.statistics]) {
    const parameter = held === undefined ? undefined : parameters.get(parameterName(held));
    if (parameter !== undefined) replaceParameter(model.graph, parameter, start);
  }
  return requantized;
}
