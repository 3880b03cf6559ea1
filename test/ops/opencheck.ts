/** The oracle of composites: what an operator is opened into gives the numbers of ONNX Runtime's own kernel, and the shapes that its rule infers. */
import assert from "node:assert/strict";
import { it } from "mocha";
import { float, floats, int, ints, string, type Attribute } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { Model } from "../../src/ir/model.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { inferNode } from "../../src/ops/infer.ts";
import { DEFINITIONS } from "../../src/ops/registry.ts";
import { NOT_OPENED_KEY, openComposites } from "../../src/passes/open-composites.ts";
import { Random } from "../../src/runtime/random.ts";
import { assertFactsFit, declare, sizesOf, type Declared } from "./declared.ts";
import { numbersOf, runGraph } from "./run-graph.ts";

export interface OpencheckOptions {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;
  /** Which outputs are asked for; the first alone where not given. */
  readonly outputs?: readonly number[];
  /** Inputs that are constants however the others are declared. */
  readonly constant?: readonly string[];
  readonly opsets?: readonly number[];
  /** Declarations under which it can't be opened, and says so. */
  readonly refuses?: readonly Declared[];
  readonly tolerance?: number;
}

/** An input: a tensor, or the dimensions of one to be filled with random floats in (−1, 1). */
type Input = Tensor | readonly number[];

/** The composites that have a row, as "domain:name". */
export const openedOperators = new Set<string>();

/** Declarations that composites are met under: real exports know ranks. */
const DECLARED: readonly Declared[] = ["known", "named"];

/** One row, one test. */
export function opencheck(opType: string, inputs: Readonly<Record<string, Input>>, options: OpencheckOptions = {}): void {
  const { domain = "com.microsoft", attributes = {} } = options;
  openedOperators.add(`${domain}:${opType}`);
  const words = [...Object.entries(inputs).map(([name, input]) => `${name} [${String(input instanceof Tensor ? input.dims : input)}]`),
    ...Object.entries(attributes).map(([name, value]) => `${name} = ${typeof value === "object" && "float" in value ? String(value.float) : String(value)}`)];
  it(`${opType}: ${words.join(", ")}`, async () => {
    const random = new Random(3);
    const tensors = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input instanceof Tensor ? input
      : Tensor.floats(input, Array.from({ length: input.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1)))]));
    for (const opset of options.opsets ?? [17, 20]) for (const declared of DECLARED) await check(opType, domain, tensors, options, opset, declared);
  });
}

async function check(opType: string, domain: string, tensors: Readonly<Record<string, Tensor>>, options: OpencheckOptions, opset: number, declared: Declared): Promise<void> {
  const where = `${opType}, opset ${String(opset)}, shapes ${declared}`;
  const model = build(opType, domain, tensors, options, opset, declared);
  const { graph } = model;
  const feeds = Object.fromEntries(Object.entries(tensors).filter(([name]) => graph.inputs.some((v) => v.name === name)));
  const expected = await runGraph(graph, opset, feeds);
  const names = graph.outputs.map((v) => v.name);
  for (const value of graph.outputs) assertFactsFit(value, expected[value.name], sizesOf(tensors), where);
  const [node] = graph.nodes;
  if (options.refuses?.includes(declared) === true) {
    assert.equal(openComposites(model), 0, `${where}: should not be opened`);
    assert.notEqual(node?.metadata.get(NOT_OPENED_KEY) ?? "", "", `${where}: should say why`);
    return;
  }
  assert.equal(openComposites(model), 1, `${where}: ${node?.metadata.get(NOT_OPENED_KEY) ?? "not opened"}`);
  assert.equal(graph.nodes.some((n) => n.domain !== ""), false, where);
  assert.deepEqual(graph.outputs.map((v) => v.name), names, where);
  const actual = await runGraph(graph, opset, feeds);
  for (const value of graph.outputs) {
    const [have, want] = [actual[value.name], expected[value.name]];
    assert.deepEqual(have?.dims, want?.dims, `${where}: ${value.name}`);
    assertFactsFit(value, have, sizesOf(tensors), where);
    const [a, b] = [numbersOf(have), numbersOf(want)];
    const worst = Math.max(0, ...Array.from(a, (v, i) => Math.abs(v - (b[i] ?? NaN))));
    assert.ok(worst <= (options.tolerance ?? 2e-6), `${where}: ${value.name} is off by ${worst.toExponential(2)}: [${String([...a].slice(0, 6))}] instead of [${String([...b].slice(0, 6))}]`);
  }
}

function build(opType: string, domain: string, tensors: Readonly<Record<string, Tensor>>, options: OpencheckOptions, opset: number, declared: Declared): Model {
  const definition = DEFINITIONS.find((d) => d.name === opType && d.domain === domain);
  assert.ok(definition !== undefined, `no definition of ${domain}:${opType}`);
  const model = new Model(8, new Map([["", opset], ...(domain === "" ? [] : [[domain, 1] as const])]), new Graph());
  const { graph } = model;
  const values = new Map<string, Value>();
  for (const [name, tensor] of Object.entries(tensors)) {
    assert.ok(definition.inputs.includes(name), `${opType} has no input ${name}`);
    values.set(name, options.constant?.includes(name) === true ? graph.addInitializer(name, tensor)
      : graph.addInput(name, { dataType: tensor.dataType, shape: declare(name, tensor.dims, declared) }));
  }
  const operands = definition.inputs.map((name) => values.get(name));
  while (operands.length > 0 && operands.at(-1) === undefined) operands.pop();
  const wanted = options.outputs ?? [0];
  const outputs = Array.from({ length: Math.max(...wanted) + 1 }, (_, i) => (wanted.includes(i) ? graph.newValue(`out_${String(i)}`) : undefined));
  const node = new Node({ opType, domain, name: "node", attributes: new Map(Object.entries(options.attributes ?? {}).map(([name, value]) => [name, attributeOf(value)])) }, operands, outputs);
  graph.insert([node]);
  inferNode(node, model.opsets);
  graph.outputs.push(...outputs.filter((v) => v !== undefined));
  return model;
}

function attributeOf(value: number | string | readonly number[] | { readonly float: number }): Attribute {
  if (typeof value === "string") return string(value);
  if (typeof value === "number") return int(value);
  if ("float" in value) return float(value.float);
  return value.every(Number.isInteger) ? ints(value) : floats(value);
}

/** An int32 or int64 tensor. */
export function integers(dims: readonly number[], values: readonly number[], dataType: number = DataType.INT64): Tensor {
  const wide = Tensor.ints(dims, values);
  return dataType === DataType.INT64 ? wide : new Tensor(dataType, dims, new Uint8Array(Int32Array.from(values).buffer));
}
