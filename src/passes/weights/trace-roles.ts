/**
 * Roles by topology. Around each softmax over scores: q and k are the weights behind the two sides of the product before it, v the one behind
 * the other side of the product after it, o the first one behind that. Of the others, a weight whose input comes through an activation is
 * `down`, what feeds it is `up`, and `gate` where two do and the activation is on its side. What makes the logits is the head.
 */
import { isFloating } from "../../ir/data-type.ts";
import type { Graph, Node, Value } from "../../ir/graph.ts";
import { definitionOf } from "../../ops/registry.ts";
import type { WeightSite } from "./find-weights.ts";
import { layerOf, parentPath } from "./module-path.ts";

/** How many nodes a trace may visit; between two weights of real exports stand fewer than 60. */
const MAX_VISITED = 400;

/** Fills in `role` and `layer` of the sites. `logits` is the output whose maker is the head; undefined where the graph has none. */
export function traceRoles(graph: Graph, sites: readonly WeightSite[], logits: Value | undefined): void {
  const siteOf = new Map<Node, WeightSite>(sites.flatMap((site) => site.points.flatMap((p) => p.uses.map((u) => [u.node, site] as const))));
  for (const site of headSites(sites, siteOf, logits)) site.role = "head";
  let attention = 0;
  for (const node of graph.nodes) {
    if (definitionOf(node)?.purpose === "softmax" && traceAttention(node, siteOf, attention)) attention += 1;
  }
  for (const site of sites) if (site.role === undefined) traceFeedForward(site, siteOf);
  for (const site of sites) site.layer = (site.modulePath === undefined ? undefined : layerOf(site.modulePath)) ?? site.layer;
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
      for (const input of node.inputs) if (carriesNumbers(input)) open.push({ value: input, activated });
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

function traceAttention(softmax: Node, siteOf: ReadonlyMap<Node, WeightSite>, layer: number): boolean {
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
  for (const site of ahead(mixed.node.outputs[0], siteOf)) {
    if (site.role !== undefined) continue;
    site.role = "o";
    site.layer = layer;
  }
  return true;
}

function traceFeedForward(down: WeightSite, siteOf: ReadonlyMap<Node, WeightSite>): void {
  const [product] = down.points[0]?.uses ?? [];
  const place = product?.index ?? 1;
  const input = product?.node.inputs[place === 1 ? 0 : 1];
  const feeding = behind(input, siteOf, (node) => definitionOf(node)?.purpose !== "normalization").filter((r) => r.site !== down && r.site.n === down.k && r.site.role === undefined);
  if (!feeding.some((r) => r.activated)) return;
  down.role = "down";
  for (const { site, activated } of feeding) site.role = activated && feeding.length > 1 ? "gate" : "up";
}

/** The last weight before the logits, and its siblings where their common parent module holds nothing else. */
function headSites(sites: readonly WeightSite[], siteOf: ReadonlyMap<Node, WeightSite>, logits: Value | undefined): WeightSite[] {
  const last = behind(logits, siteOf).map((r) => r.site);
  const [path, ...others] = new Set(last.map((s) => s.modulePath));
  if (path === undefined || others.length > 0) return last;
  const parent = parentPath(path);
  const family = sites.filter((s) => s.modulePath?.startsWith(`${parent}.`) === true);
  const near = new Set(last.flatMap((s) => behind(s.points[0]?.uses[0]?.node.inputs[0], siteOf).map((r) => r.site)));
  return parent !== "" && family.every((s) => last.includes(s) || near.has(s)) ? family : last;
}
