/** The oracle of decoding is ONNX Runtime: its DequantizeLinear, and its MatMulNBits given the identity. That of encoding is its QuantizeLinear. */
import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { DataType } from "../../../src/ir/data-type.ts";
import type { Model } from "../../../src/ir/model.ts";
import { Tensor } from "../../../src/ir/tensor.ts";
import { OpBuilder } from "../../../src/ops/generated/builder.ts";
import { openProducts } from "../../../src/passes/open-products.ts";
import { findWeights, type WeightSite } from "../../../src/passes/weights/find-weights.ts";
import { decoded, encoded } from "../../../src/passes/weights/quantized.ts";
import { precisionAt, storedFloats, valuesAt } from "../../../src/passes/weights/weight-values.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { quantizeModel, type Form } from "../quantize.ts";
import { assertClose, assertSound, workbench } from "../workbench.ts";

const { INT8, UINT8, INT16, UINT16, INT4, UINT4 } = DataType;
const [K, N] = [40, 6];

/** x · W with W in a form; `x` is an input. */
function product(form: Form): { model: Model; site: WeightSite } {
  const { model, op, input, weight, output } = workbench(17);
  const made = output(op.MatMul(input("x", [K, K]), weight("w", [K, N])), "y");
  assert.ok(made);
  assert.equal(quantizeModel(model, form), 1);
  const [site, ...others] = findWeights(model.graph);
  assert.ok(site !== undefined && others.length === 0, "one weight");
  return { model, site };
}

/** The outputs with x the identity: W itself. */
async function run(model: Model): Promise<Float32Array> {
  assertSound(model.graph);
  await using session = await GraphSession.create(ort, model, { name: "test", optimize: false });
  const data = Float32Array.from({ length: K * K }, (_, i) => Number(i % (K + 1) === 0));
  const outputs = await session.run(new Map([["x", { dataType: DataType.FLOAT, dims: [K, K], data }]]));
  return outputs.get("y")?.data as Float32Array;
}

const FORMS: Readonly<Record<string, Form>> = {
  "int8, one scale": { dataType: INT8 }, "int8, a scale a column": { dataType: INT8, axis: 1 }, "int8, a scale a row": { dataType: INT8, axis: 0 },
  "uint8, one scale, zero point": { dataType: UINT8, zeroPoints: true }, "uint8 about 128": { dataType: UINT8, axis: 1 }, "uint8, zero points by column": { dataType: UINT8, axis: 1, zeroPoints: true },
  "int16": { dataType: INT16, axis: 1 }, "uint16": { dataType: UINT16, zeroPoints: true },
  "int4, one scale": { dataType: INT4 }, "int4, blocks of 8 down": { dataType: INT4, axis: 0, blockSize: 8 }, "uint4, blocks of 16 down, a short one last, zero points": { dataType: UINT4, axis: 0, blockSize: 16, zeroPoints: true },
  "int8, blocks of 2 across": { dataType: INT8, axis: 1, blockSize: 2 },
  "MatMulNBits, 4 bits": { dataType: UINT4, blockSize: 16, fused: true }, "MatMulNBits, 4 bits, zero points in odd rows": { dataType: UINT4, blockSize: 16, fused: true, zeroPoints: true },
  "MatMulNBits, 8 bits": { dataType: UINT8, blockSize: 32, fused: true }, "MatMulNBits, 8 bits, zero points": { dataType: UINT8, blockSize: 16, fused: true, zeroPoints: true },
};

