import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { Tensor } from "../../src/ir/tensor.ts";
import { METHODS } from "../../src/methods/registry.ts";
import { adapt, pathOf } from "../../src/passes/adapt.ts";
import { findWeights, type WeightSite } from "../../src/passes/weights/find-weights.ts";
import { evaluateWith } from "../../src/runtime/evaluate-with.ts";
import { foldBias, foldWeight } from "../../src/passes/fold.ts";
import { valuesAt } from "../../src/passes/weights/weight-values.ts";
import { prepare } from "../../src/runtime/prepare.ts";
import { Random } from "../../src/runtime/random.ts";
import { assertSound, copyOf, outputsOf, workbench, type Workbench } from "../passes/workbench.ts";

const [K, N, R, S] = [6, 5, 2, 1.5];
const { evaluate } = evaluateWith(ort);

/** A parameter's number at a place, in [k, n] terms. */
type Numbers = (...at: number[]) => number;
/** W' of the same numbers in plain loops: w[i][j], and the parameters in the method's order. */
type Formula = (w: readonly number[][], p: readonly Numbers[], feedforward: boolean) => number[][];
const each = (w: readonly number[][], f: (v: number, i: number, j: number) => number): number[][] => w.map((row, i) => row.map((v, j) => f(v, i, j)));
const none: Numbers = () => NaN;
/** (A·B)[i][j]. */
const low = (a: Numbers, b: Numbers, i: number, j: number): number => Array.from({ length: R }, (_, r) => a(i, r) * b(r, j)).reduce((x, y) => x + y, 0);
const FORMULAS: Readonly<Record<string, Formula>> = {
  hut: (w, [a = none, b = none]) => each(w, (v, i, j) => v * (1 + S * low(a, b, i, j))),
  lora: (w, [a = none, b = none]) => each(w, (v, i, j) => v + S * low(a, b, i, j)),
  dora: (w, [a = none, b = none, m = none]) => {
    const moved = each(w, (v, i, j) => v + S * low(a, b, i, j));
    return each(moved, (v, _, j) => (m(j) * v) / Math.hypot(...moved.map((row) => row[j] ?? NaN)));
  },
  loha: (w, [a1 = none, b1 = none, a2 = none, b2 = none]) => each(w, (v, i, j) => v + S * low(a1, b1, i, j) * low(a2, b2, i, j)),
  ia3: (w, [l = none], feedforward) => each(w, (v, i, j) => v * (feedforward ? l(i) : l(j))),
  vera: (w, [b = none, d = none, A = none, B = none]) => each(w, (v, i, j) => v + b(j) * Array.from({ length: R }, (_, r) => A(i, r) * d(r) * B(r, j)).reduce((x, y) => x + y, 0)),
};

/** x · W + b with W [k, n] stored as it is or transposed. */
function drawn(stored: "kn" | "nk", [k, n] = [K, N]): Workbench {
  const bench = workbench();
  const { op } = bench;
  const [x, b] = [bench.input("x", [3, k]), bench.weight("b", [n])];
  bench.output(stored === "kn" ? op.Add(op.MatMul(x, bench.weight("body.proj.weight", [k, n])), b) : op.Gemm(x, bench.weight("body.proj.weight", [n, k]), b, { transB: 1 }), "y");
  return bench;
}

function onlySite({ graph }: Pick<Workbench, "graph">): WeightSite {
  const [site, ...others] = findWeights(graph);
  assert.ok(site !== undefined && others.length === 0);
  return site;
}

const updating = METHODS.filter((m) => m.trains === undefined);

