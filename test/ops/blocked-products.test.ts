/** The oracle: finite differences of ONNX Runtime's own MatMulNBits, and its numbers. It computes in float32 alone. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as ort from "onnxruntime-node";
import { int } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Node, type Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { HutError } from "../../src/errors/hut-error.ts";
import { inferNode } from "../../src/ops/infer.ts";
import { differentiate } from "../../src/passes/differentiate.ts";
import { openComposites } from "../../src/passes/open-composites.ts";
import { GraphSession } from "../../src/runtime/session.ts";
import { Random } from "../../src/runtime/random.ts";
import { assertClose, BATCH, workbench, type Workbench } from "../passes/workbench.ts";
import { openedOperators } from "./opencheck.ts";

const [K, N, BLOCK] = [40, 6, 16];
const BLOCKS = Math.ceil(K / BLOCK);
/** One step either way: the product is linear, so that only rounding is left. */
const STEP = 1;

interface Row {
  readonly bits: 4 | 8;
  readonly zeros?: "packed" | "floats";
  readonly bias?: boolean;
  readonly x: readonly number[];
}

openedOperators.add("com.microsoft:MatMulNBits");

/** The product of an input x; its result weighted with r, summed up, is `loss`. */
function drawn({ bits, zeros, bias }: Row, rank: number): Workbench & { x: Value; b: Value | undefined; y: Value; node: Node } {
  const bench = workbench(17);
  const { model, graph, op, input, output } = bench;
  model.opsets.set("com.microsoft", 1);
  const random = new Random(3);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random.below(256));
  const x = input("x", [...Array.from({ length: rank - 1 }, () => BATCH), K]);
  const packed = graph.addInitializer("q", new Tensor(DataType.UINT8, [N, BLOCKS, (BLOCK * bits) / 8], bytes((N * BLOCKS * BLOCK * bits) / 8)));
  const scales = graph.addInitializer("scales", Tensor.floats([N * BLOCKS], Array.from({ length: N * BLOCKS }, () => random.uniform(0.01, 0.1))));
  const rowBytes = Math.ceil((BLOCKS * bits) / 8);
  const zero = zeros === undefined ? undefined : graph.addInitializer("zeros", zeros === "floats" ? Tensor.floats([N * BLOCKS], Array.from({ length: N * BLOCKS }, () => random.uniform(2, 9)))
    : new Tensor(DataType.UINT8, [N * rowBytes], bytes(N * rowBytes)));
  const b = bias === true ? input("b", [N]) : undefined;
  const y = graph.newValue("y");
  const attributes = new Map(Object.entries({ K, N, bits, block_size: BLOCK }).map(([key, value]) => [key, int(value)]));
  const node = new Node({ opType: "MatMulNBits", domain: "com.microsoft", name: "product", attributes }, [x, packed, scales, zero, undefined, b].slice(0, b === undefined ? (zero === undefined ? 3 : 4) : 6), [y]);
  graph.insert([node]);
  inferNode(node, model.opsets);
  const weighted = op.Mul(y, input("r", [N]));
  output(op.ReduceSum(weighted, undefined, { keepdims: 0 }), "loss");
  return { ...bench, x, b, y, node };
}

async function run(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Float32Array>> {
  await using session = await GraphSession.create(ort, model, { name: "test", optimize: false });
  const outputs = await session.run(new Map(Object.entries(feeds).map(([name, t]) => [name, { dataType: t.dataType, dims: t.dims, data: t.toNumbers() as Float32Array }])));
  return Object.fromEntries([...outputs].map(([name, { data }]) => [name, data as Float32Array]));
}

describe("MatMulNBits", () => {
  const rows: readonly Row[] = [
    { bits: 4, x: [3, K] }, { bits: 8, x: [2, 3, K] }, { bits: 4, zeros: "packed", x: [2, 3, K] }, { bits: 8, zeros: "packed", x: [3, K] }, { bits: 4, zeros: "floats", x: [3, K] },
    { bits: 4, zeros: "packed", bias: true, x: [2, 3, K] },
  ];
  for (const row of rows) {
    it(`has its gradients: ${String(row.bits)} bits, zero points ${row.zeros ?? "none"}, x [${row.x.join(", ")}]${row.bias === true ? ", bias" : ""}`, async () => {
      const random = new Random(5);
      const numbers = (dims: readonly number[]): Tensor => Tensor.floats(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.uniform(-1, 1)));
      const feeds = { x: numbers(row.x), r: numbers([N]), ...(row.bias === true ? { b: numbers([N]) } : {}) };
      const forward = drawn(row, row.x.length);
      assert.deepEqual(forward.y.shape, [...row.x.slice(1).map(() => BATCH), N]);
      const { model, graph, op, x, b } = drawn(row, row.x.length);
      const wrt = [x, ...(b === undefined ? [] : [b])];
      const [loss] = graph.outputs;
      assert.ok(loss !== undefined);
      assert.equal(openComposites(model), 1);
      const gradients = differentiate(graph, { opsets: model.opsets, loss, wrt });
      graph.outputs.splice(0, Infinity, ...wrt.map((v) => op.Identity(gradients.get(v) ?? [])));
      const found = Object.values(await run(model, feeds));
      for (const [i, value] of wrt.entries()) {
        const point = (feeds as Record<string, Tensor>)[value.name];
        assert.ok(point !== undefined);
        const at = async (place: number, h: number): Promise<number> => {
          const moved = Float32Array.from(point.toNumbers() ?? []).map((v, j) => (j === place ? v + h : v));
          return (await run(forward.model, { ...feeds, [value.name]: Tensor.floats(point.dims, moved) }))["loss"]?.[0] ?? NaN;
        };
        const places = [0, 1, 17, point.size - 1].filter((p) => p < point.size);
        const expected: number[] = [];
        for (const place of places) expected.push((await at(place, STEP) - await at(place, -STEP)) / (2 * STEP));
        assertClose(places.map((p) => found[i]?.[p] ?? NaN), expected, 1e-4, value.name);
      }
    });
  }

  it("whose rows g_idx puts in another order is refused by name", () => {
    const { model, graph, x, node } = drawn({ bits: 4, x: [3, K] }, 2);
    node.setInput(4, graph.addInitializer("g_idx", Tensor.ints([K], Array.from({ length: K }, (_, i) => i % BLOCKS))));
    const [loss] = graph.outputs;
    assert.ok(loss !== undefined);
    assert.equal(openComposites(model), 0);
    assert.throws(() => differentiate(graph, { opsets: model.opsets, loss, wrt: [x] }), (error) => error instanceof HutError && error.code === "NO_GRADIENT" && /MatMulNBits, node "product".*g_idx/.test(error.message));
  });
});
