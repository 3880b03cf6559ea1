/** An adapter put into its base's weights: the whole of folding, less opening and writing files. */
import { interrupted } from "../errors/runtime.ts";
import { dataTypeName } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";
import { bySite, pathOf } from "../passes/adapt.ts";
import { addBias } from "../passes/add-bias.ts";
import { attachHead } from "../passes/attach-head.ts";
import { foldBias, foldWeight, replaceBias, replaceParameter, replaceTied, replaceWeight, replaceWhole, type Evaluate, type PutWeight } from "../passes/fold.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { constantsOf, keepFunctions } from "../passes/keep-functions.ts";
import { openProducts } from "../passes/open-products.ts";
import { presentLogits } from "../passes/present-logits.ts";
import { requantizeWeight } from "../passes/requantize.ts";
import { findParameters, parameterName } from "../passes/weights/find-parameters.ts";
import { findTied, sharedEmbeddings } from "../passes/weights/find-tied.ts";
import { findWeights, storedType, type WeightSite } from "../passes/weights/find-weights.ts";
import { savedBySite } from "./adapted-modules.ts";
import type { Loadable } from "./loadable-model.ts";
import type { CommonOptions, FoldOptions } from "./options.ts";
import type { FoldResult } from "./results.ts";
import type { Prepared } from "./prepare.ts";

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
 * weight that products in a function share with others which were not chosen has none, and then they are written out. New weights are computed when they
 * are asked for, so `evaluate` has to live until the model is written.
 */
export async function foldedModel(base: Loadable, prepared: Prepared, evaluate: Evaluate, options: CommonOptions & Pick<FoldOptions, "requantize">): Promise<FoldedModel> {
  const model = base.load();
  const hasFunctions = model.functions.length > 0;
  const inlined = inlineFunctions(model);
  if (hasFunctions) inferGraph(model.graph, model.opsets);
  const outputs = model.graph.outputs.map((v) => v.facts);
  const added = addHead(model, prepared);
  const before = constantsOf(model.graph);
  const requantized = await foldInto(model, prepared, evaluate, options);
  if (!hasFunctions) return { model, requantized };
  const kept = base.load();
  // What a function makes is known in the inlined model alone.
  kept.graph.outputs.forEach((v, i) => { v.facts = outputs[i]; });
  const twins = addHead(kept, prepared);
  const paired = new Map(added.flatMap((v, i) => (twins[i] === undefined ? [] : [[v, twins[i]]])));
  if (keepFunctions(kept, { graph: model.graph, inlined, before, added: paired })) return { model: kept, requantized };
  options.onNotice?.("the model's functions are written out in the merged model: a weight in one of them is shared with products that were not chosen");
  return { model, requantized };
}

/** Gives a model's logits the form in which model folders are read. Returns them; undefined where the model has none. */
export function presentLogitsOf(model: Model, { logits }: Prepared): Value | undefined {
  const found = model.graph.outputs.find((v) => v.name === logits?.name);
  return found === undefined ? undefined : presentLogits(model, found);
}

/** Attaches the adapter's head, if it brings one, with zeros. Returns the constants that it added. */
function addHead(model: Model, { head }: Prepared): Value[] {
  const known = new Set(model.graph.initializers);
  if (head !== undefined) attachHead(model, { ...head, start: (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  return [...model.graph.initializers].filter((v) => !known.has(v));
}

/** Gives the chosen weights of a model, whose functions are written out, their new values. Returns what rounding to integers cost. */
async function foldInto(model: Model, prepared: Prepared, evaluate: Evaluate, options: CommonOptions & Pick<FoldOptions, "requantize">): Promise<FoldResult["requantized"]> {
  const sites = new Map(findWeights(model.graph).map((site) => [site.name, site]));
  const whole = [...prepared.saved, ...prepared.statistics].filter(({ held }) => held !== undefined);
  const all = prepared.method.trains === "everything";
  const found = whole.length === 0 ? [] : findParameters(model.graph, [...sites.values()]);
  const parameters = new Map((all ? sharedEmbeddings(found) : found).map((p) => [parameterName(p), p]));
  const saved = [...savedBySite(prepared)].flatMap(([own, tensors]) => {
    const site = sites.get(own.name);
    return site === undefined ? [] : [{ own, site, tensors }];
  });
  for (const { own, site } of saved) if (own.bias?.isAdded === true) addBias(model.graph, site, model.opsets);
  const requantized: FoldResult["requantized"][number][] = [];
  const put: PutWeight = (graph, site, tensor) => {
    // The integers follow from the numbers, so these are there already.
    if (site.quantized !== undefined && options.requantize === true) {
      requantized.push({ modulePath: pathOf(site), dtype: dataTypeName(storedType(site)), ...requantizeWeight(graph, site, tensor) });
      return;
    }
    openProducts(graph, site, model.opsets);
    replaceWeight(graph, site, tensor);
  };
  for (const [adapted, parts] of bySite(prepared.adapted)) {
    if (options.signal?.aborted === true) throw interrupted();
    const site = sites.get(adapted.name);
    if (site === undefined) throw new TypeError("the base changed while it was folded");
    const folded = foldWeight(parts, prepared.method, model.opsets, evaluate);
    put(model.graph, site, site.quantized !== undefined && options.requantize === true ? await folded.resolved() : folded);
    const bias = foldBias(parts, prepared.method, model.opsets, evaluate);
    if (bias !== undefined) replaceBias(model.graph, site, bias);
  }
  for (const { site, tensors } of saved) replaceWhole(model.graph, site, tensors, put);
  const tied = all ? findTied([...sites.values()], [...parameters.values()]) : [];
  for (const { held, start } of whole) {
    if (held === undefined) continue;
    const name = parameterName(held);
    const twin = tied.find((t) => parameterName(t.parameter) === name);
    const parameter = parameters.get(name);
    if (twin !== undefined) replaceTied(model.graph, twin, start, put);
    else if (parameter !== undefined) replaceParameter(model.graph, parameter, start);
  }
  return requantized;
}
