/**
 * Roles by topology, traced on a copy of the model whose composites are opened. Around each softmax over scores: q and k are the weights behind the
 * two sides of the product before it, v the one behind the other side of the product after it, o the first one behind that. Of the others, a weight
 * whose input comes through an activation is `down`, what feeds it is `up`, and `gate` where two do and the activation is on its side. What makes the
 * logits is the head.
 */
import { isFloating } from "../../ir/data-type.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import type { Model } from "../../ir/model.ts";
import { everyNode } from "../../ir/nested.ts";
import { definitionOf } from "../../ops/registry.ts";
import { roleView } from "../role-view.ts";
import type { Role, WeightSite } from "./find-weights.ts";
import { inputDependent } from "./input-dependent.ts";
import { layerOf, parentPath } from "./module-path.ts";
import { columnBudget, columnsReaching, type ColumnBudget } from "./trace-columns.ts";

/** How many nodes a trace may visit; between two weights of real exports stand fewer than 60. */
const MAX_VISITED = 400;
/** How many nodes may stand between a constant and the product that reads it: decoding 4-bit integers takes 9. */
const MAX_CONSTANT_STEPS = 32;

/** The products of a graph that read the weights of another, of which it is a view. */
interface Products {
  readonly siteOf: ReadonlyMap<Node, WeightSite>;
  readonly of: ReadonlyMap<WeightSite, readonly Node[]>;
  /** For following the columns of packed weights, all of them together. */
  readonly budget: ColumnBudget;
}

/** Fills in `role`, `layer` and `blocks` of a model's sites. `logits` is the output whose maker is the head; undefined where the graph has none. */
export function traceRoles(model: Model, sites: readonly WeightSite[], logits: Value | undefined): void {
  const { graph } = roleView(model);
  const products = productsOf(graph, sites);
  for (const site of headSites(sites, products, graph.outputs.find((v) => v.name === logits?.name))) site.role = "head";
  let attention = 0;
  for (const node of everyNode(graph)) {
    if (definitionOf(node)?.purpose === "softmax" && traceAttention(node, products, attention)) attention += 1;
  }
  for (const site of sites) if (site.role === undefined) traceFeedForward(site, products);
  // What no path tells: a feed-forward weight belongs to the attention before it.
  let current: number | undefined;
  for (const site of sites) {
    site.layer = (site.modulePath === undefined ? undefined : layerOf(site.modulePath)) ?? site.layer;
    if (site.role === "up" || site.role === "gate" || site.role === "down") site.layer ??= current;
    current = site.layer ?? current;
  }
}

/** Which products read which of the sites: by the names of the constants behind their weights, which the view keeps. */
function productsOf(graph: Graph, sites: readonly WeightSite[]): Products {
  const byName = new Map([...sites.map((s) => [s.constant.name, s] as const), ...sites.map((s) => [s.name, s] as const)]);
  const siteOf = new Map<Node, WeightSite>();
  const of = new Map<WeightSite, Node[]>();
  const dependent = inputDependent(graph);
  for (const node of everyNode(graph)) {
    const place = definitionOf(node)?.weight?.(node);
    const weight = place === undefined ? undefined : node.inputs[place.index];
    const site = weight === undefined || dependent.has(weight) ? undefined : siteBehind(weight, byName);
    if (site === undefined) continue;
    siteOf.set(node, site);
    const known = of.get(site);
    if (known === undefined) of.set(site, [node]);
    else known.push(node);
  }
  return { siteOf, of, budget: columnBudget() };
}

/** The site whose constant a value is computed from by what stands first in its nodes, through decoding and transposing alike. */
function siteBehind(value: Value | undefined, byName: ReadonlyMap<string, WeightSite>): WeightSite | undefined {
  let at = value;
  for (let steps = 0; at !== undefined && steps < MAX_CONSTANT_STEPS; steps += 1) {
    const found = byName.get(at.name);
    if (found !== undefined || at.initializer !== undefined) return found;
    at = at.producer?.inputs[0];
  }
  return undefined;
}

