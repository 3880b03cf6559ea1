/** The small cases in other forms that models reach people in, made from the exports: layers as functions, and a decoder that holds two branches. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadModel } from "../../src/ir/load.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, tensorProto, tensorShapeProto, tensorShapeProtoDimension, typeProto, typeProtoTensor, valueInfoProto,
  type FunctionProto, type GraphProto, type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { bytesOf as bytesOfNumbers } from "../../src/ir/tensor.ts";
import { normalizeConstants } from "../../src/passes/normalize-constants.ts";
import { Random } from "../../src/runtime/random.ts";
import { randomFloats } from "../passes/workbench.ts";

/** A case's TorchScript export, its constants as initializers. */
function exported(family: string): { proto: ModelProto; graph: GraphProto } {
  const model = loadModel(memorySource(family, new Uint8Array(readFileSync(`fixtures/cases/${family}/model.ts.onnx`))));
  normalizeConstants(model.graph);
  const proto = modelToProto(model);
  assert.ok(proto.graph);
  return { proto, graph: proto.graph };
}

export function bytesOf(proto: ModelProto): Uint8Array {
  return Buffer.concat(encodeModel(proto).chunks.map((chunk) => readBytes(chunk)));
}

/** A tensor's declaration. */
function info(name: string, elemType: number, dims: readonly (number | string)[]): ValueInfoProto {
  const dim = dims.map((d) => tensorShapeProtoDimension(typeof d === "number" ? { dimValue: d } : { dimParam: d }));
  return valueInfoProto({ name, type: typeProto({ tensorType: typeProtoTensor({ elemType, shape: tensorShapeProto({ dim }) }) }) });
}

const LAYER = /^\/bert\/encoder\/layer\.(\d+)(?=\/)/;
const DOMAIN = "layers";

/** The model with its own functions, whose domain it imports. */
function withFunctions(proto: ModelProto, graph: GraphProto, node: NodeProto[], functions: FunctionProto[]): ModelProto {
  const read = new Set(node.flatMap((n) => n.input));
  return { ...proto, functions, opsetImport: [...proto.opsetImport, operatorSetIdProto({ domain: DOMAIN, version: 1 })],
    graph: { ...graph, node, initializer: graph.initializer.filter((t) => read.has(t.name ?? "")) } };
}

/** BERT with a function for each layer, all its weights Constants of the body, as dynamo_export of torch 2.4 wrote them. Calls have the layer's path, nodes the rest of theirs. */
export function bertOfLayers(): ModelProto {
  const { proto, graph } = exported("bert");
  const constants = new Map(graph.initializer.map((t) => [t.name ?? "", t]));
  const layers = [0, 1].map((layer) => bodyOf(graph, graph.node.filter((n) => LAYER.exec(n.name ?? "")?.[1] === String(layer)), constants));
  const functions = layers.map(({ inputs, outputs, nodes }, i) => functionProto({ name: `Layer${String(i)}`, domain: DOMAIN, input: inputs, output: outputs, node: nodes, opsetImport: proto.opsetImport }));
  const calls = layers.map(({ inputs, outputs }, i) => nodeProto({ opType: `Layer${String(i)}`, domain: DOMAIN, name: `/bert/encoder/layer.${String(i)}`, input: inputs, output: outputs }));
  const outside = graph.node.filter((n) => !LAYER.test(n.name ?? ""));
  // In order: everything that the layers read, the layers, everything that reads them.
  const made = new Set(layers.flatMap((l) => l.outputs));
  const after = new Set<NodeProto>();
  for (const node of outside) {
    if (!node.input.some((name) => made.has(name))) continue;
    after.add(node);
    for (const name of node.output) made.add(name);
  }
  return withFunctions(proto, graph, [...outside.filter((n) => !after.has(n)), ...calls, ...after], functions);
}

