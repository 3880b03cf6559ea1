/** What stands in the way of training: looked for beforehand, in the very form that training differentiates. */
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { definitionOf } from "../ops/registry.ts";
import { nodesWithoutGradient } from "../passes/differentiate.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import { inputDependent } from "../passes/weights/input-dependent.ts";
import { decideBranches } from "./training-graphs.ts";

/**
 * The nodes between the weights of products and the output `loss` that have no gradient rule, each with the way that leads through it. `model` is a copy
 * with its functions written out, which becomes the training view.
 */
export function gradientGaps(model: Model, loss: Value): { node: Node; path: string[] }[] {
  const at = model.graph.outputs.indexOf(loss);
  decideBranches(model, loss);
  normalizeForTraining(model);
  const { graph } = model;
  const output = graph.outputs[at];
  return output === undefined ? [] : nodesWithoutGradient(graph, output, constantWeights(graph), model.opsets);
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
