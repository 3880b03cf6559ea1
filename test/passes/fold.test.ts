import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { DataType } from "../../src/ir/data-type.ts";
import type { Value } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { hut } from "../../src/methods/hut.ts";
import { adapt, pathOf, type AdaptedSite } from "../../src/passes/adapt.ts";
import { foldWeight, replaceWeight } from "../../src/passes/fold.ts";
import { openProducts } from "../../src/passes/open-products.ts";
import { requantizeWeight } from "../../src/passes/requantize.ts";
import { findWeights, type WeightSite } from "../../src/passes/weights/find-weights.ts";
import { valuesAt } from "../../src/passes/weights/weight-values.ts";
import { evaluateWith } from "../../src/runtime/evaluate-with.ts";
import { Random } from "../../src/runtime/random.ts";
import { quantizeModel, type Form } from "./quantize.ts";
import { assertClose, assertSnapshot, assertSound, copyOf, outputsOf, randomFloats, workbench, type Workbench } from "./workbench.ts";

const [K, N] = [16, 6];
const { evaluate } = evaluateWith(ort);
const everywhere = Array.from({ length: K * N }, (_, i) => i);

function onlySite({ graph }: Pick<Workbench, "graph">): WeightSite {
  const [site, ...others] = findWeights(graph);
  assert.ok(site !== undefined && others.length === 0);
  return site;
}

/** Adapts a copy of the drawing with random A and B, and folds it. W ⊙ (1 + A·B) in doubles is what it should be. */
async function folded(bench: Workbench): Promise<{ tensor: Tensor; expected: number[]; adapted: AdaptedSite }> {
  const copy = copyOf(bench.model);
  const site = onlySite(copy);
  const expected = valuesAt(site, everywhere);
  const random = new Random(4);
  openProducts(copy.graph, site, copy.opsets);
  const [adapted] = adapt(copy.graph, { opsets: copy.opsets, parts: [{ site, modulePath: pathOf(site) }], method: hut, rank: 2, start: (_, { shape }) => Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform(-0.5, 0.5)) });
  assertSound(copy.graph);
  assert.ok(adapted !== undefined);
  const [a, b] = adapted.parameters.map((p) => p.start);
  const tensor = await foldWeight([adapted], hut, copy.opsets, evaluate).resolved();
  return { tensor, adapted, expected: expected.map((w, i) => w * (1 + [0, 1].reduce((sum, r) => sum + (a?.[Math.floor(i / N) * 2 + r] ?? NaN) * (b?.[r * N + (i % N)] ?? NaN), 0))) };
}

/** x · W, W made by `weight`. */
function drawn(weight: (bench: Workbench) => Value): Workbench {
  const bench = workbench();
  bench.output(bench.op.MatMul(bench.input("x", [2, K]), weight(bench)), "y");
  return bench;
}

function quantized(form: Form): Workbench {
  const bench = drawn((b) => b.weight("w", [K, N]));
  assert.equal(quantizeModel(bench.model, form), 1);
  return bench;
}

/** A weight [N, K] that a Gather reads as rows, and a product transposed: a tied embedding. */
function tied(): Workbench {
  const bench = workbench();
  const { op, input, weight, output } = bench;
  const w = weight("shared", [N, K]);
  output(op.MatMul(op.Gather(w, input("ids", [2], DataType.INT64)), op.Transpose(w, { perm: [1, 0] })), "y");
  return bench;
}

const ids = Tensor.ints([2], [1, 4]);