/** BERT with one function for all Linears, which is given x, weight and bias, as export_modules_as_functions wrote it. */
export function bertOfLinears(): ModelProto {
  const { proto, graph } = exported("bert");
  const constants = new Set(graph.initializer.map((t) => t.name));
  const gone = new Set<NodeProto>();
  const node = graph.node.flatMap((product) => {
    const [add, ...others] = graph.node.filter((n) => n.input.includes(product.output[0] ?? ""));
    const bias = add?.input.find((name) => constants.has(name));
    if (product.opType !== "MatMul" || !constants.has(product.input[1]) || add?.opType !== "Add" || bias === undefined || others.length > 0) return gone.has(product) ? [] : [product];
    gone.add(add);
    return [nodeProto({ opType: "Linear", domain: DOMAIN, name: product.name?.replace(/\/MatMul$/, ""), input: [...product.input, bias], output: add.output })];
  });
  assert.equal(gone.size, 12);
  const linear = functionProto({ name: "Linear", domain: DOMAIN, input: ["x", "weight", "bias"], output: ["y"], opsetImport: proto.opsetImport, node: [
    nodeProto({ opType: "MatMul", name: "/MatMul", input: ["x", "weight"], output: ["xw"] }), nodeProto({ opType: "Add", name: "/Add", input: ["bias", "xw"], output: ["y"] })] });
  return withFunctions(proto, graph, node, [linear]);
}

interface Body {
  readonly inputs: string[];
  readonly outputs: string[];
  readonly nodes: NodeProto[];
}

/** Nodes as the body of a function: constants are its own, what else they read from outside is its inputs. */
function bodyOf(graph: GraphProto, nodes: readonly NodeProto[], constants: ReadonlyMap<string, TensorProto>): Body {
  const made = new Set(nodes.flatMap((n) => n.output));
  const read = [...new Set(nodes.flatMap((n) => n.input))].filter((name) => name !== "" && !made.has(name));
  const own = read.filter((name) => constants.has(name));
  const inside = own.map((name) => nodeProto({ opType: "Constant", output: [name], attribute: [attributeProto({ name: "value", type: 4, t: constants.get(name) })] }));
  const outputs = new Set([...graph.node.filter((n) => !nodes.includes(n)).flatMap((n) => n.input), ...graph.output.map((o) => o.name ?? "")]);
  return { inputs: read.filter((name) => !own.includes(name)), outputs: [...made].filter((name) => outputs.has(name)),
    nodes: [...inside, ...nodes.map((n) => nodeProto({ ...n, name: n.name?.replace(LAYER, "") }))] };
}

/**
 * GPT-2 as a merged decoder: one If, whose branches read outer weights and call everything by the same names; the cache may be empty. Its condition is the input
 * `use_cache_branch`, or whether any token counts, which nobody knows before it runs.
 */
export function mergedGpt2(condition: "input" | "computed"): ModelProto {
  const { proto, graph } = exported("gpt2");
  const value = "/transformer/h.0/attn/Transpose_output_0";
  const cache = "past_key_values.0.value";
  const [heads, width] = [4, 16];
  const nodes = graph.node.map((n) => nodeProto({ ...n, output: n.output.map((name) => (name === "logits" ? "inner_logits" : name)) }));
  const branch = (name: string, present: NodeProto): GraphProto => graphProto({ name, node: [...nodes, present], output: [valueInfoProto({ ...graph.output[0], name: "inner_logits" }), info("present", 1, ["batch", heads, "total", width])] });
  const then = branch("with_past", nodeProto({ opType: "Concat", name: "present", input: [cache, value], output: ["present"], attribute: [attributeProto({ name: "axis", type: 2, i: 2 })] }));
  const otherwise = branch("without_past", nodeProto({ opType: "Identity", name: "present", input: [value], output: ["present"] }));
  const decide = condition === "input" ? [] : [nodeProto({ opType: "ReduceMax", input: ["attention_mask"], output: ["any"], attribute: [attributeProto({ name: "keepdims", type: 2, i: 0 })] }),
    nodeProto({ opType: "Cast", input: ["any"], output: ["counts"], attribute: [attributeProto({ name: "to", type: 2, i: 9 })] })];
  return { ...proto, graph: { ...graph, valueInfo: [], node: [...decide, nodeProto({ opType: "If", name: "optimum::if", input: [condition === "input" ? "use_cache_branch" : "counts"], output: ["logits", "present.0.value"],
    attribute: [attributeProto({ name: "then_branch", type: 5, g: then }), attributeProto({ name: "else_branch", type: 5, g: otherwise })] })],
  input: [...graph.input, info(cache, 1, ["batch", heads, "past", width]), ...(condition === "input" ? [info("use_cache_branch", 9, [1])] : [])], output: [...graph.output, info("present.0.value", 1, ["batch", heads, "total", width])] } };
}

