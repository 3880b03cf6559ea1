/** What tests of passes share: a place to draw a graph, and the questions that every pass is asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DataType } from "../../src/ir/data-type.ts";
import { symbol, type Shape } from "../../src/ir/dim.ts";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { loadModel, modelFromProto } from "../../src/ir/load.ts";
import { Model } from "../../src/ir/model.ts";
import { printGraph } from "../../src/ir/print.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { Random } from "../../src/runtime/random.ts";
import { HutError } from "../../src/errors/hut-error.ts";
import { numbersOf, runModel } from "../ops/run-graph.ts";

export interface Workbench {
  readonly model: Model;
  readonly graph: Graph;
  readonly op: OpBuilder;
  readonly input: (name: string, shape: Shape, dataType?: number) => Value;
  /** A weight of fixed random numbers in (−1, 1). */
  readonly weight: (name: string, dims: readonly number[]) => Value;
  readonly output: (value: Value, name: string) => Value;
}

/** An empty graph to draw in; nodes that the builder makes are called `t/…`. */
export function workbench(opset = 17): Workbench {
  const model = new Model(8, new Map([["", opset]]), new Graph());
  const { graph } = model;
  const op = new OpBuilder(graph, { opsets: model.opsets, origin: "t" });
  const random = new Random(7);
  return {
    model, graph, op,
    input: (name, shape, dataType = DataType.FLOAT) => graph.addInput(name, { dataType, shape }),
    weight: (name, dims) => graph.addInitializer(name, randomFloats(dims, random)),
    output(value, name) {
      graph.outputs.push(op.named(value, name));
      return value;
    },
  };
}

/** Random numbers in (−1, 1), float32. */
export function randomFloats(dims: readonly number[], random: Random = new Random(11)): Tensor {
  return Tensor.floats(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1)));
}

/** A fixture with inferred shapes. */
export function openFixture(file: string): Model {
  const model = loadModel(memorySource(file, new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)))));
  inferGraph(model.graph, model.opsets);
  return model;
}

/** A copy through the file format, shapes inferred anew. */
export function copyOf(model: Model): Model {
  const copy = modelFromProto(modelToProto(model), { file: "copy", openExternal: undefined });
  inferGraph(copy.graph, copy.opsets);
  return copy;
}

export type Feeds = Readonly<Record<string, Tensor>>;

/** The numbers of every output, by name; ONNX Runtime's optimizer is off. The links of the graph are verified first. */
export async function outputsOf(model: Model, feeds: Feeds): Promise<Record<string, number[]>> {
  assertSound(model.graph);
  const results = await runModel(model, feeds);
  return Object.fromEntries(model.graph.outputs.map((v) => [v.name, [...numbersOf(results[v.name])]]));
}

export function assertSound(graph: Graph): void {
  assert.deepEqual(verifyGraph(graph), []);
}

export interface Expected {
  readonly fired: number;
  /** Largest difference of any output's element; 0 where not given. */
  readonly atol?: number;
}

/** Asks a pass, in this order: did it fire and how often, are the numbers the same, does a second run change nothing. */
export async function expectSameOutputs(model: Model, pass: (model: Model) => number, feeds: Feeds, { fired, atol = 0 }: Expected): Promise<void> {
  const before = await outputsOf(model, feeds);
  assert.equal(pass(model), fired, "how often it fired");
  const after = await outputsOf(model, feeds);
  assert.deepEqual(Object.keys(after), Object.keys(before));
  for (const [name, expected] of Object.entries(before)) assertClose(after[name] ?? [], expected, atol, name);
  const text = printGraph(model.graph);
  assert.equal(pass(model), 0, "how often it fired again");
  assert.equal(printGraph(model.graph), text);
}

/** Every element within `atol`. NaN is close to nothing. */
export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, atol: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i += 1) {
    const [a, b] = [actual[i] ?? NaN, expected[i] ?? NaN];
    assert.ok(Object.is(a, b) || Math.abs(a - b) <= atol, `${what}[${String(i)}]: ${String(a)} for ${String(b)}`);
  }
}

/** Compares with `test/snapshots/<name>.txt`, which is changed by hand. */
export function assertSnapshot(text: string, name: string): void {
  assert.equal(text, readFileSync(new URL(`../snapshots/${name}.txt`, import.meta.url), "utf8"), `test/snapshots/${name}.txt`);
}

/** For assert.throws: a HutError of this code whose message matches. */
export function failure(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HutError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

/** The usual feeds of a small encoder: ids, a mask with two padded places at the end, zeros. */
export function encoderFeeds(model: Model, batch = 2, sequence = 7): Record<string, Tensor> {
  return Object.fromEntries(model.graph.inputs.map(({ name }) => [name, Tensor.ints([batch, sequence], Array.from({ length: batch * sequence }, (_, i) => (
    name === "input_ids" ? 5 + i : name === "attention_mask" ? Number(i < batch * sequence - 2) : 0)))]));
}

export const BATCH = symbol("batch");
export const SEQUENCE = symbol("sequence");
