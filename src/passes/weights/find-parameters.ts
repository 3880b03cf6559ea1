/**
 * Finds the tensors of modules that no product multiplies with: what a normalization scales and shifts by, embeddings, biases of their own.
 *
 * A constant's own name tells, `<module path>.<parameter>`: exporters keep PyTorch's names of parameters, and call what they make themselves otherwise.
 * Equal tensors are stored once. TorchScript hands them on through an Identity that has the second name; dynamo keeps one name, and only the scopes of
 * the nodes that read it tell the modules apart.
 */
import type { Graph, Node, Use, Value } from "../../ir/graph.ts";
import { isFloating } from "../../ir/data-type.ts";
import { everyNode } from "../../ir/nested.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { definitionOf } from "../../ops/registry.ts";
import { pathOf } from "../adapt.ts";
import { constantTensor, type WeightSite } from "./find-weights.ts";
import { isWithin, scopePath } from "./module-path.ts";

/** What PyTorch calls the mean and variance that its BatchNorm keeps. They belong to a module's state, and no gradient trains them. */
export const STATISTICS: readonly string[] = ["running_mean", "running_var"];

/** What PyTorch calls tensors that it computes or counts and never trains: they are buffers of their modules. An export doesn't tell them from parameters. */
const BUFFER = /(?:^|_)inv_freq$|_cached$|^(?:running_|embed_scale$|masked_bias$)/;

/** Whether a tensor is one that PyTorch trains, by its name. */
export function isTrained({ parameter }: Pick<ModuleParameter, "parameter">): boolean {
  return !BUFFER.test(parameter);
}

/** A tensor of a module, its shape as PyTorch has it. */
export interface ModuleParameter {
  readonly modulePath: string;
  /** Its own name: "weight", "bias", "running_mean". */
  readonly parameter: string;
  /** The name of the constant that holds it in the model as it was read. */
  readonly initializer: string;
  /** The value that holds the stored tensor. */
  readonly constant: Value;
  readonly tensor: Tensor;
  /** The module's reads of it. */
  readonly uses: Use[];
}

/** The name that PyTorch has for a parameter. */
export function parameterName({ modulePath, parameter }: Pick<ModuleParameter, "modulePath" | "parameter">): string {
  return `${modulePath}.${parameter}`;
}

/** All such tensors of a graph, those in nested graphs too, in the order in which they are read. Weights and biases of the sites are left out. */
export function findParameters(graph: Graph, sites: readonly WeightSite[]): ModuleParameter[] {
  const ofSites = new Set(sites.flatMap((s) => [`${pathOf(s)}.weight`, ...(s.bias === undefined ? [] : [`${pathOf(s)}.bias`])]));
  const isOfSite = readsOf(sites);
  const constants = new Set(sites.map((s) => s.constant));
  const reads = everyNode(graph).flatMap(readsBy);
  const atHome = new Set(reads.filter(isHome).map((r) => r.named));
  const found = new Map<string, ModuleParameter>();
  for (const read of reads) {
    const { parameter, constant, tensor, reader } = read;
    const isNamed = reader === undefined || isHome(read) || !atHome.has(read.named);
    // Dynamo may call a tied embedding by the name of the head, and give the head a copy.
    const isOthers = isNamed && reader !== undefined && !isHome(read) && ofSites.has(parameterName({ modulePath: read.path, parameter })) && !constants.has(constant);
    const modulePath = isNamed && !isOthers ? read.path : reader;
    const name = parameterName({ modulePath, parameter });
    if (ofSites.has(name) || isOfSite(read.use)) continue;
    const known = found.get(name);
    if (known === undefined) found.set(name, { modulePath, parameter, initializer: constant.name, constant, tensor, uses: [read.use] });
    else known.uses.push(read.use);
  }
  return [...found.values()];
}

/** Whether a read is one of a site's weight or bias. */
function readsOf(sites: readonly WeightSite[]): (use: Use) => boolean {
  const taken = new Map<Node, Set<number>>();
  const uses = sites.flatMap((s) => [...s.points.flatMap((p) => p.uses), ...s.bias?.uses ?? []]);
  for (const { node, index } of uses) taken.set(node, (taken.get(node) ?? new Set()).add(index));
  return ({ node, index }) => taken.get(node)?.has(index) === true;
}

/** One read of a constant that has a parameter's name. */
interface Read {
  readonly use: Use;
  /** The value that has the name. */
  readonly named: Value;
  readonly path: string;
  readonly parameter: string;
  readonly constant: Value;
  readonly tensor: Tensor;
  /** The module whose scope the reading node stands in, where dynamo tells. */
  readonly reader: string | undefined;
}

function readsBy(node: Node): Read[] {
  const definition = definitionOf(node);
  // What hands a value on reads nothing itself; what comes out of a Reshape may be read as it is.
  const carries = definition?.carries?.(node);
  if (carries === "kept" || carries === "swapped") return [];
  return node.inputs.flatMap((value, index) => {
    const found = value === undefined ? undefined : traceNamed(value);
    if (found === undefined) return [];
    const own = definition?.parameters?.includes(found.parameter) === true ? definition.parameters[index] : undefined;
    return [{ ...found, parameter: own ?? found.parameter, use: { node, index }, reader: scopePath(node) }];
  });
}

/** The constant behind a value, and the name that stands nearest to the value. */
function traceNamed(value: Value): Omit<Read, "use" | "reader"> | undefined {
  let name: Pick<Read, "named" | "path" | "parameter"> | undefined;
  for (let at: Value | undefined = value; at !== undefined;) {
    const [, path, parameter] = /^([^/:]+)\.([A-Za-z_]\w*)$/.exec(at.name) ?? [];
    if (name === undefined && path !== undefined && parameter !== undefined) name = { named: at, path, parameter };
    const tensor = constantTensor(at);
    if (tensor !== undefined) return name === undefined || !isFloating(tensor.dataType) ? undefined : { ...name, constant: at, tensor };
    const node: Node | undefined = at.producer;
    if (node === undefined || definitionOf(node)?.carries?.(node) !== "kept") return undefined;
    at = node.inputs[0];
  }
  return undefined;
}

/** Whether a read is of the module that the name says: by itself, by the module around it, or by one in it. Second calls are numbered, `norm@1`. */
function isHome({ reader = "", path }: Read): boolean {
  const module = reader.replace(/@\d+/g, "");
  return isWithin(path, module) || isWithin(module, path);
}
