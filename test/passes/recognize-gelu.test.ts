import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import type { Value } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { normalizeConstants } from "../../src/passes/normalize-constants.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { matchGelu, recognizeGelu } from "../../src/passes/recognize-gelu.ts";
import { removeDead } from "../../src/passes/remove-dead.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { assertSnapshot, assertSound, encoderFeeds, expectSameOutputs, openFixture, randomFloats, workbench, type Workbench } from "./workbench.ts";

type Draw = (bench: Workbench, x: Value) => Value;
const half = ({ op }: Workbench): Value => op.scalar(0.5);
const scaled = ({ op }: Workbench, x: Value): Value => op.Div(x, op.scalar(Math.SQRT2));
const onePlus = (bench: Workbench, x: Value): Value => bench.op.Add(bench.op.Erf(scaled(bench, x)), bench.op.scalar(1));

describe("recognizeGelu", () => {
  const orders: [name: string, draw: Draw][] = [
    ["x · (1 + erf) · ½, as TorchScript writes it", (b, x) => b.op.Mul(b.op.Mul(x, onePlus(b, x)), half(b))],
    ["(1 + erf) · x · ½", (b, x) => b.op.Mul(b.op.Mul(onePlus(b, x), x), half(b))],
    ["½ · ((1 + erf) · x)", (b, x) => b.op.Mul(half(b), b.op.Mul(onePlus(b, x), x))],
    ["(x · ½) · (1 + erf)", (b, x) => b.op.Mul(b.op.Mul(x, half(b)), onePlus(b, x))],
    ["(1 + erf) · (½ · x)", (b, x) => b.op.Mul(onePlus(b, x), b.op.Mul(half(b), x))],
    ["x · ((1 + erf) · ½)", (b, x) => b.op.Mul(x, b.op.Mul(onePlus(b, x), half(b)))],
    ["(½ · (1 + erf)) · x", (b, x) => b.op.Mul(b.op.Mul(half(b), onePlus(b, x)), x)],
    ["1 + erf the other way round", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.scalar(1), b.op.Erf(scaled(b, x)))), half(b))],
    ["x · (1/√2)", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Mul(x, b.op.scalar(Math.SQRT1_2))), b.op.scalar(1))), half(b))],
    ["(1/√2) · x", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Mul(b.op.scalar(Math.SQRT1_2), x)), b.op.scalar(1))), half(b))],
    ["constants of one element that add no axis", (b, x) => b.op.Mul(b.op.Mul(x, onePlus(b, x)), b.op.constant("h", Tensor.floats([1, 1], [0.5])))],
  ];
  for (const [name, draw] of orders) {
    it(`recognises ${name}`, async () => {
      const bench = workbench(20);
      const { op, input, model, output } = bench;
      const x = op.Neg(input("x", [3, 4]));
      output(op.Exp(draw(bench, x)), "y");
      await expectSameOutputs(model, (m) => {
        const fired = recognizeGelu(m);
        removeDead(m.graph);
        return fired;
      }, { x: randomFloats([3, 4]) }, { fired: 1, atol: 1e-6 });
      assert.deepEqual(bench.graph.nodes.map((n) => n.opType), ["Neg", "Gelu", "Exp"]);
    });
  }

  it("draws one node in place of five, and keeps the name of a graph output", async () => {
    const bench = workbench(20);
    const x = bench.input("x", [3, 4]);
    bench.output(bench.op.Mul(bench.op.Mul(x, onePlus(bench, x)), half(bench)), "y");
    await expectSameOutputs(bench.model, recognizeGelu, { x: randomFloats([3, 4]) }, { fired: 1, atol: 1e-6 });
    removeDead(bench.graph);
    assertSnapshot(printGraph(bench.graph), "recognize-gelu");
  });

  it("keeps the pieces that something else reads, or that are graph outputs", async () => {
    const bench = workbench(20);
    const x = bench.input("x", [3, 4]);
    const divided = scaled(bench, x);
    const erf = bench.op.Erf(divided);
    bench.output(erf, "erf");
    bench.output(bench.op.Neg(divided), "other");
    bench.output(bench.op.Mul(bench.op.Mul(x, bench.op.Add(erf, bench.op.scalar(1))), half(bench)), "y");
    await expectSameOutputs(bench.model, recognizeGelu, { x: randomFloats([3, 4]) }, { fired: 1, atol: 1e-6 });
    removeDead(bench.graph);
    assert.deepEqual(bench.graph.nodes.map((n) => n.opType).sort(), ["Div", "Erf", "Gelu", "Neg"]);
  });

  const misses: [name: string, draw: Draw, missed: RegExp, at: string][] = [
    ["√2 / x", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Div(b.op.scalar(Math.SQRT2), x)), b.op.scalar(1))), half(b)), /the input of Erf is not x\/√2/, "Erf"],
    ["x / 1.4", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Div(x, b.op.scalar(1.4))), b.op.scalar(1))), half(b)), /not x\/√2/, "Erf"],
    ["x · √2", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Mul(x, b.op.scalar(Math.SQRT2))), b.op.scalar(1))), half(b)), /not x\/√2/, "Erf"],
    ["x itself", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(x), b.op.scalar(1))), half(b)), /not x\/√2/, "Erf"],
    ["a divisor that adds an axis", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Div(x, b.op.constant("d", Tensor.floats([1, 1, 1], [Math.SQRT2])))), b.op.scalar(1))), half(b)), /not x\/√2/, "Erf"],
    ["a divisor that is fed", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(b.op.Div(x, b.input("d", []))), b.op.scalar(1))), half(b)), /not x\/√2/, "Erf"],
    ["2 added", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Add(b.op.Erf(scaled(b, x)), b.op.scalar(2))), half(b)), /1 is not added to the Erf/, "Erf"],
    ["1 subtracted", (b, x) => b.op.Mul(b.op.Mul(x, b.op.Sub(b.op.Erf(scaled(b, x)), b.op.scalar(1))), half(b)), /1 is not added to the Erf/, "Erf"],
    ["an Erf that is read twice", (b, x) => { const erf = b.op.Erf(scaled(b, x)); return b.op.Add(erf, b.op.Mul(b.op.Mul(x, b.op.Add(erf, b.op.scalar(1))), half(b))); }, /1 is not added to the Erf/, "Erf"],
    ["no product", (b, x) => b.op.Add(x, onePlus(b, x)), /no product follows/, "Add"],
    ["one product", (b, x) => b.op.Neg(b.op.Mul(x, onePlus(b, x))), /a second product is missing/, "Mul"],
    ["a quarter", (b, x) => b.op.Mul(b.op.Mul(x, onePlus(b, x)), b.op.scalar(0.25)), /the products are not with x and ½/, "Mul"],
    ["a half that adds an axis", (b, x) => b.op.Mul(b.op.Mul(x, onePlus(b, x)), b.op.constant("h", Tensor.floats([1, 1, 1], [0.5]))), /not with x and ½/, "Mul"],
    ["the product with another value", (b, x) => b.op.Mul(b.op.Mul(b.op.Neg(x), onePlus(b, x)), half(b)), /not with x and ½/, "Mul"],
    ["the half of another value", (b, x) => b.op.Neg(b.op.Mul(onePlus(b, x), b.op.Mul(b.op.Neg(x), half(b)))), /a second product is missing/, "Mul"],
    ["its square", (b, x) => { const p = onePlus(b, x); return b.op.Mul(b.op.Mul(p, p), half(b)); }, /no product follows|not with x and ½/, "Add"],
  ];
  for (const [name, draw, missed, at] of misses) {
    it(`doesn't fire on ${name}, and says why and where`, () => {
      const bench = workbench(20);
      bench.output(draw(bench, bench.input("x", [3, 4])), "y");
      const erf = bench.graph.nodes.find((n) => n.opType === "Erf");
      assert.ok(erf);
      const match = matchGelu(erf);
      assert.ok("missed" in match);
      assert.match(match.missed, missed);
      assert.equal("opType" in match.at ? match.at.opType : match.at.name, at);
      assert.equal(recognizeGelu(bench.model), 0);
      assertSound(bench.graph);
    });
  }

  it("doesn't take an Erf of another domain, nor x of an unknown rank with constants of one axis", () => {
    const bench = workbench(20);
    const x = bench.graph.addInput("x", { dataType: DataType.FLOAT, shape: undefined });
    bench.op.Mul(bench.op.Mul(x, bench.op.Add(bench.op.Erf(bench.op.Div(x, bench.op.constant("d", Tensor.floats([1], [Math.SQRT2])))), bench.op.scalar(1))), half(bench));
    assert.equal(recognizeGelu(bench.model), 0);
  });

  for (const family of ["bert", "roberta"]) {
    it(`fires in both layers of ${family}'s TorchScript export, whose numbers stay`, async () => {
      const model = openFixture(`cases/${family}/model.ts.onnx`);
      normalizeConstants(model.graph);
      raiseOpset(model, 20);
      inferGraph(model.graph, model.opsets);
      await expectSameOutputs(model, recognizeGelu, encoderFeeds(model), { fired: 2, atol: 1e-6 });
    });
  }
});
