/** ModelProto → Model: names become links, and everything the IR has no word for is carried. */
import { cyclicGraph, duplicateAttribute, duplicateValue, graphTooLarge, impossibleVersion, missingGraph, nodeTooWide, missingOpset, undefinedValue } from "../errors/graph.ts";
import { quote } from "../errors/hut-error.ts";
import type { Attribute } from "./attribute.ts";
import { followedShape, MAX_RANK, parseDim, type Dim } from "./dim.ts";
import { Graph, Node, Value, type Facts } from "./graph.ts";
import { Model } from "./model.ts";
import { decodeModel } from "./proto/decode.ts";
import { graphProto, valueInfoProto, type AttributeProto, type FunctionProto, type GraphProto, type MessageName, type ModelProto, type NodeProto, type TypeProto,
  type ValueInfoProto } from "./proto/generated/schema.ts";
import { eachTensor } from "./proto/map-tensors.ts";
import { tensorFromProto, type OpenExternal, type TensorContext } from "./proto/tensor.ts";
import type { Source } from "./source.ts";

/**
 * Most nodes of a model, nested graphs included. Each takes some 6 kB and 0.1 ms when a model is looked through. The largest decoders exported have
 * some 30,000; a mixture of 128 experts in 48 layers, each written out, would come to some 200,000.
 */
const MAX_NODES = 250_000;

/** Most initializers of a model, those of nested graphs included; each takes some 5 kB. A mixture of 128 experts in 48 layers has some 20,000. */
const MAX_INITIALIZERS = 250_000;

/** Most outputs of a graph; passes ask of every node whether it makes one of them. Decoders with all their caches and hidden states have some 300. */
const MAX_OUTPUTS = 10_000;

/** Most inputs of a graph. Files of 2018 list their weights there too, a few thousand; since then real ones have some 200. */
const MAX_INPUTS = 50_000;

/** Most inputs, and most outputs, of a node: what JavaScript hands to one call. A Concat or Split of real exports has under 1,000. */
const MAX_ARITY = 50_000;

/** Reads a model's structure. Weights stay where they are. Throws HutError where the file is not a valid model. */
export function loadModel(source: Source, openExternal?: OpenExternal): Model {
  return modelFromProto(decodeModel(source), { file: source.name, openExternal });
}

/** The first IR version in which a model says which operator sets it speaks. They stand behind the graph: a file that is cut there has none. */
const FIRST_WITH_OPSETS = 3;

/** Links a decoded model. Throws HutError: names that are defined twice or never, tensors whose bytes don't fit, cycles, no operator sets. */
export function modelFromProto(proto: ModelProto, context: TensorContext): Model {
  if (proto.graph === undefined) throw missingGraph(context.file);
  const irVersion = Number(proto.irVersion ?? 0);
  if (irVersion >= FIRST_WITH_OPSETS && proto.opsetImport.length === 0) throw missingOpset(context.file);
  for (const message of proto.functions) checkTensors("FunctionProto", message, context);
  for (const message of proto.trainingInfo) checkTensors("TrainingInfoProto", message, context);
  const opsets = new Map(proto.opsetImport.map((o) => [plainDomain(o.domain), Number(o.version ?? 0)]));
  checkVersions(irVersion, opsets, context.file);
  const graph = new GraphReader(context).read(proto.graph, undefined, undefined);
  const model = new Model(irVersion, opsets, graph);
  model.functions = proto.functions;
  model.tensors = context;
  for (const { key = "", value = "" } of proto.metadataProps) model.metadata.set(key, value);
  model.carried = proto;
  return model;
}

/** Throws where a version is none: all that is known of operators goes by it. Other domains' operator sets may be told without a version. */
function checkVersions(irVersion: number, opsets: ReadonlyMap<string, number>, file: string): void {
  if (!isVersion(irVersion, 0)) throw impossibleVersion(file, "ONNX's format", irVersion);
  for (const [domain, version] of opsets) if (!isVersion(version, domain === "" ? 1 : 0)) throw impossibleVersion(file, `the operator set ${quote(domain)}`, version);
}

