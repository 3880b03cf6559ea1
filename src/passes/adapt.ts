/**
 * Puts an updated transformation before each chosen weight's products.
 *
 * Requires: facts inferred; sites found in this graph. Guarantees: only the reads of chosen weights change; with the parameters at their
 * start, outputs are exactly the base's. Rules: (1) per weight, its parameters become initializers named after its module path, and every
 * point where products read it gets the method's subgraph, a kernel [n, c, ..] as its matrix [n, k]; (2) integers stay as they are: what changes
 * is the float weight that they are decoded to; (3) a bias is updated with its weight where the method says so; (4) what all weights share is one
 * initializer each.
 */
import { biasUnreadable, kernelUnsupported, rankOutOfRange } from "../errors/targets.ts";
import { DataType } from "../ir/data-type.ts";
import { symbol } from "../ir/dim.ts";
import { bytesOf, Tensor } from "../ir/tensor.ts";
import type { Graph, Node, Use, Value } from "../ir/graph.ts";
import { graphOf, holderIn } from "../ir/nested.ts";
import type { ParameterSpec, UpdatedTransformation, WeightShape } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { definitionOf } from "../ops/registry.ts";
import type { ModuleParameter } from "./weights/find-parameters.ts";
import type { Role, WeightPoint, WeightSite } from "./weights/find-weights.ts";

/** One trainable tensor, float32. */
export interface Trainable {
  /** Its name in graphs and manifests: `<module path>.hut_A`, `classifier.weight`. */
  readonly name: string;
  readonly modulePath: string;
  /** The parameter's own name: "hut_A", "hut_B", "weight", "bias". */
  readonly parameter: string;
  readonly shape: readonly number[];
  /** Its value at the start. */
  readonly start: Float32Array;
  /** The value of the graph that a training graph computes from instead. Pinned: it stays this very value. */
  readonly value: Value;
  /** Which reads are of the trained one; all of `value` where left out. A constant may be shared with what isn't trained. */
  readonly uses?: readonly Use[] | undefined;
  /** Whether nothing but `uses` reads `value`: its reads are those of the trained one, also where a pass has put other nodes in a reader's place. */
  readonly isAlone?: boolean | undefined;
  /** Of a tensor trained whole: its weight, or that whose bias it is. */
  readonly site?: WeightSite | undefined;
  /** Of a weight trained whole: the layout of `shape`. */
  readonly layout?: "kn" | "nk" | undefined;
  /** Of a tensor trained whole that no product has: where it stands. */
  readonly held?: ModuleParameter | undefined;
}

/** What the number of rows is called in the shapes of inputs: 1, or the batch. No exporter's name for a batch, since it is another size. */
export const ROWS = "hut_rows";

/** What is adapted by parameters of its own: a weight, or the columns of one role of a packed weight. */
export interface Part<Site = WeightSite> {
  readonly site: Site;
  /** The module that the parameters belong to: the weight's own or, for a role of a packed weight, one of another export that keeps it apart. */
  readonly modulePath: string;
  readonly block?: Block | undefined;
}

/** Columns of a packed weight, rising. */
export interface Block {
  readonly role: Role;
  readonly columns: readonly number[];
}

/** A part with its transformation; `weight` is the part's [k, n]. */
export interface AdaptedSite extends Part {
  readonly weight: WeightShape;
  readonly parameters: readonly Trainable[];
  /** Frozen tensors of the method, the same for all parts. */
  readonly shared: readonly Trainable[];
}

/** What gives a parameter its start: random numbers, or an adapter's values. No part has what is shared. */
export type StartOf = (part: Part | undefined, spec: ParameterSpec) => Float32Array;

