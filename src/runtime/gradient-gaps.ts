/** What stands in the way of training: looked for beforehand, in the very form that training differentiates. */
import { HutError } from "../errors/hut-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import { dependsOn, differentiate, nodesWithoutGradient, pathToLoss, type GradientGap } from "../passes/differentiate.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import { everyRuleFits } from "../passes/try-rules.ts";
import { inputDependent } from "../passes/weights/input-dependent.ts";
import { decideBranches } from "./training-graphs.ts";

/**
 * The nodes between the weights of products and the output `loss` that have no gradient rule, each with the way that leads through it; where all have one,
 * the first whose rule does not fit what it finds. `model` has its functions written out and facts inferred, and may become the training view.
 */
export function gradientGaps(model: Model, loss: Value): GradientGap[] {
  // Where the graph's own operators have rules that fit, so has the training view, which takes longer to make than all else that `inspect` does.
  if (everyRuleFits(model.graph, loss, constantWeights(model.graph), model.opsets)) return [];
  const at = model.graph.outputs.indexOf(loss);
  decideBranches(model, loss);
  normalizeForTraining(model);
  const { graph } = model;
  const output = graph.outputs[at];
  if (output === undefined) return [];
  const weights = constantWeights(graph);
  const gaps = nodesWithoutGradient(graph, output, weights, model.opsets);
  return gaps.length > 0 ? gaps : failingRules(model, output, weights);
}

/** Tries the rules from the output back to the first weight that it depends on, behind which the others stand. */
function failingRules({ graph, opsets }: Model, output: Value, weights: readonly Value[]): GradientGap[] {
  // What a branch holds for itself, nothing outside of it can be differentiated by.
  const own = weights.filter((weight) => graph.initializers.has(weight) || weight.producer?.graph === graph);
  const first = own.find((weight) => dependsOn(graph, output, weight));
  if (first === undefined || everyRuleFits(graph, output, [first], opsets)) return [];
  const seed = new OpBuilder(graph, { opsets, origin: "inspect" }).Mul(output, output);
  try {
    differentiate(graph, { opsets, loss: output, seed, wrt: [first] });
    return [];
  } catch (error) {
    if (!(error instanceof HutError)) throw error;
    const node = everyNode(graph).find((n) => n.name === error.details["node"]);
    if (node === undefined) throw error;
    return [{ node, path: pathToLoss(graph, node, output, [first]), why: error.message }];
  }
}

/** What products take for a weight and no input of the graph has a part in. */
function constantWeights(graph: Graph): Value[] {
  const dependent = inputDependent(graph);
  return [...new Set(everyNode(graph).flatMap((node) => {
    const place = definitionOf(node)?.weight?.(node);
    const weight = place === undefined ? undefined : node.inputs[place.index];
    return weight === undefined || dependent.has(weight) ? [] : [weight];
  }))];
}