describe("folding", () => {
  it("rounds a weight once to the type it is stored in", async () => {
    for (const [dataType, relative] of [[DataType.FLOAT, 2e-7], [DataType.FLOAT16, 2 ** -11], [DataType.BFLOAT16, 2 ** -8]] as const) {
      const bench = drawn(({ op }) => {
        const stored = op.constant("w", Tensor.fromFloat32(dataType, [K, N], Float32Array.from(randomFloats([K, N]).toNumbers() ?? [])));
        return dataType === DataType.FLOAT ? stored : op.Cast(stored, { to: DataType.FLOAT });
      });
      const { tensor, expected } = await folded(bench);
      assert.deepEqual([tensor.dataType, tensor.dims], [dataType, [K, N]]);
      // The nearest of the type: half a unit in the last place, and what float32 is off by before.
      [...tensor.toNumbers() ?? []].forEach((v, i) => { assert.ok(Math.abs(v - (expected[i] ?? NaN)) <= Math.abs(expected[i] ?? NaN) * (relative + 2e-7), String(i)); });
      const site = onlySite(bench);
      replaceWeight(bench.graph, site, tensor);
      assert.equal(bench.graph.initializers.size, 1);
      assert.equal(onlySite(bench).name, site.name);
      assertSound(bench.graph);
    }
  });

  it("puts a kernel back as a kernel", async () => {
    const bench = workbench();
    const { op, input, weight, output, graph } = bench;
    output(op.Conv(input("x", [1, 4, 4, 4]), weight("w", [N, 4, 2, 2])), "y");
    const { tensor, adapted } = await folded(bench);
    assert.deepEqual([adapted.weight.k, adapted.weight.n, tensor.dims], [K, N, [N, 4, 2, 2]]);
    replaceWeight(graph, onlySite(bench), tensor);
    assert.deepEqual(onlySite(bench).tensor.dims, [N, 4, 2, 2]);
  });

  for (const [name, form] of Object.entries<Form>({ "int8": { dataType: DataType.INT8, axis: 1 }, "int4 in blocks": { dataType: DataType.INT4, axis: 0, blockSize: 8 }, "MatMulNBits": { dataType: DataType.UINT4, blockSize: 16, zeroPoints: true, fused: true } })) {
    it(`makes floats of ${name}, and nothing of the integers is left`, async () => {
      const bench = quantized(form);
      const { tensor, expected } = await folded(bench);
      const site = onlySite(bench);
      const before = openProducts(bench.graph, site, bench.model.opsets);
      assert.equal(before, form.fused === true ? 1 : 0);
      replaceWeight(bench.graph, site, tensor);
      assertSound(bench.graph);
      assert.deepEqual([bench.graph.nodes.map((n) => n.opType), bench.graph.initializers.size], [["MatMul"], 1]);
      const after = onlySite(bench);
      assert.deepEqual([after.tensor.dataType, after.k, after.n], [DataType.FLOAT, K, N]);
      assertClose(valuesAt(after, everywhere), expected, 1e-6, "W'");
    });

    it(`rounds to ${name} again, and says what it costs`, async () => {
      const bench = quantized(form);
      const { tensor, expected } = await folded(bench);
      const nodes = [...bench.graph.nodes];
      const names = [...bench.graph.initializers].map((v) => v.name);
      const { relativeError, maxAbsError } = requantizeWeight(bench.graph, onlySite(bench), tensor);
      assert.deepEqual(bench.graph.nodes, nodes, "the graph stays");
      assert.deepEqual([...bench.graph.initializers].map((v) => v.name), names);
      const actual = valuesAt(onlySite(bench), everywhere);
      const differences = actual.map((v, i) => Math.abs(v - (expected[i] ?? NaN)));
      const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
      assert.ok(Math.abs(norm(differences) / norm(expected) - relativeError) < 1e-5);
      assert.ok(Math.abs(Math.max(...differences) - maxAbsError) < 1e-5);
    });
  }

  it("leaves a tied embedding as it was", async () => {
    const bench = tied();
    const before = (await outputsOf(bench.model, { ids }))["y"] ?? [];
    const { tensor } = await folded(bench);
    const shared = bench.graph.nodes[0]?.inputs[0]?.initializer;
    replaceWeight(bench.graph, onlySite(bench), tensor);
    assert.equal(bench.graph.nodes[0]?.inputs[0]?.initializer, shared);
    assertSnapshot(printGraph(bench.graph), "fold-tied");
    assert.notDeepEqual((await outputsOf(bench.model, { ids }))["y"], before);
  });

  it("leaves a tied embedding as it was where both are decoded from the same integers", async () => {
    const draw = (): Workbench => {
      const bench = workbench();
      const { op, input, output } = bench;
      const q = op.constant("q", Tensor.fromIntegers(DataType.INT8, [N, K], Float64Array.from({ length: N * K }, (_, i) => ((i * 37) % 255) - 127)));
      const w = op.DequantizeLinear(q, op.constant("s", Tensor.floats([N], Array.from({ length: N }, (_, i) => 0.01 + 0.001 * i))), undefined, { axis: 0 });
      output(op.MatMul(op.Gather(w, input("ids", [2], DataType.INT64)), op.Transpose(w, { perm: [1, 0] })), "y");
      return bench;
    };
    const { tensor } = await folded(draw());
    const [floats, integers] = [draw(), draw()];
    replaceWeight(floats.graph, onlySite(floats), tensor);
    requantizeWeight(integers.graph, onlySite(integers), tensor);
    const opsOf = (bench: Workbench): string => bench.graph.nodes.map((n) => n.opType).sort().join();
    assert.equal(opsOf(floats), "DequantizeLinear,Gather,MatMul");
    assert.equal(opsOf(integers), "DequantizeLinear,DequantizeLinear,Gather,MatMul,Transpose");
    const [a, b] = [(await outputsOf(floats.model, { ids }))["y"] ?? [], (await outputsOf(integers.model, { ids }))["y"] ?? []];
    assertClose(a, b, 0.5, "rounded");
    assert.notDeepEqual(a, b);
  });

  it("gives a weight scales and zero points of its own where it shared them with another", async () => {
    const bench = workbench();
    const { op, input, output, graph } = bench;
    const x = input("x", [2, K]);
    const [s, z] = [op.constant("s", Tensor.floats([], [0.01])), op.constant("z", Tensor.fromIntegers(DataType.UINT8, [], Float64Array.of(90)))];
    const q = (hint: string, step: number): Value => op.constant(hint, Tensor.fromIntegers(DataType.UINT8, [K, N], Float64Array.from({ length: K * N }, (_, i) => (i * step) % 256)));
    output(op.MatMul(x, op.DequantizeLinear(q("q1", 37), s, z)), "y1");
    output(op.MatMul(x, op.DequantizeLinear(q("q2", 91), s, z)), "y2");
    const feeds = { x: randomFloats([2, K]) };
    const before = await outputsOf(bench.model, feeds);
    const [first, second] = findWeights(graph);
    assert.ok(first !== undefined && second !== undefined);
    const wanted = Tensor.floats([K, N], valuesAt(first, everywhere).map((v) => 3 * v));
    const { relativeError } = requantizeWeight(graph, first, wanted);
    assertSound(graph);
    assert.ok(relativeError < 0.01);
    const after = await outputsOf(bench.model, feeds);
    assert.deepEqual(after["y2"], before["y2"]);
    assertClose(after["y1"] ?? [], (before["y1"] ?? []).map((v) => 3 * v), 0.1, "y1");
    assert.deepEqual([...graph.initializers].map((v) => v.name), ["t/s", "t/z", "t/q1", "t/q2", "t/q1.weight_scale", "t/q1.weight_zero_point"]);
  });
});
