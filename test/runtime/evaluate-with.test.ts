/** What evaluates graphs for fold: the same numbers whether it is handed room or not, and on onnxruntime-web, which doesn't write into what it is handed. */
import assert from "node:assert/strict";
import { DataType } from "../../src/ir/data-type.ts";
import { Model } from "../../src/ir/model.ts";
import { elementCount } from "../../src/ir/sizes.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { hut } from "../../src/methods/hut.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { adapt, pathOf } from "../../src/passes/adapt.ts";
import { foldWeight, type KeyedGraph } from "../../src/passes/fold.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { evaluateWith } from "../../src/runtime/evaluate-with.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import type { OnnxRuntime } from "../../src/runtime/session.ts";
import { workbench } from "../passes/workbench.ts";
import { WASM } from "./wasm-runtime.ts";

/** 9 MB. */
const SIDE = 1500;

/** x ⊙ (1 + x), by way of a tensor of its size. */
const graph: KeyedGraph = {
  key: "test",
  make() {
    const model = new Model(8, new Map([["", 17]]));
    const x = model.graph.addInput("x", { dataType: DataType.FLOAT, shape: [SIDE, SIDE] });
    const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test" });
    model.graph.outputs.push(op.named(op.Mul(x, op.Add(x, op.scalar(1))), "y"));
    return model;
  },
};

async function evaluated(runtime: OnnxRuntime, start: number, room?: Uint8Array): Promise<number[]> {
  await using evaluator = evaluateWith(runtime);
  const made: number[] = [];
  for (const first of [start, start + 1]) {
    const x = Tensor.floats([SIDE, SIDE], new Float32Array(SIDE * SIDE).fill(first));
    const y = (await evaluator.evaluate(graph, new Map([["x", x]]), room)).toNumbers() ?? [];
    made.push(Number(y[0]), Number(y[SIDE * SIDE - 1]));
  }
  return made;
}

describe("evaluateWith", () => {
  it("makes the same numbers in room that it is handed, and without", async () => {
    const runtime = await defaultRuntime();
    assert.deepEqual(await evaluated(runtime, 2), [6, 6, 12, 12]);
    assert.deepEqual(await evaluated(runtime, 2, new Uint8Array(4 * SIDE * SIDE)), [6, 6, 12, 12]);
  });

  it("makes them on onnxruntime-web", async () => {
    assert.deepEqual(await evaluated(WASM, 2), [6, 6, 12, 12]);
  });

  it("folds a weight there too that is computed some rows at a time", async () => {
    const { model, ...bench } = workbench();
    bench.output(bench.op.MatMul(bench.input("x", [1, 700]), bench.weight("body.proj.weight", [700, 601])), "y");
    const [site, ...others] = findWeights(model.graph);
    assert.ok(site !== undefined && others.length === 0);
    const adapted = adapt(model.graph, { opsets: model.opsets, parts: [{ site, modulePath: pathOf(site) }], method: hut, rank: 2, start: (_, { shape }) => new Float32Array(elementCount(shape)).fill(0.5) });
    const folded: number[][] = [];
    for (const runtime of [await defaultRuntime(), WASM]) {
      await using evaluator = evaluateWith(runtime);
      folded.push([...(await foldWeight(adapted, hut, model.opsets, evaluator.evaluate).resolved()).toNumbers() as Float32Array]);
    }
    assert.deepEqual(folded[1], folded[0]);
    assert.ok(folded[0]?.some((v) => v !== 0));
  });
});
