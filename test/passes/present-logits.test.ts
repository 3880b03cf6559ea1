import assert from "node:assert/strict";
import { DataType } from "../../src/ir/data-type.ts";
import { presentLogits } from "../../src/passes/present-logits.ts";
import { assertSound, copyOf, outputsOf, randomFloats, workbench, type Workbench } from "./workbench.ts";

const feeds = { x: randomFloats([2, 4]) };

/** x·W, with an inner value called `logits`, and an output of another name. */
function drawn(dataType: number): Workbench {
  const bench = workbench(17);
  const { op, input, weight, output } = bench;
  const inner = op.named(op.MatMul(input("x", [2, 4]), weight("w", [4, 3])), "logits");
  output(op.Cast(op.Neg(inner), { to: dataType }), "383");
  return bench;
}

describe("presentLogits", () => {
  for (const [what, dataType, nodes] of [["renames the output", DataType.FLOAT, 3], ["casts half floats behind it", DataType.FLOAT16, 4]] as const) {
    it(`${what}, keeps the numbers, and changes nothing the second time`, async () => {
      const { model, graph } = drawn(dataType);
      const before = (await outputsOf(model, feeds))["383"];
      const [logits] = graph.outputs;
      assert.ok(logits !== undefined);
      const shown = presentLogits(model, logits);
      assertSound(graph);
      assert.deepEqual(graph.outputs.map((v) => [v.name, v.dataType]), [["logits", DataType.FLOAT]]);
      assert.equal(graph.nodes.length, nodes);
      assert.deepEqual((await outputsOf(copyOf(model), feeds))["logits"], before);
      assert.equal(presentLogits(model, shown), shown);
      assert.equal(graph.nodes.length, nodes);
    });
  }
});
