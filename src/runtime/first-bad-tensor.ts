/**
 * Where NaN or infinity came from: the same step once more, every float tensor of it summed.
 *
 * A graph holds infinities that are as they should be: masks are made of −∞, and a logarithm of distances has one at 0. So a tensor counts as bad only if it
 * hangs on the weights or on float inputs, and holds NaN, or an infinity that no such mask explains. The first one is looked for among those that the bad result
 * was computed from by a way of bad tensors: what a graph itself replaces, as it does the NaN of a softmax over nothing, leads nowhere.
 */
import type { BadTensor } from "../errors/training.ts";
import { DataType, isFloating } from "../ir/data-type.ts";
import { formatShape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { ORIGIN_KEY } from "../ops/emitter.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { modulePathOfNode } from "../passes/weights/module-path.ts";
import type { Feed } from "./data/collate.ts";
import type { GraphSession } from "./session.ts";

/** One run of the step: what it is fed, and in which lines of the data file its records stand. */
export interface TracedRun {
  readonly feeds: ReadonlyMap<string, Feed>;
  readonly lines: readonly number[];
}

/** The results in which it shows, in the order in which they are computed. */
const RESULTS = ["loss", "grad_norm", "theta_next"];
/** Settings and what is trained: sound before the step, or the trainer would have stopped before. */
const OWN_INPUTS = new Set(["labels", "theta", "adam_m", "adam_v", "lr", "weight_decay", "max_grad_norm"]);
/** So small that no sum of numbers overflows: NaN and infinities are then all that is left of a tensor. Two nodes a tensor: ONNX Runtime takes a millisecond to prepare each. */
const SCALE = 2 ** -64;

/** What a tensor holds that is no number. */
type Kind = BadTensor["kind"];
type Kinds = ReadonlyMap<Value, Kind>;

/**
 * The first bad tensor of the first of the runs that has one. Undefined where none has: what was bad then came of adding the runs up, or the runtime computed
 * otherwise. Changes `model`, a step graph.
 */
export async function firstBadTensor(model: Model, runs: readonly TracedRun[], open: (model: Model) => Promise<GraphSession>): Promise<BadTensor | undefined> {
  for (const run of runs) {
    const fed = badInput(run);
    if (fed !== undefined) return fed;
  }
  const { graph } = model;
  const results = RESULTS.flatMap((name) => graph.outputs.find((output) => output.name === name) ?? []);
  const nodes = [...graph.nodes];
  const probed = [...graph.initializers, ...nodes.flatMap((node) => node.outputs.filter((output) => output !== undefined))].filter((value) => isFloating(value.dataType));
  const sums = addSums(model, probed);
  await using session = await open(model);
  for (const { feeds } of runs) {
    const made = await session.run(feeds, [...sums.values()]);
    const kinds = new Map([...sums].flatMap(([value, name]) => { const kind = kindOf(Number(made.get(name)?.data[0] ?? 0)); return kind === undefined ? [] : [[value, kind]]; }));
    for (const result of results) {
      const found = originOf(result, nodes, kinds, graph.inputs);
      const kind = found === undefined ? undefined : kinds.get(found);
      if (found !== undefined && kind !== undefined) return described(found, kind);
    }
  }
  return undefined;
}

/** A float input of the batch that holds what is no number, and whose records do. */
function badInput({ feeds, lines }: TracedRun): BadTensor | undefined {
  for (const [name, { dataType, dims, data }] of feeds) {
    if (OWN_INPUTS.has(name) || dataType !== DataType.FLOAT) continue;
    const places = Array.from(data as Float32Array, (value, i) => (Number.isFinite(value) ? -1 : i)).filter((i) => i >= 0);
    const kind = kindOf(places.reduce((sum, i) => sum + Number(data[i]), 0));
    if (kind === undefined) continue;
    const stride = data.length / Math.max(1, lines.length);
    const own = [...new Set(places.map((i) => lines[Math.floor(i / stride)] ?? 0))].sort((x, y) => x - y);
    return { op: undefined, node: undefined, module: undefined, tensor: name, shape: formatShape(dims), kind, lines: own, part: "data" };
  }
  return undefined;
}

function kindOf(sum: number): Kind | undefined {
  return Number.isNaN(sum) ? "NaN" : Number.isFinite(sum) ? undefined : "infinity";
}

/** Adds the scaled sum of each value, as an output. Returns their names. */
function addSums(model: Model, values: readonly Value[]): ReadonlyMap<Value, string> {
  const { graph } = model;
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "trace" });
  const sums = values.map((value) => {
    const isWide = value.dataType === DataType.FLOAT || value.dataType === DataType.DOUBLE;
    const scaled = op.Mul(isWide ? value : op.Cast(value, { to: DataType.FLOAT }), op.scalar(SCALE, isWide ? value : undefined));
    return op.ReduceSum(scaled, undefined, { keepdims: 0 });
  });
  graph.outputs.splice(0, Infinity, ...sums);
  graph.sortTopologically();
  return new Map(values.map((value, i) => [value, sums[i]?.name ?? ""]));
}

