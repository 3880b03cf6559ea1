/** Model → ModelProto: links become names again, and weights become references, ranges to copy, or inline bytes. */
import type { Attribute } from "./attribute.ts";
import { evaluateDim, type Dim } from "./dim.ts";
import { Value, type Facts, type Graph, type Node } from "./graph.ts";
import type { Model } from "./model.ts";
import { attributeProto, graphProto, modelProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, tensorShapeProto, tensorShapeProtoDimension,
  typeProto, typeProtoTensor, valueInfoProto, type AttributeProto, type GraphProto, type MessageName, type ModelProto, type NodeProto, type OperatorSetIdProto, type SparseTensorProto,
  type StringStringEntryProto, type TensorProto, type TypeProto, type ValueInfoProto } from "./proto/generated/schema.ts";
import { mapTensors } from "./proto/map-tensors.ts";
import { externalEntry, tensorFromProto, type TensorContext } from "./proto/tensor.ts";
import { ByteRange } from "./source.ts";
import type { Tensor } from "./tensor.ts";

export interface SaveOptions {
  /** Where another file may find these bytes (external data); undefined for bytes that must be written into this one. */
  readonly reference?: ((range: ByteRange) => { location: string; offset: number } | undefined) | undefined;
}

/** Where to, and where the tensors of messages that are carried through come from. */
interface Saving extends SaveOptions {
  readonly tensors: TensorContext;
}

/** The message of a model. Bytes that are not read yet stay ranges; the encoder's chunks hold them as they are. */
export function modelToProto(model: Model, options: SaveOptions = {}): ModelProto {
  const { carried, tensors } = model;
  const saving: Saving = { ...options, tensors };
  return modelProto({
    ...carried, ...(model.irVersion === 0 ? {} : { irVersion: model.irVersion }), graph: graphToProto(model.graph, saving),
    functions: model.functions.map((f) => settled("FunctionProto", f, saving)), trainingInfo: (carried?.trainingInfo ?? []).map((t) => settled("TrainingInfoProto", t, saving)),
    opsetImport: opsetImports(model), metadataProps: entries(model.metadata, carried?.metadataProps),
  });
}

/** A carried message whose external data lie where the new file may refer to them, or inside. */
function settled<T extends object>(type: MessageName, message: T, saving: Saving): T {
  return mapTensors(type, message, (proto) => (proto.dataLocation === 1 ? tensorToProto(proto.name, tensorFromProto(proto, saving.tensors), saving) : proto));
}

/** As the file had them, what stands there twice too, while nothing changed. */
function opsetImports({ opsets, carried }: Model): OperatorSetIdProto[] {
  const old = carried?.opsetImport ?? [];
  const domainOf = ({ domain }: OperatorSetIdProto): string => (domain === undefined || domain === "ai.onnx" ? "" : domain);
  if (sameEntries(opsets, new Map(old.map((o) => [domainOf(o), Number(o.version ?? 0)])))) return [...old];
  return [...opsets].map(([domain, version]) => {
    const known = old.findLast((o) => domainOf(o) === domain);
    return known !== undefined && Number(known.version ?? 0) === version ? known : operatorSetIdProto({ ...known, domain, version });
  });
}

/** As the file had them, what stands there twice too, while nothing changed. */
function entries(map: ReadonlyMap<string, string>, carried: readonly StringStringEntryProto[] = []): StringStringEntryProto[] {
  if (sameEntries(map, new Map(carried.map(({ key = "", value = "" }) => [key, value])))) return [...carried];
  return [...map].map(([key, value]) => carried.findLast((e) => (e.key ?? "") === key && (e.value ?? "") === value) ?? stringStringEntryProto({ key, value }));
}

