/** What every pass does in nested graphs, and with the values that they capture. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { tensor } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import type { Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { everyGraph, everyNode } from "../../src/ir/nested.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { hut } from "../../src/methods/hut.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { adapt, pathOf } from "../../src/passes/adapt.ts";
import { replaceWeight } from "../../src/passes/fold.ts";
import { mergeRepeated } from "../../src/passes/merge-repeated.ts";
import { normalizeConstants } from "../../src/passes/normalize-constants.ts";
import { recognizeGelu } from "../../src/passes/recognize-gelu.ts";
import { removeDead } from "../../src/passes/remove-dead.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { widenHalf } from "../../src/passes/widen-half.ts";
import { Random } from "../../src/runtime/random.ts";
import { ifOf, loopOf } from "./nested.ts";
import { assertClose, assertSound, copyOf, expectSameOutputs, outputsOf, randomFloats, workbench, type Feeds } from "./workbench.ts";

const feeds = (c: boolean): Feeds => ({ x: randomFloats([2, 3]), c: Tensor.bools([], [c]) });

/** Runs a pass on a fresh drawing for each value of the condition. */
async function expectBoth(draw: () => Model, pass: (model: Model) => number, fired: number, atol = 0): Promise<Model> {
  await expectSameOutputs(draw(), pass, feeds(false), { fired, atol });
  const model = draw();
  await expectSameOutputs(model, pass, feeds(true), { fired, atol });
  return model;
}

function drawing(draw: (bench: ReturnType<typeof workbench> & { x: Value; c: Value }) => Value, opset = 20): () => Model {
  return () => {
    const bench = workbench(opset);
    const [x, c] = [bench.input("x", [2, 3]), bench.input("c", [], DataType.BOOL)];
    bench.output(draw({ ...bench, x, c }), "y");
    return bench.model;
  };
}

function constantNode(op: OpBuilder, dims: readonly number[]): Value {
  const [made] = op.emit("Constant", [], { value: randomFloats(dims) }, 1);
  assert.ok(made);
  return made;
}

describe("nested graphs", () => {
  it("lose what is dead in them, and then what that captured", async () => {
    const model = await expectBoth(drawing(({ op, x, c }) => {
      const captured = op.Exp(x);
      return ifOf(op, c, (inner) => { inner.Neg(captured); return [inner.Sin(x)]; }, (inner) => [inner.Cos(x)])[0] ?? x;
    }), (m) => removeDead(m.graph), 2);
    assert.deepEqual(everyNode(model.graph).map((n) => n.opType), ["If", "Sin", "Cos"]);
  });

  it("merge what they compute twice, and read what is merged around them", async () => {
    const model = await expectBoth(drawing(({ op, x, c }) => {
      const [a, b] = [op.Exp(x), op.Exp(x)];
      return ifOf(op, c, (inner) => [inner.Mul(inner.Sin(a), inner.Sin(b))], (inner) => [inner.Sub(a, inner.Sin(b))])[0] ?? x;
    }), (m) => mergeRepeated(m.graph), 2);
    assert.deepEqual(everyNode(model.graph).map((n) => n.opType), ["Exp", "If", "Sin", "Mul", "Sin", "Sub"]);
  });

  it("have initializers for their Constant nodes, but for those that they give away", async () => {
    await expectBoth(drawing(({ op, x, c }) => ifOf(op, c, (inner) => [inner.Mul(x, constantNode(inner, [3]))], (inner) => [constantNode(inner, [2, 3])])[0] ?? x), (m) => normalizeConstants(m.graph), 1);
  });

  it("have Gelus in one piece, also where the pieces begin outside", async () => {
    const model = await expectBoth(drawing(({ op, x, c }) => {
      const half = (builder: OpBuilder, v: Value): Value => builder.constant("s", Tensor.floats([], [v === x ? Math.SQRT2 : 0.5]));
      const erf = op.Erf(op.Div(x, half(op, x)));
      const whole = (inner: OpBuilder, e: Value): Value => inner.Mul(inner.Mul(x, inner.Add(e, inner.constant("one", Tensor.floats([], [1])))), inner.constant("half", Tensor.floats([], [0.5])));
      return ifOf(op, c, (inner) => [whole(inner, inner.Erf(inner.Div(x, half(inner, x))))], (inner) => [whole(inner, erf)])[0] ?? x;
    }), (m) => recognizeGelu(m), 2, 1e-6);
    removeDead(model.graph);
    assert.deepEqual(everyNode(model.graph).map((n) => n.opType), ["If", "Gelu", "Gelu"]);
  });

  it("are widened with what is around them, loops and given constants too", async () => {
    const draw = drawing(({ op, x, c }) => {
      const half = (dims: readonly number[]): Tensor => Tensor.fromFloat32(DataType.FLOAT16, dims, Float32Array.from(randomFloats(dims).toNumbers() ?? []));
      const h = op.Cast(x, { to: DataType.FLOAT16 });
      const w = op.constant("w", half([3]));
      const looped = loopOf(op, 2, h, (body, v) => body.Mul(v, w));
      const [y] = ifOf(op, c, (inner) => [inner.Mul(looped, inner.constant("own", half([3])))], (inner) => [inner.constant("given", half([2, 3]))]);
      return op.Cast(y ?? h, { to: DataType.FLOAT });
    });
    const model = await expectBoth(draw, widenHalf, 4, 2e-3);
    for (const graph of everyGraph(model.graph)) for (const node of graph.nodes) for (const v of node.outputs) assert.notEqual(v?.dataType, DataType.FLOAT16);
  });
});

