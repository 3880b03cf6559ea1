/**
 * Lets a batch's rows have weights of their own: x · W with W [rows, k, n], where rows is 1 or the batch.
 *
 * `readyForRows` requires: facts inferred; what is chosen found in this graph; products that decode their weight opened. Guarantees: each chosen weight is read by
 * MatMuls alone, whose other side holds the batch row by row. `giveRows` requires: the weight or bias that a node reads has the rows as its first axis.
 * Guarantees: outputs stay the very values they were, and row i is computed with the weight's row i.
 * Rules: (1) a product that does more than multiply becomes a MatMul and what else it does; (2) x [.., k] becomes [rows, T, k], and the result what it
 * was, unless x is [batch, T, k]; (3) a bias [rows, n] is added as [rows, 1, n], to what is laid out the same way.
 */
import { rowsBatchUnknown, rowsImpossible, rowsMethodUnsupported } from "../errors/swap.ts";
import { divideExactly, sameDim, SymbolicDim, type Dim } from "../ir/dim.ts";
import type { Graph, Node, Use, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inOrder } from "../ops/movement.ts";
import { definitionOf } from "../ops/registry.ts";
import { pathOf, type AdaptedSite, type Trainable } from "./adapt.ts";
import { openProducts } from "./open-products.ts";
import type { ModuleParameter } from "./weights/find-parameters.ts";
import type { WeightSite } from "./weights/find-weights.ts";

/** What is to have rows: weights that are adapted or trained whole, and the other tensors trained whole, which can't. */
export interface RowChoice {
  readonly method: UpdatedTransformation;
  readonly sites: readonly WeightSite[];
  readonly parameters: readonly Pick<ModuleParameter, "modulePath" | "parameter">[];
}

/** The names of the inputs whose first axis is the batch: that of the first whose first size is free. */
export function batchInputs({ inputs }: Graph): string[] {
  const batch = batchOf(inputs);
  return inputs.filter((v) => v.initializer === undefined && batch !== undefined && sameDim(v.shape?.[0], batch)).map((v) => v.name);
}

/** Makes a model ready for weights by the row, as above. Throws HutError where a module can't have them. */
export function readyForRows({ graph, opsets }: Model, { method, sites, parameters: [other] }: RowChoice): void {
  if (method.applyRows === undefined) throw rowsMethodUnsupported(method.name);
  const batch = batchOf(graph.inputs);
  if (batch === undefined) throw rowsBatchUnknown();
  if (other !== undefined) throw rowsImpossible(other.modulePath, `its ${other.parameter} belongs to no product`);
  for (const site of sites) {
    openProducts(graph, site, opsets, "plain");
    for (const { node } of site.points.flatMap((p) => p.uses)) {
      if (definitionOf(node)?.plain !== "itself") throw rowsImpossible(pathOf(site), `${node.opType} has one weight for all rows`);
      requireRows(node.inputs[0], site, batch);
    }
    for (const { node, index } of site.bias?.uses ?? []) requireRows(node.inputs[1 - index], site, batch);
  }
}

/** Lays out what meets the weights and biases that have rows: of the adapted weights and of the tensors trained whole. Returns how many reads there are. */
export function giveRows({ opsets }: Model, adapted: readonly AdaptedSite[], whole: readonly Trainable[]): number {
  const products = [...new Set(adapted.map((a) => a.site))].flatMap((site) => site.points.flatMap((p) => p.uses));
  const reads = [...products, ...whole.flatMap((t) => t.uses ?? [])];
  for (const use of reads) layOut(use, opsets);
  return reads.length;
}

function batchOf(inputs: readonly Value[]): SymbolicDim | undefined {
  return inputs.filter((v) => v.initializer === undefined).map((v) => v.shape?.[0]).find((d) => d instanceof SymbolicDim);
}

function requireRows(x: Value | undefined, site: WeightSite, batch: SymbolicDim): void {
  if (x === undefined || !isByRow(x, batch)) throw rowsImpossible(pathOf(site), `whether ${JSON.stringify(x?.name ?? "")}, which meets it, holds the batch row by row can't be told`);
}

/** Whether a value holds the batch row by row, [batch·.., ..]: its first axis is the batch, or it was laid out anew or computed of one such, place by place. */
function isByRow(value: Value, batch: SymbolicDim): boolean {
  const first = value.shape?.[0];
  if (sameDim(first, batch)) return true;
  const node = value.producer;
  const definition = node === undefined ? undefined : definitionOf(node);
  if (node === undefined || definition === undefined || divideExactly(first, batch) === undefined) return false;
  const [x] = node.inputs;
  if (x !== undefined && (definition.moves === inOrder || definition.carries?.(node) === "kept" || definition.plain !== undefined)) return isByRow(x, batch);
  return isElementwise(node) && node.inputs.some((input) => input !== undefined && sameDim(input.shape?.[0], first) && sameRank(input, value) && isByRow(input, batch));
}

function isElementwise(node: Node): boolean {
  const { flops, purpose } = definitionOf(node) ?? {};
  return flops === "elementwise" || purpose === "activation";
}

function sameRank(a: Value, b: Value): boolean {
  return a.shape?.length === b.shape?.length;
}

/** x · W with W [rows, k, n], or y + b with b [rows, n]. */
function layOut({ node, index }: Use, opsets: ReadonlyMap<string, number>): void {
  const { graph } = node;
  const [own, x, [output]] = [node.inputs[index], node.inputs[1 - index], node.outputs];
  if (graph === undefined || own === undefined || x?.shape === undefined || output === undefined) throw new TypeError("a node that readyForRows has not seen");
  const op = new OpBuilder(graph, { opsets, origin: "give-rows", before: node });
  const isBias = own.shape?.length === 2;
  const stacked = isBias ? op.Unsqueeze(own, [1]) : own;
  node.setInput(index, stacked);
  if (x.shape.length === 3) return;
  const rows = op.Slice(op.Shape(stacked), [0], [1]);
  node.setInput(1 - index, op.Reshape(x, op.Concat([rows, op.ints([-1, width(own, isBias ? -1 : -2)])], { axis: 0 })));
  const made = graph.newValue(`${output.name}/rows`, { dataType: output.dataType, shape: [undefined, undefined, own.shape?.at(-1)] });
  node.setOutput(0, made);
  const after = new OpBuilder(graph, { opsets, origin: "give-rows", before: graph.nodes[graph.nodes.indexOf(node) + 1] });
  const n = width(own, -1);
  const flat = after.Reshape(made, x.shape.length === 2 ? after.ints([-1, n]) : after.Concat([after.Slice(after.Shape(x), [0], [-1]), after.ints([n])], { axis: 0 }));
  flat.producer?.setOutput(0, output);
}

function width(value: Value, at: number): number {
  const size: Dim = value.shape?.at(at);
  if (typeof size !== "number") throw new TypeError(`the width of "${value.name}" must be known`);
  return size;
}