function sameEntries<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function graphToProto(graph: Graph, options: Saving): GraphProto {
  const { carried } = graph;
  const made = new Set([...graph.initializers, ...graph.nodes.flatMap((node) => node.outputs.filter((v) => v !== undefined))]);
  const boundary = new Set([...graph.inputs, ...graph.outputs]);
  const known = new Set(graph.declarations);
  // An output that the file declares in value_info too stays declared there.
  const declared = graph.declarations.flatMap((entry) => (!(entry instanceof Value) ? [entry] : made.has(entry) && (!boundary.has(entry) || entry.carriedAsOutput !== undefined) ? [infoOf(entry)] : []));
  const added = [...made].filter((value) => value.declared !== undefined && !boundary.has(value) && !known.has(value)).map(infoOf);
  const dense = [...graph.initializers].filter((v) => v.sparse === undefined);
  return graphProto({
    ...carried, ...(graph.name === "" && carried?.name === undefined ? {} : { name: graph.name }),
    node: graph.nodes.map((node) => nodeToProto(node, options)),
    initializer: dense.map((v) => tensorToProto(v.name, v.initializer, options)),
    sparseInitializer: [...graph.initializers].flatMap((v) => (v.sparse === undefined ? [] : [sparseToProto(v.name, settled("SparseTensorProto", v.sparse, options))])),
    input: graph.inputs.map(infoOf),
    output: graph.outputs.map((v) => (v.carriedAsOutput === undefined ? infoOf(v) : { ...v.carriedAsOutput, name: v.name })),
    valueInfo: [...declared, ...added],
    quantizationAnnotation: graph.annotations,
  });
}

function sparseToProto(name: string, sparse: SparseTensorProto): SparseTensorProto {
  return sparse.values === undefined || (sparse.values.name ?? "") === name ? sparse : { ...sparse, values: { ...sparse.values, name } };
}

function infoOf(value: Value): ValueInfoProto {
  const type = value.declared ?? typeOf(value.facts);
  if (value.carried !== undefined && value.carried.name === value.name && value.carried.type === type) return value.carried;
  return valueInfoProto({ ...value.carried, name: value.name, ...(type === undefined ? {} : { type }) });
}

/** Facts as a declared type: for inputs and outputs that a pass added. */
function typeOf(facts: Facts | undefined): TypeProto | undefined {
  if (facts === undefined || facts.dataType === 0) return undefined;
  // A declared size may be a number that no size is.
  const dim = facts.shape?.map((d: Dim) => (d === undefined || (typeof d === "number" && !Number.isSafeInteger(d)) ? tensorShapeProtoDimension()
    : tensorShapeProtoDimension(typeof d === "number" ? { dimValue: d } : { dimParam: evaluateDim(d, {})?.toString() ?? d.key })));
  return typeProto({ tensorType: typeProtoTensor({ elemType: facts.dataType, ...(dim === undefined ? {} : { shape: tensorShapeProto({ dim }) }) }) });
}

/** Whether a node is what the file says, so that its message can be written as it was read. Graphs in attributes are looked at each time, and tensors that may be referred to. */
function isAsRead(node: Node, carried: NodeProto): boolean {
  const named = (values: readonly (Value | undefined)[], names: readonly string[]): boolean => values.length === names.length && values.every((v, i) => (v?.name ?? "") === names[i]);
  if (node.name !== (carried.name ?? "") || !named(node.inputs, carried.input) || !named(node.outputs, carried.output) || node.attributes.size !== carried.attribute.length) return false;
  let next = 0;
  for (const a of node.attributes.values()) {
    if (a.carried !== carried.attribute[next] || a.kind === "graph" || a.kind === "graphs" || a.kind === "tensors" || a.kind === "sparse") return false;
    if (a.kind === "tensor" && (a.value.carried !== a.carried?.t || !a.value.unchanged || a.value.data instanceof ByteRange)) return false;
    next += 1;
  }
  return node.metadata.size === 0 ? carried.metadataProps.length === 0 : sameEntries(node.metadata, new Map(carried.metadataProps.map(({ key = "", value = "" }) => [key, value])));
}

function nodeToProto(node: Node, options: Saving): NodeProto {
  const { carried } = node;
  if (carried !== undefined && isAsRead(node, carried)) return carried;
  const names = (values: readonly (Value | undefined)[], old: readonly string[] | undefined): string[] => {
    const list = values.map((v) => v?.name ?? "");
    // Trailing omitted outputs stay as the file had them, and go where a pass left them behind.
    while (list.at(-1) === "" && list.length > (old?.length ?? 0)) list.pop();
    return list;
  };
  return nodeProto({
    ...carried, opType: node.opType, input: names(node.inputs, carried?.input), output: names(node.outputs, carried?.output),
    ...(node.name === "" && carried?.name === undefined ? {} : { name: node.name }),
    ...(node.domain === "" || (carried?.domain !== undefined) ? {} : { domain: node.domain }),
    ...(node.overload === "" || carried?.overload !== undefined ? {} : { overload: node.overload }),
    attribute: [...node.attributes].map(([name, a]) => attributeToProto(name, a, options)),
    metadataProps: entries(node.metadata, carried?.metadataProps),
  });
}

