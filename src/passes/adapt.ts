/**
 * Puts an updated transformation before each chosen weight's products, and takes chosen modules as trained whole.
 *
 * Requires: facts inferred; sites found in this graph. Guarantees: only the reads of chosen weights change; with the parameters at their
 * start, outputs are exactly the base's. Rules: (1) per weight, its parameters become initializers named after its module path, and every
 * point where products read it gets the method's subgraph, a kernel [n, c, ..] as its matrix [n, k]; (2) a module trained whole keeps its
 * place: its tensors become trainable values; (3) integers stay as they are: what changes is the float weight that they are decoded to.
 */
import { HutError, quote } from "../errors/hut-error.ts";
import { Tensor } from "../ir/tensor.ts";
import type { Graph, Node, Use, Value } from "../ir/graph.ts";
import { graphOf, holderIn } from "../ir/nested.ts";
import type { ParameterSpec, UpdatedTransformation, WeightShape } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import type { WeightPoint, WeightSite } from "./weights/find-weights.ts";
import { float32Of, storedFloats } from "./weights/weight-values.ts";

/** Rank of the low-rank product where nothing else is said. */
export const DEFAULT_RANK = 8;

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
  /** Of a weight trained whole: the layout of `shape`. */
  readonly layout?: "kn" | "nk" | undefined;
}

/** A weight with its transformation. */
export interface AdaptedSite {
  readonly site: WeightSite;
  readonly modulePath: string;
  readonly weight: WeightShape;
  readonly parameters: readonly Trainable[];
}

/** What gives a parameter its start: random numbers, or an adapter's values. */
export type StartOf = (modulePath: string, spec: ParameterSpec) => Float32Array;

export interface AdaptOptions {
  readonly opsets: ReadonlyMap<string, number>;
  readonly sites: readonly WeightSite[];
  readonly method: UpdatedTransformation;
  readonly rank: number;
  /** Defaults to the rank, so that s = 1. */
  readonly alpha?: number | undefined;
  /** Ranks of single modules, where they differ. */
  readonly rankOf?: (modulePath: string) => number | undefined;
  readonly start: StartOf;
}

/** Adapts every site. Throws HutError where the rank doesn't fit a weight. */
export function adapt(graph: Graph, options: AdaptOptions): AdaptedSite[] {
  return options.sites.map((site) => adaptSite(graph, site, options));
}

/** The name a site goes by: its module path, or its initializer's name where the export tells no path. */
export function pathOf(site: WeightSite): string {
  return site.modulePath ?? site.name;
}

function adaptSite(graph: Graph, site: WeightSite, options: AdaptOptions): AdaptedSite {
  const { method } = options;
  const modulePath = pathOf(site);
  const rank = options.rankOf?.(modulePath) ?? options.rank;
  const { k, n } = site;
  if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(k, n)) throw badRank(rank, modulePath, k, n);
  const weight: WeightShape = { k, n, rank, alpha: options.alpha ?? rank };
  const parameters = method.parameters(weight).map((spec): Trainable => {
    const start = options.start(modulePath, spec);
    const value = graph.addInitializer(`${modulePath}.${spec.name}`, Tensor.floats(spec.shape, start));
    value.pinned = true;
    return { name: value.name, modulePath, parameter: spec.name, shape: spec.shape, start, value };
  });
  for (const point of site.points) {
    const { home, before } = placeOf(point, graph);
    const op = new OpBuilder(home, { opsets: options.opsets, origin: "adapt", before });
    const isKernel = site.dims.length > 2;
    const matrix = isKernel ? op.Reshape(point.value, [n, k]) : point.value;
    const updated = method.apply(op, matrix, parameters.map((p) => p.value), weight, point.layout);
    const shaped = isKernel ? op.Reshape(updated, site.dims) : updated;
    for (const { node, index } of point.uses) node.setInput(index, shaped);
  }
  return { site, modulePath, weight, parameters };
}

/** The graph that holds the value which products read, and its first node that does or holds one: branches that read one weight read one W'. */
function placeOf(point: WeightPoint, graph: Graph): { readonly home: Graph; readonly before: Node | undefined } {
  const [use] = point.uses;
  const home = (use === undefined ? undefined : graphOf(point.value, use.node)) ?? graph;
  const readers = new Set(point.uses.map(({ node }) => holderIn(home, node)));
  return { home, before: home.nodes.find((node) => readers.has(node)) };
}

function badRank(rank: number, modulePath: string, k: number, n: number): HutError {
  return new HutError("RANK_OUT_OF_RANGE", { rank, modulePath, shape: [k, n] },
    `The rank ${String(rank)} doesn't fit ${quote(modulePath)}, a weight of [${String(k)}, ${String(n)}]: it must be a whole number from 1 to ${String(Math.min(k, n))}.`);
}

/** A module trained whole: its weight as the products read it, and its bias. Throws HutError where products read it in both layouts. */
export function trainWhole(site: WeightSite): Trainable[] {
  const modulePath = pathOf(site);
  const [point] = site.points;
  if (point === undefined) throw new TypeError("a weight that nothing reads");
  if (site.points.some((p) => p.layout !== point.layout)) throw readBothWays(modulePath);
  const shape = site.dims.length > 2 ? site.dims : point.layout === "kn" ? [site.k, site.n] : [site.n, site.k];
  point.value.pinned = true;
  const weight: Trainable = { name: `${modulePath}.weight`, modulePath, parameter: "weight", shape, value: point.value, uses: site.points.flatMap((p) => p.uses), layout: point.layout,
    start: inLayout(storedFloats(site), site, site.stored, point.layout) };
  const { bias } = site;
  const [use] = bias?.uses ?? [];
  const biasValue = use?.node.inputs[use.index];
  if (bias === undefined || biasValue === undefined) return [weight];
  biasValue.pinned = true;
  return [weight, { name: `${modulePath}.bias`, modulePath, parameter: "bias", shape: [site.n], value: biasValue, uses: bias.uses, start: float32Of(bias.tensor) }];
}

function readBothWays(modulePath: string): HutError {
  return new HutError("READ_BOTH_WAYS", { modulePath }, `${quote(modulePath)} can't be trained whole: some products read its weight as it is and some transposed. Leave it out of --modules-to-save, or adapt it instead.`);
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