/**
 * Hidden states [batch, sequence, 8] by one function that is called twice: y = tanh(x·W), W a Constant of its body. With `tied`, the body reads a row of W elsewhere
 * too, so that a new W for the product alone has no place in it.
 */
export function blocksWithoutHead(tied: boolean): ModelProto {
  const floats = (seed: number, dims: number[]): TensorProto => tensorProto({ dims, dataType: 1, rawData: bytesOfNumbers(randomFloats(dims, new Random(seed)).toNumbers() ?? new Float32Array()) });
  const ints = (name: string, value: number): NodeProto => nodeProto({ opType: "Constant", output: [name], attribute: [attributeProto({ name: "value_int", type: 2, i: value })] });
  const opsetImport = [operatorSetIdProto({ version: 17 })];
  const body = [nodeProto({ opType: "Constant", output: ["block.dense.weight"], attribute: [attributeProto({ name: "value", type: 4, t: floats(1, [8, 8]), docString: "kept" })] }),
    nodeProto({ opType: "MatMul", name: "/MatMul", input: ["x", "block.dense.weight"], output: ["xw"] }), nodeProto({ opType: "Tanh", name: "/Tanh", input: ["xw"], output: [tied ? "t" : "y"] }),
    ...(tied ? [ints("row", 3), nodeProto({ opType: "Gather", name: "/Gather", input: ["block.dense.weight", "row"], output: ["w3"] }), nodeProto({ opType: "Add", name: "/Add", input: ["t", "w3"], output: ["y"] })] : [])];
  const call = (name: string, input: string, output: string): NodeProto => nodeProto({ opType: "Block", domain: DOMAIN, name, input: [input], output: [output] });
  return modelProto({ irVersion: 8, opsetImport: [...opsetImport, operatorSetIdProto({ domain: DOMAIN, version: 1 })], functions: [functionProto({ name: "Block", domain: DOMAIN, input: ["x"], output: ["y"], node: body, opsetImport })],
    graph: graphProto({ name: "blocks", initializer: [{ ...floats(2, [10, 8]), name: "embeddings.weight" }], input: [info("input_ids", 7, ["batch", "sequence"]), info("attention_mask", 7, ["batch", "sequence"])],
      node: [nodeProto({ opType: "Gather", name: "/embeddings/Gather", input: ["embeddings.weight", "input_ids"], output: ["h0"] }), call("/block.0", "h0", "h1"), call("/block.1", "h1", "last_hidden_state")],
      output: [info("last_hidden_state", 1, ["batch", "sequence", 8])] }) });
}

/** A kilobyte that asks for 2^`times` nodes. */
export function doubling(times: number): ModelProto {
  const opsetImport = [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: DOMAIN, version: 1 })];
  const call = (i: number, input: string, output: string): NodeProto => nodeProto({ opType: `F${String(i)}`, domain: DOMAIN, input: [input], output: [output] });
  const functions = Array.from({ length: times }, (_, i) => functionProto({ name: `F${String(i)}`, domain: DOMAIN, input: ["x"], output: ["y"], opsetImport,
    node: i + 1 < times ? [call(i + 1, "x", "h"), call(i + 1, "h", "y")] : [nodeProto({ opType: "Neg", input: ["x"], output: ["y"] })] }));
  return modelProto({ irVersion: 8, opsetImport, functions, graph: graphProto({ name: "g", input: [info("x", 1, [1])], output: [info("y", 1, [1])], node: [call(0, "x", "y")] }) });
}
