/**
 * Shape inference on ONNX's own node tests, against the shapes of their test data and against onnx.shape_inference (fixtures/onnx/make_node_tests.py).
 * Each model is taken as it is, and with the small vectors among its inputs (axes, sizes, bounds) as constants; and with names for its inputs'
 * sizes, or without their shapes, where what is inferred must be the test data's once the names are given their sizes.
 */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { evaluateDim } from "../../src/ir/dim.ts";
import type { Facts, Graph, Value } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import { memorySource } from "../../src/ir/source.ts";
import { bytesOf, Tensor, typedView } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { readNodeTests, type Answers, type NodeTest } from "../ir/node-tests.ts";
import { ALL_DECLARED, declare, sizesOf, type Declared } from "./declared.ts";
import { compareFacts, forgetDeclared, isOurs, madeValues, type Comparison } from "./onnx-answers.ts";

/** Where onnx contradicts its own test data, and why. */
const ONNX_IS_WRONG: Readonly<Record<string, string>> = {
  test_stft: "it takes onesided for 0 where the node doesn't say; the operator's default is 1",
  test_stft_with_window: "the same",
};

/** Where constant inputs do not give the output's shape, and why. */
const LEFT_OPEN: readonly (readonly [name: RegExp, why: string])[] = [
  [/^test_(nonzero|compress|unique|nonmaxsuppression|strnormalizer|string_split)_/, "the shape depends on what the tensors hold"],
  [/^test_(blackman|hamming|hann)window.*_expanded$/, "the bound of a Range is cast to a float; onnx doesn't follow it either"],
];

type FactsOf = (name: string) => Facts | undefined;

interface Checked {
  readonly againstOnnx: Comparison;
  readonly againstData: Comparison;
  /** Whether all that the model computes is ours to tell. */
  readonly whole: boolean;
}

function check(test: NodeTest, constant: boolean): Checked {
  const { graph, opsets } = loadModel(memorySource(test.name, test.model));
  const answers: Answers = constant ? { ...test.inferred, ...test.inferredConstant } : test.inferred;
  if (constant) makeConstant(graph, test);
  forgetDeclared(graph, answers);
  inferGraph(graph, opsets);
  const made = oursIn(graph);
  const ours: FactsOf = (name) => made.get(name)?.facts;
  return { againstOnnx: compareFacts(only(answers, made), ours), againstData: compareFacts(only(dataOf(test), made), ours), whole: graph.nodes.every(isOurs) };
}

/** What is contradicted by the test data where the inputs' sizes are names, or unknown. */
function contradictions(test: NodeTest, declared: Declared): string[] {
  const { graph, opsets } = loadModel(memorySource(test.name, test.model));
  if (declared === "named") makeConstant(graph, test);
  forgetDeclared(graph, {});
  const sizes = sizesOf(Object.fromEntries(Object.entries(test.inputs).flatMap(([name, input]) => (input === null ? [] : [[name, { dims: input[1] }]]))));
  for (const value of graph.inputs) {
    const [dataType, dims] = test.inputs[value.name] ?? [];
    if (dataType !== undefined && dims !== undefined) value.facts = { dataType, shape: declare(value.name, dims, declared) };
  }
  inferGraph(graph, opsets);
  const made = oursIn(graph);
  return compareFacts(only(dataOf(test), made), (name) => {
    const facts = made.get(name)?.facts;
    return facts === undefined ? undefined : { ...facts, shape: facts.shape?.map((d) => evaluateDim(d, sizes)) };
  }).wrong;
}

/** The values that are ours to tell. */
function oursIn(graph: Graph): ReadonlyMap<string, Value> {
  return new Map([...madeValues(graph)].filter(([, { producer }]) => isOurs(producer)));
}

function only(answers: Answers, made: ReadonlyMap<string, Value>): Answers {
  return Object.fromEntries(Object.entries(answers).filter(([name]) => made.has(name)));
}

/** The shapes of the test data's output tensors. */
function dataOf({ outputs }: NodeTest): Answers {
  return Object.fromEntries(Object.entries(outputs).flatMap(([name, facts]) => (facts === null ? [] : [[name, facts]])));
}

/** The inputs whose elements the test data give become initializers. */
function makeConstant(graph: Graph, { inputs }: NodeTest): void {
  for (const value of [...graph.inputs]) {
    const [dataType, dims, elements] = inputs[value.name] ?? [];
    if (dataType === undefined || dims === undefined || elements === undefined) continue;
    graph.inputs.splice(graph.inputs.indexOf(value), 1);
    value.initializer = tensorOf(dataType, dims, elements);
    graph.initializers.add(value);
  }
}

function tensorOf(dataType: number, dims: readonly number[], elements: readonly number[]): Tensor {
  if (dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) return Tensor.fromFloat32(dataType, dims, Float32Array.from(elements));
  const array = typedView(dataType, new Uint8Array(8 * elements.length))?.subarray(0, elements.length);
  assert.ok(array !== undefined);
  elements.forEach((v, i) => { array[i] = array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt(v) : v; });
  return new Tensor(dataType, dims, bytesOf(array));
}

/** The operators that a model applies. */
function operatorsOf({ name, model }: NodeTest): { names: string[]; ours: number } {
  const { nodes } = loadModel(memorySource(name, model)).graph;
  return { names: nodes.map((node) => node.opType), ours: nodes.filter(isOurs).length };
}

/** The tests by the operator they are of (a function body stands in a model of the same name with "_expanded"), without those in which nothing is ours to tell. */
function byOperator(tests: readonly NodeTest[]): ReadonlyMap<string, readonly NodeTest[]> {
  const operators = new Map(tests.map((test) => [test.name, operatorsOf(test)]));
  const families = new Map<string, NodeTest[]>();
  for (const test of tests) {
    if (operators.get(test.name)?.ours === 0) continue;
    const [plain = test.name, body] = test.name.split(/_expanded/);
    const family = `${operators.get(plain)?.names.at(-1) ?? plain}${body === undefined ? "" : ", as a function body"}`;
    families.set(family, [...families.get(family) ?? [], test]);
  }
  return families;
}

describe("shape inference of ONNX's node tests", () => {
  const tests = readNodeTests();
  let exact = 0;

  for (const [family, members] of [...byOperator(tests)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    it(`${family} (${String(members.length)})`, () => {
      for (const test of members) {
        const [asIs, asConstants] = [check(test, false), check(test, true)];
        for (const { againstOnnx, againstData } of [asIs, asConstants]) {
          assert.deepEqual(againstData.wrong, [], test.name);
          if (!(test.name in ONNX_IS_WRONG)) assert.deepEqual([...againstOnnx.wrong, ...againstOnnx.vague], [], test.name);
        }
        for (const declared of ALL_DECLARED) assert.deepEqual(contradictions(test, declared), [], `${test.name}, shapes ${declared}`);
        if (!asConstants.whole) continue;
        const { vague } = asConstants.againstData;
        if (!LEFT_OPEN.some(([name]) => name.test(test.name))) assert.deepEqual(vague, [], test.name);
        if (vague.length === 0) exact += 1;
      }
    });
  }

  it("knows the exact shape of every output where all operators have a definition: more than thousand models", () => {
    assert.ok(tests.length >= 1884 && exact > 1000, String(exact));
  });
});
