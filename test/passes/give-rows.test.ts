/** Products with a weight for each row: row i of the batch gets what the same graph with one weight gives it alone. */
import assert from "node:assert/strict";
import { symbol, type Shape } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { hut } from "../../src/methods/hut.ts";
import type { OpBuilder } from "../../src/ops/generated/builder.ts";
import { batchInputs, giveRows, readyForRows } from "../../src/passes/give-rows.ts";
import { makeSwappable } from "../../src/passes/make-swappable.ts";
import { prepare } from "../../src/runtime/prepare.ts";
import { Random } from "../../src/runtime/random.ts";
import { assertClose, BATCH, copyOf, failure, outputsOf, randomFloats, workbench, type Feeds } from "./workbench.ts";

const ROWS = 3;
type Draw = (op: OpBuilder, x: Value, weight: (name: string, dims: readonly number[]) => Value) => Value;

/** What stands between x and the logits: [batch, ..] to [batch·.., 6]. */
const FORMS: readonly { readonly what: string; readonly shape: Shape; readonly draw: Draw }[] = [
  { what: "[batch, T, k] · W", shape: [BATCH, 2, 4], draw: (op, x, w) => op.Add(op.MatMul(x, w("body.proj.weight", [4, 6])), w("body.proj.bias", [6])) },
  { what: "[batch, k] in a Gemm with W transposed", shape: [BATCH, 4], draw: (op, x, w) => op.Gemm(x, w("body.proj.weight", [6, 4]), w("body.proj.bias", [6]), { transB: 1 }) },
  { what: "a Gemm with factors", shape: [BATCH, 4], draw: (op, x, w) => op.Gemm(x, w("body.proj.weight", [4, 6]), w("body.other", [1, 6]), { alpha: 0.5, beta: 2 }) },
  { what: "a Gemm of what is transposed", shape: [BATCH, 4], draw: (op, x, w) => op.Gemm(op.Transpose(x, { perm: [1, 0] }), w("body.proj.weight", [4, 6]), undefined, { transA: 1 }) },
  { what: "[batch, h, T, k] · W", shape: [BATCH, 2, 2, 4], draw: (op, x, w) => op.MatMul(x, w("body.proj.weight", [4, 6])) },
  {
    what: "one product behind the other, on rows laid end to end", shape: [BATCH, 2, 4],
    draw: (op, x, w) => op.Gemm(op.Tanh(op.Gemm(op.Reshape(x, [-1, 4]), w("first.proj.weight", [4, 4]))), w("body.proj.weight", [4, 6])),
  },
];

function drawn({ shape, draw }: Pick<(typeof FORMS)[number], "shape" | "draw">): Model {
  const { model, op, input, output, weight } = workbench();
  output(draw(op, input("x", shape), weight), "logits");
  return model;
}

function swappable(model: Model, perRow: boolean, whole: readonly string[] = []): Model {
  const prepared = prepare(model, { targetModules: whole.length === 0 ? ["proj"] : ["first.proj"], modulesToSave: whole, rank: 2, saveHead: false, swappable: true, perRow });
  makeSwappable(model, { method: prepared.method, adapted: prepared.adapted, whole: prepared.saved, perRow });
  if (perRow) giveRows(model, prepared.adapted, prepared.saved);
  model.graph.sortTopologically();
  const copy = copyOf(model);
  for (const value of copy.graph.inputs) {
    copy.graph.initializers.delete(value);
    value.initializer = undefined;
  }
  return copy;
}

/** What an input for adapters is fed: [ROWS, ..] of numbers that all do something. */
function adapters(model: Model): Map<string, Tensor> {
  const random = new Random(3);
  return new Map(model.graph.inputs.filter((v) => v.name !== "x").map((v) => [v.name, randomFloats([ROWS, ...(v.shape ?? []).slice(1).map((d) => (typeof d === "number" ? d : 2))], random)]));
}

function rowOf({ dims, data }: Tensor, row: number, keep: boolean): Tensor {
  const bytes = data as Uint8Array;
  const size = bytes.length / (dims[0] ?? 1);
  return new Tensor(1, keep ? [1, ...dims.slice(1)] : dims.slice(1), bytes.subarray(row * size, (row + 1) * size));
}

