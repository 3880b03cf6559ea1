/**
 * A copy of a model in which roles are traced: composites opened, so that every attention is products around a softmax, whatever form it came in.
 * Constants keep their names, by which a weight is found in both; no weight is read.
 */
import { modelFromProto } from "../ir/load.ts";
import { factsOf, setFacts } from "../ir/facts.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { modelToProto } from "../ir/save.ts";
import { inferGraph } from "../ops/infer.ts";
import { definitionOf } from "../ops/registry.ts";
import { inlineFunctions } from "./inline-functions.ts";
import { normalizeConstants } from "./normalize-constants.ts";
import { openComposites } from "./open-composites.ts";

/** The copy, with the facts that were inferred of the original; the model itself where nothing is to be opened. */
export function roleView(model: Model): Model {
  if (model.functions.length === 0 && !everyNode(model.graph).some((node) => definitionOf(node)?.opens !== undefined)) return model;
  const view = modelFromProto(modelToProto(model), { ...model.tensors, file: "view" });
  setFacts(view.graph, factsOf(model.graph));
  const { calls } = inlineFunctions(view);
  normalizeConstants(view.graph);
  if (calls > 0) inferGraph(view.graph, view.opsets);
  if (openComposites(view) > 0) inferGraph(view.graph, view.opsets);
  return view;
}
