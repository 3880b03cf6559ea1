/**
 * Makes nodes. A rule or pass writes operators in their newest form; the emitter brings them to the form of the graph's opset: an input
 * that used to be an attribute (`axes`, `split`) becomes one again. Every node's outputs get their inferred facts at once.
 */
import { opsetLacks } from "../errors/graph.ts";
import { quote } from "../errors/hut-error.ts";
import { float, floats, int, ints, string, strings, tensor, type Attribute } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { Graph, Node, Value } from "../ir/graph.ts";
import { bytesOf, Tensor } from "../ir/tensor.ts";
import { SCHEMAS, type SchemaVersion } from "./generated/schemas.ts";
import { inferNode } from "./infer.ts";

/** A value, or numbers that become an int64 constant [n]. */
export type Operand = Value | readonly number[];
type Literal = number | string | Tensor | Graph | readonly number[] | readonly string[] | undefined;

export interface EmitterOptions {
  /** Versions of the operator sets, as the model imports them. */
  readonly opsets: ReadonlyMap<string, number>;
  /** What makes the nodes: stands in their metadata and before their names. */
  readonly origin: string;
  /** New nodes go before this one; at the end where it isn't given. */
  readonly before?: Node | undefined;
  /** What the nodes tell of their origin beside that: the metadata of the node that they replace. */
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

/** The key in a node's metadata_props that names the pass which made it. */
export const ORIGIN_KEY = "onnx_hut.pass";

/** One per graph under construction; equal constants are made once. */
export class Emitter {
  readonly graph: Graph;
  readonly opset: number;
  readonly #options: EmitterOptions;
  readonly #constants = new Map<string, Value>();

  constructor(graph: Graph, options: EmitterOptions) {
    this.graph = graph;
    this.opset = options.opsets.get("") ?? 1;
    this.#options = options;
  }

  /** A scalar of `like`'s element type, a float or an integer of 32 or 64 bits; float32 where `like` is left out. */
  scalar(value: number, like?: Value): Value {
    const dataType = like === undefined || like.dataType === 0 ? DataType.FLOAT : like.dataType;
    return this.#constant(`${String(dataType)}:${Object.is(value, -0) ? "-0" : String(value)}`, "scalar", () =>
      scalarTensor(dataType, value));
  }

  /** An int64 vector [n]. Throws a TypeError for what no int64 is: a file's attributes may lead to half a size. */
  ints(values: readonly number[]): Value {
    const wrong = values.find((v) => !Number.isInteger(v));
    if (wrong !== undefined) throw new TypeError(`a size or place in what it stands for is ${String(wrong)}, which is not a whole number`);
    return this.#constant(`ints:${values.join()}`, "ints", () => Tensor.ints([values.length], values));
  }

  /** A float32 vector [n]. */
  floats(values: readonly number[]): Value {
    return this.#constant(`floats:${values.join()}`, "floats", () => Tensor.floats([values.length], values));
  }

  /** Any other constant. */
  constant(hint: string, value: Tensor): Value {
    const made = this.graph.addInitializer(`${this.#options.origin}/${hint}`, value);
    return made;
  }