const encoder = new TextEncoder();

function attributeToProto(name: string, a: Attribute, options: Saving): AttributeProto {
  const { carried } = a;
  const tensor = (t: Tensor): TensorProto => tensorToProto(t.carried?.name, t, options);
  // A file that leaves the type out keeps it so.
  const typed = (type: number): Partial<AttributeProto> => (carried === undefined ? { name, type } : carried);
  switch (a.kind) {
    case "graph": return attributeProto({ ...typed(5), g: graphToProto(a.value, options) });
    case "graphs": return attributeProto({ ...typed(10), graphs: a.value.map((g) => graphToProto(g, options)) });
    case "tensor": return attributeProto({ ...typed(4), t: tensor(a.value) });
    case "tensors": return attributeProto({ ...typed(9), tensors: a.value.map(tensor) });
    default:
  }
  if (carried !== undefined) return a.kind === "sparse" ? settled("AttributeProto", carried, options) : carried;
  switch (a.kind) {
    case "float": return attributeProto({ name, type: 1, f: a.value });
    case "int": return attributeProto({ name, type: 2, i: a.value });
    case "string": return attributeProto({ name, type: 3, s: encoder.encode(a.value) });
    case "floats": return attributeProto({ name, type: 6, floats: [...a.value] });
    case "ints": return attributeProto({ name, type: 7, ints: [...a.value] });
    case "strings": return attributeProto({ name, type: 8, strings: a.value.map((s) => encoder.encode(s)) });
    case "sparse": return attributeProto({ name, type: 12, sparseTensors: [...a.value] });
    case "type": return attributeProto({ name, type: 14, typeProtos: [...a.value] });
    case "reference": return attributeProto({ name, refAttrName: a.value });
    case "unknown": return attributeProto({ name });
  }
}

/** Whether a message refers to this place already, in so many words. */
function liesAt(tensor: TensorProto, place: { readonly location: string; readonly offset: number }, length: number): boolean {
  return tensor.dataLocation === 1 && tensor.externalData.length === 3 && externalEntry(tensor, "location") === place.location && externalEntry(tensor, "offset") === String(place.offset)
    && externalEntry(tensor, "length") === String(length);
}

/** A tensor as a message: by reference where its bytes lie in a file that may be pointed at, as it was read where nothing changed, else inline. */
function tensorToProto(name: string | undefined, tensor: Tensor | undefined, { reference }: SaveOptions): TensorProto {
  if (tensor === undefined) return tensorProto(name === undefined ? {} : { name });
  const { carried, data } = tensor;
  const place = data instanceof ByteRange && data.verbatim ? reference?.(data) : undefined;
  if (place !== undefined && data !== undefined && carried !== undefined && tensor.unchanged && name === carried.name && liesAt(carried, place, data.length)) return carried;
  const rest: Partial<TensorProto> = { ...(name === undefined ? {} : { name }), ...(carried?.docString === undefined ? {} : { docString: carried.docString }),
    ...(carried?.metadataProps === undefined ? {} : { metadataProps: carried.metadataProps }),
    ...(carried?.unknownFields === undefined ? {} : { unknownFields: carried.unknownFields }) };
  if (place !== undefined && data !== undefined) {
    const entry = (key: string, value: string | number): StringStringEntryProto => stringStringEntryProto({ key, value: String(value) });
    return tensorProto({ ...rest, dims: [...tensor.dims], dataType: tensor.dataType, dataLocation: 1,
      externalData: [entry("location", place.location), entry("offset", place.offset), entry("length", data.length)] });
  }
  if (carried !== undefined && tensor.unchanged && carried.dataLocation !== 1) return name === carried.name ? carried : { ...carried, ...rest };
  return tensorProto({ ...rest, dims: [...tensor.dims], dataType: tensor.dataType, ...(data === undefined ? {} : { rawData: data }) });
}
