/**
 * RoBERTa-large, or -base, as TorchScript exports it, 90 nodes a layer, with made weights: a model of a real one's size, and of any number of layers. As a
 * script it writes one:
 *
 *     npx tsx bench/roberta-large.ts FILE [--size base|large|xl] [--layers N] [--external]
 *
 * RoBERTa-large's 24 layers are 1.42 GB. `xl` has GPT-2 XL's width and depth, 48 layers of 1600: 6.2 GB, which only external data have room for. So have 115 layers of RoBERTa-large's, 6.0 GB: no model of that
 * size has as many, so they show what costs by the node.
 */
import { parseArgs } from "node:util";
import { basename, dirname, join } from "node:path";
import { encodeModel } from "../src/ir/proto/encode.ts";
import { attributeProto, graphProto, modelProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, tensorShapeProto, tensorShapeProtoDimension, typeProto,
  typeProtoTensor, valueInfoProto, type AttributeProto, type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from "../src/ir/proto/generated/schema.ts";
import { ByteRange, type Source } from "../src/ir/source.ts";
import { Random } from "../src/runtime/random.ts";
import { Outputs } from "../src/runtime/node/outputs.ts";

const WORDS = 50_265;
/** Sizes of an encoder. A head is 64 wide in both. */
interface Sizes {
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly layers: number;
}
export const LARGE: Sizes = { width: 1024, heads: 16, inner: 4096, layers: 24 };
export const XL: Sizes = { width: 1600, heads: 25, inner: 6400, layers: 48 };
export const BASE: Sizes = { width: 768, heads: 12, inner: 3072, layers: 12 };

/** Draws the graph; names are the exporter's. */
class Drawing {
  readonly nodes: NodeProto[] = [];
  readonly weights: TensorProto[] = [];
  /** Bytes of weights so far. */
  size = 0;
  readonly sizes: Sizes;
  readonly #store: Store;

  constructor(store: Store, sizes: Sizes) {
    this.sizes = sizes;
    this.#store = store;
  }

  weight(name: string, dims: number[]): string {
    const length = 4 * dims.reduce((a, b) => a * b, 1);
    this.weights.push(tensorProto({ name, dims, dataType: 1, ...this.#store(this.size, length) }));
    this.size += length;
    return name;
  }

  node(opType: string, scope: string, input: string[], attribute: AttributeProto[] = []): string {
    const name = `${scope}/${opType}_${String(this.nodes.length)}`;
    this.nodes.push(nodeProto({ opType, name, input, output: [`${name}_output_0`], attribute }));
    return `${name}_output_0`;
  }

  constant(scope: string, ...values: number[]): string {
    return this.node("Constant", scope, [], [attributeProto({ name: "value", type: 4, t: tensorProto({ dims: [values.length], dataType: 7, rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) }) })]);
  }

  number(scope: string, value: number): string {
    return this.node("Constant", scope, [], [attributeProto({ name: "value", type: 4, t: tensorProto({ dataType: 1, rawData: new Uint8Array(Float32Array.of(value).buffer) }) })]);
  }

  linear(scope: string, x: string, k: number, n: number): string {
    const path = scope.slice(1).replaceAll("/", ".");
    const product = this.node("MatMul", scope, [x, this.weight(`onnx::MatMul_${String(this.nodes.length)}`, [k, n])]);
    return this.node("Add", scope, [this.weight(`${path}.bias`, [n]), product]);
  }

  normalized(scope: string, x: string): string {
    const path = scope.slice(1).replaceAll("/", ".");
    const { width } = this.sizes;
    return this.node("LayerNormalization", scope, [x, this.weight(`${path}.weight`, [width]), this.weight(`${path}.bias`, [width])], [int("axis", -1)]);
  }

  /** [b, s, width] → the sizes asked for at run time, as TorchScript's view does, then [b, heads, s, d]. */
  heads(scope: string, x: string, perm: number[]): string {
    const { width, heads } = this.sizes;
    return this.node("Transpose", scope, [this.viewed(scope, x, this.constant(scope, heads), this.constant(scope, width / heads))], [attributeProto({ name: "perm", type: 7, ints: perm })]);
  }

  viewed(scope: string, x: string, ...sizes: string[]): string {
    const size = (axis: number): string => this.node("Unsqueeze", scope, [this.node("Gather", scope, [this.node("Shape", scope, [x]), this.node("Constant", scope, [], [int("value_int", axis)])]), this.constant(scope, 0)]);
    return this.node("Reshape", scope, [x, this.node("Concat", scope, [size(0), size(1), ...sizes], [int("axis", 0)])]);
  }
}

/** Where the bytes of a weight are kept: fields of its TensorProto. */
type Store = (offset: number, length: number) => Partial<TensorProto>;

const int = (name: string, i: number): AttributeProto => attributeProto({ name, type: 2, i });
const value = (name: string, elemType: number, last: { dimParam: string } | { dimValue: number } = { dimParam: "sequence_length" }): ValueInfoProto => valueInfoProto({ name,
  type: typeProto({ tensorType: typeProtoTensor({ elemType, shape: tensorShapeProto({ dim: [{ dimParam: "batch_size" }, last].map((dim) => tensorShapeProtoDimension(dim)) }) }) }) });

function layer(d: Drawing, scope: string, x: string, mask: string): string {
  const { width, inner: hidden } = d.sizes;
  const self = `${scope}/attention/self`;
  const [q, k, v] = ["query", "key", "value"].map((name, i) => d.heads(self, d.linear(`${self}/${name}`, x, width, width), i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]));
  const scores = d.node("Add", self, [d.node("Div", self, [d.node("MatMul", self, [q ?? "", k ?? ""]), d.number(self, 8)]), mask]);
  const mixed = d.node("MatMul", self, [d.node("Softmax", self, [scores], [int("axis", -1)]), v ?? ""]);
  const joined = d.viewed(self, d.node("Transpose", self, [mixed], [attributeProto({ name: "perm", type: 7, ints: [0, 2, 1, 3] })]), d.constant(self, width));
  const attended = d.normalized(`${scope}/attention/output/LayerNorm`, d.node("Add", scope, [d.linear(`${scope}/attention/output/dense`, joined, width, width), x]));
  const inner = d.linear(`${scope}/intermediate/dense`, attended, width, hidden);
  const erf = d.node("Add", scope, [d.node("Erf", scope, [d.node("Div", scope, [inner, d.number(scope, Math.SQRT2)])]), d.number(scope, 1)]);
  const gelu = d.node("Mul", scope, [d.node("Mul", scope, [inner, erf]), d.number(scope, 0.5)]);
  return d.normalized(`${scope}/output/LayerNorm`, d.node("Add", scope, [d.linear(`${scope}/output/dense`, gelu, hidden, width), attended]));
}

/** The model, its weights in a file of `data` bytes that `location` names. */
export function robertaAt(location: string, sizes: Sizes = LARGE): { model: ModelProto; data: number } {
  const entry = (key: string, text: number | string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value: String(text) });
  return draw((offset, length) => ({ dataLocation: 1, externalData: [entry("location", location), entry("offset", offset), entry("length", length)] }), sizes);
}

function draw(store: Store, sizes: Sizes): { model: ModelProto; data: number } {
  const d = new Drawing(store, sizes);
  const { width, layers } = sizes;
  const top = "/roberta";
  const mask = d.node("Unsqueeze", top, [d.node("Cast", top, ["attention_mask"], [int("to", 1)]), d.constant(top, 1, 2)]);
  let x = d.node("Gather", top, [d.weight("roberta.embeddings.word_embeddings.weight", [WORDS, width]), "input_ids"]);
  for (let i = 0; i < layers; i += 1) x = layer(d, `${top}/encoder/layer.${String(i)}`, x, mask);
  const first = d.node("Gather", "/classifier", [x, d.node("Constant", "/classifier", [], [attributeProto({ name: "value_int", type: 2, i: 0 })])], [int("axis", 1)]);
  const pooled = d.node("Tanh", "/classifier", [d.linear("/classifier/dense", first, width, width)]);
  const logits = d.linear("/classifier/out_proj", pooled, width, 2);
  d.nodes.push(nodeProto({ opType: "Identity", name: "logits", input: [logits], output: ["logits"] }));
  const model = modelProto({ irVersion: 8, producerName: "pytorch", opsetImport: [operatorSetIdProto({ version: 17 })],
    graph: graphProto({ name: "main_graph", node: d.nodes, initializer: d.weights, input: [value("input_ids", 7), value("attention_mask", 7)], output: [value("logits", 1, { dimValue: 2 })] }) });
  return { model, data: d.size };
}

/** Numbers of a standard deviation of 0.02, the same block of them over and over: made as fast as they are written. */
class MadeNumbers implements Source {
  readonly name = "made numbers";
  readonly size = Number.MAX_SAFE_INTEGER;
  readonly #block: Uint8Array;

  constructor() {
    const random = new Random(0);
    this.#block = new Uint8Array(Float32Array.from({ length: 1_000_003 }, () => random.uniform(-0.035, 0.035)).buffer);
  }

  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    const bytes = room?.subarray(0, length) ?? new Uint8Array(length);
    for (let at = 0; at < length;) {
      const from = (offset + at) % this.#block.length;
      const piece = this.#block.subarray(from, from + length - at);
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}

/** Writes a model of these sizes, or of so many layers: one file, or with `external` a graph and its data file. */
export async function writeRoberta(path: string, { sizes = LARGE, layers = sizes.layers, external = false }: { sizes?: Sizes; layers?: number; external?: boolean }): Promise<void> {
  const numbers = new MadeNumbers();
  const location = `${basename(path)}_data`;
  const { model, data } = external ? robertaAt(location, { ...sizes, layers }) : draw((offset, length) => ({ rawData: new ByteRange(numbers, offset, length) }), { ...sizes, layers });
  await using outputs = new Outputs();
  if (external) await outputs.writeLarge(join(dirname(path), location), [new ByteRange(numbers, 0, data)], {});
  await outputs.writeLarge(path, encodeModel(model).chunks, {});
  outputs.commit();
}

if (import.meta.filename === process.argv[1]) {
  const { values: { size, layers, external }, positionals: [path] } = parseArgs({ allowPositionals: true, options: { size: { type: "string", default: "large" }, layers: { type: "string" }, external: { type: "boolean", default: false } } });
  const sizes = new Map([["base", BASE], ["large", LARGE], ["xl", XL]]).get(size);
  if (path === undefined || sizes === undefined) throw new Error("usage: npx tsx bench/roberta-large.ts FILE [--size base|large|xl] [--layers N] [--external]");
  await writeRoberta(path, { sizes, ...(layers === undefined ? {} : { layers: Number(layers) }), external });
}