export interface AdaptOptions {
  readonly opsets: ReadonlyMap<string, number>;
  readonly parts: readonly Part[];
  readonly method: UpdatedTransformation;
  readonly rank: number;
  /** Defaults to the rank, so that s = 1. */
  readonly alpha?: number | undefined;
  readonly rankStabilized?: boolean | undefined;
  /** Ranks of single parts, where they differ. */
  readonly rankOf?: (part: Part) => number | undefined;
  /** Scales of single parts, where an adapter tells them. */
  readonly scaleOf?: (part: Part, rank: number) => number | undefined;
  /** Whether a part counts as the second of a feed-forward block; by role where it isn't told. */
  readonly feedforwardOf?: (part: Part) => boolean | undefined;
  readonly start: StartOf;
  /** The graph leaves the scale out (s = 1), as where parameters come in from outside with s multiplied in. */
  readonly unscaled?: boolean | undefined;
  /** Parameters have the rows of a batch as a first axis, one for all at the start, and so has W'. For a method that has `applyRows`. */
  readonly perRow?: boolean | undefined;
}

/** Adapts every part. Throws HutError where the rank doesn't fit a weight. */
export function adapt(graph: Graph, options: AdaptOptions): AdaptedSite[] {
  const { method, parts } = options;
  for (const { site, modulePath } of parts) if (site.dims.length > 2 && method.peft?.kernels === "none") throw kernelUnsupported(method.name, modulePath);
  const own = parts.map((part) => withParameters(graph, part, options));
  const shared = sharedTensors(graph, own.map((part) => part.weight), options);
  const adapted = own.map((part) => ({ ...part, shared }));
  for (const [site, parts] of bySite(adapted)) insertUpdates(graph, site, parts, options);
  return adapted;
}

/** Parts of one weight together, in their order. */
export function bySite<P extends Part>(parts: readonly P[]): Map<WeightSite, P[]> {
  const groups = new Map<WeightSite, P[]>();
  for (const part of parts) groups.set(part.site, [...groups.get(part.site) ?? [], part]);
  return groups;
}

/** The name a site goes by: its module path, or its initializer's name where the export tells no path. */
export function pathOf(site: Pick<WeightSite, "modulePath" | "name">): string {
  return site.modulePath ?? site.name;
}

function withParameters(graph: Graph, part: Part, { method, start, perRow, ...options }: AdaptOptions): Omit<AdaptedSite, "shared"> {
  const { site, modulePath, block } = part;
  const rank = options.rankOf?.(part) ?? options.rank;
  const { k } = site;
  const n = block?.columns.length ?? site.n;
  if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(k, n)) throw rankOutOfRange(rank, modulePath, [k, n]);
  const scale = options.scaleOf?.(part, rank) ?? method.scale({ rank, alpha: options.alpha ?? rank, rankStabilized: options.rankStabilized });
  const weight: WeightShape = { k, n, rank, scale, feedforward: options.feedforwardOf?.(part) ?? site.role === "down" };
  // A role of a packed module has no path of its own.
  const path = block === undefined || modulePath !== pathOf(site) ? modulePath : `${modulePath}.${block.role}`;
  const parameters = method.parameters(weight).map((spec): Trainable => {
    const values = start(part, spec);
    const value = graph.addInitializer(`${path}.${spec.name}`, new Tensor(DataType.FLOAT, perRow === true ? [1, ...spec.shape] : spec.shape, bytesOf(values)));
    if (perRow === true) value.facts = { dataType: DataType.FLOAT, shape: [symbol(ROWS), ...spec.shape] };
    value.pinned = true;
    return { name: value.name, modulePath, parameter: spec.name, shape: spec.shape, start: values, value };
  });
  return { ...part, weight, parameters };
}

/** What all parts share, as large as the largest need it. */
function sharedTensors(graph: Graph, weights: readonly WeightShape[], { method, start }: AdaptOptions): Trainable[] {
  const [first] = weights;
  if (method.shared === undefined || first === undefined) return [];
  const largest = { ...first, k: Math.max(...weights.map((w) => w.k)), n: Math.max(...weights.map((w) => w.n)) };
  return method.shared(largest).map((spec): Trainable => {
    const values = start(undefined, spec);
    const value = graph.addInitializer(spec.name, new Tensor(DataType.FLOAT, spec.shape, bytesOf(values)));
    return { name: value.name, modulePath: "", parameter: spec.name, shape: spec.shape, start: values, value };
  });
}

