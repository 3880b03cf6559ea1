/** What a model is made of, which weights could be adapted, and what has no gradient. */
import { dataTypeName, isFloating } from "../ir/data-type.ts";
import { addDims, dimKey, type Dim } from "../ir/dim.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyGraph, everyNode } from "../ir/nested.ts";
import { elements } from "../ops/broadcast.ts";
import { inferContext } from "../ops/infer.ts";
import { definitionOf } from "../ops/registry.ts";
import { findWeights, storedType, type WeightSite } from "../passes/weights/find-weights.ts";
import { traceRoles } from "../passes/weights/trace-roles.ts";
import { gradientGaps } from "./gradient-gaps.ts";
import type { LoadableModel } from "./loadable-model.ts";
import { findLogits } from "./model-outputs.ts";
import type { InspectOptions } from "./options.ts";
import type { InspectedWeight, InspectResult } from "./results.ts";

/** Looks through a model, called `name` in the result. Works for any ONNX file; never reads its weights. */
export function inspectModel(opened: LoadableModel, name: string, options: InspectOptions = {}): InspectResult {
  const started = performance.now();
  const model = opened.loadInlined();
  const { graph } = model;
  const logits = findLogits(graph, options.outputName);
  const sites = findWeights(graph);
  traceRoles(model, sites, logits);
  const result = {
    model: name, irVersion: model.irVersion, opsets: Object.fromEntries(model.opsets),
    producer: [opened.proto.producerName, opened.proto.producerVersion].filter((t) => t !== undefined && t !== "").join(" "),
    inputs: graph.inputs.filter((v) => v.initializer === undefined).map(described), outputs: graph.outputs.map(described),
    weights: sites.map(inspectedWeight), operators: countOperators(graph), parameters: countParameters(graph, sites), flops: totalFlops(model), bytes: opened.size,
  };
  // Last, since it makes the training view of the model at hand: a second model would take as long to load as the first.
  const loss = logits ?? graph.outputs.find((v) => isFloating(v.dataType));
  const withoutGradient = loss === undefined ? [] : gradientGaps(model, loss).map(({ node, path, why }) => (
    { node: node.name, op: node.domain === "" ? node.opType : `${node.domain}::${node.opType}`, path, ...(why === undefined ? {} : { why }) }));
  return { ...result, withoutGradient, seconds: (performance.now() - started) / 1000 };
}

function described(value: Value): InspectResult["inputs"][number] {
  return { name: value.name, dtype: dataTypeName(value.dataType), shape: (value.shape ?? []).map(dimKey) };
}

/** A weight as `inspect` shows it. */
export function inspectedWeight(site: WeightSite): InspectedWeight {
  return { name: site.name, modulePath: site.modulePath ?? null, role: site.role ?? null, layer: site.layer ?? null, shape: [site.k, site.n], stored: site.stored, op: site.op,
    dtype: dataTypeName(storedType(site)) };
}

/** How often each operator stands in a graph and those nested in it, most frequent first. A Map first: "__proto__" may be an operator's name. */
function countOperators(graph: Graph): Record<string, number> {
  const counts = new Map<string, number>();
  for (const node of everyNode(graph)) {
    const name = node.domain === "" ? node.opType : `${node.domain}::${node.opType}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}

/** Numbers in the float constants of a graph and those nested in it, and in those that weights are decoded from. */
export function countParameters(graph: Graph, sites: readonly WeightSite[] = findWeights(graph)): number {
  const quantized = new Map(sites.map((site) => [site.constant, site.quantized?.integers.size ?? 0]));
  let sum = [...quantized.values()].reduce((a, b) => a + b, 0);
  for (const value of everyGraph(graph).flatMap((each) => [...each.initializers])) {
    const tensor = value.initializer;
    if (tensor !== undefined && tensor.dims.length > 0 && dataTypeName(tensor.dataType).includes("float")) sum += tensor.size;
  }
  return sum;
}

function totalFlops(model: Model): string | null {
  let sum: Dim = 0;
  for (const node of model.graph.nodes) {
    const definition = definitionOf(node);
    if (definition === undefined || definition.flops === "none") continue;
    const outputs = node.outputs.map((o) => o?.facts);
    const cost: Dim = definition.flops === "elementwise" ? elements(outputs[0]) : definition.flops(inferContext(node, model.opsets), outputs);
    if (cost !== undefined) sum = addDims(sum, cost);
  }
  return sum === undefined ? null : dimKey(sum);
}
