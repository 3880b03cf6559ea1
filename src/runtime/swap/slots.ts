/** The inputs of a graph that adapters fill: found by what the graph tells of them, else by their defaults, as in Olive's graphs, which tell nothing. */
import { nearest } from "../../errors/nearest.ts";
import { notSwappable, swapInputMissing, swappableBroken, swapRankMismatch, swapShapeMismatch } from "../../errors/swap.ts";
import { quote } from "../../errors/hut-error.ts";
import { DataType } from "../../ir/data-type.ts";
import type { Value } from "../../ir/graph.ts";
import { factsOfType } from "../../ir/load.ts";
import type { Model } from "../../ir/model.ts";
import { FIRST_WITH_DEFAULTS, RANK } from "../../passes/make-swappable.ts";
import { float32Of } from "../../passes/weights/weight-values.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { adapterOfParameters } from "./adapter-of-parameters.ts";
import { folderParameters } from "./folder-parameters.ts";
import { parseSwappableInfo, SWAPPABLE_KEY, type SwappableInfo } from "./swappable-info.ts";

/** One input that adapters fill. */
export interface Slot {
  readonly name: string;
  /** float32, or float16 in graphs of others. */
  readonly dataType: number;
  /** The rank is free. */
  readonly shape: readonly (number | typeof RANK)[];
  /** The parameters that share this one's rank go by one word; undefined where no dimension is free. */
  readonly pair: string | undefined;
  /** What it holds without an adapter. */
  readonly base: AdapterTensor;
}

/** All of them, and how adapters become theirs. */
export class Slots {
  readonly byName: ReadonlyMap<string, Slot>;
  /** The model's inputs whose first axis is the batch, where each row may have an adapter of its own. */
  readonly rows: readonly string[] | undefined;
  readonly #info: SwappableInfo | undefined;

  constructor(slots: readonly Slot[], info: SwappableInfo | undefined) {
    this.byName = new Map(slots.map((slot) => [slot.name, slot]));
    this.rows = info?.rows;
    this.#info = info;
  }

  /** Parameters by name, which are those of the inputs, or those of the same modules in another export of the model. */
  ofParameters(parameters: ReadonlyMap<string, AdapterTensor>, adapter: string): ReadonlyMap<string, AdapterTensor> {
    const unknown = [...parameters.keys()].find((name) => !this.byName.has(name));
    if (unknown === undefined) return parameters;
    if (this.#info === undefined) throw swapInputMissing(adapter, unknown, nearest(unknown, [...this.byName.keys()], 3));
    return folderParameters(adapterOfParameters(parameters, adapter), adapter, this.#info);
  }

  ofFolder(folder: AdapterFolder, adapter: string): ReadonlyMap<string, AdapterTensor> {
    if (this.#info === undefined) throw swapInputMissing(adapter, [...folder.modules.keys()][0] ?? "", []);
    return folderParameters(folder, adapter, this.#info);
  }
}

/** Takes the defaults off a model's inputs for adapters, so that whoever runs it must feed them. Throws NOT_SWAPPABLE, SWAPPABLE_BROKEN. */
export function takeSlots(model: Model, name: string): Slots {
  const { graph } = model;
  const text = model.metadata.get(SWAPPABLE_KEY);
  const info = text === undefined ? undefined : parseSwappableInfo(text, name);
  // In older files every constant is an input, and none can be overridden.
  const optional = new Map(model.irVersion < FIRST_WITH_DEFAULTS ? [] : graph.inputs.filter((v) => v.initializer !== undefined).map((v) => [v.name, v]));
  const pairs = new Map(info?.inputs.map((i) => [i.name, i.weight === null ? undefined : `${String(i.weight)} ${i.isPart ? i.role ?? "" : ""}`]));
  const chosen = info?.inputs.map((i) => optional.get(i.name) ?? broken(name, `it has no input ${quote(i.name)} with a default`)) ?? [...optional.values()];
  if (chosen.length === 0) throw notSwappable(name);
  const slots = chosen.map((value) => slotOf(value, name, pairs.get(value.name), info?.rows === undefined ? 0 : 1));
  for (const value of chosen) {
    value.initializer = undefined;
    graph.initializers.delete(value);
  }
  return new Slots(slots, info);
}

function broken(name: string, problem: string): never {
  throw swappableBroken(name, problem);
}

/** `lead`: how many axes stand before those that an adapter has. */
function slotOf(value: Value, model: string, pair: string | undefined, lead: number): Slot {
  const { name, initializer } = value;
  // Of an input with a default, `facts` are the default's, whose rank is 0.
  const { dataType = 0, shape } = factsOfType(value.declared) ?? {};
  if (dataType !== DataType.FLOAT && dataType !== DataType.FLOAT16) return broken(model, `its input ${quote(name)} is neither float nor float16`);
  if (initializer === undefined || shape?.length !== initializer.dims.length) return broken(model, `its input ${quote(name)} and the default have different shapes`);
  if (initializer.dataType !== dataType) return broken(model, `its input ${quote(name)} and the default have different types`);
  const own = shape.slice(lead).map((d) => (typeof d === "number" ? d : RANK));
  return { name, dataType, shape: own, pair: own.includes(RANK) ? pair ?? moduleOf(name) : undefined, base: { shape: initializer.dims.slice(lead), data: float32Of(initializer) } };
}

/** What two parameters of one weight have in common in their names: `….q_proj.lora_A.weight`, `….q_proj.lora_B.weight`. */
function moduleOf(name: string): string {
  return name.replace(/\.[A-Za-z]+_[AB](?:\.weight)?$/, "");
}

/** Throws where a parameter has no input, doesn't fit it, or has another rank than its partner. */
export function checkSlots({ byName }: Slots, parameters: ReadonlyMap<string, AdapterTensor>, adapter: string): void {
  for (const [name, { shape }] of parameters) {
    const slot = byName.get(name);
    if (slot === undefined) throw swapInputMissing(adapter, name, nearest(name, [...byName.keys()], 3));
    const fits = shape.length === slot.shape.length && slot.shape.every((d, i) => d === RANK || d === shape[i]);
    if (!fits) throw swapShapeMismatch(adapter, name, shape, slot.shape);
  }
  const pairs = new Map<string, Slot[]>();
  for (const slot of byName.values()) if (slot.pair !== undefined) pairs.set(slot.pair, [...pairs.get(slot.pair) ?? [], slot]);
  for (const slots of pairs.values()) {
    const ranks = slots.map(({ name, shape, base }) => (parameters.get(name) ?? base).shape[shape.indexOf(RANK)] ?? 0);
    if (new Set(ranks).size > 1) throw swapRankMismatch(adapter, slots.map((s) => s.name), ranks);
  }
}
