/**
 * Whether a model's own functions can be written out, counted before a single node is made: a file of a kilobyte may ask for 2^40 of them,
 * and a session of ONNX Runtime would go and do it.
 */
import { functionsTooDeep, functionsTooLarge, recursiveFunction, tooManyFunctions } from "../errors/functions.ts";
import { plainDomain } from "../ir/load.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import type { FunctionProto, NodeProto } from "../ir/proto/generated/schema.ts";

/** As many functions as ONNX Runtime reads. An export with a function for each module has some hundreds. */
const MAX_FUNCTIONS = 10_000;
/** How deep calls may be nested: ONNX Runtime's limit. Exports nest as deep as their modules, below 12. */
const MAX_DEPTH = 100;
/** Nodes of the graph once all calls are written out. The largest decoders exported have some 30,000. */
const MAX_NODES = 100_000;
/** A node with more inputs, outputs and attributes than this counts for several: a Concat of real exports stays below. */
const EDGES_PER_NODE = 64;

/** What makes a call find its function. */
type Signature = Pick<NodeProto, "domain" | "opType" | "overload">;

/** The functions of a model by what calls them; where a file defines one twice, the last counts, as for ONNX Runtime. */
export class FunctionTable {
  readonly #functions: ReadonlyMap<string, FunctionProto>;

  constructor(functions: readonly FunctionProto[]) {
    this.#functions = new Map(functions.map((f) => [keyOf({ domain: f.domain, opType: f.name, overload: f.overload }), f]));
  }

  /** The function that a node calls. It wins over an operator of the same name. */
  calledBy(node: Signature): FunctionProto | undefined {
    return this.#functions.get(keyOf(node));
  }
}

function keyOf({ domain, opType = "", overload = "" }: Signature): string {
  return JSON.stringify([plainDomain(domain), opType, overload]);
}

/** Throws HutError where the functions are too many, call themselves, are nested too deep, or would make too many nodes. */
export function checkFunctions(model: Model): void {
  const { functions, tensors: { file } } = model;
  if (functions.length === 0) return;
  if (functions.length > MAX_FUNCTIONS) throw tooManyFunctions(file, functions.length, MAX_FUNCTIONS);
  const table = new FunctionTable(functions);
  const known = new Map<FunctionProto, { readonly size: number; readonly depth: number }>();
  const measure = (f: FunctionProto, path: readonly FunctionProto[]): { readonly size: number; readonly depth: number } => {
    const measured = known.get(f);
    if (measured !== undefined) return measured;
    if (path.includes(f)) throw recursiveFunction(file, [...path.slice(path.indexOf(f)), f].map((p) => p.name ?? ""));
    if (path.length >= MAX_DEPTH) throw functionsTooDeep(file, path[0]?.name ?? "", MAX_DEPTH);
    let [size, depth] = [0, 1];
    for (const node of f.node.flatMap(withNested)) {
      const called = table.calledBy(node);
      const inner = called === undefined ? undefined : measure(called, [...path, f]);
      size += Math.ceil((1 + node.input.length + node.output.length + node.attribute.length) / EDGES_PER_NODE) + (inner?.size ?? 0);
      depth = Math.max(depth, 1 + (inner?.depth ?? 0));
    }
    if (depth > MAX_DEPTH) throw functionsTooDeep(file, f.name ?? "", MAX_DEPTH);
    known.set(f, { size, depth });
    return { size, depth };
  };
  let total = 0;
  for (const node of everyNode(model.graph)) {
    const called = table.calledBy(node);
    total += 1 + (called === undefined ? 0 : measure(called, []).size);
    if (called !== undefined && total > MAX_NODES) throw functionsTooLarge(file, MAX_NODES);
  }
}

/** A node of a message and all nodes of the graphs in its attributes. */
function withNested(node: NodeProto): NodeProto[] {
  const graphs = node.attribute.flatMap((a) => [...(a.g === undefined ? [] : [a.g]), ...a.graphs]);
  return [node, ...graphs.flatMap((graph) => graph.node.flatMap(withNested))];
}
