import assert from "node:assert/strict";
import { tensor as tensorAttribute } from "../../../src/ir/attribute.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { Node, type Value } from "../../../src/ir/graph.ts";
import { Tensor } from "../../../src/ir/tensor.ts";
import { findWeights, type WeightSite } from "../../../src/passes/weights/find-weights.ts";
import { openFixture, randomFloats, workbench, type Workbench } from "../workbench.ts";

const [K, N] = [4, 3];

/** What a drawing's only weight is: stored how, [k, n], read in which layouts. */
function only(draw: (bench: Workbench, x: Value) => Value): { stored: string; shape: number[]; layouts: string[]; dtype: number; site: WeightSite } {
  const bench = workbench(21);
  bench.output(draw(bench, bench.input("x", [2, K])), "y");
  const [site, ...others] = findWeights(bench.graph);
  assert.ok(site !== undefined && others.length === 0, "one weight");
  return { stored: site.stored, shape: [site.k, site.n], layouts: site.points.map((p) => p.layout), dtype: site.tensor.dataType, site };
}

function half(dims: readonly number[], dataType: number): Tensor {
  return Tensor.fromFloat32(dataType, dims, Float32Array.from(randomFloats(dims).toNumbers() ?? []));
}

const int8 = (dims: readonly number[]): Tensor => Tensor.fromIntegers(DataType.INT8, dims, Float64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i % 255) - 127));

describe("weights are found", () => {
  it("in MatMul, and in Gemm either way", () => {
    for (const [draw, stored] of [
      [({ op, weight }: Workbench, x: Value) => op.MatMul(x, weight("w", [K, N])), "kn"], [({ op, weight }: Workbench, x: Value) => op.Gemm(x, weight("w", [K, N])), "kn"],
      [({ op, weight }: Workbench, x: Value) => op.Gemm(x, weight("w", [N, K]), undefined, { transB: 1 }), "nk"],
    ] as const) {
      const found = only(draw);
      assert.deepEqual([found.stored, found.shape], [stored, [K, N]]);
    }
  });

  it("behind Transpose, Cast, Identity, Reshape and several of them", () => {
    const swapped = only(({ op, weight }, x) => op.MatMul(x, op.Transpose(weight("w", [N, K]), { perm: [1, 0] })));
    assert.deepEqual([swapped.stored, swapped.shape, swapped.layouts], ["nk", [K, N], ["kn"]]);
    for (const type of [DataType.FLOAT16, DataType.BFLOAT16]) {
      const stored = only(({ op }, x) => op.MatMul(x, op.Identity(op.Cast(op.Transpose(op.constant("w", half([N, K], type))), { to: DataType.FLOAT }))));
      assert.deepEqual([stored.stored, stored.shape, stored.dtype], ["nk", [K, N], type]);
    }
    const reshaped = only(({ op, weight }, x) => op.MatMul(x, op.Transpose(op.Reshape(weight("w", [1, N, K, 1]), [N, K]), { perm: [1, 0] })));
    assert.deepEqual([reshaped.stored, reshaped.shape, reshaped.site.dims], ["nk", [K, N], [N, K]]);
  });

  it("as a Constant node", () => {
    const found = only(({ op, graph }, x) => {
      const value = graph.newValue("w", { dataType: DataType.FLOAT, shape: [K, N] });
      graph.insert([new Node({ opType: "Constant", name: "c", attributes: new Map([["value", tensorAttribute(randomFloats([K, N]))]]) }, [], [value])]);
      return op.MatMul(x, value);
    });
    assert.deepEqual([found.stored, found.site.name], ["kn", "w"]);
  });

  it("behind DequantizeLinear, before and after what hands them on", () => {
    const scale = ({ op }: Workbench): Value => op.constant("s", Tensor.floats([], [0.01]));
    const plain = only((b, x) => b.op.MatMul(x, b.op.DequantizeLinear(b.op.constant("q", int8([K, N])), scale(b))));
    const swapped = only((b, x) => b.op.MatMul(x, b.op.Cast(b.op.Transpose(b.op.DequantizeLinear(b.op.constant("q", int8([N, K])), scale(b))), { to: DataType.FLOAT })));
    const byRow = only((b, x) => b.op.MatMul(x, b.op.Transpose(b.op.DequantizeLinear(b.op.constant("q", int8([N, K])), b.op.constant("s", Tensor.floats([N], [1, 2, 3])), undefined, { axis: 0 }))));
    const inBlocks = only((b, x) => b.op.MatMul(x, b.op.Reshape(b.op.DequantizeLinear(b.op.constant("q", int8([K, 1, N])), b.op.constant("s", Tensor.floats([K], [1, 2, 3, 4])), undefined, { axis: 0 }), [K, N])));
    assert.deepEqual([plain, swapped, byRow, inBlocks].map((f) => [f.stored, f.shape, f.dtype]),
      [["kn", [K, N], DataType.INT8], ["nk", [K, N], DataType.INT8], ["nk", [K, N], DataType.INT8], ["kn", [K, N], DataType.INT8]]);
    assert.equal(inBlocks.site.quantized?.decoders.length, 1);
  });

  it("in convolutions of one group, in one dimension and two, as [c·kh·kw, n]", () => {
    const kernel = (x: readonly number[], w: readonly number[], attributes: { group?: number } = {}): number[][] => {
      const { op, input, weight, output, graph } = workbench();
      output(op.Conv(input("x", x), weight("w", w), undefined, attributes), "y");
      return findWeights(graph).map((s) => [s.k, s.n]);
    };
    assert.deepEqual(kernel([1, 3, 8, 8], [5, 3, 1, 1]), [[3, 5]]);
    assert.deepEqual(kernel([1, 3, 8, 8], [5, 3, 4, 2]), [[24, 5]]);
    assert.deepEqual(kernel([1, 3, 8], [5, 3, 4]), [[12, 5]]);
    assert.deepEqual(kernel([1, 4, 8, 8], [4, 2, 3, 3], { group: 2 }), []);
  });

  it("once where several products read one, and apart where they were equal alone", () => {
    const albert = findWeights(openFixture("families/albert/model.ts.onnx").graph);
    assert.deepEqual(albert.filter((s) => /attention\.query$/.test(s.modulePath ?? "")).map((s) => s.points.length), [2]);
    const { op, input, weight, output, graph } = workbench();
    const [w, x] = [weight("onnx::MatMul_1", [K, K]), input("x", [2, K])];
    const named = (name: string, y: Value): Value => { if (y.producer !== undefined) y.producer.name = name; return y; };
    const first = named("/a/MatMul", op.MatMul(x, w));
    const again = named("/a/MatMul_1", op.MatMul(first, op.Identity(w)));
    output(named("/b/MatMul", op.MatMul(again, op.Identity(w))), "y");
    assert.deepEqual(findWeights(graph).map((s) => [s.modulePath, s.points.length, s.constant === w]), [["a", 2, true], ["b", 1, true]]);
    assert.equal(new Set(findWeights(graph).map((s) => s.name)).size, 2, "each has a name of its own");
  });

  it("but not where the other side is computed, or has more axes than two", () => {
    const { op, input, weight, output, graph } = workbench();
    const x = input("x", [2, K]);
    output(op.MatMul(op.MatMul(x, op.Exp(weight("w", [K, K]))), weight("batch", [5, K, N])), "y");
    assert.deepEqual(findWeights(graph), []);
  });
});
