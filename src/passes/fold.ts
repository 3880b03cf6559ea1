/**
 * Folds: evaluates each weight's own transformation once and puts the result where the weight was.
 *
 * Requires: the same sites in the adapted and in the target graph. Guarantees: only the chosen weights change; each is computed by the very
 * subgraph that training used, and rounded once to its stored type. Rules: (1) a constant that only products read keeps its name and
 * place; (2) one that something else reads too (a tied embedding) stays, and the products get a new constant; (3) integers are never rounded to
 * silently: the products get a new constant of the type they compute in, and what decoded the integers goes; (4) a tensor trained whole
 * that is stored once with equal ones gets a constant of its own; (5) a bias that an adapter brings and the graph has none of is added first (`addBias`):
 * the merged graph has one constant more.
 */
import { weightNotFoldable } from "../errors/runtime.ts";
import { byteLength, DataType, dataTypeName, isFloating } from "../ir/data-type.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { Model } from "../ir/model.ts";
import { elementCount } from "../ir/sizes.ts";
import { ByteRange, ComputedBytes, readBytes, type Bytes } from "../ir/source.ts";
import { bytesOf, Tensor } from "../ir/tensor.ts";
import type { ParameterSpec, UpdatedTransformation } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inLayout, pathOf, updatedBias, updatedWeight, updatesBias, type AdaptedSite, type Trainable, type Update } from "./adapt.ts";
import { removeUnread } from "./remove-unread.ts";
import { ownConstant } from "./train-whole.ts";
import type { Tied } from "./weights/find-tied.ts";
import type { ModuleParameter } from "./weights/find-parameters.ts";
import type { WeightSite } from "./weights/find-weights.ts";
import { isReadAlone } from "./weights/read-alone.ts";
import { float32Of, storedFloats } from "./weights/weight-values.ts";

/**
 * Bytes of the rows of a weight that are computed at once: what is made on the way stays in the processor's cache. A weight of 10 MB took 10.5 ms, and the process 215 MB; in rows of 256 kB
 * 18 ms, of 4 MB 13 ms and 230 MB, whole 16 ms and 346 MB.
 */
const ROWS_BYTES = 1024 * 1024;

/** A graph that may have been run before: those of one key are the same, and `make` is asked for the first. */
export interface KeyedGraph {
  readonly key: string;
  readonly make: () => Model;
}

/** Runs a graph and gives its only output, in `room` where that is as long. `runtime` supplies the one that runs ONNX Runtime. */
export type Evaluate = (graph: KeyedGraph, feeds: ReadonlyMap<string, Tensor>, room?: Uint8Array) => Promise<Tensor>;

/**
 * W' of one weight, all its adapted parts together, in its stored layout; in its stored type, or as float32 where it is stored as integers. It is
 * computed when its bytes are asked for. Throws WEIGHT_NOT_FOLDABLE.
 */
export function foldWeight(parts: readonly AdaptedSite[], method: UpdatedTransformation, opsets: ReadonlyMap<string, number>, evaluate: Evaluate): Tensor {
  const [first] = parts;
  if (first === undefined) throw new TypeError("a weight that nothing adapts");
  const { site } = first;
  const dataType = foldedType(site);
  if (!isFloating(dataType)) throw weightNotFoldable(first.modulePath, "it is not stored as floats");
  const dims = site.quantized === undefined ? site.tensor.dims : site.dims;
  return computedTensor(`${first.modulePath}.weight`, dataType, dims, async (room) => {
    const result = await foldedFloats(parts, method, opsets, evaluate, dataType === DataType.FLOAT ? room : undefined);
    return dataType === DataType.FLOAT ? result : Tensor.fromFloat32(dataType, dims, float32Of(result));
  }, site.tensor.data);
}

/**
 * W' of one weight, all its adapted parts together, [k, n] or [n, k] as it is stored: float32, not yet rounded to the stored type; in `room` where one is given. It is computed some rows at
 * a time, where the method allows that.
 */