describe("weights in nested graphs", () => {
  const draw = drawing(({ op, weight, x, c }) => {
    const shared = weight("shared.weight", [3, 3]);
    const turned = op.Transpose(weight("turned.weight", [3, 3]), { perm: [1, 0] });
    const bias = weight("shared.bias", [3]);
    const own = (inner: OpBuilder): Value => { const made = inner.constant("own", randomFloats([3, 3])); inner.graph.claimName("own.weight"); made.name = "own.weight"; return made; };
    const [y] = ifOf(op, c, (inner) => [inner.MatMul(inner.Add(inner.MatMul(x, shared), bias), own(inner))],
      (inner) => [inner.MatMul(inner.MatMul(inner.Add(inner.MatMul(x, shared), bias), turned), inner.Transpose(own(inner), { perm: [1, 0] }))]);
    return op.MatMul(y ?? x, turned);
  });

  it("are found: one site for what both branches read, with its bias, and one for each constant of a branch", () => {
    const sites = findWeights(draw().graph);
    assert.deepEqual(sites.map((s) => [s.name, s.stored, s.points.map((p) => p.uses.length), s.bias?.uses.length]),
      [["shared.weight", "kn", [2], 2], ["own.weight", "kn", [1], undefined], ["turned.weight", "nk", [2], undefined], ["own.weight (1)", "nk", [1], undefined]]);
  });

  it("are adapted where they are held: both branches read one W', which starts as W", async () => {
    for (const c of [true, false]) {
      const model = draw();
      const before = await outputsOf(model, feeds(c));
      const random = new Random(5);
      const sites = findWeights(model.graph);
      adapt(model.graph, { opsets: model.opsets, parts: sites.map((site) => ({ site, modulePath: pathOf(site) })), method: hut, rank: 2, start: (_, spec) => Float32Array.from({ length: (spec.shape[0] ?? 0) * (spec.shape[1] ?? 0) }, () => (spec.start.kind === "constant" ? 0 : random.uniform(-1, 1))) });
      assertSound(model.graph);
      assert.deepEqual(everyGraph(model.graph).map((g) => g.nodes.filter((n) => n.opType === "Mul").length), [2, 1, 1]);
      assert.deepEqual(await outputsOf(model, feeds(c)), before);
    }
  });

  it("are replaced in place, wherever they are held", async () => {
    for (const c of [true, false]) {
      const [model, doubled] = [draw(), draw()];
      for (const site of findWeights(model.graph)) replaceWeight(model.graph, site, Tensor.floats([3, 3], Float32Array.from(site.tensor.toNumbers() ?? [], (v) => 2 * v)));
      assert.equal(everyGraph(model.graph).flatMap((g) => [...g.initializers]).length, everyGraph(doubled.graph).flatMap((g) => [...g.initializers]).length);
      for (const graph of everyGraph(doubled.graph)) {
        for (const v of graph.initializers) if (v.name.endsWith(".weight")) v.initializer = Tensor.floats([3, 3], Float32Array.from(v.initializer?.toNumbers() ?? [], (n) => 2 * n));
      }
      assert.deepEqual(await outputsOf(copyOf(model), feeds(c)), await outputsOf(doubled, feeds(c)));
    }
  });

  it("leave a constant that a branch gives away, and give its products another", async () => {
    const model = drawing(({ op, x, c }) => {
      const [y, w] = ifOf(op, c, (inner) => { const own = inner.Identity(inner.constant("own", randomFloats([3, 3]))); return [inner.MatMul(x, own), own]; }, (inner) => [inner.Neg(x), inner.constant("zero", randomFloats([3, 3]))]);
      return op.MatMul(y ?? x, w ?? x);
    })();
    const [site] = findWeights(model.graph);
    assert.ok(site);
    const before = await outputsOf(model, feeds(true));
    replaceWeight(model.graph, site, Tensor.floats([3, 3], Float32Array.from(site.tensor.toNumbers() ?? [], (v) => 2 * v)));
    const after = await outputsOf(model, feeds(true));
    assertClose(after["y"] ?? [], (before["y"] ?? []).map((v) => 2 * v), 1e-6, "twice, not four times");
  });

  it("keep a Constant node of a branch", () => {
    const model = drawing(({ op, x, c }) => ifOf(op, c, (inner) => [inner.MatMul(x, constantNode(inner, [3, 3]))], (inner) => [inner.Neg(x)])[0] ?? x)();
    const [site] = findWeights(model.graph);
    assert.ok(site);
    const value = Tensor.floats([3, 3], new Float32Array(9));
    replaceWeight(model.graph, site, value);
    assert.deepEqual(everyNode(model.graph).find((n) => n.opType === "Constant")?.attributes.get("value"), tensor(value));
  });
});
