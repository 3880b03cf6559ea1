/** Dropout: how random its masks are, that they are the same anywhere, and what is computed with them. */
import assert from "node:assert/strict";
import { DataType } from "../../src/ir/data-type.ts";
import { bytesOf, Tensor } from "../../src/ir/tensor.ts";
import { symbol } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import { hut } from "../../src/methods/hut.ts";
import { adapt, pathOf } from "../../src/passes/adapt.ts";
import { attachDropout, keepUpdates } from "../../src/passes/attach-dropout.ts";
import { randomMask } from "../../src/passes/random-mask.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import type { Feed } from "../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { Random } from "../../src/runtime/random.ts";
import { GraphSession } from "../../src/runtime/session.ts";
import { closeTo } from "../runtime/close-to.ts";
import { assertSound, copyOf, failure, outputsOf, randomFloats, workbench, type Feeds, type Workbench } from "./workbench.ts";

const int64 = (...values: number[]): Tensor => new Tensor(DataType.INT64, values.length === 1 ? [] : [values.length], bytesOf(BigInt64Array.from(values, BigInt)));
const dataOf = (tensor: Tensor): Feed["data"] => (tensor.dataType === DataType.INT64 ? BigInt64Array.from(tensor.toNumbers() ?? [], BigInt) : Float32Array.from(tensor.toNumbers() ?? []));
const where = (seed: number, step: number, first = 0, records = 4): Feeds => ({ seed: int64(seed), step: int64(step), rows: int64(first, records) });

/** A graph that makes masks of x, one for each of `layers`, as 0 and 1. */
function masks(layers: readonly number[], rate: number): Workbench {
  const bench = workbench();
  const { op, input, output } = bench;
  const x = input("x", [symbol("batch"), symbol("sequence"), 96]);
  const inputs = { seed: input("seed", [], DataType.INT64), step: input("step", [], DataType.INT64), rows: input("rows", [2], DataType.INT64) };
  for (const layer of layers) output(op.Cast(randomMask(op, x, inputs, layer, rate), { to: DataType.FLOAT }), `mask${String(layer)}`);
  return bench;
}

/** What the products of two masks' elements come to, as a share of their variance, the second shifted by rows and columns, and over how many pairs that is. */
function correlation(a: readonly number[], b: readonly number[], rate: number, [rows, columns]: readonly [number, number] = [0, 0], width = a.length): { readonly value: number; readonly count: number } {
  let [sum, count] = [0, 0];
  for (let i = 0; i + rows * width < a.length; i += 1) {
    if (i % width + columns >= width) continue;
    sum += ((a[i] ?? 0) - 1 + rate) * ((b[i + rows * width + columns] ?? 0) - 1 + rate);
    count += 1;
  }
  return { value: sum / (count * rate * (1 - rate)), count };
}

describe("random masks", () => {
  const [N, T, K] = [8, 25, 96];
  const x = Tensor.floats([N, T, K], new Float32Array(N * T * K));
  const size = N * T * K;
  /** Five standard deviations of a mean of so many: what one in two million chances misses. */
  const within = (count: number): number => 5 / Math.sqrt(count);

  for (const rate of [0.05, 0.1, 0.5, 0.9]) {
    it(`drop ${String(rate)} of the elements, in each row and each column alike, and nothing of them depends on a neighbour, a layer, a step or a seed`, async () => {
      const { model } = masks([0, 1], rate);
      const runs: number[][] = [];
      for (const [seed, step] of [[0, 1], [0, 2], [1, 1], [2 ** 40 + 3, 10_000]] as const) {
        const made = await outputsOf(model, { x, ...where(seed, step, 0, N) });
        runs.push(made["mask0"] ?? [], made["mask1"] ?? []);
      }
      const deviation = Math.sqrt(rate * (1 - rate));
      for (const [i, mask] of runs.entries()) {
        const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
        assert.ok(Math.abs(mean(mask) - (1 - rate)) < within(size) * deviation, `run ${String(i)}: ${String(mean(mask))}`);
        const rows = Array.from({ length: N * T }, (_, r) => mask.slice(r * K, (r + 1) * K));
        assert.ok(rows.every((row) => Math.abs(mean(row) - (1 - rate)) < within(K) * deviation * 1.3), "a row is not like the others");
        for (let c = 0; c < K; c += 1) assert.ok(Math.abs(mean(rows.map((row) => row[c] ?? 0)) - (1 - rate)) < within(N * T) * deviation * 1.3, "a column is not like the others");
        // A neighbour in the row, in the column, and the four corners of rectangles: a_i·b_j is a product, which alone would show there.
        for (const [dr, dc] of [[0, 1], [1, 0], [1, 1], [T, 0], [3, 7]] as const) {
          const { value, count } = correlation(mask, mask, rate, [dr, dc], K);
          assert.equal(count, (N * T - dr) * (K - dc));
          assert.ok(Math.abs(value) < within(count), `neighbours ${String(dr)}, ${String(dc)}`);
        }
        const standard = mask.map((m) => (m - 1 + rate) / deviation);
        const corners = standard.flatMap((v, at) => (at < K || at % K === 0 ? [] : [v * (standard[at - 1] ?? 0) * (standard[at - K] ?? 0) * (standard[at - K - 1] ?? 0)]));
        assert.equal(corners.length, (N * T - 1) * (K - 1));
        const spread = Math.sqrt(mean(corners.map((v) => v * v)));
        assert.ok(Math.abs(mean(corners)) < within(corners.length) * spread, `corners: ${String(mean(corners))}`);
        for (const other of runs.slice(0, i)) assert.ok(Math.abs(correlation(mask, other, rate).value) < within(size), `runs ${String(i)}`);
      }
    });
  }

  it("are the same bits anywhere, and go by a record's place in the step and not by what it is padded to", async () => {
    const { model } = masks([3], 0.5);
    const bits = async (dims: readonly [number, number], first: number, records: number): Promise<number[]> => (await outputsOf(model, { x: Tensor.floats([...dims, K], new Float32Array(dims[0] * dims[1] * K)), ...where(7, 12, first, records) }))["mask3"] ?? [];
    const all = await bits([N, T], 0, N);
    // Drawn by Python, whose integers don't overflow. Where a runtime gives others, a run can't be resumed to its bytes.
    assert.equal(all.slice(0, 64).join(""), "1001100100110001001011110000000111011011110111101011101100111100");
    const part = await bits([2, 10], 3, 2);
    for (let record = 0; record < 2; record += 1) for (let t = 0; t < 10; t += 1) {
      assert.deepEqual(part.slice((record * 10 + t) * K, (record * 10 + t + 1) * K), all.slice(((record + 3) * T + t) * K, ((record + 3) * T + t + 1) * K));
    }
  });
});