function isVersion(version: number, least: number): boolean {
  return Number.isSafeInteger(version) && version >= least;
}

/** A function's body as a graph, and the attributes that it falls back on where a call gives none. */
export interface FunctionBody {
  readonly graph: Graph;
  readonly defaults: ReadonlyMap<string, Attribute>;
}

/**
 * Links a function for one call. Its body becomes a graph nested in `parent`, whose inputs and outputs are the function's; `named` tells what a
 * value or node of the body is called in the model. Throws HutError where the body isn't valid.
 */
export function readFunction(proto: FunctionProto, context: TensorContext, parent: Graph, named: (name: string) => string): FunctionBody {
  const info = (name: string): ValueInfoProto => valueInfoProto({ name });
  const reader = new GraphReader(context, named);
  const body = graphProto({ name: proto.name, node: proto.node, input: proto.input.map(info), output: proto.output.map(info) });
  const graph = reader.read(body, parent, undefined);
  return { graph, defaults: reader.attributes(proto.attributeProto, () => `the function ${quote(proto.name ?? "")}`, graph, undefined) };
}

/** A domain as the IR has it: "" is ONNX's own. */
export function plainDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

/** What a declared type says; undefined for what isn't a tensor. */
export function factsOfType(type: TypeProto | undefined): Facts | undefined {
  const tensor = type?.tensorType;
  if (tensor === undefined) return undefined;
  const dims = tensor.shape?.dim;
  return { dataType: tensor.elemType ?? 0, shape: dims === undefined || dims.length > MAX_RANK ? undefined
    : dims.map((d): Dim => (d.dimValue !== undefined ? Number(d.dimValue) : d.dimParam !== undefined && d.dimParam !== "" ? parseDim(d.dimParam) : undefined)) };
}

type Scope = Map<string, Value>;

/** The values that a graph sees, by name: its own, and those of the graphs around it. A chain, since a copy for each of many nested graphs would cost their product. */
interface Sight {
  readonly own: ReadonlyMap<string, Value>;
  readonly outer: Sight | undefined;
}