async function expectRows(form: Pick<(typeof FORMS)[number], "shape" | "draw">, whole: readonly string[] = []): Promise<void> {
  const x = randomFloats([ROWS, ...form.shape.slice(1).map(Number)]);
  const rows = swappable(drawn(form), true, whole);
  const fed = adapters(rows);
  const all = (await outputsOf(rows, { x, ...Object.fromEntries(fed) }))["logits"] ?? [];
  const one = swappable(drawn(form), false, whole);
  for (let row = 0; row < ROWS; row += 1) {
    const own: Feeds = { x: rowOf(x, row, true), ...Object.fromEntries([...fed].map(([name, tensor]) => [name, rowOf(tensor, row, false)])) };
    const alone = (await outputsOf(one, own))["logits"] ?? [];
    assertClose(all.slice(row * alone.length, (row + 1) * alone.length), alone, 1e-6, `row ${String(row)}`);
    // The same parameters for all rows.
    const shared = Object.fromEntries([...fed].map(([name, tensor]) => [name, rowOf(tensor, row, true)]));
    assertClose(((await outputsOf(rows, { x, ...shared }))["logits"] ?? []).slice(row * alone.length, (row + 1) * alone.length), alone, 1e-6, `all as row ${String(row)}`);
  }
}

describe("giveRows", () => {
  for (const form of FORMS) it(form.what, async () => { await expectRows(form); });

  for (const { what, shape, draw } of FORMS.slice(0, 2)) {
    it(`of a module trained whole, its bias too: ${what}`, async () => {
      await expectRows({ shape, draw: (op, x, w) => draw(op, op.MatMul(x, w("first.proj.weight", [4, 4])), w) }, ["body.proj"]);
    });
  }

  it("names the inputs that begin with the batch, and no others", () => {
    const { graph, input } = workbench();
    input("flags", [2]);
    input("x", [BATCH, symbol("T")]);
    input("positions", [symbol("T")]);
    input("mask", [BATCH, symbol("T")]);
    assert.deepEqual(batchInputs(graph), ["x", "mask"]);
  });

  const refuses = (what: string, shape: Shape, draw: Draw, code: string, message: RegExp): void => {
    it(`refuses ${what}`, () => { assert.throws(() => swappable(drawn({ shape, draw }), true), failure(code, message)); });
  };
  refuses("a batch of one size", [2, 4], (op, x, w) => op.MatMul(x, w("body.proj.weight", [4, 6])), "ROWS_BATCH_UNKNOWN", /no input of this one begins with a named size/);
  refuses("tokens before rows", [BATCH, 2, 4], (op, x, w) => op.MatMul(op.Transpose(x, { perm: [1, 0, 2] }), w("body.proj.weight", [4, 6])), "ROWS_IMPOSSIBLE", /"body\.proj": whether ".+", which meets it, holds the batch row by row/);
  refuses("tokens before rows, laid end to end", [BATCH, 2, 4], (op, x, w) => op.MatMul(op.Reshape(op.Transpose(x, { perm: [1, 0, 2] }), [-1, 4]), w("body.proj.weight", [4, 6])), "ROWS_IMPOSSIBLE", /row by row/);
  refuses("what is no row of the batch", [BATCH, 2, 4], (op, x, w) => op.Add(op.MatMul(w("table", [1, 2, 4]), w("body.proj.weight", [4, 6])), op.ReduceSum(x, [2], { keepdims: 1 })), "ROWS_IMPOSSIBLE", /row by row/);
  refuses("a kernel", [BATCH, 2, 4, 4], (op, x, w) => op.Conv(x, w("body.proj.weight", [3, 2, 2, 2]), undefined, { kernel_shape: [2, 2] }), "ROWS_IMPOSSIBLE", /"body\.proj": Conv has one weight for all rows\. Leave it out with --target-modules/);

  it("refuses what no product has, trained whole, and a method that has one W' for all rows", () => {
    const form = { shape: [BATCH, 2, 4], draw: ((op, x, w) => op.MatMul(op.LayerNormalization(x, w("norm.weight", [4]), w("norm.bias", [4]))[0] ?? x, w("first.proj.weight", [4, 6]))) satisfies Draw };
    assert.throws(() => swappable(drawn(form), true, ["norm"]), failure("ROWS_IMPOSSIBLE", /own "norm": its weight belongs to no product\. Leave it out with/));
    const { applyRows, ...method } = hut;
    assert.ok(applyRows !== undefined);
    const model = drawn(form);
    assert.throws(() => { readyForRows(model, { method, sites: [], parameters: [] }); }, failure("ROWS_METHOD_UNSUPPORTED", /The method "hut" can't/));
  });
});