export async function foldedFloats(parts: readonly AdaptedSite[], method: UpdatedTransformation, opsets: ReadonlyMap<string, number>, evaluate: Evaluate, room?: Uint8Array): Promise<Tensor> {
  const [first] = parts;
  if (first === undefined) throw new TypeError("a weight that nothing adapts");
  const { site } = first;
  const { k, n, stored } = site;
  const [rows, columns, axis] = stored === "kn" ? [k, n, "in"] as const : [n, k, "out"] as const;
  const data = site.tensor.dataType === DataType.FLOAT && site.tensor.data !== undefined ? site.tensor.data : bytesOf(storedFloats(site));
  const isCut = method.couples !== axis && (axis === "in" || parts.every(({ block }) => block === undefined));
  const atOnce = isCut ? Math.ceil(rows / Math.ceil(4 * rows * columns / ROWS_BYTES)) : rows;
  const result = room ?? new Uint8Array(4 * rows * columns);
  for (let from = 0; from < rows; from += atOnce) {
    const count = Math.min(atOnce, rows - from);
    const [at, length] = [4 * from * columns, 4 * count * columns];
    const w = new Tensor(DataType.FLOAT, [count, columns], data instanceof ByteRange && data.verbatim ? new ByteRange(data.source, data.offset + at, length) : readBytes(data).subarray(at, at + length));
    const own = count === rows ? parts : parts.map((part) => cutAlong(part, method, axis, from, count));
    const place = result.subarray(at, at + length);
    const update = (op: OpBuilder, weight: Value, updates: readonly Update[]): Value => updatedWeight(op, weight, stored, stored === "kn" ? n : count, method, updates);
    const made = (await updatedFloats({ parts: own, method, opsets, evaluate }, w, `weight ${stored} ${String(k)}`, update, room === undefined ? undefined : place)).bytes();
    if (made.buffer !== place.buffer) place.set(made);
  }
  return new Tensor(DataType.FLOAT, stored === "kn" ? [k, n] : [n, k], result);
}

/** A part for some of its weight's inputs, or outputs, alone: as if it had no others. */
function cutAlong(part: AdaptedSite, method: UpdatedTransformation, axis: "in" | "out", from: number, count: number): AdaptedSite {
  const cut = (trainables: readonly Trainable[], specs: readonly ParameterSpec[]): Trainable[] => trainables.map((t, i) => {
    const at = specs[i]?.axes.indexOf(axis) ?? -1;
    return at < 0 ? t : { ...t, shape: t.shape.with(at, count), start: cutValues(t.start, t.shape, at, from, count) };
  });
  const weight = { ...part.weight, [axis === "in" ? "k" : "n"]: count };
  return { ...part, weight, parameters: cut(part.parameters, method.parameters(part.weight)), shared: cut(part.shared, method.shared?.(part.weight) ?? []) };
}

/** `count` from `from` on of an axis of a tensor. */
function cutValues(values: Float32Array, shape: readonly number[], axis: number, from: number, count: number): Float32Array {
  const inner = elementCount(shape.slice(axis + 1));
  const [size = 1] = shape.slice(axis);
  const [step, length] = [size * inner, count * inner];
  if (step === values.length) return values.subarray(from * inner, from * inner + length);
  const cut = new Float32Array(values.length / size * count);
  for (let outer = 0; outer * step < values.length; outer += 1) cut.set(values.subarray(outer * step + from * inner, outer * step + from * inner + length), outer * length);
  return cut;
}

/** b' of a weight's bias, in its stored type; undefined where the method leaves biases as they are, or the weight has none. */
export function foldBias(parts: readonly AdaptedSite[], method: UpdatedTransformation, opsets: ReadonlyMap<string, number>, evaluate: Evaluate): Tensor | undefined {
  const [first] = parts;
  if (first?.site.bias === undefined || !updatesBias(method, parts)) return undefined;
  const { n, bias: { tensor } } = first.site;
  return computedTensor(`${first.modulePath}.bias`, tensor.dataType, [n], async () => {
    const b = new Tensor(DataType.FLOAT, [n], bytesOf(float32Of(tensor)));
    const result = await updatedFloats({ parts, method, opsets, evaluate }, b, "bias", (op, bias, updates) => updatedBias(op, bias, n, method, updates));
    return tensor.dataType === DataType.FLOAT ? result : Tensor.fromFloat32(tensor.dataType, [n], float32Of(result));
  });
}