/** The first bad tensor on the way to a bad result; undefined where the result is sound. */
function originOf(result: Value, nodes: readonly Node[], kinds: Kinds, inputs: readonly Value[]): Value | undefined {
  if (!kinds.has(result)) return undefined;
  const live = new Set(inputs.filter((input) => isFloating(input.dataType)));
  const bad = new Set<Value>();
  const isConstant = (value: Value): boolean => value.producer === undefined && value.initializer !== undefined;
  const isLive = (value: Value): boolean => live.has(value) || (isConstant(value) && isFloating(value.dataType) && (value.shape?.length ?? 0) > 0);
  // A weight may be a mask, and then holds infinities; NaN is none.
  for (const [value, kind] of kinds) if (isConstant(value) && kind === "NaN") bad.add(value);
  for (const node of nodes) {
    const sources = node.inputs.filter((input) => input !== undefined);
    if (!sources.some(isLive)) continue;
    const isMasked = sources.some((source) => !bad.has(source) && kinds.get(source) === "infinity");
    for (const output of node.outputs) {
      if (output === undefined) continue;
      live.add(output);
      const kind = kinds.get(output);
      if (kind === "NaN" || (kind === "infinity" && (!isMasked || sources.some((source) => bad.has(source))))) bad.add(output);
    }
  }
  const way = new Set<Value>();
  const open = [result];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (way.has(value)) continue;
    way.add(value);
    open.push(...(value.producer?.inputs ?? []).filter((input) => input !== undefined && bad.has(input)) as Value[]);
  }
  const weight = [...way].find(isConstant);
  return weight ?? nodes.flatMap((node) => node.outputs).find((output) => output !== undefined && way.has(output)) ?? result;
}

function described(value: Value, kind: Kind): BadTensor {
  const node = value.producer;
  return {
    op: node?.opType, node: node?.name, module: node === undefined ? undefined : moduleNear(node), tensor: value.name, shape: formatShape(value.shape), kind, lines: [],
    part: node === undefined ? "weights" : PARTS[node.metadata.get(ORIGIN_KEY) ?? ""] ?? "forward",
  };
}

/** By the pass that made a node. */
const PARTS: Readonly<Record<string, BadTensor["part"]>> = { "attach-loss": "loss", differentiate: "gradient", build: "gradient", "attach-optimizer": "update" };

/** The module that a node stands in, or that of the nearest node by what it computes from, as of a gradient; by what reads it, of a weight's update. */
function moduleNear(node: Node): string | undefined {
  const isUpdate = node.metadata.get(ORIGIN_KEY) === "adapt";
  const seen = new Set([node]);
  for (const next of seen) {
    const path = modulePathOfNode(next);
    if (path !== undefined) return path;
    for (const near of isUpdate ? next.outputs.flatMap((output) => output?.consumers ?? []) : next.inputs.flatMap((input) => input?.producer ?? [])) seen.add(near);
  }
  return undefined;
}