interface Reached {
  readonly site: WeightSite;
  /** Whether an activation stands between. */
  readonly activated: boolean;
}

/** The weights whose products a value is computed from, none of another product between. */
function behind(value: Value | undefined, siteOf: ReadonlyMap<Node, WeightSite>, through: (node: Node) => boolean = () => true): Reached[] {
  const found = new Map<WeightSite, Reached>();
  // A value may be reached past an activation and past none, as x in x · sigmoid(x): the way past one counts, whichever comes first.
  const seen = new Map<Value, boolean>();
  const open: { value: Value; activated: boolean }[] = value === undefined ? [] : [{ value, activated: false }];
  for (let top = open.pop(); top !== undefined && seen.size < MAX_VISITED; top = open.pop()) {
    const node = top.value.producer;
    const before = seen.get(top.value);
    if (node === undefined || before === true || before === top.activated) continue;
    seen.set(top.value, top.activated);
    const site = siteOf.get(node);
    if (site !== undefined) {
      found.set(site, { site, activated: top.activated || (found.get(site)?.activated ?? false) });
    } else if (through(node)) {
      const activated = top.activated || definitionOf(node)?.purpose === "activation";
      const made = node.subgraphs.map((nested) => nested.outputs[node.outputs.indexOf(top.value)]);
      for (const input of [...node.inputs, ...made]) if (carriesNumbers(input)) open.push({ value: input, activated });
    }
  }
  return [...found.values()];
}

/** The first weights whose products read what is computed from a value. */
function ahead(value: Value | undefined, siteOf: ReadonlyMap<Node, WeightSite>): WeightSite[] {
  const found = new Set<WeightSite>();
  const seen = new Set<Value>();
  const open = value === undefined ? [] : [value];
  for (let top = open.pop(); top !== undefined && seen.size < MAX_VISITED; top = open.pop()) {
    if (seen.has(top)) continue;
    seen.add(top);
    for (const { node } of top.uses) {
      const site = siteOf.get(node);
      if (site !== undefined) found.add(site);
      else if (definitionOf(node)?.purpose !== "normalization") open.push(...node.outputs.filter(carriesNumbers));
    }
  }
  return [...found];
}

/** Floats flow from weight to weight; shapes, masks and indices, which are made from them too, don't count. */
function carriesNumbers(value: Value | undefined): value is Value {
  return value !== undefined && (value.dataType === 0 || isFloating(value.dataType));
}

const isProduct = (node: Node): boolean => definitionOf(node)?.weight?.(node) !== undefined;

/** The nearest node behind or ahead of a value that is a product of two computed values. */
function productBehind(value: Value | undefined, siteOf: ReadonlyMap<Node, WeightSite>): Node | undefined {
  const seen = new Set<Value>();
  const open = value === undefined ? [] : [value];
  for (const at of open) {
    const node = at.producer;
    if (node === undefined || seen.size > MAX_VISITED) continue;
    if (isProduct(node) && !siteOf.has(node)) return node;
    for (const input of node.inputs) if (carriesNumbers(input) && !seen.has(input) && !siteOf.has(node)) { seen.add(input); open.push(input); }
  }
  return undefined;
}

function productAhead(value: Value | undefined, siteOf: ReadonlyMap<Node, WeightSite>): { node: Node; side: number } | undefined {
  const seen = new Set<Value>();
  const open = value === undefined ? [] : [value];
  for (const at of open) {
    for (const { node, index } of at.uses) {
      if (isProduct(node)) return siteOf.has(node) ? undefined : { node, side: index };
      for (const output of node.outputs) if (carriesNumbers(output) && !seen.has(output) && seen.size < MAX_VISITED) { seen.add(output); open.push(output); }
    }
  }
  return undefined;
}