function insertUpdates(graph: Graph, site: WeightSite, parts: readonly AdaptedSite[], { method, opsets, unscaled, perRow }: AdaptOptions): void {
  const updates = parts.map(({ block, weight, parameters, shared }) =>
    ({ block, weight: unscaled === true ? { ...weight, scale: 1 } : weight, values: [...parameters, ...shared].map((p) => p.value) }));
  for (const point of site.points) {
    const { home, before } = placeOf(point, graph);
    const op = new OpBuilder(home, { opsets, origin: "adapt", before });
    const isKernel = site.dims.length > 2;
    const matrix = isKernel ? op.Reshape(point.value, [site.n, site.k]) : point.value;
    const updated = updatedWeight(op, matrix, point.layout, site.n, perRow === true ? rowsOf(method) : method, updates);
    const shaped = isKernel ? op.Reshape(updated, site.dims) : updated;
    point.updated = shaped;
    for (const { node, index } of point.uses) node.setInput(index, shaped);
  }
  if (!updatesBias(method, updates)) return;
  if (site.bias === undefined && hasOtherBias(site)) throw biasUnreadable(method.name, pathOf(site));
  for (const { node, index } of site.bias?.uses ?? []) {
    const bias = node.inputs[index];
    const { graph: home } = node;
    if (bias === undefined || home === undefined) throw new TypeError("a bias that nothing reads");
    node.setInput(index, updatedBias(new OpBuilder(home, { opsets, origin: "adapt", before: node }), bias, site.n, method, updates));
  }
}

/** Whether a method updates the biases of its weights too. */
export function updatesBias(method: UpdatedTransformation, updates: readonly Pick<AdaptedSite, "weight">[]): boolean {
  return updates.some(({ weight }) => method.updatesBias?.(weight) === true);
}

/** Whether a product has a bias that is no constant of floats: its own, or a vector that is added to what it makes. */
function hasOtherBias({ points, n }: WeightSite): boolean {
  return points.flatMap((p) => p.uses).some(({ node }) => {
    const own = definitionOf(node)?.weight?.(node)?.bias;
    if (own !== undefined && node.inputs[own] !== undefined) return true;
    const added = node.outputs[0]?.uses.filter((use) => use.node.opType === "Add").map((use) => use.node.inputs[1 - use.index]);
    return added?.some((value) => value?.shape?.length === 1 && value.shape[0] === n) === true;
  });
}

/** b' of a bias [n], which a method updates as it does a row of the weight. */
export function updatedBias(op: OpBuilder, b: Value, n: number, method: UpdatedTransformation, updates: readonly Update[]): Value {
  return op.Reshape(updatedWeight(op, op.Reshape(b, [1, n]), "kn", n, method, updates.filter(({ weight }) => method.updatesBias?.(weight) === true)), [n]);
}

/** The method for parameters of each row. */
function rowsOf(method: UpdatedTransformation): UpdatedTransformation {
  const { applyRows } = method;
  if (applyRows === undefined) throw new TypeError(`a method without rows: ${method.name}`);
  return { ...method, apply: applyRows };
}

/** A part and the values of its parameters in the graph at hand. */
export interface Update {
  readonly block?: Block | undefined;
  readonly weight: WeightShape;
  readonly values: readonly Value[];
}

/**
 * Emits W' of w, [k, n] or [n, k] (behind the rows, where parameters have them): U of the whole or, of a packed weight, U of each part on its columns, the others as they are. Columns that don't
 * lie side by side are first brought together, and put back.
 */