/** What an update is evaluated with. */
interface Folding {
  readonly parts: readonly AdaptedSite[];
  readonly method: UpdatedTransformation;
  readonly opsets: ReadonlyMap<string, number>;
  readonly evaluate: Evaluate;
}

/** W' or b' as float32, also where the graph multiplies in 16 bits. Weights of one shape make the same graph, which `kind` tells apart: what differs is fed. */
async function updatedFloats({ parts, method, opsets, evaluate }: Folding, w: Tensor, kind: string, update: (op: OpBuilder, w: Value, updates: readonly Update[]) => Value, room?: Uint8Array): Promise<Tensor> {
  const inputs = parts.map(({ parameters, shared }, i) => [...parameters, ...shared].map((p) => ({ name: `${p.parameter}_${String(i)}`, tensor: new Tensor(DataType.FLOAT, p.shape, bytesOf(p.start)) })));
  const opset = opsets.get("") ?? 17;
  const make = (): Model => {
    const model = new Model(8, new Map([["", opset]]));
    const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "fold" });
    const input = (name: string, shape: readonly number[]): Value => model.graph.addInput(name, { dataType: DataType.FLOAT, shape: [...shape] });
    const weight = input("W", w.dims);
    const updates = parts.map((part, i) => ({ ...part, values: (inputs[i] ?? []).map(({ name, tensor }) => input(name, tensor.dims)) }));
    model.graph.outputs.push(op.named(update(op, weight, updates), "folded"));
    return model;
  };
  const key = JSON.stringify([method.name, opset, kind, w.dims, parts.map(({ weight, block }) => [weight, block])]);
  return await evaluate({ key, make }, new Map([["W", w], ...inputs.flat().map(({ name, tensor }) => [name, tensor] as const)]), room);
}

function computedTensor(name: string, dataType: number, dims: readonly number[], compute: (room?: Uint8Array) => Promise<Tensor>, replaces?: Bytes): Tensor {
  const length = byteLength(dataType, elementCount(dims));
  if (length === undefined) throw new TypeError(`${dataTypeName(dataType)} has no size`);
  return new Tensor(dataType, dims, new ComputedBytes(name, length, async (room) => (await compute(room)).bytes(), replaces));
}

function foldedType({ quantized, tensor }: WeightSite): number {
  return quantized === undefined ? tensor.dataType : DataType.FLOAT;
}

/** How a weight's new value is put in: by `replaceWeight`, or as integers again. */
export type PutWeight = (graph: Graph, site: WeightSite, tensor: Tensor) => void;

/** Puts a weight's new value in, given in its stored layout. One that is decoded from integers becomes a constant of floats. */
export function replaceWeight(graph: Graph, site: WeightSite, tensor: Tensor): void {
  const uses = site.points.flatMap((p) => p.uses);
  if (site.quantized === undefined && isReadAlone(graph, site.constant, uses)) {
    setConstant(site.constant, tensor);
    return;
  }
  const made = new Map<string, Value>();
  const before = site.points.map((p) => p.value);
  for (const point of site.points) {
    const dataType = point.value.dataType === 0 ? tensor.dataType : point.value.dataType;
    const key = `${point.layout} ${String(dataType)}`;
    const value = made.get(key) ?? graph.addInitializer(`${pathOf(site)}.weight`, converted(tensor, site, point.layout, dataType));
    made.set(key, value);
    for (const { node, index } of point.uses) node.setInput(index, value);
  }
  removeUnread(graph, before);
}

