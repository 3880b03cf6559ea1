/** The pipeline of normalizations that the training view goes through, so that gradient rules meet few forms. */
import type { Model } from "../ir/model.ts";
import { inferGraph } from "../ops/infer.ts";
import { mergeRepeated } from "./merge-repeated.ts";
import { normalizeConstants } from "./normalize-constants.ts";
import { openComposites } from "./open-composites.ts";
import { raiseOpset } from "./raise-opset.ts";
import { recognizeGelu } from "./recognize-gelu.ts";
import { removeDead } from "./remove-dead.ts";
import { widenHalf } from "./widen-half.ts";

/** The opset of the training view: the oldest with Gelu. ONNX Runtime reads it since 1.17. */
const TRAINING_OPSET = 20;

/** Runs every normalization, in order. */
export function normalizeForTraining(model: Model): void {
  normalizeConstants(model.graph);
  widenHalf(model);
  raiseOpset(model, TRAINING_OPSET);
  openComposites(model);
  mergeRepeated(model.graph);
  if (model.opset >= TRAINING_OPSET) recognizeGelu(model);
  removeDead(model.graph);
  inferGraph(model.graph, model.opsets);
}
