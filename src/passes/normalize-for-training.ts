/** The pipeline of normalizations that the training view goes through, so that gradient rules meet few forms. */
import type { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";
import { mergeRepeated } from "./merge-repeated.ts";
import { normalizeConstants } from "./normalize-constants.ts";

/** Runs every normalization, in order. */
export function normalizeForTraining(model: Model): void {
  normalizeConstants(model.graph);
  mergeRepeated(model.graph);
  inferGraph(model.graph, model.opsets);
}