function traceAttention(softmax: Node, products: Products, layer: number): boolean {
  const { siteOf } = products;
  const scores = productBehind(softmax.inputs[0], siteOf);
  const mixed = productAhead(softmax.outputs[0], siteOf);
  if (scores === undefined || mixed === undefined) return false;
  const free = (found: readonly Reached[]): WeightSite[] => found.map((r) => r.site).filter((s) => s.role === undefined || s.layer === layer);
  const [q, k, v] = [free(behind(scores.inputs[0], siteOf)), free(behind(scores.inputs[1], siteOf)), free(behind(mixed.node.inputs[1 - mixed.side], siteOf))];
  const claim = (sites: readonly WeightSite[], role: "q" | "k" | "v"): void => {
    for (const site of sites) {
      site.role = site.role === undefined || site.role === role ? role : "qkv";
      site.layer = layer;
    }
  };
  claim(q, "q");
  claim(k, "k");
  claim(v, "v");
  const operands = new Map<Role, Value | undefined>([["q", scores.inputs[0]], ["k", scores.inputs[1]], ["v", mixed.node.inputs[1 - mixed.side]]]);
  const all = [["q", q], ["k", k], ["v", v]] as const;
  for (const site of new Set([...q, ...k, ...v])) {
    if (site.role === "qkv") site.blocks ??= blocksOf(site, products, scores.graph, new Map(all.flatMap(([role, group]) => { const to = operands.get(role); return group.includes(site) && to !== undefined ? [[role, to]] : []; })));
  }
  for (const site of ahead(mixed.node.outputs[0], siteOf)) {
    if (site.role !== undefined) continue;
    site.role = "o";
    site.layer = layer;
  }
  return true;
}

/** The columns of each role of a packed weight; undefined where they overlap or can't be followed. */
function blocksOf(site: WeightSite, { of, budget }: Products, graph: Graph | undefined, operands: ReadonlyMap<Role, Value>): ReadonlyMap<Role, readonly number[]> | undefined {
  // Branches may each have a product of the weight: the one beside the attention counts.
  const product = of.get(site)?.find((node) => node.graph === graph);
  const blocks = product === undefined || graph === undefined ? undefined : columnsReaching(graph, product, site.n, operands, budget);
  const columns = [...blocks?.values() ?? []].flat();
  return new Set(columns).size === columns.length && [...blocks?.values() ?? []].every((block) => block.length > 0) ? blocks : undefined;
}

function traceFeedForward(down: WeightSite, { siteOf, of }: Products): void {
  const input = inputOf(of.get(down)?.[0]);
  const feeding = behind(input, siteOf, (node) => definitionOf(node)?.purpose !== "normalization").filter((r) => r.site !== down && r.site.n === down.k && r.site.role === undefined);
  if (!feeding.some((r) => r.activated)) return;
  down.role = "down";
  for (const { site, activated } of feeding) site.role = activated && feeding.length > 1 ? "gate" : "up";
}

/** What a product multiplies its weight with. */
function inputOf(product: Node | undefined): Value | undefined {
  return product?.inputs[(definitionOf(product)?.weight?.(product)?.index ?? 1) === 1 ? 0 : 1];
}

/** The last weight before the logits, and its siblings where their common parent module holds nothing else. */
function headSites(sites: readonly WeightSite[], { siteOf, of }: Products, logits: Value | undefined): WeightSite[] {
  const last = behind(logits, siteOf).map((r) => r.site);
  const [path, ...others] = new Set(last.map((s) => s.modulePath));
  if (path === undefined || others.length > 0) return last;
  const parent = parentPath(path);
  const family = sites.filter((s) => s.modulePath?.startsWith(`${parent}.`) === true);
  const near = new Set(last.flatMap((s) => behind(inputOf(of.get(s)?.[0]), siteOf).map((r) => r.site)));
  return parent !== "" && family.every((s) => last.includes(s) || near.has(s)) ? family : last;
}