/** A module trained whole: its tensors are replaced, rounded once to their stored type. */
export function replaceWhole(graph: Graph, site: WeightSite, trained: readonly Trainable[], put: PutWeight = replaceWeight): void {
  for (const { parameter, start, layout = site.stored } of trained) {
    if (parameter === "weight") {
      put(graph, site, Tensor.fromFloat32(foldedType(site), site.quantized === undefined ? site.tensor.dims : site.dims, inLayout(start, site, layout, site.stored)));
    } else if (site.bias !== undefined) {
      replaceBias(graph, site, Tensor.fromFloat32(site.bias.tensor.dataType, site.bias.tensor.dims, start));
    }
  }
}

/** Puts a bias' new value in, given in its stored type: in its place, or for its products alone. */
export function replaceBias(graph: Graph, site: WeightSite, value: Tensor): void {
  if (site.bias === undefined) throw new TypeError(`a weight without a bias: ${pathOf(site)}`);
  const { constant, uses } = site.bias;
  if (isReadAlone(graph, constant, uses)) {
    setConstant(constant, value);
    return;
  }
  const wanted = uses.map(({ node, index }) => node.inputs[index]?.dataType).find((type) => type !== undefined && type !== 0) ?? value.dataType;
  const own = graph.addInitializer(`${pathOf(site)}.bias`, retyped(value, wanted));
  for (const { node, index } of uses) node.setInput(index, own);
}

/** A tensor in another type; one that is still to be computed stays so. */
function retyped(tensor: Tensor, dataType: number): Tensor {
  if (dataType === tensor.dataType) return tensor;
  const convert = (from: Tensor): Tensor => Tensor.fromFloat32(dataType, from.dims, float32Of(from));
  return tensor.data instanceof ComputedBytes ? computedTensor(tensor.data.source.name, dataType, tensor.dims, async () => convert(await tensor.resolved())) : convert(tensor);
}

/** Another tensor of a module gets its new value, rounded once to the type it is stored in: in its place, or for its module alone. */
export function replaceParameter(graph: Graph, parameter: ModuleParameter, values: Float32Array): void {
  const { constant, tensor } = ownConstant(graph, parameter);
  setConstant(constant, Tensor.fromFloat32(tensor.dataType, tensor.dims, values));
}

/** An embedding and the weight that is tied to it get the same new values: their one constant does, or each its own. */
export function replaceTied(graph: Graph, { parameter, site }: Tied, values: Float32Array, put: PutWeight): void {
  if (parameter.constant === site.constant) {
    setConstant(site.constant, Tensor.fromFloat32(site.tensor.dataType, site.tensor.dims, values));
    return;
  }
  replaceParameter(graph, parameter, values);
  put(graph, site, Tensor.fromFloat32(foldedType(site), site.dims, inLayout(values, site, "nk", site.stored)));
}

/** Gives a constant another value, where it stands. */
export function setConstant(constant: Value, tensor: Tensor): void {
  const { producer } = constant;
  if (producer === undefined) {
    constant.initializer = new Tensor(tensor.dataType, tensor.dims, tensor.data, constant.initializer?.carried, false);
    return;
  }
  producer.attributes.set("value", { kind: "tensor", value: tensor });
}

/** A weight in another layout or type: that of the value which the products read. What was rounded to the stored type stays so. */
function converted(tensor: Tensor, site: WeightSite, layout: "kn" | "nk", dataType: number): Tensor {
  const dims = site.dims.length > 2 ? site.dims : layout === "kn" ? [site.k, site.n] : [site.n, site.k];
  if (layout === site.stored && dataType === tensor.dataType) return new Tensor(dataType, dims, tensor.data);
  const convert = (from: Tensor): Tensor => Tensor.fromFloat32(dataType, dims, inLayout(float32Of(from), site, site.stored, layout));
  const { data } = tensor;
  return data instanceof ComputedBytes ? computedTensor(data.source.name, dataType, dims, async () => convert(await tensor.resolved())) : convert(tensor);
}