describe("methods", () => {
  for (const method of updating) {
    for (const stored of ["kn", "nk"] as const) {
      for (const feedforward of method.takes.includes("feedforward") ? [false, true] : [false]) {
        it(`${method.name} on a weight stored ${stored}${feedforward ? ", feed-forward" : ""}: its formula, in the graph and folded`, async () => {
          const bench = drawn(stored);
          const copy = copyOf(bench.model);
          const site = onlySite(copy);
          const random = new Random(3);
          const w = Array.from({ length: K }, (_, i) => valuesAt(site, Array.from({ length: N }, (_1, j) => i * N + j)));
          const bias = site.bias?.tensor.toNumbers() ?? [];
          const [adapted] = adapt(copy.graph, { opsets: copy.opsets, parts: [{ site, modulePath: pathOf(site) }], method, rank: R, scaleOf: () => S, feedforwardOf: () => feedforward,
            start: (_, { shape }) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(0.2, 1)) });
          assertSound(copy.graph);
          assert.ok(adapted !== undefined);
          const parameters = [...adapted.parameters, ...adapted.shared].map(({ shape, start }): Numbers => (...at) => start[at.reduce((sum, index, axis) => sum * (shape[axis] ?? 1) + index, 0)] ?? NaN);
          const expected = FORMULAS[method.name]?.(w, parameters, feedforward) ?? [];
          const folded = (await foldWeight([adapted], method, copy.opsets, evaluate).resolved()).toNumbers() ?? [];
          expected.forEach((row, i) => { row.forEach((v, j) => {
            const have = folded[stored === "kn" ? i * N + j : j * K + i] ?? NaN;
            assert.ok(Math.abs(v - have) < 1e-5, `${String(i)}, ${String(j)}: ${String(have)} for ${String(v)}`);
          }); });
          const foldedBias = await foldBias([adapted], method, copy.opsets, evaluate)?.resolved();
          const scaled = method.updatesBias?.(adapted.weight) === true;
          assert.equal(foldedBias !== undefined, scaled);
          const x = Array.from({ length: 3 * K }, () => random.uniform(-1, 1));
          const { y = [] } = await outputsOf(copy, { x: Tensor.floats([3, K], x) });
          for (let t = 0; t < 3; t += 1) {
            for (let j = 0; j < N; j += 1) {
              const sum = expected.reduce((total, row, i) => total + (x[t * K + i] ?? NaN) * (row[j] ?? NaN), 0);
              assert.ok(Math.abs((y[t * N + j] ?? NaN) - sum - ((foldedBias?.toNumbers() ?? bias)[j] ?? NaN)) < 1e-4);
            }
          }
        });
      }
    }

    for (const stored of ["kn", "nk"] as const) {
      for (const packed of method.peft?.packed === "whole" ? [false] : [false, true]) {
        it(`${method.name} on a large weight${packed ? " of two roles" : ""} stored ${stored}: folded some rows at a time, as in the graph`, async () => {
          const size = [700, 601] as const;
          const bench = drawn(stored, [...size]);
          const site = onlySite(bench.model);
          const random = new Random(4);
          // Every third column has another role, and those in between stay.
          const columns = (first: number): number[] => Array.from({ length: 200 }, (_, i) => first + 3 * i);
          const parts = packed ? (["q", "v"] as const).map((role, i) => ({ site, modulePath: pathOf(site), block: { role, columns: columns(i) } })) : [{ site, modulePath: pathOf(site) }];
          const adapted = adapt(bench.graph, { opsets: bench.model.opsets, parts, method, rank: R, scaleOf: () => S,
            start: (_, { shape }) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(0.2, 1)) });
          const [updated] = site.points.map((point) => point.updated);
          assert.ok(updated !== undefined);
          bench.graph.outputs.push(updated);
          const expected = (await outputsOf(bench.model, { x: Tensor.floats([3, size[0]], new Float32Array(3 * size[0])) }))[updated.name] ?? [];
          let pieces = 0;
          const counted: typeof evaluate = (...args) => { pieces += 1; return evaluate(...args); };
          const folded = (await foldWeight(adapted, method, bench.model.opsets, counted).resolved()).toNumbers() ?? [];
          assert.equal(folded.length, expected.length);
          assert.ok(expected.every((v, i) => Math.abs(v - (folded[i] ?? NaN)) <= 1e-6 * Math.max(1, Math.abs(v))));
          assert.equal(pieces, (method.couples === "in" && stored === "kn") || (packed && stored === "nk") ? 1 : 2);
        });
      }
    }

    it(`${method.name} at its start: the base`, async () => {
      const bench = drawn("kn");
      const x = Tensor.floats([3, K], Array.from({ length: 3 * K }, (_, i) => Math.sin(i)));
      const { y: before = [] } = await outputsOf(bench.model, { x });
      const prepared = prepare(bench.model, { method: method.name, targetModules: ["proj"], saveHead: false, ...(method.takes.includes("rank") ? { rank: R } : {}) });
      const { y: after = [] } = await outputsOf(prepared.model, { x });
      after.forEach((v, i) => { assert.ok(Math.abs(v - (before[i] ?? NaN)) < 1e-6); });
    });
  }
});
