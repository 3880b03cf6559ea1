import assert from "node:assert/strict";
import type { Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { addBias } from "../../src/passes/add-bias.ts";
import { setConstant } from "../../src/passes/fold.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { assertClose, assertSound, failure, outputsOf, randomFloats, workbench, type Workbench } from "./workbench.ts";

const [K, N] = [4, 3];
const feeds = { x: randomFloats([2, K]) };
const bias = [0.5, -1, 2];

function drawn(draw: (bench: Workbench, x: Value) => Value): Workbench {
  const bench = workbench(17);
  bench.output(draw(bench, bench.input("x", [2, K])), "y");
  return bench;
}

function withBias({ graph, model }: Workbench): void {
  const [site, ...others] = findWeights(graph);
  assert.ok(site !== undefined && others.length === 0);
  assert.equal(site.bias, undefined);
  addBias(graph, site, model.opsets);
  assertSound(graph);
  assert.equal(findWeights(graph)[0]?.bias?.constant.name, "head.bias", "found as a bias from now on");
}

describe("a bias that a graph has none of", () => {
  for (const [what, draw] of [
    ["of a Gemm is its third input", ({ op, weight }: Workbench, x: Value) => op.Gemm(x, weight("head.weight", [N, K]), undefined, { transB: 1 })],
    ["of a MatMul is an Add", ({ op, weight }: Workbench, x: Value) => op.MatMul(x, weight("head.weight", [K, N]))],
    ["of a weight read twice is added twice", ({ op, weight }: Workbench, x: Value) => {
      const w = weight("head.weight", [K, N]);
      return op.Concat([op.MatMul(x, w), op.MatMul(x, w)], { axis: 0 });
    }],
  ] as const) {
    it(`${what}, zero at first`, async () => {
      const bench = drawn(draw);
      const before = await outputsOf(bench.model, feeds);
      withBias(bench);
      assert.deepEqual(await outputsOf(bench.model, feeds), before);
      const constant = [...bench.graph.initializers].find((v) => v.name === "head.bias");
      assert.ok(constant !== undefined);
      setConstant(constant, Tensor.floats([N], bias));
      assertClose((await outputsOf(bench.model, feeds))["y"] ?? [], (before["y"] ?? []).map((v, i) => v + (bias[i % N] ?? NaN)), 1e-6, "y");
    });
  }

  for (const [what, draw] of [
    ["something of its size is added already in a form that isn't known as a bias",
      ({ op, weight }: Workbench, x: Value) => op.Add(op.MatMul(x, weight("head.weight", [K, N])), weight("c", [1, N]))],
    ["a Gemm would multiply it", ({ op, weight }: Workbench, x: Value) => op.Gemm(x, weight("head.weight", [K, N]), undefined, { beta: 0.5 })],
  ] as const) {
    it(`is refused where ${what}`, () => {
      assert.throws(() => { withBias(drawn(draw)); }, failure("MODULE_UNKNOWN", /"head\.bias"/));
    });
  }
});