interface Product { readonly dims: readonly number[]; readonly weight: readonly number[]; readonly make: (bench: Workbench, x: Value, w: Value) => Value }
const PRODUCTS: Readonly<Record<string, Product>> = {
  MatMul: { dims: [4, 3, 6], weight: [6, 5], make: ({ op, weight }, x, w) => op.Add(op.MatMul(x, w), weight("query.bias", [5])) },
  "Gemm, stored transposed, with its bias": { dims: [4, 6], weight: [5, 6], make: ({ op, weight }, x, w) => op.Gemm(x, w, weight("query.bias", [5]), { transB: 1 }) },
  "MatMul of a Transpose": { dims: [4, 3, 6], weight: [5, 6], make: ({ op }, x, w) => op.MatMul(x, op.Transpose(w, { perm: [1, 0] })) },
  "Conv with a bias": { dims: [4, 3, 5, 5], weight: [4, 3, 2, 2], make: ({ op, weight }, x, w) => op.Conv(x, w, weight("query.bias", [4])) },
};

describe("attachDropout", () => {
  for (const [name, { dims, weight, make }] of Object.entries(PRODUCTS)) {
    /** The product adapted, its outputs without dropout and the base's, and what it gives in many steps. */
    async function outputs(rate: number, steps: number): Promise<{ base: number[]; plain: number[]; dropped: number[][] }> {
      const bench = workbench();
      const x = bench.input("x", dims);
      bench.output(make(bench, x, bench.weight("query.weight", weight)), "y");
      inferGraph(bench.graph, bench.model.opsets);
      const fed = { x: randomFloats(dims) };
      const base = (await outputsOf(copyOf(bench.model), fed))["y"] ?? [];
      const random = new Random(3);
      const parts = findWeights(bench.graph).map((site) => ({ site, modulePath: pathOf(site) }));
      assert.equal(parts.length, 1);
      const adapted = adapt(bench.graph, { opsets: bench.model.opsets, parts, method: hut, rank: 2, start: (_, { shape }) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1)) });
      const plain = (await outputsOf(copyOf(bench.model), fed))["y"] ?? [];
      keepUpdates(adapted);
      attachDropout(bench.model, { dropout: { adapter: rate, head: 0 }, adapted, saved: [] });
      assertSound(bench.graph);
      const dropped: number[][] = [];
      await using session = await GraphSession.create(await defaultRuntime(), bench.model, { name: "dropout" });
      for (let step = 1; step <= steps; step += 1) {
        const feeds = Object.entries({ ...fed, ...where(0, step) }).map(([input, tensor]): [string, Feed] => [input, { dataType: tensor.dataType, dims: tensor.dims, data: dataOf(tensor) }]);
        dropped.push(Array.from((await session.run(new Map(feeds))).get("y")?.data ?? [], Number));
      }
      return { base, plain, dropped };
    }

    it(`${name}: what is expected is what is computed without, and with next to all dropped the base is left`, async () => {
      const { plain, dropped } = await outputs(0.4, 300);
      assert.ok(dropped.some((y) => y.some((v, i) => Math.abs(v - (plain[i] ?? 0)) > 0.1)), "nothing was dropped");
      plain.forEach((want, i) => {
        const values = dropped.map((y) => y[i] ?? NaN);
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
        assert.ok(Math.abs(mean - want) <= 5 * deviation / Math.sqrt(values.length) + 1e-6, `${String(mean)} for ${String(want)}`);
      });
      const { base, dropped: [nothing = []] } = await outputs(1 - 1e-9, 1);
      closeTo(nothing, base, 1e-5, "base");
      const { plain: whole, dropped: [all = []] } = await outputs(1e-9, 1);
      closeTo(all, whole, 1e-5, "all");
    });
  }

  it("refuses a rate that nothing is there for", () => {
    const bench = workbench();
    const options = { dropout: { adapter: 0, head: 0.5 }, adapted: [], saved: [] };
    assert.throws(() => { attachDropout(bench.model, options); }, failure("DROPOUT_HAS_NO_PRODUCT", /^--head-dropout drops what goes into a product, and no module is trained whole/));
  });
});
