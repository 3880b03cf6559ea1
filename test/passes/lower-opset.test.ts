import assert from "node:assert/strict";
import { int } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Node } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { printGraph } from "../../src/ir/print.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { lowerOpset } from "../../src/passes/lower-opset.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { encoderFeeds, expectSameOutputs, openFixture, workbench } from "./workbench.ts";

/** How often it fired; what stands in the way is thrown. */
function lower(model: Model): number {
  const from = model.opset;
  const why = lowerOpset(model, 21);
  if (why !== undefined) throw new Error(why);
  inferGraph(model.graph, model.opsets);
  return Number(model.opset !== from);
}

describe("lowerOpset", () => {
  for (const family of ["bert", "llama"]) {
    it(`lowers ${family} from opset 24, and the numbers stay`, async () => {
      const model = openFixture(`cases/${family}/model.ts.onnx`);
      assert.ok(raiseOpset(model, 24));
      inferGraph(model.graph, model.opsets);
      await expectSameOutputs(model, lower, encoderFeeds(model), { fired: 1 });
      assert.equal(model.opset, 21);
    });
  }

  const refuses = (model: Model, message: string): void => {
    const [text, opset] = [printGraph(model.graph), model.opset];
    assert.equal(lowerOpset(model, 21), message);
    assert.deepEqual([printGraph(model.graph), model.opset], [text, opset], "nothing changed");
  };

  it("leaves a graph alone that holds what an older opset can't say", () => {
    const { model, op, input, output } = workbench(24);
    const x = input("x", [2, 3]);
    output(op.Swish(op.Neg(x)), "y");
    refuses(model, "Swish \"t/Swish_1\" isn't there in opset 21");

    const other = workbench(24);
    const made = other.graph.newValue("made", { dataType: DataType.FLOAT16, shape: [2, 3] });
    other.graph.insert([new Node({ opType: "Cast", name: "c", attributes: new Map([["to", int(DataType.FLOAT16)], ["round_mode", { kind: "string", value: "up" }]]) }, [other.input("x", [2, 3])], [made])]);
    other.output(made, "y");
    refuses(other.model, "Cast \"c\" has the attribute \"round_mode\", which isn't there in opset 21");
  });

  it("leaves a graph alone that has a type which only the newer form takes", () => {
    const { model, op, input, output } = workbench(22);
    output(op.Sin(input("x", [2, 3], DataType.BFLOAT16)), "y");
    refuses(model, "Sin \"t/Sin_1\" takes no bfloat16 there");
    const other = workbench(23);
    other.output(other.op.Identity(other.input("x", [2, 3], DataType.FLOAT4E2M1)), "y");
    refuses(other.model, "Identity \"t/Identity_1\" takes no float4e2m1 there");
    const kept = workbench(23);
    kept.output(kept.op.Identity(kept.input("x", [2, 3], DataType.BFLOAT16)), "y");
    assert.equal(lower(kept.model), 1, "Identity took bfloat16 before");
  });

  it("lowers nothing from an opset that nobody here knows", () => {
    const { model, op, input, output } = workbench(30);
    output(op.Neg(input("x", [2])), "y");
    refuses(model, "opset 30 is newer than any known here (24)");
  });
});
