/**
 * Dropout on what is trained, for the graphs of a step alone.
 *
 * Requires: a model after `adapt` and `normalizeForTraining`, its updates kept by `keepUpdates` in between. Guarantees: new inputs `seed`, `step` and `rows`; with all
 * masks true, the numbers are those without. Rules: (1) of an adapted weight, X·W' becomes X·W + D(X)·(W' − W), D(X) = mask ⊙ X / (1 − p), as PEFT's HiRA
 * and LoRA have it: the base sees all of X; (2) of a module trained whole, X·W becomes D(X)·W.
 */
import { dropoutHasNoProduct } from "../errors/training.ts";
import { DataType } from "../ir/data-type.ts";
import { Node, type Graph, type Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { holderIn } from "../ir/nested.ts";
import { ORIGIN_KEY } from "../ops/emitter.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inferNode } from "../ops/infer.ts";
import { definitionOf } from "../ops/registry.ts";
import { pathOf, type AdaptedSite, type Trainable } from "./adapt.ts";
import { randomMask, type MaskInputs } from "./random-mask.ts";
import type { WeightPoint } from "./weights/find-weights.ts";

/** Probabilities that an element is dropped, from 0 to below 1. */
export interface Dropout {
  readonly adapter: number;
  readonly head: number;
}

export interface DropoutOptions {
  readonly dropout: Dropout;
  readonly adapted: readonly AdaptedSite[];
  readonly saved: readonly Trainable[];
}

const ORIGIN = "attach-dropout";

/** Keeps other passes from merging what an adapted product was computed from. */
export function keepUpdates(adapted: readonly AdaptedSite[]): void {
  for (const point of pointsOf(adapted)) {
    point.value.pinned = true;
    if (point.updated !== undefined) point.updated.pinned = true;
  }
}

/** Throws DROPOUT_HAS_NO_PRODUCT where a rate has nothing to be applied to, or stands before a product that it can't be. */
export function attachDropout(model: Model, { dropout, adapted, saved }: DropoutOptions): void {
  const { graph } = model;
  const scalar = { dataType: DataType.INT64, shape: [] };
  const inputs: MaskInputs = { seed: graph.addInput("seed", scalar), step: graph.addInput("step", scalar), rows: graph.addInput("rows", { dataType: DataType.INT64, shape: [2] }) };
  let layer = 0;
  const drop = (op: OpBuilder, x: Value, rate: number): Value => {
    const kept = op.Where(randomMask(op, x, inputs, layer, rate), x, op.scalar(0, x));
    layer += 1;
    return kept;
  };
  const builderAt = (node: Node): OpBuilder => new OpBuilder(node.graph ?? graph, { opsets: model.opsets, origin: ORIGIN, before: node });
  if (dropout.adapter > 0) {
    if (adapted.length === 0) throw dropoutHasNoProduct("--adapter-dropout", undefined);
    for (const { site } of adapted) if (site.points.every(({ updated }) => updated === undefined || productsOf(updated).length === 0)) throw dropoutHasNoProduct("--adapter-dropout", pathOf(site));
    for (const { value, updated } of pointsOf(adapted)) {
      if (updated === undefined) continue;
      for (const { node, index, chain } of productsOf(updated)) {
        const [x, read] = [node.inputs[0], node.inputs[index]];
        if (x === undefined || read === undefined) throw dropoutHasNoProduct("--adapter-dropout", node.name);
        const op = builderAt(node);
        // A weight that was widened is cast for its update alone.
        const own = updated.dataType === value.dataType ? value : op.Cast(value, { to: updated.dataType });
        const base = chain.reduce((w, step) => again(step, model, w, node), own);
        const change = op.Mul(op.Sub(read, base), op.scalar(1 / (1 - dropout.adapter), read));
        addProduct(node, model, drop(op, x, dropout.adapter), change, index);
        node.setInput(index, base);
      }
    }
  }
  if (dropout.head > 0) {
    const products = saved.flatMap(({ parameter, uses, value, site }) => (parameter === "weight" && site !== undefined ? [...uses ?? value.uses] : []))
      .filter(({ node, index }) => holderIn(graph, node) !== undefined && definitionOf(node)?.weight?.(node)?.index === index);
    if (products.length === 0) throw dropoutHasNoProduct("--head-dropout", saved[0]?.modulePath);
    for (const { node } of products) {
      const x = node.inputs[0];
      if (x === undefined) throw dropoutHasNoProduct("--head-dropout", node.name);
      const op = builderAt(node);
      node.setInput(0, op.Mul(drop(op, x, dropout.head), op.scalar(1 / (1 - dropout.head), x)));
    }
  }
}

function pointsOf(adapted: readonly AdaptedSite[]): WeightPoint[] {
  return [...new Set(adapted.map(({ site }) => site))].flatMap((site) => site.points);
}

/** A product of an updated weight, and the nodes that hand the weight on to it. */
interface Product {
  readonly node: Node;
  readonly index: number;
  readonly chain: readonly Node[];
}

function productsOf(updated: Value, chain: readonly Node[] = []): Product[] {
  return updated.uses.flatMap(({ node, index }) => {
    const definition = definitionOf(node);
    if (definition?.weight?.(node)?.index === index) return [{ node, index, chain }];
    const [output] = node.outputs;
    return index !== 0 || definition?.carries?.(node) === undefined || output === undefined ? [] : productsOf(output, [...chain, node]);
  });
}

/** What a node that hands a weight on makes of another one, before `reader`. */
function again(node: Node, model: Model, weight: Value, reader: Node): Value {
  const graph = reader.graph as Graph;
  const made = graph.newValue(`${ORIGIN}/${node.opType}`);
  const copy = new Node({ opType: node.opType, domain: node.domain, name: graph.freshName(`${ORIGIN}/${node.opType}`), attributes: new Map(node.attributes), metadata: new Map([[ORIGIN_KEY, ORIGIN]]) },
    [weight, ...node.inputs.slice(1)], [made]);
  graph.insert([copy], reader);
  inferNode(copy, model.opsets);
  return made;
}

/** Adds the same product of other factors, without a bias, to what a product makes. */
function addProduct(node: Node, model: Model, x: Value, weight: Value, index: number): void {
  const graph = node.graph as Graph;
  const [output] = node.outputs;
  if (output === undefined) throw new TypeError("a product without an output");
  const after = graph.nodes[graph.nodes.indexOf(node) + 1];
  const metadata = new Map([...node.metadata, [ORIGIN_KEY, ORIGIN]]);
  const name = (hint: string): string => graph.freshName(`${ORIGIN}/${hint}`);
  const inputs: Value[] = [];
  [inputs[0], inputs[index]] = [x, weight];
  const second = new Node({ opType: node.opType, domain: node.domain, name: name(node.opType), attributes: new Map(node.attributes), metadata }, inputs, [graph.newValue(`${ORIGIN}/${node.opType}`)]);
  const first = graph.newValue(`${ORIGIN}/base`, output.facts);
  node.setOutput(0, first);
  const sum = new Node({ opType: "Add", name: name("Add"), metadata }, [first, second.outputs[0]], [output]);
  graph.insert([second, sum], after);
  for (const made of [second, sum]) inferNode(made, model.opsets);
}