function seen(name: string, sight: Sight | undefined): Value | undefined {
  for (let at = sight; at !== undefined; at = at.outer) {
    const value = at.own.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

const NO_ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map();

class GraphReader {
  readonly #context: TensorContext;
  readonly #named: ((name: string) => string) | undefined;
  #nodes = 0;
  #initializers = 0;

  /** `named` gives values and nodes other names than the message's. */
  constructor(context: TensorContext, named?: (name: string) => string) {
    this.#context = context;
    this.#named = named;
  }

  /** `outer` holds the values of the enclosing graphs. */
  read(proto: GraphProto, parent: Graph | undefined, outer: Sight | undefined): Graph {
    const graph = new Graph(parent);
    graph.name = proto.name ?? "";
    const scope: Scope = new Map();
    this.#nodes += proto.node.length;
    this.#initializers += proto.initializer.length + proto.sparseInitializer.length;
    if (this.#initializers > MAX_INITIALIZERS) throw graphTooLarge(this.#context.file, "initializers", MAX_INITIALIZERS);
    if (this.#nodes > MAX_NODES) throw graphTooLarge(this.#context.file, "nodes", MAX_NODES);
    if (proto.input.length > MAX_INPUTS) throw graphTooLarge(this.#context.file, "inputs", MAX_INPUTS);
    if (proto.output.length > MAX_OUTPUTS) throw graphTooLarge(this.#context.file, "outputs", MAX_OUTPUTS);
    this.#readInputs(proto, graph, scope);
    this.#readInitializers(proto, graph, scope);
    const nodes = proto.node.map((node) => ({ proto: node, outputs: node.output.map((name) => (name === "" ? undefined : this.#define(graph, scope, name))) }));
    graph.declarations = this.#readValueInfo(proto, scope);
    const visible: Sight = { own: scope, outer };
    graph.insert(nodes.map(({ proto: node, outputs }) => this.#readNode(node, outputs, graph, visible)));
    for (const info of proto.output) graph.outputs.push(this.#readOutput(info, scope));
    graph.annotations = proto.quantizationAnnotation;
    graph.carried = { ...proto, node: [], initializer: [], sparseInitializer: [], input: [], output: [], quantizationAnnotation: [], valueInfo: [] };
    this.#checkOrder(graph);
    return graph;
  }

  #define(graph: Graph, scope: Scope, name: string): Value {
    if (scope.has(name)) throw duplicateValue(this.#context.file, name);
    const value = new Value(this.#name(graph, name));
    scope.set(name, value);
    return value;
  }

  #name(graph: Graph, name: string): string {
    if (this.#named !== undefined) return this.#named(name);
    graph.claimName(name);
    return name;
  }

  #readInputs(proto: GraphProto, graph: Graph, scope: Scope): void {
    for (const info of proto.input) {
      const value = this.#define(graph, scope, info.name ?? "");
      declare(value, info);
      graph.inputs.push(value);
    }
  }

  #readInitializers(proto: GraphProto, graph: Graph, scope: Scope): void {
    const inputs = new Set(graph.inputs);
    for (const tensorProto of proto.initializer) {
      const name = tensorProto.name ?? "";
      const known = scope.get(name);
      if (known !== undefined && (known.initializer !== undefined || !inputs.has(known))) throw duplicateValue(this.#context.file, name);
      const value = known ?? this.#define(graph, scope, name);
      value.initializer = tensorFromProto(tensorProto, this.#context);
      value.facts = { dataType: value.initializer.dataType, shape: followedShape(value.initializer.dims) };
      graph.initializers.add(value);
    }
    for (const sparse of proto.sparseInitializer) {
      checkTensors("SparseTensorProto", sparse, this.#context);
      const value = this.#define(graph, scope, sparse.values?.name ?? "");
      value.sparse = sparse;
      value.facts = { dataType: sparse.values?.dataType ?? 0, shape: followedShape(sparse.dims.map(Number)) };
      graph.initializers.add(value);
    }
  }

  /** Declarations go to their values, which stand for them; the ones that name nothing, or a value that is declared, stand for themselves. */
  #readValueInfo(proto: GraphProto, scope: Scope): (Value | ValueInfoProto)[] {
    return proto.valueInfo.map((info) => {
      const value = scope.get(info.name ?? "");
      if (value === undefined || value.carried !== undefined) return info;
      declare(value, info);
      return value;
    });
  }

  #readOutput(info: ValueInfoProto, scope: ReadonlyMap<string, Value>): Value {
    const value = scope.get(info.name ?? "");
    if (value === undefined) throw undefinedValue(this.#context.file, info.name ?? "", "the graph's list of outputs");
    if (value.carried === undefined) declare(value, info);
    else value.carriedAsOutput = info;
    return value;
  }

  #readNode(proto: NodeProto, outputs: readonly (Value | undefined)[], graph: Graph, visible: Sight): Node {
    const described = (): string => `the node ${quote(proto.name ?? "")} (${quote(proto.opType ?? "")})`;
    if (Math.max(proto.input.length, proto.output.length) > MAX_ARITY) throw nodeTooWide(this.#context.file, described(), MAX_ARITY);
    const inputs = proto.input.map((name) => {
      if (name === "") return undefined;
      const value = seen(name, visible);
      if (value === undefined) throw undefinedValue(this.#context.file, name, described());
      return value;
    });
    const name = proto.name === undefined || proto.name === "" ? proto.name : this.#name(graph, proto.name);
    const attributes = this.attributes(proto.attribute, described, graph, visible);
    return new Node({ opType: proto.opType ?? "", domain: plainDomain(proto.domain), overload: proto.overload, name, attributes,
      metadata: proto.metadataProps.length === 0 ? undefined : new Map(proto.metadataProps.map(({ key = "", value = "" }) => [key, value])), carried: proto }, inputs, outputs);
  }

  /** The attributes of a node, or the ones that a function falls back on. */
  attributes(protos: readonly AttributeProto[], described: () => string, graph: Graph, visible: Sight | undefined): ReadonlyMap<string, Attribute> {
    if (protos.length === 0) return NO_ATTRIBUTES;
    const attributes = new Map<string, Attribute>();
    for (const a of protos) {
      const name = a.name ?? "";
      if (attributes.has(name)) throw duplicateAttribute(this.#context.file, name, described());
      attributes.set(name, this.#readAttribute(a, graph, visible));
    }
    return attributes;
  }

  #readAttribute(a: AttributeProto, graph: Graph, visible: Sight | undefined): Attribute {
    const tensorOf = (proto: NonNullable<AttributeProto["t"]>): ReturnType<typeof tensorFromProto> => tensorFromProto(proto, this.#context);
    const carried = a;
    if (a.refAttrName !== undefined && a.refAttrName !== "") return { kind: "reference", value: a.refAttrName, carried };
    switch (typeOf(a)) {
      case 1: return { kind: "float", value: a.f ?? 0, carried };
      case 2: return { kind: "int", value: a.i ?? 0, carried };
      case 3: return { kind: "string", value: text(a.s), carried };
      case 4: return a.t === undefined ? { kind: "unknown", value: undefined, carried } : { kind: "tensor", value: tensorOf(a.t), carried };
      case 5: return a.g === undefined ? { kind: "unknown", value: undefined, carried } : { kind: "graph", value: this.read(a.g, graph, visible), carried };
      case 6: return { kind: "floats", value: a.floats, carried };
      case 7: return { kind: "ints", value: a.ints, carried };
      case 8: return { kind: "strings", value: a.strings.map(text), carried };
      case 9: return { kind: "tensors", value: a.tensors.map(tensorOf), carried };
      case 10: return { kind: "graphs", value: a.graphs.map((g) => this.read(g, graph, visible)), carried };
      case 11: case 12: {
        const value = a.sparseTensor === undefined ? a.sparseTensors : [a.sparseTensor];
        for (const sparse of value) checkTensors("SparseTensorProto", sparse, this.#context);
        return { kind: "sparse", value, carried };
      }
      case 13: case 14: return { kind: "type", value: a.tp === undefined ? a.typeProtos : [a.tp], carried };
      default: return { kind: "unknown", value: undefined, carried };
    }
  }

  /** Puts unsorted nodes in order (ONNX wants them sorted, some tools don't); a cycle is an error. */
  #checkOrder(graph: Graph): void {
    try {
      graph.sortTopologically();
    } catch (error) {
      throw cyclicGraph(this.#context.file, error instanceof Error ? error.message : String(error));
    }
  }
}

/** Checks every tensor in a message that the IR carries through, as `tensorFromProto` does: its bytes fit, and external data lies where it may. Throws HutError. */
function checkTensors(type: MessageName, message: object, context: TensorContext): void {
  eachTensor(type, message, (tensor) => { tensorFromProto(tensor, context); });
}

function declare(value: Value, info: ValueInfoProto): void {
  value.declared = info.type;
  value.carried = info;
  value.facts ??= factsOfType(info.type);
}

/** Old files leave out an attribute's type; the field that is filled tells. */
function typeOf(a: AttributeProto): number {
  if (a.type !== undefined && a.type !== 0) return a.type;
  if (a.f !== undefined) return 1;
  if (a.i !== undefined) return 2;
  if (a.s !== undefined) return 3;
  if (a.t !== undefined) return 4;
  if (a.g !== undefined) return 5;
  if (a.floats.length > 0) return 6;
  if (a.ints.length > 0) return 7;
  if (a.strings.length > 0) return 8;
  if (a.tensors.length > 0) return 9;
  return a.graphs.length > 0 ? 10 : 0;
}

const decoder = new TextDecoder();
function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : decoder.decode(bytes);
}