  /** Makes a node of ONNX's own domain. Throws OPSET_LACKS where the operator can't be said in the graph's opset. */
  emit(opType: string, operands: readonly (Operand | undefined)[], attributes: Readonly<Record<string, Literal>>, outputs: number): Value[] {
    const versions = SCHEMAS[opType] ?? [];
    const newest = versions.at(-1);
    const version = versions.findLast((v) => v.since <= this.opset);
    if (newest === undefined || version === undefined) throw opsetLacks(this.opset, `${opType} does not exist`);
    const set = new Map<string, Attribute>();
    for (const [name, literal] of Object.entries(attributes)) if (literal !== undefined) set.set(name, attributeOf(opType, version, name, literal));
    const inputs: (Value | undefined)[] = [];
    operands.forEach((operand, i) => {
      const formal = newest.inputs[Math.min(i, newest.inputs.length - 1)] ?? "";
      const name = formal.replace(/[?*]$/, "");
      const at = formal.endsWith("*") || isRenamed(i, version, newest) ? i : placeOf(name, version);
      if (operand === undefined) return;
      if (at >= 0) inputs[at] = operand instanceof Value ? operand : this.ints(operand);
      else set.set(name, attributeOf(opType, version, name, constantOf(operand, this.opset)));
    });
    const values = Array.from({ length: outputs }, () => this.graph.newValue(`${this.#options.origin}/${opType}`));
    const node = new Node({ opType, name: this.graph.freshName(`${this.#options.origin}/${opType}`), attributes: set,
      metadata: new Map([...(this.#options.metadata ?? []), [ORIGIN_KEY, this.#options.origin]]) }, Array.from(inputs), values);
    this.graph.insert([node], this.#options.before);
    inferNode(node, this.#options.opsets);
    return values;
  }

  /** Gives a value the name that the outside knows it by. */
  named(value: Value, name: string): Value {
    this.graph.freeName(name);
    value.name = this.graph.freshName(name);
    return value;
  }

  /** The only output of a node. */
  protected first(values: readonly Value[]): Value {
    const [value] = values;
    if (value === undefined) throw new TypeError("a node without outputs");
    return value;
  }

  #constant(key: string, hint: string, make: () => Tensor): Value {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const tensor = make();
    const value = this.constant(hint, tensor);
    const numbers = tensor.dataType === DataType.INT64 ? tensor.toNumbers() : undefined;
    value.facts = { dataType: tensor.dataType, shape: tensor.dims, ...(numbers === undefined ? {} : { ints: [...numbers] }) };
    this.#constants.set(key, value);
    return value;
  }
}

function placeOf(name: string, version: SchemaVersion): number {
  return version.inputs.findIndex((formal) => formal.replace(/[?*]$/, "") === name);
}

/** Whether an older version had this input under another name: BatchNormalization's mean is input_mean since opset 14. */
function isRenamed(index: number, version: SchemaVersion, newest: SchemaVersion): boolean {
  const old = version.inputs[index]?.replace(/[?*]$/, "");
  const now = newest.inputs[index]?.replace(/[?*]$/, "");
  return old !== undefined && now !== undefined && placeOf(old, newest) < 0 && placeOf(now, version) < 0;
}

/** In double as exact as the number is, not rounded to float32 on the way. */
function scalarTensor(dataType: number, value: number): Tensor {
  if ((dataType === DataType.INT64 || dataType === DataType.INT32) && !Number.isInteger(value)) throw new TypeError(`${String(value)} among integers is no whole number`);
  switch (dataType) {
    case DataType.INT64: return Tensor.ints([], [value]);
    case DataType.INT32: return new Tensor(dataType, [], bytesOf(Int32Array.of(value)));
    case DataType.DOUBLE: return new Tensor(dataType, [], bytesOf(Float64Array.of(value)));
    default: return Tensor.fromFloat32(dataType, [], Float32Array.of(value));
  }
}

function constantOf(operand: Operand, opset: number): readonly number[] {
  if (!(operand instanceof Value)) return operand;
  const numbers = operand.initializer?.toNumbers();
  if (numbers === undefined) throw opsetLacks(opset, `${quote(operand.name)} would have to be a constant`);
  return [...numbers];
}

function attributeOf(opType: string, version: SchemaVersion, name: string, literal: Exclude<Literal, undefined>): Attribute {
  const type = version.attributes[name]?.replace("?", "");
  if (type === "int" && typeof literal === "number") return int(literal);
  if (type === "float" && typeof literal === "number") return float(literal);
  if (type === "string" && typeof literal === "string") return string(literal);
  if (type === "tensor" && literal instanceof Tensor) return tensor(literal);
  if (type === "graph" && literal instanceof Graph) return { kind: "graph", value: literal };
  if (Array.isArray(literal)) {
    if (type === "ints") return ints(literal as number[]);
    if (type === "floats") return floats(literal as number[]);
    if (type === "float" && literal.length === 1) return float(literal[0] as number);
    if (type === "strings") return strings(literal as string[]);
  }
  throw opsetLacks(version.since, `${opType} has no attribute "${name}" that could hold what is written`);
}