describe("weights stored as integers", () => {
  for (const [name, form] of Object.entries(FORMS)) {
    it(`${name}: are found, and decoded as ONNX Runtime does`, async () => {
      const { model, site } = product(form);
      assert.deepEqual([site.k, site.n, site.quantized?.integers.dataType], [K, N, form.dataType]);
      const expected = await run(model);
      const ours = storedFloats(site);
      const inKn = site.stored === "kn" ? ours : Float32Array.from({ length: K * N }, (_, i) => ours[(i % N) * K + Math.floor(i / N)] ?? NaN);
      // The kernel of MatMulNBits computes in another order.
      assertClose(inKn, expected, form.fused === true ? 1e-6 : 0, "decoded");
      const places = [0, 1, N, K * N - 1, 17 * N + 3];
      assert.deepEqual(valuesAt(site, places), places.map((p) => inKn[p]));
      assert.ok(precisionAt(site, places).every((step) => step > 0));
    });

    it(`${name}: take new floats, and their own, with no error beyond half a step`, () => {
      const { site: { quantized } } = product(form);
      assert.ok(quantized !== undefined);
      const before = decoded(quantized);
      const values = before.map((v, i) => v * (1 + 0.3 * Math.sin(i)));
      const made = encoded(quantized, values);
      const after = { ...quantized, integers: made.integers, scale: made.scale, zero: made.zero ?? quantized.zero };
      assert.deepEqual([made.integers.dims, made.integers.dataType, made.scale.dims], [quantized.integers.dims, quantized.integers.dataType, quantized.scale.dims]);
      assert.equal(made.zero === undefined, form.zeroPoints !== true, "symmetric ones stay symmetric");
      const largest = Math.max(...made.scale.toNumbers() ?? []);
      assertClose(decoded(after), values, 0.5001 * largest, "rounded");
      const again = encoded(quantized, before);
      assertClose(decoded({ ...quantized, integers: again.integers, scale: again.scale, zero: again.zero ?? quantized.zero }), before, 0.5001 * Math.max(...again.scale.toNumbers() ?? []), "unchanged");
    });
  }

  it("are rounded as QuantizeLinear rounds, ties to even", async () => {
    const { model, op, input, output } = workbench(17);
    const { site: { quantized } } = product({ dataType: UINT8, axis: 1, zeroPoints: true });
    assert.ok(quantized !== undefined);
    const values = decoded(quantized).map((v, i) => v * (1 + 0.2 * Math.cos(i)));
    const { integers, scale, zero } = encoded(quantized, values);
    assert.ok(zero !== undefined);
    const builder: OpBuilder = op;
    output(builder.Cast(builder.QuantizeLinear(input("x", [K, N]), builder.constant("s", scale), builder.constant("z", zero), { axis: 1 }), { to: DataType.FLOAT }), "y");
    await using session = await GraphSession.create(ort, model, { name: "test", optimize: false });
    const outputs = await session.run(new Map([["x", { dataType: DataType.FLOAT, dims: [K, N], data: values }]]));
    assert.deepEqual([...outputs.get("y")?.data as Float32Array], [...integers.toNumbers() ?? []]);
  });

  it("of a MatMulNBits are opened: the same numbers by ordinary operators", async () => {
    for (const [name, form] of Object.entries(FORMS).filter(([, f]) => f.fused === true)) {
      const { model, site } = product(form);
      const before = await run(model);
      assert.equal(openProducts(model.graph, site, model.opsets), 1);
      assert.deepEqual(site.points.map((p) => [p.layout, p.value.shape, p.uses.map((u) => u.node.opType)]), [["kn", [K, N], ["MatMul"]]]);
      assertClose(await run(model), before, 1e-6, name);
      assert.equal(openProducts(model.graph, site, model.opsets), 0);
    }
  });

  it("are no weights where scales are computed, or in an order of their own", () => {
    const { model, site } = product({ dataType: INT8, axis: 1 });
    const [decoder] = site.quantized?.decoders ?? [];
    decoder?.setInput(1, model.graph.addInput("scale", { dataType: DataType.FLOAT, shape: [N] }));
    assert.deepEqual(findWeights(model.graph), []);
    const fused = product({ dataType: UINT4, blockSize: 16, fused: true });
    const [node] = fused.site.quantized?.decoders ?? [];
    node?.setInput(4, fused.model.graph.addInitializer("g_idx", Tensor.ints([K], Array.from({ length: K }, (_, i) => i % 3))));
    assert.deepEqual(findWeights(fused.model.graph), []);
  });
});
