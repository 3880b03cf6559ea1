/**
 * Writes out a model's own functions: every call is replaced by the nodes of the function's body.
 *
 * Guarantees: no call of a model-local function is left, and no function; graph outputs keep their names; the nodes keep their metadata. Facts of
 * the new values are to be inferred anew. Rules: (1) a Constant of a body becomes one initializer of the model, however often the function is
 * called, so that one weight stays one; (2) an attribute that refers to the call's takes that value, or the function's default, or goes;
 * (3) what the call leaves out, the nodes leave out; (4) a node is called `<call>/<its own name>`, so that the module path that the two spell
 * can be read; (5) a body in an older opset is brought to the model's. Throws HutError where `checkFunctions` does, and where a body speaks
 * an opset that the model can't.
 */
import { functionNotInlinable } from "../errors/functions.ts";
import type { Attribute } from "../ir/attribute.ts";
import { Node, type Graph, type Value } from "../ir/graph.ts";
import { plainDomain, readFunction, type FunctionBody } from "../ir/load.ts";
import type { Model } from "../ir/model.ts";
import { everyGraph, everyNode } from "../ir/nested.ts";
import { attributeProto, type FunctionProto, type NodeProto } from "../ir/proto/generated/schema.ts";
import { tensorOfConstant } from "../ops/constants.ts";
import { checkFunctions, FunctionTable } from "./check-functions.ts";
import { canRaise, OLDEST_RAISED, raiseNode } from "./raise-node.ts";
import { replaceOutput } from "./replace-output.ts";
import { schemaOf } from "./schema-of.ts";

/**
 * How much of a call's name, and of a node's own, goes into the names that are made, in characters; names of real exports stay below 200. Without it a
 * long name would be written once for every node of every call.
 */
const MAX_PART = 512;

/** Where an initializer was a Constant in the body of a function. */
export interface FunctionConstant {
  readonly function: FunctionProto;
  readonly node: NodeProto;
}

/** What was written out. */
export interface InlinedFunctions {
  /** How many calls, those inside bodies for every call of the body. */
  readonly calls: number;
  /** The initializers that came from bodies, and where each stood. */
  readonly constants: ReadonlyMap<Value, FunctionConstant>;
}

/** Writes all calls out. Changes `model`. */
export function inlineFunctions(model: Model): InlinedFunctions {
  checkFunctions(model);
  const inliner = new Inliner(model);
  if (model.functions.length > 0) inliner.inline(model.graph);
  model.functions = [];
  return inliner;
}

class Inliner implements InlinedFunctions {
  calls = 0;
  readonly constants = new Map<Value, FunctionConstant>();
  readonly #model: Model;
  readonly #table: FunctionTable;
  readonly #initializers = new Map<NodeProto, Value>();
  readonly #prefixes = new Map<string, number>();

  constructor(model: Model) {
    this.#model = model;
    this.#table = new FunctionTable(model.functions);
  }

  inline(graph: Graph): void {
    const calls: Node[] = [];
    for (const node of [...graph.nodes]) {
      const called = this.#table.calledBy(node);
      if (called === undefined) {
        for (const sub of node.subgraphs) this.inline(sub);
        continue;
      }
      this.#expand(graph, node, called);
      calls.push(node);
    }
    graph.remove(calls);
    this.calls += calls.length;
  }

