/**
 * Raising on ONNX's own node tests: each model in every form that its operators have from opset 11 to 19, as far as its nodes can be said in it,
 * gives the same numbers on ONNX Runtime before and after, or stays as it is.
 */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import type { Node } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { everyNode } from "../../src/ir/nested.ts";
import { printGraph } from "../../src/ir/print.ts";
import { memorySource } from "../../src/ir/source.ts";
import { bytesOf, Tensor, typedView } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { schemaOf } from "../../src/passes/schema-of.ts";
import { Random } from "../../src/runtime/random.ts";
import { readNodeTests, type NodeTest } from "../ir/node-tests.ts";
import { numbersOf, runModel } from "../ops/run-graph.ts";
import { assertClose, type Feeds } from "./workbench.ts";

const TARGET = 20;

/** ONNX Runtime's AveragePool of opset 19 has another kernel, which adds up in another order: a window has up to 8 numbers below 1. */
const roundingOf = (name: string): number => (name.startsWith("test_averagepool_") ? 5e-7 : 0);

/** The opsets below the target in which the model's nodes can be said, the last one before each change of one of their forms. */
function formsOf(model: Model): number[] {
  const nodes = everyNode(model.graph).filter((node) => node.domain === "");
  return Array.from({ length: TARGET - 11 }, (_, i) => 11 + i).filter((opset) => nodes.every((node) => isSaidIn(node, opset))
    && nodes.some((node) => schemaOf(node.opType, opset) !== schemaOf(node.opType, opset + 1)));
}

function isSaidIn(node: Node, opset: number): boolean {
  const schema = schemaOf(node.opType, opset);
  return schema !== undefined && [...node.attributes.keys()].every((name) => Object.hasOwn(schema.attributes, name))
    && (node.inputs.length <= schema.inputs.length || schema.inputs.at(-1)?.endsWith("*") === true);
}

function openAs(test: NodeTest, opset: number): Model {
  const model = loadModel(memorySource(test.name, test.model));
  model.opsets.set("", opset);
  inferGraph(model.graph, model.opsets);
  return model;
}

/** The elements that the test data tell, else made ones: floats in (−1, 1), integers and truth values of 0 and 1. Undefined for sequences. */
function feedsOf({ inputs }: NodeTest): Feeds | undefined {
  const random = new Random(3);
  const feeds: Record<string, Tensor> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input === null) return undefined;
    const [dataType, dims, elements] = input;
    const floating = dataType === DataType.FLOAT || dataType === DataType.DOUBLE || dataType === DataType.FLOAT16;
    const numbers = elements ?? Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (floating ? random.uniform(-1, 1) : Math.round(random.uniform(0, 1))));
    const tensor = tensorOf(dataType, dims, numbers);
    if (tensor === undefined) return undefined;
    feeds[name] = tensor;
  }
  return feeds;
}

function tensorOf(dataType: number, dims: readonly number[], numbers: readonly number[]): Tensor | undefined {
  if (dataType === DataType.FLOAT16) return Tensor.fromFloat32(dataType, dims, Float32Array.from(numbers));
  const array = typedView(dataType, new Uint8Array(8 * numbers.length))?.subarray(0, numbers.length);
  if (array === undefined) return undefined;
  numbers.forEach((v, i) => { array[i] = array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt(v) : v; });
  return new Tensor(dataType, dims, bytesOf(array));
}

/** What ONNX Runtime makes of it; undefined where it has no kernel in this form, or refuses the made inputs. */
async function numbersFrom(model: Model, feeds: Feeds): Promise<number[][] | undefined> {
  try {
    const results = await runModel(model, feeds);
    return model.graph.outputs.map((output) => [...numbersOf(results[output.name])]);
  } catch {
    return undefined;
  }
}

describe("raiseOpset, on ONNX's node tests", () => {
  it("keeps the numbers of whatever it raises, in every form of opsets 11 to 19", async () => {
    const compared = new Set<string>();
    const wrong: string[] = [];
    for (const test of readNodeTests()) {
      const feeds = feedsOf(test);
      for (const opset of formsOf(openAs(test, TARGET))) {
        const model = openAs(test, opset);
        const before = printGraph(model.graph);
        if (!raiseOpset(model, TARGET)) {
          assert.equal(printGraph(model.graph), before, test.name);
          continue;
        }
        const expected = feeds === undefined ? undefined : await numbersFrom(openAs(test, opset), feeds);
        if (feeds === undefined || expected === undefined) continue;
        const found = await numbersFrom(model, feeds);
        compared.add(test.name);
        try {
          assert.ok(found !== undefined, "does not run");
          expected.forEach((numbers, i) => { assertClose(found[i] ?? [], numbers, roundingOf(test.name), String(i)); });
        } catch (error) {
          wrong.push(`${test.name} from opset ${String(opset)}: ${String(error)}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(compared.size > 800, String(compared.size));
  }).timeout(120_000);
});