export function updatedWeight(op: OpBuilder, w: Value, layout: "kn" | "nk", n: number, method: UpdatedTransformation, updates: readonly Update[]): Value {
  const [first] = updates;
  if (first === undefined) return w;
  if (first.block === undefined) return method.apply(op, w, first.values, first.weight, layout);
  const axis = layout === "kn" ? 1 : 0;
  const { order, pieces } = sideBySide(n, updates);
  const isMoved = order.some((column, i) => column !== i);
  const sorted = isMoved ? op.Gather(w, op.ints(order), { axis }) : w;
  const cut = pieces.length === 1 ? [sorted] : op.Split(sorted, pieces.map((p) => p.width), { axis }, pieces.length);
  const updated = pieces.map(({ update }, i) => {
    const piece = cut[i];
    if (piece === undefined) throw new TypeError("fewer pieces than widths");
    return update === undefined ? piece : method.apply(op, piece, update.values, update.weight, layout);
  });
  // Of parameters of each row, W' has the rows as an axis more.
  const stacked = updated.find((piece) => piece.shape?.length === 3);
  const lead = stacked === undefined ? 0 : 1;
  const whole = pieces.length === 1 ? updated[0] : op.Concat(stacked === undefined ? updated : updated.map((piece) => forRows(op, piece, stacked)), { axis: axis + lead });
  if (whole === undefined) throw new TypeError("a weight without columns");
  return isMoved ? op.Gather(whole, op.ints(order.map((_, column) => order.indexOf(column))), { axis: axis + lead }) : whole;
}

/** A piece that nobody updates once for each row that `stacked` has. */
function forRows(op: OpBuilder, piece: Value, stacked: Value): Value {
  if (piece.shape?.length === 3) return piece;
  return op.Expand(piece, op.Concat([op.Slice(op.Shape(stacked), [0], [1]), op.ints([1, 1])], { axis: 0 }));
}

/** The columns in an order in which each update's lie side by side, what nobody updates between; as they are where they do already. */
function sideBySide(n: number, updates: readonly Update[]): { order: number[]; pieces: { width: number; update: Update | undefined }[] } {
  const owner = new Map(updates.flatMap((update) => (update.block?.columns ?? []).map((column) => [column, update] as const)));
  const order: number[] = [];
  const pieces: { width: number; update: Update | undefined }[] = [];
  const done = new Set<Update>();
  for (let column = 0; column < n; column += 1) {
    const update = owner.get(column);
    if (update !== undefined && done.has(update)) continue;
    const columns = update?.block?.columns ?? [column];
    const last = pieces.at(-1);
    if (update === undefined && last !== undefined && last.update === undefined) last.width += 1;
    else pieces.push({ width: columns.length, update });
    if (update !== undefined) done.add(update);
    order.push(...columns);
  }
  return { order, pieces };
}

/** The graph that holds the value which is read, and its first node that reads it or holds one that does: branches that read one weight read one W'. */
export function placeOf(point: Pick<WeightPoint, "value" | "uses">, graph: Graph): { readonly home: Graph; readonly before: Node | undefined } {
  const [use] = point.uses;
  const home = (use === undefined ? undefined : graphOf(point.value, use.node)) ?? graph;
  const readers = new Set(point.uses.map(({ node }) => holderIn(home, node)));
  const [only] = readers;
  // Nearly every weight has one, and looking for it in the list would take the number of weights times that of nodes.
  return { home, before: readers.size === 1 && only !== undefined ? only : home.nodes.find((node) => readers.has(node)) };
}

/**
 * The layout that PyTorch has a module's weight in. A Linear's is [n, k]. GPT-2's Conv1D keeps [k, n], and exporters keep it so under its own name, where they rename a
 * Linear's that they turn.
 */
export function torchLayout({ stored, op, name, dims }: Pick<WeightSite, "stored" | "op" | "name" | "dims">): "kn" | "nk" {
  return stored === "kn" && op === "Gemm" && dims.length === 2 && name.endsWith(".weight") ? "kn" : "nk";
}

/** A matrix [k, n] brought from one layout into another. */
export function inLayout(values: Float32Array, { k, n }: { readonly k: number; readonly n: number }, from: "kn" | "nk", to: "kn" | "nk"): Float32Array {
  if (from === to) return values;
  const [rows, columns] = from === "kn" ? [k, n] : [n, k];
  return transposed(values, rows, columns);
}

/** [rows, columns] → [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i += 1) for (let j = 0; j < columns; j += 1) result[j * rows + i] = values[i * columns + j] ?? 0;
  return result;
}