  #expand(graph: Graph, call: Node, called: FunctionProto): void {
    if (call.inputs.length > called.input.length || call.outputs.length > called.output.length) {
      throw this.#refusal(call, "the call has more inputs or outputs than the function");
    }
    const prefix = this.#prefixOf(call);
    const body = readFunction(called, this.#model.tensors, graph, (name) => graph.freshName(nameIn(prefix, name)));
    this.#shareConstants(body.graph, called);
    for (const node of everyNode(body.graph)) this.#bindAttributes(node, call, body);
    this.#bringToOpset(body.graph, called, call);
    this.inline(body.graph);
    const { inputs } = body.graph;
    inputs.forEach((input, i) => { Node.redirect(input, call.inputs[i]); });
    const made = body.graph.outputs.map((output) => (inputs.includes(output) ? call.inputs[inputs.indexOf(output)] : output));
    graph.absorb(body.graph, call);
    call.outputs.forEach((output, i) => { if (output !== undefined) this.#connect(graph, call, i, made[i]); });
  }

  /** Constants of a body move to the model's graph, which every nested graph sees; a constant that a nested graph gives away stays its node. */
  #shareConstants(body: Graph, called: FunctionProto): void {
    for (const graph of everyGraph(body)) {
      const gone: Node[] = [];
      for (const node of graph.nodes) {
        const tensor = node.opType === "Constant" && node.domain === "" && this.#table.calledBy(node) === undefined ? tensorOfConstant(node) : undefined;
        const [output] = node.outputs;
        const { carried } = node;
        if (tensor === undefined || output === undefined || carried === undefined || (graph !== body && graph.outputs.includes(output))) continue;
        const shared = this.#initializers.get(carried) ?? this.#model.graph.addInitializer(carried.output[0] ?? output.name, tensor);
        this.#initializers.set(carried, shared);
        this.constants.set(shared, { function: called, node: carried });
        Node.redirect(output, shared);
        body.outputs.forEach((value, i) => { if (value === output) body.outputs[i] = shared; });
        gone.push(node);
      }
      graph.remove(gone);
    }
  }

  #bindAttributes(node: Node, call: Node, { defaults }: FunctionBody): void {
    for (const [name, a] of [...node.attributes]) {
      if (a.kind !== "reference") continue;
      const given = call.attributes.get(a.value) ?? defaults.get(a.value);
      if (given === undefined) {
        node.attributes.delete(name);
      } else if (given.kind === "graph" || given.kind === "graphs") {
        throw this.#refusal(call, `its attribute ${a.value} is a graph`);
      } else {
        node.attributes.set(name, renamed(given, name));
      }
    }
  }

  /** A function may import other versions than the model, and is then written out in the model's. */
  #bringToOpset(body: Graph, called: FunctionProto, call: Node): void {
    const { opsets, opset } = this.#model;
    const imports = new Map(called.opsetImport.map((o) => [plainDomain(o.domain), Number(o.version ?? 0)]));
    const own = imports.get("") ?? opset;
    for (const node of everyNode(body)) {
      if (this.#table.calledBy(node) !== undefined) continue;
      if (node.domain !== "") {
        const version = imports.get(node.domain) ?? opsets.get(node.domain);
        if (version === undefined) continue;
        if ((opsets.get(node.domain) ?? version) !== version) {
          throw this.#refusal(call, `its ${node.domain} is of version ${String(version)}, the model's of another`);
        }
        opsets.set(node.domain, version);
      } else if (own !== opset && schemaOf(node.opType, own) !== schemaOf(node.opType, opset)) {
        if (own > opset || own < OLDEST_RAISED || !canRaise(node, own, opset)) {
          throw this.#refusal(call, `${node.opType} means something else in its opset ${String(own)} than in the model's opset ${String(opset)}`);
        }
        raiseNode(node, own, opset);
      }
    }
  }

  /** What read an output of the call reads what the body made instead. */
  #connect(graph: Graph, call: Node, index: number, made: Value | undefined): void {
    const output = call.outputs[index];
    if (output === undefined) return;
    if (made === undefined) {
      if (graph.outputs.includes(output)) throw this.#refusal(call, "it hands on an input that the call leaves out as an output of the graph");
      Node.redirect(output, undefined);
      return;
    }
    made.facts ??= output.facts;
    replaceOutput(call, index, made, { origin: "inline-functions", name: nameIn(call.name, "Identity") });
  }

  /** What the names of a call's nodes begin with: its own name, numbered where several calls have it or none has one. */
  #prefixOf({ name, opType }: Node): string {
    // TorchScript names a call as any node, `/encoder/layer.0/BertLayer`: the function's name at its end is no module.
    const own = name === "" ? opType : name.endsWith(`/${opType}`) ? name.slice(0, -opType.length - 1) : name;
    const count = (this.#prefixes.get(own) ?? 0) + 1;
    this.#prefixes.set(own, count);
    return count === 1 ? own : `${own}_${String(count)}`;
  }

  #refusal(call: Node, why: string): Error {
    return functionNotInlinable(this.#model.tensors.file, call.opType, call.name, why);
  }
}

/** What a value or node of a body is called. TorchScript's paths go on: `/layer.0` and `/query/MatMul` are `/layer.0/query/MatMul`. */
function nameIn(prefix: string, name: string): string {
  const [outer, inner] = [prefix.slice(-MAX_PART), name.slice(-MAX_PART)];
  return inner.startsWith("/") ? `${outer.startsWith("/") ? "" : "/"}${outer}${inner}` : `${outer}/${inner}`;
}

/** An attribute under another name than the call gave it. */
function renamed(a: Attribute, name: string): Attribute {
  return a.carried === undefined ? a : { ...a, carried: attributeProto({ ...a.carried, name }) };
}
