/**
 * How long `inspect` and `adapt` take on a large graph: 24 layers of RoBERTa-large as TorchScript exports them, 90 nodes each, their weights as
 * ranges of a sparse file that nobody reads.
 *
 *     npx tsx bench/large-graph.ts
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, inspect } from "../src/index.ts";
import { encodeModel } from "../src/ir/proto/encode.ts";
import { attributeProto, graphProto, modelProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, tensorShapeProto, tensorShapeProtoDimension, typeProto,
  typeProtoTensor, valueInfoProto, type AttributeProto, type NodeProto, type TensorProto, type ValueInfoProto } from "../src/ir/proto/generated/schema.ts";
import { readBytes } from "../src/ir/source.ts";

const LAYERS = 24;
const [WIDTH, HEADS, INNER, WORDS] = [1024, 16, 4096, 50_265];
const DATA = "model.onnx.data";

/** Draws the graph; names are the exporter's. */
class Drawing {
  readonly nodes: NodeProto[] = [];
  readonly weights: TensorProto[] = [];
  /** Bytes of weights so far. */
  size = 0;

  weight(name: string, dims: number[]): string {
    const length = 4 * dims.reduce((a, b) => a * b, 1);
    const entry = (key: string, value: number | string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value: String(value) });
    this.weights.push(tensorProto({ name, dims, dataType: 1, dataLocation: 1, externalData: [entry("location", DATA), entry("offset", this.size), entry("length", length)] }));
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
    return this.node("LayerNormalization", scope, [x, this.weight(`${path}.weight`, [WIDTH]), this.weight(`${path}.bias`, [WIDTH])], [int("axis", -1)]);
  }

  /** [b, s, width] → the sizes asked for at run time, as TorchScript's view does, then [b, heads, s, d]. */
  heads(scope: string, x: string, perm: number[]): string {
    return this.node("Transpose", scope, [this.viewed(scope, x, this.constant(scope, HEADS), this.constant(scope, WIDTH / HEADS))], [attributeProto({ name: "perm", type: 7, ints: perm })]);
  }

  viewed(scope: string, x: string, ...sizes: string[]): string {
    const size = (axis: number): string => this.node("Unsqueeze", scope, [this.node("Gather", scope, [this.node("Shape", scope, [x]), this.constant(scope, axis)]), this.constant(scope, 0)]);
    return this.node("Reshape", scope, [x, this.node("Concat", scope, [size(0), size(1), ...sizes], [int("axis", 0)])]);
  }
}

const int = (name: string, i: number): AttributeProto => attributeProto({ name, type: 2, i });
const value = (name: string, elemType: number): ValueInfoProto => valueInfoProto({ name, type: typeProto({ tensorType: typeProtoTensor({ elemType,
  shape: tensorShapeProto({ dim: ["batch_size", "sequence_length"].map((dimParam) => tensorShapeProtoDimension({ dimParam })) }) }) }) });

function layer(d: Drawing, scope: string, x: string, mask: string): string {
  const self = `${scope}/attention/self`;
  const [q, k, v] = ["query", "key", "value"].map((name, i) => d.heads(self, d.linear(`${self}/${name}`, x, WIDTH, WIDTH), i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3]));
  const scores = d.node("Add", self, [d.node("Div", self, [d.node("MatMul", self, [q ?? "", k ?? ""]), d.number(self, 8)]), mask]);
  const mixed = d.node("MatMul", self, [d.node("Softmax", self, [scores], [int("axis", -1)]), v ?? ""]);
  const joined = d.viewed(self, d.node("Transpose", self, [mixed], [attributeProto({ name: "perm", type: 7, ints: [0, 2, 1, 3] })]), d.constant(self, WIDTH));
  const attended = d.normalized(`${scope}/attention/output/LayerNorm`, d.node("Add", scope, [d.linear(`${scope}/attention/output/dense`, joined, WIDTH, WIDTH), x]));
  const inner = d.linear(`${scope}/intermediate/dense`, attended, WIDTH, INNER);
  const erf = d.node("Add", scope, [d.node("Erf", scope, [d.node("Div", scope, [inner, d.number(scope, Math.SQRT2)])]), d.number(scope, 1)]);
  const gelu = d.node("Mul", scope, [d.node("Mul", scope, [inner, erf]), d.number(scope, 0.5)]);
  return d.normalized(`${scope}/output/LayerNorm`, d.node("Add", scope, [d.linear(`${scope}/output/dense`, gelu, INNER, WIDTH), attended]));
}

function write(folder: string): { path: string; nodes: number } {
  const d = new Drawing();
  const top = "/roberta";
  const mask = d.node("Unsqueeze", top, [d.node("Cast", top, ["attention_mask"], [int("to", 1)]), d.constant(top, 1, 2)]);
  let x = d.node("Gather", top, [d.weight("roberta.embeddings.word_embeddings.weight", [WORDS, WIDTH]), "input_ids"]);
  for (let i = 0; i < LAYERS; i += 1) x = layer(d, `${top}/encoder/layer.${String(i)}`, x, mask);
  const first = d.node("Gather", "/classifier", [x, d.node("Constant", "/classifier", [], [attributeProto({ name: "value_int", type: 2, i: 0 })])], [int("axis", 1)]);
  const pooled = d.node("Tanh", "/classifier", [d.linear("/classifier/dense", first, WIDTH, WIDTH)]);
  const logits = d.linear("/classifier/out_proj", pooled, WIDTH, 2);
  d.nodes.push(nodeProto({ opType: "Identity", name: "logits", input: [logits], output: ["logits"] }));
  const model = modelProto({ irVersion: 8, producerName: "pytorch", opsetImport: [operatorSetIdProto({ version: 17 })],
    graph: graphProto({ name: "main_graph", node: d.nodes, initializer: d.weights, input: [value("input_ids", 7), value("attention_mask", 7)], output: [value("logits", 1)] }) });
  const path = join(folder, "model.onnx");
  writeFileSync(path, Buffer.concat(encodeModel(model).chunks.map(readBytes)));
  writeFileSync(join(folder, DATA), "");
  truncateSync(join(folder, DATA), d.size);
  return { path, nodes: d.nodes.length };
}

const folder = mkdtempSync(join(tmpdir(), "hut-large-"));
try {
  const { path, nodes } = write(folder);
  console.log(`${String(nodes)} nodes`);
  for (const run of [1, 2, 3]) {
    const inspected = await inspect(path);
    const adapted = await adapt(path, { output: join(folder, "adapted.onnx"), targetModules: ["all-linear"] });
    console.log(`run ${String(run)}: inspect ${inspected.seconds.toFixed(2)} s, ${String(inspected.weights.length)} weights; adapt ${adapted.seconds.toFixed(2)} s, ${String(adapted.adapted.length)} modules`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
