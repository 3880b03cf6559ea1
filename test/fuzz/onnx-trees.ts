/** ONNX models made to be misread: any field of a sound model changed, ONNX's node tests behind a weight, graphs drawn at random. */
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { attributeProto, graphProto, MESSAGES, modelProto, nodeProto, operatorSetIdProto, stringStringEntryProto, tensorProto, tensorShapeProto, tensorShapeProtoDimension, typeProto, typeProtoTensor,
  valueInfoProto, type AttributeProto, type FieldSpec, type GraphProto, type Int, type MessageName, type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from "../../src/ir/proto/generated/schema.ts";
import { pack } from "../../src/ir/proto/packed.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { bytesOf } from "../../src/ir/tensor.ts";
import { SCHEMAS } from "../../src/ops/generated/schemas.ts";
import { joined } from "../../src/runtime/serialized.ts";
import type { Random } from "../../src/runtime/random.ts";
import { readNodeTests, type NodeTest } from "../ir/node-tests.ts";
import { anyText, NAMES } from "./hostile-values.ts";
import { chance, pick } from "./reader.ts";

/** Sizes, axes, counts and offsets that break arithmetic. */
const INTS: readonly Int[] = [0, 1, -1, 2, -2, 3, 4, 5, 7, -7, 64, 1000, 65_536, 10_000_000, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const FLOATS = [0, -0, 1, -1, 0.5, 1e-40, 3e38, -3e38, Infinity, -Infinity, NaN];
const EQUATIONS = ["ij,jk->ik", "...ij,...jk->...ik", "ii->i", "i,i", "->", ",", "ij->ji->ij", "iji->j", "a".repeat(3000), "...", "i...j,->", "ij,jk", "ß,ß->", " i j , j k -> i k ", "...a...->a", "abcdefghijklmnopqrstuvwxyz,abc->z"];
const WORDS = ["linear", "cubic", "nearest", "reflect", "edge", "wrap", "constant", "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "half_pixel", "align_corners", "tf_crop_and_resize", "not_larger", "forward", "bidirectional", "tanh", "none", "add", "mean", "sum", "DCR", "CRD"];

/** ONNX's node tests that are small. */
const TESTS: readonly NodeTest[] = readNodeTests().filter(({ model }) => model.length < 8000);

/** A model's bytes. An integer that fits no field becomes one that does. */
function bytesOfModel(model: ModelProto): Uint8Array {
  return joined(encodeModel(model).chunks.map(readBytes));
}

/** One of ONNX's node tests, as it is. */
export function nodeTestBytes(random: Random): Uint8Array {
  return pick(random, TESTS).model;
}

/** A model with hostile parts: drawn anew, one of ONNX's node tests, or one of these seeds with some fields changed. */
export function anyModel(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  made = 0;
  const roll = random.uniform();
  if (roll < 0.2) return bytesOfModel(drawnModel(random));
  if (roll < 0.55) {
    const wrapped = behindWeight(pick(random, TESTS), random);
    if (chance(random, 0.7)) mutateFields(wrapped, random);
    return bytesOfModel(wrapped);
  }
  const model = decodeModel(memorySource("seed", chance(random, 0.5) ? pick(random, TESTS).model : pick(random, seeds)));
  mutateFields(model, random);
  return bytesOfModel(model);
}

type Fields = Record<string, unknown>;

/** Changes fields of messages anywhere in the tree. */
function mutateFields(model: ModelProto, random: Random): void {
  const times = chance(random, 0.6) ? 1 : 1 + random.below(5);
  for (let i = 0; i < times; i++) {
    const all: [MessageName, Fields][] = [];
    collect("ModelProto", model as unknown as Fields, all);
    const [type, message] = pick(random, all);
    changeField(type, message, random);
  }
}

function collect(type: MessageName, message: Fields, all: [MessageName, Fields][]): void {
  all.push([type, message]);
  for (const field of Object.values(MESSAGES[type].fields)) {
    if (field.message === undefined) continue;
    const value = message[field.name];
    const children = (Array.isArray(value) ? value : value === undefined ? [] : [value]) as Fields[];
    for (const child of children) collect(field.message, child, all);
  }
}

function changeField(type: MessageName, message: Fields, random: Random): void {
  const fields = Object.values(MESSAGES[type].fields);
  const filled = fields.filter((f) => { const value = message[f.name]; return Array.isArray(value) ? value.length > 0 : value !== undefined; });
  const field = chance(random, 0.8) && filled.length > 0 ? pick(random, filled) : pick(random, fields);
  if (field.held === "many") {
    const list = message[field.name] as unknown[];
    const at = random.below(list.length + 1);
    const chosen = list[at];
    switch (random.below(5)) {
      case 0: list.splice(at, 1); break;
      case 1: list.splice(at, 0, anyValue(field, random)); break;
      case 2: if (chosen !== undefined) list.splice(at, 0, ...Array.from({ length: field.kind === "message" ? 1 + random.below(3) : 1 + random.below(300) }, () => chosen)); break;
      case 3: if (list.length > 1) [list[0], list[at % list.length]] = [list[at % list.length], list[0]]; break;
      default: if (chosen !== undefined) list[at] = anyValue(field, random);
    }
  } else if (chance(random, 0.2)) message[field.name] = undefined;
  else message[field.name] = anyValue(field, random);
}

function anyValue(field: FieldSpec, random: Random): unknown {
  if (field.held === "lazy") return Uint8Array.from({ length: 4 * random.below(10) }, () => random.below(256));
  switch (field.kind) {
    case "int32": return chance(random, 0.7) ? random.below(30) : pick(random, [-1, 2 ** 31 - 1, -(2 ** 31), 1000]);
    case "int64": return pick(random, INTS);
    case "uint64": return pick(random, INTS.filter((i) => i >= 0));
    case "float": case "double": return pick(random, FLOATS);
    case "string": return chance(random, 0.3) ? pick(random, WORDS) : wellFormed(anyText(random));
    case "bytes": return chance(random, 0.5) ? new TextEncoder().encode(pick(random, [...WORDS, ...EQUATIONS])) : Uint8Array.from({ length: random.below(40) }, () => random.below(256));
    case "message": return field.message === undefined ? undefined : anyMessage(field.message, random);
  }
}

/** A message of this type with a few fields. */
function anyMessage(type: MessageName, random: Random): unknown {
  if (type === "NodeProto") return anyNode(random, ["x", "w"], "made");
  if (type === "TensorProto") return anyTensor(random, "w");
  if (type === "AttributeProto") return anyAttribute(random, pick(random, Object.keys(SCHEMAS)));
  const message = MESSAGES[type].create() as unknown as Fields;
  for (const field of Object.values(MESSAGES[type].fields)) {
    if (field.message !== undefined || chance(random, 0.5)) continue;
    if (field.held === "many") (message[field.name] as unknown[]).push(anyValue(field, random));
    else message[field.name] = anyValue(field, random);
  }
  return message;
}

/** protobuf's writer takes no lone surrogates. */
function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

function anyInts(random: Random): Int[] {
  return Array.from({ length: random.below(6) }, () => (chance(random, 0.5) ? random.below(5) - 1 : pick(random, INTS)));
}

/** Bytes that fit, mostly: a fitting tensor gets further. */
function anyTensor(random: Random, name: string): TensorProto {
  const dims = chance(random, 0.8) ? Array.from({ length: random.below(4) }, () => random.below(5)) : anyInts(random);
  const count = dims.reduce((a: number, b) => a * Number(b), 1);
  if (chance(random, 0.08)) {
    const entry = (key: string, value: string): ReturnType<typeof stringStringEntryProto> => stringStringEntryProto({ key, value });
    return tensorProto({ name, dims, dataType: 1, dataLocation: 1, externalData: [entry("location", wellFormed(pick(random, ["data.bin", "/dev/zero", "..", "sub/../data.bin", "./data.bin", ...NAMES]))), entry("offset", String(pick(random, INTS))), entry("length", String(pick(random, INTS)))] });
  }
  if (count >= 0 && count <= 256 && chance(random, 0.8)) {
    return chance(random, 0.5) ? tensorProto({ name, dims, dataType: 1, rawData: bytesOf(Float32Array.from({ length: count }, () => (chance(random, 0.9) ? random.uniform(-1, 1) : pick(random, FLOATS)))).slice() })
      : tensorProto({ name, dims, dataType: 7, int64Data: pack(BigInt64Array.from({ length: count }, () => BigInt(chance(random, 0.6) ? random.below(5) - 1 : pick(random, INTS)))) });
  }
  return tensorProto({ name, dims, dataType: random.below(30), rawData: new Uint8Array(random.below(64)) });
}

/** An attribute that the operator has, mostly, of a type that fits, mostly. */
function anyAttribute(random: Random, opType: string, depth = 0): AttributeProto {
  const known = Object.entries((Object.hasOwn(SCHEMAS, opType) ? SCHEMAS[opType] : [])?.at(-1)?.attributes ?? {});
  const [name, type] = known.length > 0 && chance(random, 0.9) ? pick(random, known) : [wellFormed(anyText(random)), pick(random, ["int", "ints", "float", "floats", "string", "tensor", "strings"])];
  switch (type.replace("?", "")) {
    case "int": return attributeProto({ name, type: 2, i: chance(random, 0.6) ? random.below(6) - 2 : pick(random, INTS) });
    case "ints": return attributeProto({ name, type: 7, ints: anyInts(random) });
    case "float": return attributeProto({ name, type: 1, f: pick(random, FLOATS) });
    case "floats": return attributeProto({ name, type: 6, floats: Array.from({ length: random.below(5) }, () => pick(random, FLOATS)) });
    case "string": return attributeProto({ name, type: 3, s: new TextEncoder().encode(pick(random, name === "equation" ? EQUATIONS : WORDS)) });
    case "strings": return attributeProto({ name, type: 8, strings: [new TextEncoder().encode(pick(random, WORDS))] });
    case "tensor": return attributeProto({ name, type: 4, t: anyTensor(random, "") });
    case "graph": return attributeProto({ name, type: 5, g: depth > 3 ? graphProto() : anyGraph(random, ["x", "w"], depth + 1) });
    default: return attributeProto({ name, type: random.below(20), i: 1 });
  }
}

/** Numbers the values drawn; an input's begin at 0. */
let made = 0;

function anyNode(random: Random, values: readonly string[], output: string, depth = 0): NodeProto {
  const opType = chance(random, 0.97) ? pick(random, Object.keys(SCHEMAS)) : wellFormed(anyText(random));
  const schema = Object.hasOwn(SCHEMAS, opType) ? SCHEMAS[opType]?.at(-1) : undefined;
  const attributes = Array.from({ length: random.below(4) }, () => anyAttribute(random, opType, depth));
  // The same attribute twice is an error that hides all others.
  const distinct = chance(random, 0.95) ? [...new Map(attributes.map((a) => [a.name, a])).values()] : attributes;
  const graphs = depth > 3 ? [] : Object.entries(schema?.attributes ?? {}).filter(([name, type]) => type === "graph" && !distinct.some((a) => a.name === name));
  for (const [name] of graphs) distinct.push(attributeProto({ name, type: 5, g: anyGraph(random, values, depth + 1) }));
  const count = Math.max(1, schema?.inputs.length ?? 1) + (chance(random, 0.1) ? random.below(4) - 1 : 0);
  return nodeProto({ opType, domain: chance(random, 0.95) ? undefined : pick(random, ["com.microsoft", "__proto__", "ai.onnx"]), name: chance(random, 0.8) ? `n${output}` : wellFormed(anyText(random)),
    input: Array.from({ length: count }, () => (chance(random, 0.9) ? pick(random, values) : "")), output: [output, ...Array.from({ length: random.below(2) }, () => (chance(random, 0.7) ? `${output}b` : ""))], attribute: distinct });
}

/** A graph of some nodes that read each other, in order, mostly. */
function anyGraph(random: Random, outer: readonly string[], depth: number): GraphProto {
  const own = Array.from({ length: random.below(3) }, () => anyTensor(random, `c${String(made++)}`));
  const values = [...outer, ...own.map((t) => t.name ?? "")];
  const inputs = depth === 0 ? [] : Array.from({ length: random.below(4) }, () => anyInfo(random, `i${String(made++)}`));
  for (const { name = "" } of inputs) values.push(name);
  const node: NodeProto[] = [];
  for (let i = random.below(depth === 0 ? 8 : 4); i > 0; i--) {
    const output = `v${String(made++)}`;
    node.push(anyNode(random, values, output, depth));
    values.push(output);
  }
  if (chance(random, 0.05)) node.reverse();
  return graphProto({ name: "g", node, initializer: own, input: inputs, output: [anyInfo(random, values.at(-1) ?? "x"), ...(chance(random, 0.3) ? [anyInfo(random, pick(random, values))] : [])] });
}

function anyInfo(random: Random, name: string): ValueInfoProto {
  const dim = Array.from({ length: random.below(4) }, () => tensorShapeProtoDimension(chance(random, 0.4) ? { dimParam: pick(random, ["batch", "sequence", "2*n", "n+-1", "((((n", "n".repeat(500), "__proto__", "floor(n/0)", "n*n*n*n"]) } : { dimValue: chance(random, 0.8) ? random.below(6) : pick(random, INTS) }));
  return valueInfoProto({ name, type: typeProto({ tensorType: typeProtoTensor({ elemType: chance(random, 0.7) ? 1 : random.below(20), shape: chance(random, 0.9) ? tensorShapeProto({ dim }) : undefined }) }) });
}

/** x and a weight w, their product, and nodes behind. */
function drawnModel(random: Random): ModelProto {
  const w = tensorProto({ name: "w", dims: [4, 4], dataType: 1, rawData: bytesOf(Float32Array.from({ length: 16 }, () => random.uniform(-1, 1))).slice() });
  const product = nodeProto({ opType: "MatMul", name: "body.proj", input: ["x", "w"], output: ["y"] });
  const graph = anyGraph(random, ["x", "w", "y", "y", "y"], 0);
  graph.initializer.unshift(w);
  graph.node.unshift(product);
  graph.input.push(valueInfoProto({ name: "x", type: typeProto({ tensorType: typeProtoTensor({ elemType: 1, shape: tensorShapeProto({ dim: [tensorShapeProtoDimension({ dimParam: "batch" }), tensorShapeProtoDimension({ dimValue: 4 })] }) }) }) }));
  const nested = chance(random, 0.02) ? deepBranches(2 + random.below(30)) : undefined;
  if (nested !== undefined) graph.node.push(nested);
  return modelProto({ irVersion: 8, opsetImport: [operatorSetIdProto({ version: chance(random, 0.8) ? 13 + random.below(10) : pick(random, INTS) }), ...(chance(random, 0.2) ? [operatorSetIdProto({ domain: "com.microsoft", version: 1 })] : [])], graph });
}

/** An If in an If in an If. */
function deepBranches(depth: number): NodeProto {
  const branch = (): GraphProto => graphProto({ name: "b", node: depth <= 1 ? [nodeProto({ opType: "Identity", input: ["y"], output: ["deep"] })] : [deepBranches(depth - 1)], output: [valueInfoProto({ name: depth <= 1 ? "deep" : `d${String(depth - 1)}` })] });
  return nodeProto({ opType: "If", input: ["y"], output: [`d${String(depth)}`], attribute: [attributeProto({ name: "then_branch", type: 5, g: branch() }), ...(depth > 4 ? [] : [attributeProto({ name: "else_branch", type: 5, g: branch() })])] });
}

/** A node test whose first float input is the product of a weight, and whose vectors of sizes and axes are constants, changed at times. */
function behindWeight(test: NodeTest, random: Random): ModelProto {
  const model = decodeModel(memorySource(test.name, test.model));
  const { graph } = model;
  if (graph === undefined) return model;
  for (const info of [...graph.input]) {
    const [dataType, dims, elements] = test.inputs[info.name ?? ""] ?? [];
    if (elements !== undefined && dims !== undefined && (dataType === 7 || dataType === 6)) {
      const values = elements.map((v) => (chance(random, 0.1) ? pick(random, INTS) : v));
      graph.initializer.push(tensorProto({ name: info.name ?? "", dims: [...dims], dataType: 7, rawData: bytesOf(BigInt64Array.from(values, (v) => BigInt.asIntN(64, BigInt(Math.trunc(Number(v)))))).slice() }));
      if (chance(random, 0.8)) graph.input = graph.input.filter((i) => i !== info);
    }
  }
  const first = graph.input.find((info) => { const found = test.inputs[info.name ?? ""]; return found?.[0] === 1 && found[1].length > 0 && (found[1].at(-1) ?? 0) <= 64; });
  const size = test.inputs[first?.name ?? ""]?.[1].at(-1);
  if (first?.name === undefined || size === undefined) return model;
  const inner = first.name;
  first.name = "fuzz_x";
  graph.initializer.push(tensorProto({ name: "body.proj.weight", dims: [size, size], dataType: 1, rawData: bytesOf(new Float32Array(size * size).fill(0.5)).slice() }));
  graph.node.unshift(nodeProto({ opType: "MatMul", name: "/body/proj/MatMul", input: ["fuzz_x", "body.proj.weight"], output: [inner] }));
  const output = graph.output[0];
  if (output !== undefined && chance(random, 0.5)) {
    for (const node of graph.node) node.output = node.output.map((name) => (name === output.name ? "logits" : name));
    output.name = "logits";
  }
  return model;
}
