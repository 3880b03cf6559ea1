/** Every operator definition, found by domain and name. The family files are the list; a new family is one line here. */
import type { Node } from "../ir/graph.ts";
import * as activations from "./activations.ts";
import * as arithmetic from "./arithmetic.ts";
import * as attention from "./attention.ts";
import * as blockedProducts from "./blocked-products.ts";
import * as channelNormalizations from "./channel-normalizations.ts";
import * as constants from "./constants.ts";
import * as controlFlow from "./control-flow.ts";
import * as convolutions from "./convolutions.ts";
import type { OpDefinition } from "./define.ts";
import * as einsum from "./einsum.ts";
import * as fusedActivations from "./fused-activations.ts";
import * as fusedAttention from "./fused-attention.ts";
import * as fusedNormalizations from "./fused-normalizations.ts";
import * as fusedProducts from "./fused-products.ts";
import * as grids from "./grids.ts";
import * as indexing from "./indexing.ts";
import * as logic from "./logic.ts";
import * as losses from "./losses.ts";
import * as normalizations from "./normalizations.ts";
import * as padding from "./padding.ts";
import * as pooling from "./pooling.ts";
import * as products from "./products.ts";
import * as quantization from "./quantization.ts";
import * as random from "./random.ts";
import * as rectifiers from "./rectifiers.ts";
import * as recurrent from "./recurrent.ts";
import * as reductions from "./reductions.ts";
import * as resizing from "./resizing.ts";
import * as scatter from "./scatter.ts";
import * as shaping from "./shaping.ts";
import * as signals from "./signals.ts";
import * as softmax from "./softmax.ts";
import * as strings from "./strings.ts";
import * as trigonometry from "./trigonometry.ts";

const families = [
  activations, arithmetic, attention, blockedProducts, channelNormalizations, constants, controlFlow,
  convolutions, einsum, fusedActivations, fusedAttention, fusedNormalizations, fusedProducts, grids,
  indexing, logic, losses, normalizations, padding, pooling, products, quantization, random, rectifiers,
  recurrent, reductions, resizing, scatter, shaping, signals, softmax, strings, trigonometry,
];

/** All definitions, sorted by name; those of one name by domain. */
export const DEFINITIONS: readonly OpDefinition[] = families
  .flatMap((family) => Object.values(family).filter(isDefinition))
  .sort((a, b) => (key(a) < key(b) ? -1 : 1));

/** By domain, then by name: asked of every node by every pass, and a key of both would be a new text each time. */
const byName = new Map<string, Map<string, OpDefinition>>();
for (const d of DEFINITIONS) byName.set(d.domain, (byName.get(d.domain) ?? new Map<string, OpDefinition>()).set(d.name, d));

/** What the compiler knows of a node's operator; undefined where it knows nothing. */
export function definitionOf(node: Node): OpDefinition | undefined {
  return byName.get(node.domain)?.get(node.opType);
}

function key({ name, domain }: OpDefinition): string {
  return `${name} ${domain}`;
}

function isDefinition(exported: unknown): exported is OpDefinition {
  return typeof exported === "object" && exported !== null && "opsets" in exported && "gradient" in exported;
}
